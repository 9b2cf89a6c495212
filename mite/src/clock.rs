//! The time of a run: seconds since its start, on a clock that tests can pause.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When a run began, and how long ago that is.
///
/// It reads tokio's clock, so a test on a paused runtime decides what time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunClock {
    started: Instant,
    started_at: SystemTime,
}

impl RunClock {
    /// A run that begins now.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            started_at: SystemTime::now(),
        }
    }

    /// A run that begins at `started`, which may be still to come.
    #[cfg(feature = "nats")]
    pub(crate) fn beginning_at(started: Instant) -> Self {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let ahead = started.saturating_duration_since(now);
        let ago = now.saturating_duration_since(started);
        Self {
            started,
            started_at: wall.checked_sub(ago).unwrap_or(wall) + ahead,
        }
    }

    /// A run that began at `started`, at which it was that time of day: another clock has measured it.
    #[cfg(feature = "nats")]
    pub(crate) fn of_old(started: Instant, started_at: SystemTime) -> Self {
        Self {
            started,
            started_at,
        }
    }

    /// Time since the run began; zero before it.
    pub(crate) fn elapsed(&self) -> Duration {
        self.at(Instant::now())
    }

    /// The run's time at `instant`; zero before it began.
    pub(crate) fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.started)
    }

    /// The instant at which the run is `elapsed` old.
    pub(crate) fn instant(&self, elapsed: Duration) -> Instant {
        self.started + elapsed
    }

    /// The wall-clock time at which the run began.
    pub(crate) fn started_at(&self) -> SystemTime {
        self.started_at
    }
}
