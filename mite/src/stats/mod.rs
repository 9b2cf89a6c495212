//! What is counted of a run: counters, gauges and histograms, by worker, by second and in total.

mod capped;
mod errors;
mod latency;
pub mod metric;
mod names;
mod recorder;
mod requests;
mod statistics;
mod summary;
mod user_metrics;

pub(crate) use capped::{Capped, DEFAULT_CAP, MORE};
pub(crate) use latency::{Digits, Latency};
pub(crate) use recorder::Recorder;
pub(crate) use statistics::{
    ErrorKey, GeneratorStatistics, HttpKey, HttpStatistics, JourneyKey, JourneyStatistics,
    RequestStatistics, Statistics, TransactionKey, TransactionStatistics, UserTime,
};
pub use summary::LatencySummary;
pub(crate) use user_metrics::{Labels, MetricValue, UserMetric};

#[cfg(test)]
mod tests;
