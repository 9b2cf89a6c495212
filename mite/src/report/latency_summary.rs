//! The figures a report gives for a distribution of times.

use serde::{Deserialize, Serialize};

/// How a set of times, or of other values, was distributed.
///
/// Times are in seconds. Without a single sample everything but `count` is absent, in the struct as
/// in the JSON, so that no reader takes a missing percentile for a fast one.
///
/// ```
/// use mite::report::LatencySummary;
///
/// let empty = LatencySummary::default();
/// assert_eq!(empty.p99, None);
/// assert_eq!(serde_json::to_string(&empty)?, r#"{"count":0}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatencySummary {
    /// How many samples there were.
    pub count: u64,
    /// The shortest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The arithmetic mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The standard deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stddev: Option<f64>,
    /// The median: half of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// 75 % of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p75: Option<f64>,
    /// 90 % of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// 95 % of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// 99 % of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// 99.9 % of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_9: Option<f64>,
    /// 99.99 % of the samples were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_99: Option<f64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}
