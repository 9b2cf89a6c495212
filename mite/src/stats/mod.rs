//! What is counted of a run: counters, gauges and histograms, by worker, by second and in total.

mod buckets;
mod capped;
mod errors;
mod http;
mod latency;
pub(crate) mod leb128;
mod machine;
pub mod metric;
mod names;
mod order;
mod phases;
mod recorder;
mod requests;
mod stage;
mod statistics;
mod summary;
mod user_metrics;

pub(crate) use capped::DEFAULT_CAP;
pub(crate) use http::{HttpKey, HttpStatistics, RequestStatistics};
pub(crate) use latency::Latency;
pub(crate) use machine::MachineFigures;
pub(crate) use phases::PhaseStatistics;
pub(crate) use recorder::Recorder;
pub(crate) use stage::StageStatistics;
pub(crate) use statistics::{
    CpuTime, JourneyKey, JourneyStatistics, Lacks, Statistics, TransactionKey,
    TransactionStatistics, UserTime, WaitFor, Waits,
};
pub use summary::LatencySummary;
pub(crate) use user_metrics::{Labels as MetricLabels, MetricValue, UserMetric};

#[cfg(test)]
pub(crate) use statistics::ErrorKey;

#[cfg(test)]
mod tests;
