//! What a hold has come to since its target was first reached.

use std::time::Duration;

use super::super::Stretch;

/// What came of it since the target was reached.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) unread: Duration,
    pub(super) stretch: Stretch,
    pub(super) volume_seconds: f64,
    pub(super) seconds: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Held {
    pub(super) fn new(now: Duration, level: f64) -> Self {
        Self {
            unread: now,
            stretch: Stretch::default(),
            volume_seconds: 0.0,
            seconds: 0.0,
            lowest: level,
            highest: level,
        }
    }

    pub(super) fn add(&mut self, level: f64, length: Duration) {
        self.volume_seconds += level * length.as_secs_f64();
        self.seconds += length.as_secs_f64();
        self.lowest = self.lowest.min(level);
        self.highest = self.highest.max(level);
    }
}
