//! What models that follow the results have found out, as the report tells it.

use serde::{Deserialize, Serialize};

use crate::volume::{Conclusion, Finding, FindingKind, Unit};

/// What the volume model of an entry has found out: a capacity, or the volume that held a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FindingSummary {
    /// The full name of the journey.
    pub journey: String,
    /// Which entry of the scenario this is, from 0; only there when the journey has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u32>,
    /// What it is about.
    pub kind: FindingKind,
    /// What the amounts count.
    pub unit: Unit,
    /// What had to hold, or was to be held: `http.p99 < 250ms`.
    pub criterion: String,
    /// How the search ended.
    pub conclusion: Conclusion,
    /// The capacity, or the mean of the volume that was held; absent when there is none.
    pub found: Option<f64>,
    /// The highest volume that is surely good; of a hold, the lowest it took.
    pub low: Option<f64>,
    /// The lowest volume that is surely bad; of a hold, the highest it took.
    pub high: Option<f64>,
    /// Of a hold: the percentile, in seconds, or the error rate that it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<f64>,
    /// Why something else than the system may be what was found, a sentence each.
    pub doubts: Vec<String>,
    /// What was measured on the way.
    pub steps: Vec<StepSummary>,
}

/// A volume that was kept for a while, and what it showed. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepSummary {
    /// The age of the run at its beginning.
    pub at: f64,
    /// How long it was measured, once it had settled.
    pub measured_seconds: f64,
    /// What was asked for.
    pub volume: f64,
    /// Journeys that ended well each second.
    pub throughput: f64,
    /// Failed by finished journeys, between 0 and 1.
    pub error_rate: f64,
    /// Median of the times that were looked at.
    pub p50: Option<f64>,
    /// 95th percentile of the same.
    pub p95: Option<f64>,
    /// 99th percentile of the same.
    pub p99: Option<f64>,
    /// Whether the criterion held.
    pub good: bool,
    /// What was wrong, if it did not.
    pub why: Option<String>,
}

impl FindingSummary {
    /// The finding of an entry; `entry` tells it from others of its journey.
    pub(crate) fn of(finding: &Finding, journey: String, entry: Option<u32>) -> Self {
        Self {
            journey,
            entry,
            kind: finding.kind,
            unit: finding.unit,
            criterion: finding.criterion.clone(),
            conclusion: finding.conclusion,
            found: finding.found,
            low: finding.low,
            high: finding.high,
            measured: finding.measured,
            doubts: finding.doubts.clone(),
            steps: finding
                .steps
                .iter()
                .map(|step| StepSummary {
                    at: step.at.as_secs_f64(),
                    measured_seconds: step.measured.as_secs_f64(),
                    volume: step.volume,
                    throughput: step.throughput,
                    error_rate: step.error_rate,
                    p50: step.p50.map(|time| time.as_secs_f64()),
                    p95: step.p95.map(|time| time.as_secs_f64()),
                    p99: step.p99.map(|time| time.as_secs_f64()),
                    good: step.good,
                    why: step.why.clone(),
                })
                .collect(),
        }
    }
}
