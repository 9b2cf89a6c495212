//! The report of a run, and its verdict.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{
    batches::Batches,
    findings::FindingSummary,
    http::{HttpSummary, RequestSummary},
    parts::{
        CollectSummary, ErrorSummary, GeneratorSummary, JourneySummary, MetricSummary,
        RecordSummary, ResponseTimes, Series, ThresholdSummary, TraceSummary, TransactionSummary,
        VolumeChange, WebhookSummary,
    },
    stage::StageSummary,
};

/// Everything a run has shown.
///
/// The fields are those of the JSON report under the same names; times are in seconds, as
/// everywhere in it. What lies in the warm-up is in the [`series`](Report::series) only.
///
/// In a test of your own:
///
/// ```
/// # fn look(report: &mite::Report) {
/// assert!(report.passed(), "{:?}", report.reasons);
/// let sign_in = report.journey("sign_in").expect("it was part of the scenario");
/// assert_eq!(sign_in.failed, 0);
/// let basket = report.request("GET /basket").expect("every user looks into the basket");
/// assert!(basket.time.p99 < Some(0.250));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The version of this format; 1.
    pub schema: u32,
    /// The full name of the scenario.
    pub scenario: String,
    /// When the run began, in UTC to the second, as RFC 3339 writes it: `2026-11-22T20:00:00Z`.
    pub started: String,
    /// How long the run lasted, warm-up included.
    pub duration_seconds: f64,
    /// What to make of it all.
    pub verdict: Verdict,
    /// Why the verdict is what it is, a sentence each; empty when the run passed.
    pub reasons: Vec<String>,
    /// The thresholds, in the order in which they were given.
    pub thresholds: Vec<ThresholdSummary>,
    /// A row for each entry of the scenario.
    pub journeys: Vec<JourneySummary>,
    /// Response times of all entries together, and of each journey that has several; absent in the
    /// JSON with one entry, whose row has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_times: Vec<ResponseTimes>,
    /// A row for each transaction of each journey.
    pub transactions: Vec<TransactionSummary>,
    /// What the HTTP clients saw.
    pub http: HttpSummary,
    /// The metrics of your own.
    pub metrics: Vec<MetricSummary>,
    /// What failed, and where, the most frequent first.
    pub errors: Vec<ErrorSummary>,
    /// What is known about the load generator itself.
    pub generator: GeneratorSummary,
    /// A row for each named stage of the plan, in the order in which they came.
    #[serde(default)]
    pub stages: Vec<StageSummary>,
    /// What volume models that follow the results have found out, such as the capacity of the
    /// system; absent in the JSON when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingSummary>,
    /// When the volume was raised or lowered while the run went on; absent in the JSON when it was
    /// not. What was planned, and so the verdict, is about the changed plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volume_changes: Vec<VolumeChange>,
    /// What became of the traces sent to OpenTelemetry; absent where none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<TraceSummary>,
    /// What became of the events that were to be collected; absent where none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<CollectSummary>,
    /// What journeys recorded for a later run, by name; absent in the JSON when there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<RecordSummary>,
    /// How the run went, second by second.
    pub series: Series,
    /// The run in stretches, name by name, as a [`Comparison`](super::Comparison) needs it; absent
    /// unless there is a `.json` or `.html` report or a dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batches: Option<Batches>,
    /// Who was told of the run over HTTP; absent without a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookSummary>,
    /// The config of the run, secrets replaced by `***`; absent in the JSON when empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// The seed of the run's random numbers; `--seed` with it repeats them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Report {
    /// Whether the verdict is [`Verdict::Passed`].
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// What the process should end with; see [`Verdict::exit_code`].
    pub fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }

    /// The row of a journey, by its full name or by an unambiguous end of it.
    ///
    /// `sign_in` and `shop::sign_in` both find `load::shop::sign_in`; `in` does not. When several
    /// journeys end so there is no answer, and when the journey has several entries the first one
    /// is it; look through [`journeys`](Report::journeys) then.
    pub fn journey(&self, name: &str) -> Option<&JourneySummary> {
        if let Some(exact) = self.journeys.iter().find(|row| row.journey == name) {
            return Some(exact);
        }
        let mut found = self.journeys.iter().filter(|row| {
            row.journey
                .strip_suffix(name)
                .is_some_and(|before| before.ends_with("::"))
        });
        let first = found.next()?;
        found
            .all(|row| row.journey == first.journey)
            .then_some(first)
    }

    /// What a stage of the plan showed, by the name it was given with `.named(…)`.
    pub fn stage(&self, name: &str) -> Option<&StageSummary> {
        self.stages.iter().find(|row| row.name == name)
    }

    /// What is known of the requests of one name, whichever journeys made them.
    ///
    /// A request that was given a name of its own is found by that, alone or behind its method:
    /// `basket` or `GET basket`.
    pub fn request(&self, name: &str) -> Option<&RequestSummary> {
        self.http
            .requests_by_name
            .iter()
            .find(|row| row.name == name || row.label() == name)
    }

    /// The report as JSON for people and programs, indented by two spaces.
    pub fn to_json(&self) -> String {
        // No map in it has a key that is not text, the one thing that could fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// The run goes on: only a report that is looked at meanwhile says so.
    Running,
    /// Every threshold held.
    Passed,
    /// A threshold did not hold or, without a threshold on errors, there was an error.
    Failed,
    /// The load was not what was asked for, so the numbers say little about the system.
    Invalid,
    /// The run was stopped before its end.
    Interrupted,
}

impl Verdict {
    /// What the process should end with: passed 0, failed 1, invalid 3, interrupted 130.
    ///
    /// A run that goes on has no answer; whoever ended it now would interrupt it.
    ///
    /// ```
    /// assert_eq!(mite::report::Verdict::Invalid.exit_code(), 3);
    /// ```
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed => 0,
            Verdict::Failed => 1,
            Verdict::Invalid => 3,
            Verdict::Running | Verdict::Interrupted => 130,
        }
    }

    /// The verdict in lower case, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Running => "running",
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Invalid => "invalid",
            Verdict::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::report::{Verdict, fixture};

    #[test]
    fn a_journey_is_found_by_any_unambiguous_end_of_its_name() {
        let mut report = fixture::full();
        for name in ["shop::sign_in", "sign_in"] {
            let found = report.journey(name).map(|row| row.journey.as_str());
            assert_eq!(found, Some("shop::sign_in"), "{name}");
        }
        assert_eq!(report.journey("in"), None);
        report.journeys[1].journey = "admin::sign_in".into();
        assert_eq!(report.journey("sign_in"), None, "two journeys end so");
        report.journeys[1].journey = "shop::sign_in".into();
        assert!(report.journey("sign_in").is_some(), "two entries of one");
    }

    #[test]
    fn a_request_is_found_with_and_without_its_method() {
        let mut report = fixture::full();
        report.http.requests_by_name[0].name = "basket".into();
        report.http.requests_by_name[0].method = "GET".into();
        assert!(report.request("basket").is_some());
        assert!(report.request("GET basket").is_some());
        assert!(report.request("POST basket").is_none());
    }

    #[test]
    fn the_verdict_decides_the_exit_code() {
        let mut report = fixture::full();
        for (verdict, code) in [
            (Verdict::Passed, 0),
            (Verdict::Failed, 1),
            (Verdict::Invalid, 3),
            (Verdict::Interrupted, 130),
        ] {
            report.verdict = verdict;
            assert_eq!(report.exit_code(), code);
            assert_eq!(report.passed(), code == 0);
        }
    }
}
