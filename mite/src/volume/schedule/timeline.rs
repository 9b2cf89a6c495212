//! The segments of an entry one after the other.

use std::time::Duration;

use super::{Segment, Share};
use crate::volume::Unit;

/// What an entry's volume is at any time, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    /// In order of `from`, no two alike.
    segments: Vec<Segment>,
}

impl Timeline {
    /// Adds a segment; it replaces all that was known from its beginning on.
    pub(crate) fn push(&mut self, segment: Segment) {
        let kept = self
            .segments
            .partition_point(|known| known.from < segment.from);
        self.segments.truncate(kept);
        self.segments.push(segment);
    }

    /// The segments, in order.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segment that holds at `at`.
    pub(crate) fn at(&self, at: Duration) -> Option<&Segment> {
        self.segments.get(self.index(at)?)
    }

    /// What is known from `at` on: the rest of the segment that holds there, and those after it.
    pub(crate) fn from(&self, at: Duration) -> impl Iterator<Item = Segment> {
        let holding = self.index(at);
        let first = holding.and_then(|index| self.segments.get(index));
        let later = self
            .segments
            .iter()
            .skip(holding.map_or(0, |index| index + 1));
        let rest = first.map(|segment| segment.rest(at));
        rest.into_iter().chain(later.cloned())
    }

    /// Forgets the segments that were over before `at`.
    pub(crate) fn forget_before(&mut self, at: Duration) {
        if let Some(index) = self.index(at) {
            self.segments.drain(..index);
        }
    }

    /// What is counted at `at`; users before the first segment.
    pub(crate) fn unit_at(&self, at: Duration) -> Unit {
        self.at(at).map_or(Unit::Users, |segment| segment.unit)
    }

    /// The level at `at`: users, or starts a second; 0 before the first segment.
    pub(crate) fn level_at(&self, at: Duration) -> f64 {
        self.at(at).map_or(0.0, |segment| segment.level_at(at))
    }

    /// The integral of the rate up to `at`.
    pub(crate) fn cumulative(&self, at: Duration) -> f64 {
        self.at(at).map_or(0.0, |segment| segment.cumulative(at))
    }

    /// How many users are the sharer's own at `at`.
    pub(crate) fn users_at(&self, at: Duration, share: Share) -> u64 {
        self.at(at)
            .map_or(0, |segment| share.count(segment.users_at(at)))
    }

    /// When the number of the sharer's own users may next change after `after`: within a ramp when
    /// one comes or goes, and at the beginning of every segment.
    pub(crate) fn next_users_change(&self, after: Duration, share: Share) -> Option<Duration> {
        let index = self.index(after);
        let next = self
            .segments
            .get(index.map_or(0, |index| index + 1))
            .map(|segment| segment.from);
        let within = index
            .and_then(|index| self.segments.get(index))
            .and_then(|segment| segment.next_users_change(after, share));
        [within, next].into_iter().flatten().min()
    }

    fn index(&self, at: Duration) -> Option<usize> {
        self.segments
            .partition_point(|segment| segment.from <= at)
            .checked_sub(1)
    }
}
