//! How a run stands, as the engine tells it to those who make metrics of it.

use std::time::{Duration, SystemTime};

use crate::stats::Statistics;

/// A run at one moment, or at its end.
pub(crate) trait Source: Send + Sync {
    /// What is so now.
    fn now(&self) -> &Now;

    /// What has been counted, without the warm-up.
    fn totals(&self) -> &Statistics;

    /// The text without the secrets of the config.
    fn masked(&self, text: &str) -> String;
}

/// What goes up and down.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    /// The full name of the scenario.
    pub(crate) scenario: String,
    pub(crate) state: RunState,
    /// When it began.
    pub(crate) started_at: SystemTime,
    /// How old the run is, to the last second that is known.
    pub(crate) elapsed: Duration,
    /// The part of it that lies after the warm-up.
    pub(crate) measured: Duration,
    /// How long it is to last, if the plan knows.
    pub(crate) planned: Option<Duration>,
    pub(crate) runners: u32,
    pub(crate) workers: u32,
    pub(crate) entries: Vec<EntryNow>,
    pub(crate) thresholds: Vec<Standing>,
    /// How much of the plan is asked for.
    pub(crate) volume_factor: f64,
    /// Processor time of the process in seconds, warm-up included.
    pub(crate) cpu_seconds: f64,
}

/// What a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunState {
    /// It runs, and nothing counts yet.
    WarmUp,
    /// It follows its plan.
    Running,
    /// It waits for what is in flight.
    Stopping,
    /// It is over.
    Over,
}

/// An entry of the scenario.
#[derive(Clone, Debug)]
pub(crate) struct EntryNow {
    /// The full name of the journey.
    pub(crate) journey: String,
    /// Journeys in flight.
    pub(crate) users: u64,
    /// How many there should be; absent in the open model.
    pub(crate) required_users: Option<f64>,
    /// Starts a second that there should be; absent in the closed model.
    pub(crate) required_rate: Option<f64>,
}

/// A threshold of the run.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// The threshold as it was written.
    pub(crate) expression: String,
    /// What is measured now, times in seconds and shares between 0 and 1; absent without a sample.
    pub(crate) value: Option<f64>,
    /// Whether it holds, and has in every window.
    pub(crate) passing: bool,
}
