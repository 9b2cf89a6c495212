//! How a run is doing at one moment: plain data, one a second.

use std::time::Duration;

/// How the run is doing.
///
/// Rates and percentiles are those of the last full second, counts those since the run began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// How old the run is.
    pub(crate) elapsed: Duration,
    /// When it is to end, from its start; absent when the plan does not know.
    pub(crate) planned_end: Option<Duration>,
    /// The name of the stage, if it has one.
    pub(crate) stage: Option<String>,
    /// What it is about.
    pub(crate) state: State,
    /// Journeys in flight.
    pub(crate) users: u64,
    /// How many there should be; absent in an open model.
    pub(crate) target_users: Option<u64>,
    /// Starts in the last second.
    pub(crate) starts_per_second: f64,
    /// How many there should have been; absent in a closed model.
    pub(crate) planned_starts_per_second: Option<f64>,
    /// Requests in the last second.
    pub(crate) requests_per_second: f64,
    /// Times of the successful ones; absent without one.
    pub(crate) p50: Option<Duration>,
    pub(crate) p95: Option<Duration>,
    pub(crate) p99: Option<Duration>,
    /// How late journeys started that ended in it, at p99; absent in a closed model.
    pub(crate) start_delay_p99: Option<Duration>,
    /// How many starts waited for room in it, on average.
    pub(crate) waiting_for_room: f64,
    /// Failures.
    pub(crate) errors: u64,
    /// Failures in the last second.
    pub(crate) errors_last_second: u64,
    /// Starts given up.
    pub(crate) dropped: u64,
    /// Journeys that wait for data.
    pub(crate) starved: Vec<String>,
    /// The thresholds and how they stand.
    pub(crate) thresholds: Vec<ThresholdNow>,
}

/// What a run is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// It gets ready; nothing has been sent.
    #[default]
    Starting,
    /// It follows the plan.
    Running,
    /// It starts nothing more and waits for what is in flight, from this age of the run on.
    Stopping { since: Duration },
}

/// A threshold as it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ThresholdNow {
    /// The threshold as it was written.
    pub(crate) expression: String,
    /// What is measured now, times in seconds and shares between 0 and 1; absent without a sample.
    pub(crate) value: Option<f64>,
    /// Whether it holds, and has in every window.
    pub(crate) passing: bool,
    /// The age of the run from which on it did not, if so.
    pub(crate) broke_at: Option<Duration>,
}
