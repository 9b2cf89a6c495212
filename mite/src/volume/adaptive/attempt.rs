//! One volume that is kept, settles, and is measured until it is clear whether it is good.

use std::time::Duration;

use super::{
    super::{Observed, Stretch, Unit},
    criterion::{Criteria, Judgement},
    share::{Share, pooled},
};

/// Standard deviations from the limit at which a step is as clear as it need be: it is looked at
/// second by second until then, which gives chance many tries.
const CLEAR: f64 = 2.5;
/// And those at which an overload need not be looked at any longer.
const HOPELESS: f64 = 4.0;
/// Bad seconds in a row that an overload shows itself by.
const HOPELESS_SECONDS: u32 = 3;
/// How many seconds a hiccup takes at most.
const HICCUP_SECONDS: usize = 3;
/// How many times its length a step is drawn out while it is not clear.
pub(super) const PATIENCE: u32 = 3;

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
    /// What lay beyond the limits: of each criterion, by second.
    pub(super) evidence: Vec<Vec<Share>>,
    bad: u32,
    bad_in_a_row: u32,
}

/// How long a step is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepPlan {
    pub(super) time: Duration,
    /// Whether no volume was bad yet.
    pub(super) is_rising: bool,
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
            evidence: Vec::new(),
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
            let shares = criteria.shares(&alone, self.level, unit);
            self.evidence.resize(shares.len(), Vec::new());
            for (seconds, share) in self.evidence.iter_mut().zip(shares) {
                seconds.push(share);
            }
        }
    }

    /// How it has ended, if it has; `dispersions` are those of the criteria.
    ///
    /// A step is measured for its time, and up to three times as long while chance alone might have
    /// put it on its side of the limit. An overload that is beyond doubt ends it early, since it
    /// only piles up work that has to be waited for; and while the volume is still doubled, a step
    /// that is good is so well enough.
    pub(super) fn end(
        &self,
        criteria: &Criteria,
        unit: Unit,
        plan: StepPlan,
        dispersions: &[f64],
    ) -> Option<End> {
        let measured = Duration::from_secs(self.stretch.seconds);
        let judged = self.judge(criteria, unit);
        // No time at all is worse than any.
        let beyond_doubt = judged.z == f64::INFINITY || self.is_bad_by(HOPELESS, dispersions);
        if self.bad_in_a_row >= HOPELESS_SECONDS && !judged.is_good() && beyond_doubt {
            return Some(End::Counts);
        }
        let silent = self.stretch.finished() == 0;
        let clear = silent
            || self.is_good_by(CLEAR, dispersions)
            || self.is_bad_by(CLEAR, dispersions)
            || (plan.is_rising && !self.again && judged.is_good());
        if measured < plan.time || (!clear && measured < plan.time * PATIENCE) {
            return None;
        }
        let mostly_bad = silent || u64::from(self.bad) * 2 > self.stretch.seconds;
        let hiccup = !mostly_bad && (!clear || self.is_good_without_worst());
        if judged.is_good() || self.again || !hiccup {
            Some(End::Counts)
        } else {
            Some(End::Retry)
        }
    }

    /// Whether it is good by so many standard deviations.
    pub(super) fn is_good_by(&self, deviations: f64, dispersions: &[f64]) -> bool {
        self.wholes(dispersions)
            .all(|(share, dispersion)| share.is_good_by(deviations, dispersion))
    }

    fn is_bad_by(&self, deviations: f64, dispersions: &[f64]) -> bool {
        self.wholes(dispersions)
            .any(|(share, dispersion)| share.is_bad_by(deviations, dispersion))
    }

    /// Whether all that was wrong came within a few seconds.
    fn is_good_without_worst(&self) -> bool {
        self.evidence.iter().all(|seconds| {
            let mut seconds = seconds.clone();
            seconds.sort_by(|one, other| one.excess().total_cmp(&other.excess()));
            let rest = seconds.len().saturating_sub(HICCUP_SECONDS);
            rest > 0 && pooled(seconds.iter().take(rest)).is_good()
        })
    }

    /// What lay beyond the limit of each criterion, with its dispersion.
    fn wholes(&self, dispersions: &[f64]) -> impl Iterator<Item = (Share, f64)> {
        let dispersions = dispersions.iter().copied();
        self.evidence.iter().map(pooled).zip(dispersions)
    }

    pub(super) fn judge(&self, criteria: &Criteria, unit: Unit) -> Judgement {
        criteria.judge(&self.stretch, self.level, unit)
    }
}
