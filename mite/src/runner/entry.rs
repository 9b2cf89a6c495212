//! One entry of the scenario inside one worker.

use std::cell::{Cell, RefCell};

use super::{RunnerEntry, open::Open, supply::Supply, users::Users};
use crate::{
    id::EntryId,
    journey::Runnable,
    stats::UserTime,
    volume::schedule::{Segment, Share},
};

/// The state of an entry: who is in flight, who waits, with what data.
pub(super) struct Entry {
    pub(super) id: EntryId,
    pub(super) journey: Runnable,
    pub(super) supply: Supply,
    pub(super) open: RefCell<Open>,
    pub(super) users: RefCell<Users>,
    /// Whether the data is used up, which ends the entry.
    pub(super) over: Cell<bool>,
}

impl Entry {
    pub(super) fn new(id: EntryId, entry: &RunnerEntry, seed: u64) -> Self {
        let seed = mix(seed, u64::from(id.0));
        Self {
            id,
            journey: entry.journey,
            supply: Supply::new(entry.policy),
            open: RefCell::new(Open::new(seed)),
            users: RefCell::new(Users::new(seed)),
            over: Cell::new(false),
        }
    }

    /// From the segment's beginning on, the entry keeps up this share of it.
    pub(super) fn retarget(&self, segment: &Segment, share: Share) {
        self.open.borrow_mut().retarget(segment, share);
        self.users.borrow_mut().retarget(segment, share);
    }

    /// How many user-seconds there were since this was last asked.
    pub(super) fn user_time(&self, now: std::time::Duration) -> UserTime {
        let mut time = self.users.borrow_mut().time(now);
        time.in_flight += self.open.borrow().in_flight();
        time
    }
}

/// Two numbers into one that looks like neither (the finalizer of splitmix64).
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
