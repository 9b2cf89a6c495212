//! User-seconds: how many there were, integrated over time.

use std::time::Duration;

/// A number that changes over time, and its integral.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    value: u64,
    since: Duration,
    sum: f64,
}

impl Meter {
    /// What the number is now.
    pub(super) fn value(&self) -> u64 {
        self.value
    }

    /// The number changes at `at`, or at the last change if that was later.
    pub(super) fn set(&mut self, at: Duration, value: u64) {
        self.sum += self.value as f64 * at.saturating_sub(self.since).as_secs_f64();
        self.since = self.since.max(at);
        self.value = value;
    }

    /// The integral since it was last taken, in number times seconds.
    pub(super) fn take(&mut self, at: Duration) -> f64 {
        self.set(at, self.value);
        std::mem::take(&mut self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_counts_each_value_for_as_long_as_it_stood() {
        let mut meter = Meter::default();
        meter.set(Duration::from_secs(1), 10);
        meter.set(Duration::from_secs(3), 5);
        assert_eq!(meter.take(Duration::from_secs(4)), 25.0);
        assert_eq!(meter.take(Duration::from_secs(6)), 10.0);
    }
}
