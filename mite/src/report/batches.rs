//! A run cut into stretches, so that names can be seen over time, and another run held against it.

use serde::{Deserialize, Serialize};

/// The measured part of a run in stretches of equal length, series by series.
///
/// There are some 60 to 120 of them however long the run was: a stretch lasts a second at first and
/// twice as long each time there are too many. [`Comparison`](super::Comparison) reads from them how
/// much the figures of a run vary by themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Batches {
    /// How long each stretch is.
    pub seconds: u64,
    /// The series; of each kind the hundred with the largest counts, and of the others the hundred with
    /// the slowest stretch.
    pub rows: Vec<BatchRow>,
}

/// One series: what happened in each stretch, in order. All lists are of the same length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchRow {
    /// What it is a series of.
    pub kind: BatchKind,
    /// The full name of the journey; empty for requests and for all of a run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub journey: String,
    /// The transaction, outer names first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transaction: String,
    /// The name of the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The method of the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// How many came to an end.
    pub count: Vec<u64>,
    /// How many of these failed.
    pub errors: Vec<u64>,
    /// The mean time of the others, in seconds; `None` where there was none.
    pub mean: Vec<Option<f64>>,
    /// Their median.
    pub p50: Vec<Option<f64>>,
    /// What 95 % of them did not exceed.
    pub p95: Vec<Option<f64>>,
    /// What 99 % of them did not exceed.
    pub p99: Vec<Option<f64>>,
}

/// What a series is of.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BatchKind {
    /// All journeys of the run, by response time.
    #[default]
    Run,
    /// All requests of the run.
    Http,
    /// One journey, by response time.
    Journey,
    /// One transaction.
    Transaction,
    /// The requests of one name and method.
    Request,
}
