//! Two runs held against each other: what changed, and whether that is more than chance.

mod breaks;
mod comparable;
mod error;
mod figures;
mod files;
mod limit;
mod markdown;
mod noise;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use error::{CompareError, Which};
pub(crate) use files::ComparisonFiles;
pub use limit::{Limit, LimitResult};
pub(crate) use table::render as table;

use super::{
    batches::BatchKind,
    data::{Report, Verdict},
    http::label,
};

/// Shorter runs are not compared.
const LEAST_SECONDS: u64 = 30;

/// What changed from one run of a scenario to another, figure by figure.
///
/// Of each figure there is an interval that holds the true change with the
/// [`confidence`](Comparison::confidence) asked for. Where it does not hold zero, the change is more
/// than the runs vary by themselves. The interval comes from stretches of the two runs, each held
/// against the same stretch of the other and long enough to be nearly independent: batch means, and
/// sectioning for percentiles (Nakayama, ACM TOMACS 24, 2014), with the length taken from the
/// autocorrelation of the differences (Geyer, Statistical Science 7, 1992). Where a long disturbance
/// of one of the runs leaves too few of them, its beginning and end are looked for with a
/// self-normalised test (Shao and Zhang, Journal of the American Statistical Association 105, 2010),
/// and [`levels`](Difference::levels) tell of them.
///
/// Of twenty figures that did not change, one is outside its interval at 0.95.
///
/// ```
/// use mite::report::{CompareError, Comparison, Report};
///
/// fn slower(before: &str, after: &str) -> Result<bool, CompareError> {
///     let [before, after] = [Report::from_json(before)?, Report::from_json(after)?];
///     let comparison = Comparison::of(&before, &after, 0.95)?;
///     Ok(comparison.differences.iter().any(|row| row.is_worse()))
/// }
///
/// assert!(slower("{}", "{}").unwrap_err().to_string().contains("no JSON report"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The version of this format; 1.
    pub schema: u32,
    /// The full name of the scenario.
    pub scenario: String,
    /// The run that is compared with.
    pub before: ComparedRun,
    /// The one that is new.
    pub after: ComparedRun,
    /// With which probability each interval holds the true change.
    pub confidence: f64,
    /// The figures: first those of all the run, then of journeys, transactions and requests.
    pub differences: Vec<Difference>,
    /// What was not to happen, and whether it did.
    pub limits: Vec<LimitResult>,
}

/// A run that was compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComparedRun {
    /// When it began, in UTC.
    pub started: String,
    /// How long it was measured, in seconds.
    pub measured_seconds: f64,
    /// What came of it.
    pub verdict: Verdict,
}

/// One figure in two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// What it is a figure of.
    pub kind: BatchKind,
    /// The full name of the journey; empty for requests and for all of a run.
    pub journey: String,
    /// The transaction, outer names first.
    pub transaction: String,
    /// The name of the request.
    pub name: String,
    /// The method of the request.
    pub method: String,
    /// Which figure it is.
    pub figure: Figure,
    /// In the first run: seconds, a share between 0 and 1, or so many a second. Absent when there is
    /// none.
    pub before: Option<f64>,
    /// In the second.
    pub after: Option<f64>,
    /// By how much it changed: 0.1 is 10 % more. Of an error rate, the difference of the shares: 0.1
    /// is 10 percentage points more. Absent when one run has no such figure.
    pub change: Option<f64>,
    /// The lower end of the interval of the change; absent when it cannot be told, since there are
    /// too few samples, or the figure swings too slowly for the length of the runs.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Where the difference of the runs changed its level while they went on, what it was before
    /// and from then on; empty where it did not, and where the interval needs no such explanation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
}

/// A part of two runs in which their difference stayed the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Level {
    /// The age of the runs at its beginning, in seconds, warm-up included.
    pub from: f64,
    /// And at its end.
    pub until: f64,
    /// The figure in this part of the first run; of a percentile, the mean of those of its
    /// stretches. Absent when there is none.
    pub before: Option<f64>,
    /// In this part of the second.
    pub after: Option<f64>,
    /// By how much it differs, as [`Difference::change`].
    pub change: Option<f64>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// How many ended each second.
    Rate,
    /// How many of them failed.
    ErrorRate,
    /// The mean of the times.
    Mean,
    /// Their median.
    P50,
    /// What 95 % do not exceed.
    P95,
    /// What 99 % do not exceed.
    P99,
}

impl Figure {
    /// All of them, in the order in which they are shown.
    const ALL: [Figure; 6] = [
        Figure::Rate,
        Figure::ErrorRate,
        Figure::Mean,
        Figure::P50,
        Figure::P95,
        Figure::P99,
    ];

    /// The name in limits and in JSON.
    fn name(self) -> &'static str {
        match self {
            Figure::Rate => "rate",
            Figure::ErrorRate => "error_rate",
            Figure::Mean => "mean",
            Figure::P50 => "p50",
            Figure::P95 => "p95",
            Figure::P99 => "p99",
        }
    }
}

impl Comparison {
    /// Compares a run with an earlier one of the same scenario.
    ///
    /// `confidence` is the probability with which an interval holds the true change: 0.95 is usual.
    ///
    /// # Errors
    /// When the runs are of different scenarios, volumes or lengths, one is invalid or shorter than
    /// 30 s, or does not say how much it varies: only a run that was to write a `.json` report does.
    pub fn of(before: &Report, after: &Report, confidence: f64) -> Result<Self, CompareError> {
        if !(0.5..=0.999).contains(&confidence) {
            return Err(CompareError::Confidence(confidence));
        }
        comparable::check(before, after)?;
        let run = |report: &Report| ComparedRun {
            started: report.started.clone(),
            measured_seconds: comparable::measured(report),
            verdict: report.verdict,
        };
        Ok(Self {
            schema: 1,
            scenario: after.scenario.clone(),
            before: run(before),
            after: run(after),
            confidence,
            differences: figures::differences(before, after, confidence),
            limits: Vec::new(),
        })
    }

    /// Adds how a limit came out.
    ///
    /// # Errors
    /// When there is no such figure in the runs, or its noise cannot be told.
    pub fn judge(&mut self, limit: &Limit) -> Result<(), CompareError> {
        let result = limit.judge(&self.differences)?;
        self.limits.push(result);
        Ok(())
    }

    /// Whether nothing went beyond its limit.
    pub fn passed(&self) -> bool {
        self.limits.iter().all(|limit| limit.passed)
    }
}

impl Difference {
    /// Whether the change is more than the runs vary by themselves.
    pub fn is_beyond_noise(&self) -> bool {
        matches!((self.low, self.high), (Some(low), Some(high)) if low > 0.0 || high < 0.0)
    }

    /// Whether it is beyond noise and for the worse: longer times, more errors, fewer a second.
    pub fn is_worse(&self) -> bool {
        let more = self.change.is_some_and(|change| change > 0.0);
        self.is_beyond_noise() && more == (self.figure != Figure::Rate)
    }

    /// What it is a figure of, for people.
    fn label(&self) -> String {
        match self.kind {
            BatchKind::Run => "all journeys".to_owned(),
            BatchKind::Http => "all requests".to_owned(),
            BatchKind::Journey => self.journey.clone(),
            BatchKind::Transaction => format!("{} › {}", self.journey, self.transaction),
            BatchKind::Request => label(&self.method, &self.name),
        }
    }
}

impl Report {
    /// Reads a report as `--report FILE.json` wrote it.
    ///
    /// # Errors
    /// When it is no report, or of another version of the format.
    pub fn from_json(text: &str) -> Result<Self, CompareError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u64,
            #[serde(default)]
            differences: Option<serde_json::Value>,
        }
        if !text.trim_start().starts_with('{') {
            let why = "a report begins with a brace, and this does not";
            return Err(CompareError::NoReport(why.to_owned()));
        }
        let head: Head = serde_json::from_str(text)
            .map_err(|error| CompareError::NoReport(error.to_string()))?;
        if head.differences.is_some() {
            let why = "it is the outcome of a comparison";
            return Err(CompareError::NoReport(why.to_owned()));
        }
        if head.schema != 1 {
            return Err(CompareError::Schema(head.schema));
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            CompareError::NoReport(format!("{path}: {}", error.into_inner()))
        })
    }
}
