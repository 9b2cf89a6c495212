//! The figures of a latency histogram that a report shows.

use serde::{Deserialize, Serialize};

use super::latency::Latency;

/// How long something took, over all the times it happened: seconds throughout.
///
/// Every field but [`count`](LatencySummary::count) is `None` when nothing was measured, and then
/// absent in JSON, so that an empty summary is written `{"count":0}`. Percentiles are exact to three
/// significant digits (two for the phases of a request); smallest, mean and largest are exact.
///
/// ```
/// use mite::report::LatencySummary;
///
/// let empty = LatencySummary::default();
/// assert_eq!(serde_json::to_string(&empty)?, r#"{"count":0}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A histogram metric of plain values has the same form; its figures are then in the unit of what
/// was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatencySummary {
    /// How many samples there are.
    pub count: u64,
    /// The smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The arithmetic mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The standard deviation of the samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stddev: Option<f64>,
    /// The median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// What three quarters of the samples do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p75: Option<f64>,
    /// What 90 % of the samples do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// What 95 % of the samples do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// What 99 % of the samples do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// What 99.9 % of the samples do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_9: Option<f64>,
    /// What 99.99 % of the samples do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_99: Option<f64>,
    /// The largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl LatencySummary {
    /// The figures of a histogram.
    pub(crate) fn of(latency: &Latency) -> Self {
        let quantile = |quantile: f64| latency.quantile(quantile).map(|time| time.as_secs_f64());
        Self {
            count: latency.count(),
            min: latency.min().map(|time| time.as_secs_f64()),
            mean: latency.mean_seconds(),
            stddev: latency.stddev_seconds(),
            p50: quantile(0.5),
            p75: quantile(0.75),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            p99_99: quantile(0.9999),
            max: latency.max().map(|time| time.as_secs_f64()),
        }
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::stats::latency::Digits;

    #[test]
    fn nothing_measured_is_written_as_a_count_of_zero() {
        let empty = Latency::new(Digits::Three).summary();
        assert!(empty.is_empty());
        let text = serde_json::to_string(&empty).unwrap();
        assert_eq!(text, r#"{"count":0}"#);
        assert_eq!(
            serde_json::from_str::<LatencySummary>(&text).unwrap(),
            empty
        );
    }

    #[test]
    fn a_summary_is_in_seconds_and_reads_back() {
        let mut latency = Latency::new(Digits::Three);
        latency.record(Duration::from_millis(250));
        let summary = latency.summary();
        let json = serde_json::to_value(&summary).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            names.len(),
            12,
            "count, min, mean, stddev, seven percentiles and max: {names:?}"
        );
        assert_eq!(json["p99_99"], 0.25);
        assert_eq!(json["stddev"], 0.0);
        assert_eq!(
            serde_json::from_value::<LatencySummary>(json).unwrap(),
            summary
        );
    }
}
