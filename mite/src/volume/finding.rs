//! What a model has found out by following the results.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Unit;

/// What a volume model found out about the system, for the summary and the report.
///
/// [`Saturate`](super::Saturate), [`HoldLatency`](super::HoldLatency) and
/// [`HoldErrorRate`](super::HoldErrorRate) tell theirs; a model of your own gives it from
/// [`VolumeModel::findings`](super::VolumeModel::findings):
///
/// ```
/// use mite::volume::{Finding, FindingKind, Unit};
///
/// let mut finding = Finding::new(FindingKind::Capacity, Unit::PerSecond, "http.p99 < 250ms");
/// finding.found = Some(840.0);
/// finding.low = Some(840.0);
/// finding.high = Some(880.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// What the amounts count.
    pub unit: Unit,
    /// What had to hold, or was to be held, in the words of thresholds: `http.p99 < 250ms`.
    pub criterion: String,
    /// How the search ended. The default is [`Conclusion::Found`].
    pub conclusion: Conclusion,
    /// The capacity, which is the highest volume that is good by all that was measured; or the mean
    /// of the volume that held the criterion. Absent when there is none.
    pub found: Option<f64>,
    /// The highest volume that is good beyond chance; of a hold, the lowest volume it took.
    pub low: Option<f64>,
    /// The lowest volume that is bad beyond chance; of a hold, the highest volume it took.
    pub high: Option<f64>,
    /// Of a hold: what the criterion's percentile, in seconds, or error rate came to while it was
    /// held.
    pub measured: Option<f64>,
    /// Why it may be the load generator's limit that was found, or another than it seems; a sentence
    /// each. A run with a doubtful finding is invalid.
    pub doubts: Vec<String>,
    /// What was measured on the way, in order of time.
    pub steps: Vec<Step>,
}

impl Finding {
    /// A finding without any amounts yet.
    pub fn new(kind: FindingKind, unit: Unit, criterion: impl Into<String>) -> Self {
        Self {
            kind,
            unit,
            criterion: criterion.into(),
            conclusion: Conclusion::Found,
            found: None,
            low: None,
            high: None,
            measured: None,
            doubts: Vec::new(),
            steps: Vec::new(),
        }
    }
}

/// What a [`Finding`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The most that the system can take. What was asked of it beyond that was meant to go wrong, so
    /// failures and missing starts of the entry do not count against the run.
    Capacity,
    /// A volume that held a latency.
    HeldLatency,
    /// A volume that held an error rate. Failures of the entry were meant to happen and do not count
    /// against the run.
    HeldErrorRate,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Conclusion {
    /// It found what it looked for.
    Found,
    /// The upper bound was good still: it is at least that.
    AtLeast,
    /// The lower bound was bad already: it is less than that.
    Below,
    /// The time was up before it was found as closely as was asked for.
    Unfinished,
}

/// A volume that was kept for a while, and what it showed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The age of the run at the beginning of the volume.
    pub at: Duration,
    /// How long it was measured, after it had settled.
    pub measured: Duration,
    /// The volume that was asked for.
    pub volume: f64,
    /// Journeys that ended well each second.
    pub throughput: f64,
    /// Failed by finished journeys.
    pub error_rate: f64,
    /// Median of the times that were looked at: of requests, or of journeys; absent without one.
    pub p50: Option<Duration>,
    /// 95th percentile of the same.
    pub p95: Option<Duration>,
    /// 99th percentile of the same.
    pub p99: Option<Duration>,
    /// Whether the criterion held.
    pub good: bool,
    /// What was wrong, if it was not good: `p99 261ms, not below 250ms`.
    pub why: Option<String>,
}
