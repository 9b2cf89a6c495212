//! One volume that is kept, settles, and is measured until it is clear whether it is good.

use std::time::Duration;

use super::{
    super::{Observed, Stretch, Unit},
    criterion::{Criteria, Judgement},
};

/// Standard deviations from the limit at which a step is as clear as it need be. Those of a binomial
/// are too few, since times in a queue are much like those before them.
const CLEAR: f64 = 4.0;
/// And at which an overload need not be looked at any longer.
const HOPELESS: f64 = 4.0;
/// Bad seconds in a row that an overload shows itself by.
const HOPELESS_SECONDS: u32 = 3;
/// How many times its length a step is drawn out while it is not clear.
const PATIENCE: u32 = 3;

/// A volume while it is kept.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) level: f64,
    pub(super) again: bool,
    pub(super) guessed: bool,
    /// Since when it is kept.
    pub(super) since: Duration,
    /// From when on it is measured: what comes next is not known yet.
    unread: Duration,
    pub(super) stretch: Stretch,
    bad: u32,
    bad_in_a_row: u32,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It counts.
    Counts,
    /// It was bad, but not for most of the time: a hiccup, perhaps. It has to be repeated.
    Retry,
}

impl Attempt {
    pub(super) fn new(level: f64, since: Duration, settle: Duration) -> Self {
        Self {
            level,
            again: false,
            guessed: false,
            since,
            unread: since + settle,
            stretch: Stretch::default(),
            bad: 0,
            bad_in_a_row: 0,
        }
    }

    /// Takes in the seconds that have become known.
    pub(super) fn read(&mut self, observed: &Observed, criteria: &Criteria, unit: Unit) {
        for second in observed.seconds_from(self.unread) {
            self.unread = second.end();
            let mut alone = Stretch::default();
            alone.add(second);
            if alone.finished() == 0 {
                // Nothing can be said of it by itself.
            } else if criteria.judge(&alone, self.level, unit).is_good() {
                self.bad_in_a_row = 0;
            } else {
                self.bad += 1;
                self.bad_in_a_row += 1;
            }
            self.stretch.add(second);
        }
    }

    /// How it has ended, if it has.
    ///
    /// A step is measured for its time, and up to three times as long while chance alone might have
    /// put it on its side of the limit. An overload that is beyond doubt ends it early, since it
    /// only piles up work that has to be waited for.
    pub(super) fn end(&self, criteria: &Criteria, unit: Unit, step_time: Duration) -> Option<End> {
        let measured = Duration::from_secs(self.stretch.seconds);
        let judged = self.judge(criteria, unit);
        let hopeless = self.bad_in_a_row >= HOPELESS_SECONDS && judged.z >= HOPELESS;
        if hopeless && !judged.is_good() {
            return Some(End::Counts);
        }
        let silent = self.stretch.finished() == 0;
        let clear = silent || (judged.enough && judged.z.abs() >= CLEAR);
        if measured < step_time || (!clear && measured < step_time * PATIENCE) {
            return None;
        }
        let mostly_bad = silent || u64::from(self.bad) * 2 > self.stretch.seconds;
        if judged.is_good() || mostly_bad || self.again {
            Some(End::Counts)
        } else {
            Some(End::Retry)
        }
    }

    pub(super) fn judge(&self, criteria: &Criteria, unit: Unit) -> Judgement {
        criteria.judge(&self.stretch, self.level, unit)
    }
}
