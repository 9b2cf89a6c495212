//! When a sharer of the open model is to start its journeys.

use std::{collections::VecDeque, time::Duration};

use super::{Segment, Share, middle};

/// One sharer's own starts, in order.
///
/// It is fed with the segments of the plan and with the share, and needs no word from other
/// sharers. Every start is a place in the integral of the rate: evenly spaced ones lie at k + 1/2;
/// random ones are a Poisson process of one start per unit, drawn for each k from the seed and k
/// alone. So it makes no difference to the whole who draws them, and a change of shares changes no
/// start.
///
/// A segment that arrives late makes starts due in the past: they are to be started at once, and
/// what they are late by is their delay.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    seed: u64,
    /// Those that still matter, in order of `from`; the first is that of the last start taken.
    segments: VecDeque<Segment>,
    /// From which number on which share holds.
    shares: VecDeque<(u64, Share)>,
    /// Where the last start lay that was taken.
    taken: f64,
    /// The first number not looked at since then.
    unseen: u64,
    /// The own number being looked at.
    number: Option<u64>,
    /// Where its starts may lie, the next one last.
    places: Vec<Place>,
    due: Option<Duration>,
}

/// Where a start lies in the integral of the rate, if the segment there is of this kind.
#[derive(Clone, Copy, Debug)]
struct Place {
    position: f64,
    poisson: bool,
}

impl Arrivals {
    /// No starts, until it is told a [share](Arrivals::set_share) and a [segment](Arrivals::push).
    ///
    /// All sharers of an entry need the same seed, and each entry one of its own.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            segments: VecDeque::new(),
            shares: VecDeque::new(),
            taken: -1.0,
            unseen: 0,
            number: None,
            places: Vec::new(),
            due: None,
        }
    }

    /// Adds a segment; it replaces all that was known from its beginning on.
    pub(crate) fn push(&mut self, segment: Segment) {
        // One of the same base has no starts of its own.
        while self
            .segments
            .back()
            .is_some_and(|known| known.from >= segment.from || known.base >= segment.base)
        {
            self.segments.pop_back();
        }
        self.segments.push_back(segment);
        self.look_again();
    }

    /// Gives it another share from start number `from` on.
    ///
    /// Nothing is lost or doubled when all sharers change at the same number, before any of them
    /// has got there.
    pub(crate) fn set_share(&mut self, share: Share, from: u64) {
        while self.shares.back().is_some_and(|&(known, _)| known >= from) {
            self.shares.pop_back();
        }
        self.shares.push_back((from, share));
        self.look_again();
    }

    /// The due time of the next own start, which may be past; `None` while nothing is known of it.
    pub(crate) fn peek(&mut self) -> Option<Duration> {
        if self.due.is_none() {
            self.due = self.find();
        }
        self.due
    }

    /// Takes the start that [`peek`](Arrivals::peek) told of: its number and its due time.
    ///
    /// Evenly spaced starts have each a number of their own; random ones may share one.
    pub(crate) fn next(&mut self) -> Option<(u64, Duration)> {
        self.peek()?;
        let start = self.number.zip(self.due.take());
        if let Some(place) = self.places.pop() {
            self.taken = place.position;
        }
        self.forget_the_past();
        start
    }

    /// Drops segments and shares of which all starts are taken.
    fn forget_the_past(&mut self) {
        let taken = self.taken;
        let is_past = |next: Option<f64>| next.is_some_and(|next| next <= taken);
        while is_past(self.segments.get(1).map(|next| next.base)) {
            self.segments.pop_front();
        }
        while is_past(self.shares.get(1).map(|&(next, _)| next as f64)) {
            self.shares.pop_front();
        }
    }

    /// Goes back to the last start taken: what was passed over may count by what is known now.
    fn look_again(&mut self) {
        self.unseen = self.taken.floor() as u64;
        self.number = None;
        self.due = None;
    }

    fn find(&mut self) -> Option<Duration> {
        loop {
            if self.number.is_none() {
                let number = self.next_own()?;
                self.number = Some(number);
                self.find_places(number);
            }
            let Some(place) = self.places.last() else {
                self.number = None;
                continue;
            };
            let position = place.position;
            let later = self
                .segments
                .partition_point(|known| known.base <= position);
            let segment = later.checked_sub(1).and_then(|at| self.segments.get(at));
            if let Some(segment) = segment {
                if place.poisson == segment.poisson {
                    return segment.reaches(position);
                }
                let is_last = later == self.segments.len();
                if is_last && segment.total().is_some_and(|total| position >= total) {
                    // It is still to be seen what segment it belongs to.
                    return None;
                }
            }
            self.places.pop();
        }
    }

    /// The first own number not looked at.
    fn next_own(&mut self) -> Option<u64> {
        // What was planned before the first segment it knows of is passed over in one step.
        let known = self.segments.front()?.base.floor() as u64;
        let unseen = self.unseen.max(known);
        let ends = self.shares.iter().skip(1).map(|&(next, _)| next);
        let number = self
            .shares
            .iter()
            .zip(ends.map(Some).chain([None]))
            .find_map(|(&(from, share), end)| {
                let number = share.first_at_or_after(unseen.max(from))?;
                end.is_none_or(|end| number < end).then_some(number)
            })?;
        self.unseen = number + 1;
        Some(number)
    }

    /// Where the starts of `number` may lie that are still to come.
    fn find_places(&mut self, number: u64) {
        self.places.clear();
        self.places.push(Place {
            position: middle(number),
            poisson: false,
        });
        if self.segments.iter().any(|segment| segment.poisson) {
            let mut random = fastrand::Rng::with_seed(scramble(self.seed ^ scramble(number)));
            let mut gap = || -(1.0 - random.f64()).ln();
            let mut position = number as f64 + gap();
            while position < (number + 1) as f64 {
                self.places.push(Place {
                    position,
                    poisson: true,
                });
                position += gap();
            }
        }
        self.places.retain(|place| place.position > self.taken);
        self.places
            .sort_by(|one, other| other.position.total_cmp(&one.position));
    }
}

/// Spreads neighbouring numbers over all 64 bits (the finalizer of `SplitMix64`).
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
