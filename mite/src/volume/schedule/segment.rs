//! A stretch of a plan in which the level is constant or runs along a straight line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Share, middle, middles_below};
use crate::volume::Unit;

/// The volume of an entry from one moment on.
///
/// A constant stands until another segment replaces it. Times count from the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// When it begins.
    pub(crate) from: Duration,
    /// When a ramp has arrived at its end; absent for a constant.
    pub(crate) until: Option<Duration>,
    /// What the levels count.
    pub(crate) unit: Unit,
    /// The level at `from`.
    pub(crate) start: f64,
    /// The level at `until`, and afterwards; the same as `start` for a constant.
    pub(crate) end: f64,
    /// The starts planned before `from`: the integral of the rate up to there, which is no whole
    /// number as a rule.
    pub(crate) base: f64,
    /// Whether starts come at random, as a Poisson process.
    pub(crate) poisson: bool,
}

impl Segment {
    /// The level at `at`: users, or starts a second.
    pub(crate) fn level_at(&self, at: Duration) -> f64 {
        self.level_after(self.passed(at))
    }

    /// The part of it from `at` on, which lies in it.
    pub(crate) fn rest(&self, at: Duration) -> Self {
        Self {
            from: at,
            until: self.until.filter(|until| *until > at),
            unit: self.unit,
            start: self.level_at(at),
            end: self.end,
            base: self.cumulative(at),
            poisson: self.poisson,
        }
    }

    /// The integral of the rate from the start of the run to `at`, as far as this segment knows it.
    ///
    /// This is the one function that says where a segment's starts end and those of the next begin.
    pub(crate) fn cumulative(&self, at: Duration) -> f64 {
        let passed = self.passed(at);
        match self.unit {
            Unit::Users => self.base,
            Unit::PerSecond => {
                self.base + (self.start + self.level_after(passed)) / 2.0 * passed.as_secs_f64()
            }
        }
    }

    /// The integral at the segment's end; absent for a constant that goes on making starts.
    pub(crate) fn total(&self) -> Option<f64> {
        match (self.unit, self.until) {
            (Unit::PerSecond, None) => (self.start <= 0.0).then_some(self.base),
            (Unit::PerSecond, Some(until)) => Some(self.cumulative(until)),
            (Unit::Users, _) => Some(self.base),
        }
    }

    /// When start `k` is due, if that is in this segment.
    #[cfg(test)]
    pub(crate) fn due(&self, k: u64) -> Option<Duration> {
        let position = middle(k);
        if position < self.base {
            return None;
        }
        self.reaches(position)
    }

    /// When the integral of the rate reaches `position`; at once when it already has, never when
    /// the segment ends before.
    pub(crate) fn reaches(&self, position: f64) -> Option<Duration> {
        if self.total().is_some_and(|total| position >= total) {
            return None;
        }
        let missing = position - self.base;
        if missing <= 0.0 {
            return Some(self.from);
        }
        let seconds = match self.until {
            None => missing / self.start,
            Some(until) => {
                let squared = self.start * self.start + 2.0 * self.slope(until) * missing;
                // The form of the root that does not subtract two nearly equal numbers.
                2.0 * missing / (self.start + squared.max(0.0).sqrt())
            }
        };
        self.after(seconds)
    }

    /// The number of the first start that belongs to this segment or a later one.
    pub(crate) fn first(&self) -> u64 {
        middles_below(self.base)
    }

    /// How many users there are at `at`: user k exists where the level is above k + 1/2.
    pub(crate) fn users_at(&self, at: Duration) -> u64 {
        match self.unit {
            Unit::Users => middles_below(self.level_at(at)),
            Unit::PerSecond => 0,
        }
    }

    /// When the number of the sharer's own users next changes after `after`, within this segment.
    ///
    /// At that time [`users_at`](Segment::users_at) counts the change.
    pub(crate) fn next_users_change(&self, after: Duration, share: Share) -> Option<Duration> {
        let until = self.until?;
        let after = after.max(self.from);
        if self.unit != Unit::Users || after >= until {
            return None;
        }
        let now = self.users_at(after);
        let last = middles_below(self.end);
        let rises = self.end > self.start;
        let changing = if rises {
            share.first_at_or_after(now).filter(|&k| k < last)
        } else {
            share.last_below(now).filter(|&k| k >= last)
        };
        let k = changing?;
        let crossing = self.after((middle(k) - self.start) / self.slope(until))?;
        Some(self.first_with(k, rises, crossing.max(after), until))
    }

    /// How much a ramp rises in a second.
    fn slope(&self, until: Duration) -> f64 {
        (self.end - self.start) / until.saturating_sub(self.from).as_secs_f64()
    }

    /// The first moment from `at` on, or very nearly, at which user `k` is there, or is gone.
    ///
    /// Where the line crosses k + 1/2 the rounding decides, so the moment is moved on until it has.
    fn first_with(&self, k: u64, there: bool, mut at: Duration, until: Duration) -> Duration {
        let mut step = Duration::from_nanos(1);
        while at < until && (self.users_at(at) > k) != there {
            at = at.saturating_add(step).min(until);
            step = step.saturating_mul(2);
        }
        at
    }

    /// The time `seconds` into the segment, before its end.
    fn after(&self, seconds: f64) -> Option<Duration> {
        let time = self
            .from
            .checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        let last = self
            .until
            .map(|until| until.saturating_sub(Duration::from_nanos(1)).max(self.from));
        Some(last.map_or(time, |last| time.min(last)))
    }

    /// How much of the segment is over at `at`.
    fn passed(&self, at: Duration) -> Duration {
        let at = self.until.map_or(at, |until| at.min(until));
        at.saturating_sub(self.from)
    }

    fn level_after(&self, passed: Duration) -> f64 {
        let Some(until) = self.until else {
            return self.start;
        };
        let length = until.saturating_sub(self.from);
        if passed >= length {
            return self.end;
        }
        let share = passed.as_secs_f64() / length.as_secs_f64();
        self.start + (self.end - self.start) * share
    }
}
