//! What a run must show to pass: thresholds.

mod judge;
mod labels;
mod measure;
mod parse;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

pub(crate) use judge::{Judge, StagesNow};

use self::vocabulary::{Limit, Operator, Stat, Subject, Unit, did_you_mean};
use crate::stats::{Statistics, metric::Metric};

/// A condition that a run has to meet: `http.p99 < 250ms`.
///
/// The grammar is `SUBJECT[{label="value",...}].STAT OP VALUE [over WINDOW] [abort [after D]]`.
///
/// | Subject | Is about | Times | Labels |
/// |---|---|---|---|
/// | `http` | requests of which a byte was written | total time of the successful ones | `journey`, `transaction`, `name`, `method`, `status`, `outcome`, `phase`, `stage`; or `error`, `stage` |
/// | `journey` | journeys that ended by themselves | response time of the completed ones | `journey`, `outcome`, `stage` |
/// | `service_time` | journeys that were completed | actual start to end | `journey`, `stage` |
/// | `transaction` | transactions | of the successful ones | `journey`, `transaction` (or `name`), `outcome`, `stage` |
/// | `errors` | failures | | `kind`, `journey`, `transaction`, `location`, `stage` |
/// | `start_delay` | starts of the open model | intended to actual start | `journey`, `stage` |
/// | `dropped` | starts given up | | `journey`, `stage` |
/// | a metric of your own | what it counts | of a histogram of seconds | its own |
///
/// A label selects what has exactly this value; of a journey, the last parts of its name are enough
/// if they say which one is meant. `outcome` is `ok` or `failed`: `http{outcome="failed"}.p99` is
/// about the times of failed requests, which otherwise count in `count` and `rate` only. A request
/// without an answer has the status `none`.
///
/// `phase` selects the times of one of `waiting`, `dns`, `connect`, `tls`, `sent`, `first_byte` and
/// `body`, of the requests, failed or not, that went through it: `http{phase="tls"}.p99 < 50ms`.
/// It goes with all other labels but `outcome`. `error` selects requests that ended in one kind of
/// transport error, those too of which nothing was written: `http{error="timeout"}.count < 10`. It
/// goes with no other label but `stage`, and has `count` and `rate`.
///
/// `journey` is about response time, from when a start was due; `service_time` leaves out the wait
/// before the actual start, and is the same in the closed model.
///
/// `stage` selects the seconds of the run that begin while any volume is in the stage of that name:
/// `http{stage="peak"}.p99 < 250ms`. All that ends in them counts, of whatever journey; what is in
/// flight when the plan is over counts for its last stage. Rates are per second of the stage.
///
/// | Stat | Is | Compared with |
/// |---|---|---|
/// | `count` | how many | a number |
/// | `rate` | how many a second; of `errors`, failed by finished journeys | a number with or without `/s`; of `errors`, a percentage |
/// | `min`, `mean`, `stddev`, `max`, `p50`, `p99.9`, … | of the times | a time; a number for a histogram of plain values |
/// | `value` | the sum of a counter, the last value of a gauge | a number |
///
/// A counter's `rate` is the increase of its sum; of `errors` with a label other than `journey`,
/// `rate` is the failures selected by finished journeys. OP is `<`, `<=`, `>`, `>=`, `==` or `!=`. Times
/// are written `250ms`, `1m30s`, percentages `1%`.
///
/// It is judged on the whole run without its warm-up. With `over 10s` it must hold in every stretch
/// of ten seconds, moved on a second at a time and beginning with the first sample. With `abort` the run ends as soon as the condition
/// does not hold, `abort after 1m` not before that. Where there is nothing to take a time, a gauge or
/// an error rate of, the condition does not hold; a count of nothing is 0.
///
/// ```
/// use mite::Threshold;
///
/// let threshold: Threshold = r#"http{name="GET /basket"}.p99 < 250ms over 10s abort"#.parse()?;
/// assert!("http.p99 < 250".parse::<Threshold>().unwrap_err().to_string().contains("250ms"));
/// # Ok::<(), mite::ThresholdError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    expression: String,
    subject: Subject,
    labels: Vec<(String, String)>,
    stage: Option<String>,
    stat: Stat,
    operator: Operator,
    limit: Limit,
    window: Option<Duration>,
    abort: Option<Abort>,
}

/// Ends the run when a threshold does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abort {
    /// Not before the run, without its warm-up, is so old.
    pub(crate) after: Duration,
}

/// A threshold compared with what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// Seconds, a ratio or a number; absent when there was no sample.
    pub(crate) value: Option<f64>,
    pub(crate) passed: bool,
}

/// How a threshold came out at the end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ThresholdResult {
    /// The threshold as it was written.
    pub(crate) expression: String,
    /// What was measured, in seconds, as a ratio (1 % is 0.01) or as a plain number; of a threshold
    /// with `over`, the worst window. Absent when there was nothing to measure.
    pub(crate) value: Option<f64>,
    /// Whether the condition held.
    pub(crate) passed: bool,
    /// What is measured now: of a threshold with `over`, the last window.
    pub(crate) now: Option<f64>,
    /// The age of the run, without its warm-up, from which on it did not hold; with `over`, when the
    /// first window that broke it was over. Absent when it held, never did, or had no sample.
    pub(crate) broke_at: Option<Duration>,
}

impl Threshold {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it does not follow the grammar, or compares what cannot be compared; the message shows
    /// what is wrong and what would be right.
    pub fn parse(expression: &str) -> Result<Self, ThresholdError> {
        parse::parse(expression)
    }

    /// The stretch of time in every one of which it must hold; the whole run without one.
    pub(crate) fn window(&self) -> Option<Duration> {
        self.window
    }

    /// Whether, and from when on, the run ends when it does not hold.
    pub(crate) fn abort(&self) -> Option<Abort> {
        self.abort
    }

    /// Whether it is about failures, so that a single one need not fail the run.
    pub(crate) fn is_on_errors(&self) -> bool {
        self.subject == Subject::Errors
    }

    /// Checks what only the scenario knows, and takes note of the metric's kind and the journey's
    /// full name.
    ///
    /// # Errors
    /// When there is no such metric or journey, a journey's name is ambiguous, or the metric does not
    /// have such a label or stat.
    pub(crate) fn validate(
        &mut self,
        metrics: &[Metric],
        journeys: &[&str],
    ) -> Result<(), ThresholdError> {
        if let Subject::Custom { name, .. } = &self.subject {
            let known = metrics.iter().find(|metric| metric.name() == name);
            let Some(metric) = known else {
                let names = metrics.iter().map(Metric::name);
                return Err(self.error(&vocabulary::no_such_subject(name, names)));
            };
            self.validate_metric(metric)?;
            self.subject = Subject::Custom {
                name: metric.name().to_owned(),
                kind: Some(metric.kind()),
            };
            return Ok(());
        }
        let mut labels = self.labels.clone();
        for (name, value) in &mut labels {
            if name == "journey" {
                *value = self.full_name(value, journeys)?;
            }
        }
        self.labels = labels;
        Ok(())
    }

    /// The stage of the plan that it is about, if not about the whole run.
    pub(crate) fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// Checks that there is such a stage among all that there are.
    ///
    /// # Errors
    /// When there is none of the name.
    pub(crate) fn check_stage(&self, stages: &[String]) -> Result<(), ThresholdError> {
        let Some(stage) = self
            .stage()
            .filter(|stage| !stages.iter().any(|s| s == stage))
        else {
            return Ok(());
        };
        let hint = did_you_mean(stage, stages.iter().map(String::as_str));
        let there_are = match stages {
            [] => "none of its volumes is named: `.named(\"…\")`".to_owned(),
            some => format!("it has {}", some.join(", ")),
        };
        Err(self.error(&format!(
            "the scenario has no stage \"{stage}\"{hint}; {there_are}"
        )))
    }

    /// Compares it with what was measured in `elapsed`.
    pub(crate) fn evaluate(&self, statistics: &Statistics, elapsed: Duration) -> Evaluation {
        self.judge(self.measure(statistics).value(self, elapsed))
    }

    fn judge(&self, value: Option<f64>) -> Evaluation {
        let passed = value.is_some_and(|value| self.operator.holds(value, self.limit.value));
        Evaluation { value, passed }
    }

    fn validate_metric(&self, metric: &Metric) -> Result<(), ThresholdError> {
        let name = metric.name();
        let stats = vocabulary::stats_of_metric(metric.kind());
        let Some(unit) = vocabulary::unit_of_metric(metric.kind(), self.stat) else {
            let why = format!("\"{name}\" does not have this stat; it has {stats}");
            return Err(self.error(&why));
        };
        self.check_unit(unit)?;
        let labels: Vec<_> = metric.labels().collect();
        match self
            .labels
            .iter()
            .find(|(label, _)| !labels.contains(&label.as_str()))
        {
            Some((label, _)) => Err(self.error(&vocabulary::no_such_label(name, label, &labels))),
            None => Ok(()),
        }
    }

    fn check_unit(&self, unit: Unit) -> Result<(), ThresholdError> {
        if unit.takes(self.limit.unit) {
            Ok(())
        } else {
            Err(self.error(&self.limit.misfit(unit)))
        }
    }

    fn full_name(&self, value: &str, journeys: &[&str]) -> Result<String, ThresholdError> {
        if journeys.contains(&value) {
            return Ok(value.to_owned());
        }
        let mut matching: Vec<_> = journeys
            .iter()
            .filter(|name| vocabulary::is_suffix(name, value))
            .collect();
        matching.sort_unstable();
        matching.dedup();
        match matching.as_slice() {
            [one] => Ok((**one).to_owned()),
            [] => {
                let last = |name: &'_ &str| name.rsplit("::").next().map(str::to_owned);
                let short: Vec<_> = journeys.iter().filter_map(last).collect();
                let hint = did_you_mean(value, short.iter().map(String::as_str));
                Err(self.error(&format!(
                    "the scenario has no journey \"{value}\"{hint}; it has {}",
                    journeys.join(", ")
                )))
            }
            several => {
                let names: Vec<_> = several.iter().map(|name| **name).collect();
                Err(self.error(&format!(
                    "\"{value}\" may be any of {}; write more of the name",
                    names.join(", ")
                )))
            }
        }
    }

    fn error(&self, why: &str) -> ThresholdError {
        ThresholdError::new(&self.expression, why)
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(expression: &str) -> Result<Self, ThresholdError> {
        Self::parse(expression)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.expression)
    }
}

/// A threshold that makes no sense, which part of it does not, and what would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ThresholdError(String);

impl ThresholdError {
    fn new(expression: &str, why: &str) -> Self {
        Self(format!("the threshold `{expression}`: {why}"))
    }
}
