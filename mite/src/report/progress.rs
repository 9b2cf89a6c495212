//! How a run is doing at one moment: plain data, one a second.

use std::time::Duration;

/// How the run is doing.
///
/// Where nothing else is said it is about the last full second; counts are those since the run began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// How old the run is.
    pub(crate) elapsed: Duration,
    /// When it is to end, from its start; absent when the plan does not know.
    pub(crate) planned_end: Option<Duration>,
    /// The name of the stage, if it has one.
    pub(crate) stage: Option<String>,
    /// The age of the run when the stage is over, if the plan tells.
    pub(crate) stage_end: Option<Duration>,
    /// Whether what happens is kept out of totals.
    pub(crate) warming_up: bool,
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
    pub(crate) now: Speed,
    /// All of them since the warm-up.
    pub(crate) overall: Speed,
    /// Names of requests: those that failed most often, then the slowest; none unless somebody
    /// looks at them.
    pub(crate) names: Vec<NameNow>,
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
    /// What the work of the workers takes of their cores, on average; absent where that is not told.
    pub(crate) workers_busy: Option<f64>,
    /// How late the loops of the workers came round, at p99.
    pub(crate) loop_lag_p99: Option<Duration>,
    /// Journeys that wait for data.
    pub(crate) starved: Vec<String>,
    /// The thresholds and how they stand.
    pub(crate) thresholds: Vec<ThresholdNow>,
}

/// How many requests there were in some time, and how long the successful ones took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Speed {
    /// Requests a second.
    pub(crate) per_second: f64,
    /// Those of them that failed.
    pub(crate) failed_per_second: f64,
    /// Times of the others; absent without one.
    pub(crate) p50: Option<Duration>,
    pub(crate) p95: Option<Duration>,
    pub(crate) p99: Option<Duration>,
    pub(crate) max: Option<Duration>,
}

/// The requests of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NameNow {
    /// The name, with its method before it.
    pub(crate) name: String,
    /// How many ended in the last second.
    pub(crate) per_second: f64,
    /// How many have failed since the warm-up.
    pub(crate) failed: u64,
    /// The time of the successful ones in the last second, and of all since the warm-up.
    pub(crate) p95_now: Option<Duration>,
    pub(crate) p95: Option<Duration>,
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
