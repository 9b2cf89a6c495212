//! How much load, and when: volume models.

use std::time::Duration;

/// A stretch of the run: `start` belongs to it, `end` does not.
///
/// Both count from the start of the run, so sixty seconds are `[0, 60)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment of the window.
    pub start: Duration,
    /// The moment after its last.
    pub end: Duration,
}

impl Window {
    /// How long the window is.
    pub fn length(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// What the run has shown so far, for models that follow the results.
///
/// Times are those of the last full second; counts are since the run began.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// How old the run was when this was seen.
    pub elapsed: Duration,
    /// Journeys in flight.
    pub users: u64,
    /// Journeys started.
    pub started: u64,
    /// Journeys that ended well.
    pub completed: u64,
    /// Journeys that failed.
    pub failed: u64,
    /// Starts given up.
    pub dropped: u64,
    /// Failed by finished journeys in the last second, between 0 and 1.
    pub error_rate: f64,
    /// Starts in the last second.
    pub starts_per_second: f64,
    /// Requests in the last second.
    pub requests_per_second: f64,
    /// Median time of successful requests in the last second; absent without one.
    pub http_p50: Option<Duration>,
    /// 95th percentile of the same.
    pub http_p95: Option<Duration>,
    /// 99th percentile of the same.
    pub http_p99: Option<Duration>,
}

/// How much of a journey there is to be during one [`Window`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Volume {
    /// So many in flight at once: the closed model.
    Users(u64),
    /// So many starts a second, whatever the server does: the open model.
    PerSecond(f64),
    /// A straight line from one amount at the start of the window to another at its end.
    Ramp {
        /// What the amounts count.
        unit: Unit,
        /// The amount at the start.
        from: f64,
        /// The amount the window ends with.
        to: f64,
    },
    /// No more of this journey, now or later.
    Stop,
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Journeys in flight at once: the closed model.
    Users,
    /// Starts per second: the open model.
    PerSecond,
}

/// Says how much of a journey there is to be.
///
/// The engine asks for one window after the other, in order, a second or two ahead of time. A
/// window never crosses a [`boundary`](VolumeModel::boundary).
///
/// Every `FnMut(Window) -> Volume` is a model.
pub trait VolumeModel: Send + 'static {
    /// The volume during `window`.
    fn volume(&mut self, window: Window, observed: &Observed) -> Volume;

    /// The next moment after `after` at which the volume jumps, bends or ends, if that is known
    /// beforehand. The default knows of none.
    fn boundary(&self, after: Duration) -> Option<Duration> {
        let _ = after;
        None
    }

    /// The name of the stage that `at` lies in, if it has one. The default has none.
    fn stage(&self, at: Duration) -> Option<&str> {
        let _ = at;
        None
    }

    /// How long the model lasts, if that is known beforehand. The default does not know.
    fn duration(&self) -> Option<Duration> {
        None
    }

    /// Whether the model can be run at all; asked when the scenario is built.
    ///
    /// # Errors
    /// When part of it makes no sense, such as a ramp that does not say where it begins.
    fn check(&self) -> Result<(), VolumeError> {
        Ok(())
    }
}

/// A volume model that makes no sense, and the part of it that does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VolumeError(pub(crate) String);
