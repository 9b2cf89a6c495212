//! What those who share items say to each other.
//!
//! Items flow down a tree: the controller lends them to runners, a runner to its worker threads.
//! The lower side sends [`Report`]s, the upper side [`Order`]s; each pair of neighbours needs its
//! messages to arrive once and in order. What is wished for and what is recalled are running
//! totals, so that messages that cross on the way count nothing twice.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::ItemId;

/// An item on its way to a journey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// Its number in the pool.
    pub(crate) id: ItemId,
    /// Its value, encoded.
    pub(crate) data: Bytes,
}

/// What a holder tells the one it has its items from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What it wants, when that has changed.
    pub(crate) wish: Option<Wish>,
    /// Items given back, for others to use.
    pub(crate) returned: Vec<Item>,
    /// Once-only items that a journey has had.
    pub(crate) spent: Vec<ItemId>,
    /// Items that somebody took along when he died.
    pub(crate) abandoned: Vec<ItemId>,
    /// Items that were on their way to somebody who had said goodbye, so that they are gone but
    /// no journey has had them.
    pub(crate) unused: Vec<ItemId>,
    /// Said when it owes once-only items and none is unused: how many it had received by then.
    pub(crate) empty_after: Option<u64>,
}

impl Report {
    /// Whether there is something in it that somebody may be waiting for.
    pub(super) fn is_urgent(&self) -> bool {
        self.wish.is_some()
            || self.empty_after.is_some()
            || !self.returned.is_empty()
            || !self.abandoned.is_empty()
            || !self.unused.is_empty()
    }
}

/// What a holder is told by the one it has its items from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// These are yours.
    Give(Vec<Item>),
    /// Others need some; replaces what was recalled before.
    Recall(Recall),
    /// Nothing more will come.
    Exhausted,
}

/// How many items a holder will have been given in its life when it has what it wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// Including those it would like to have at hand.
    pub(crate) wanted: u64,
    /// Only those that starts are waiting for now; others are made to give for these.
    pub(crate) needed: u64,
}

/// How many items a holder will have given back in its life when it owes nothing more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recall {
    /// The running total.
    pub(crate) total: u64,
    /// Its fair share: while it has more, what comes free is owed before its own starts are
    /// served; below that only what it does not need itself.
    pub(crate) keep: u64,
}

/// The lower side's memory of what it asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asking {
    sent: Wish,
    received: u64,
}

impl Asking {
    /// Takes note of items that came.
    pub(super) fn receive(&mut self, count: usize) {
        self.received += count as u64;
    }

    /// How many items ever came.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// What to say, now that `want` items are wanted, `need` of them urgently; nothing unless it
    /// differs enough from what was said to be worth a message.
    ///
    /// A starving holder is heard at once. More is asked for when at least `block` more are
    /// wanted, and half as much again, so that a queue that builds up costs few messages.
    pub(super) fn revise(&mut self, want: usize, need: usize, block: usize) -> Option<Wish> {
        let (want, need) = (want as u64, need as u64);
        let open_want = self.sent.wanted.saturating_sub(self.received);
        let open_need = self.sent.needed.saturating_sub(self.received);
        let grown = |now: u64, open: u64, block: u64| {
            now.saturating_sub(open) >= block.max(open / 2).max(1)
        };
        let worth_it = (need == 0) != (open_need == 0)
            || grown(need, open_need, 1)
            || grown(want, open_want, block as u64)
            || want * 2 < open_want;
        worth_it.then(|| {
            self.sent = Wish {
                wanted: self.received + want,
                needed: self.received + need,
            };
            self.sent
        })
    }
}

/// The lower side's memory of what it is to give back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Debt {
    recall: Recall,
    returned: u64,
}

impl Debt {
    /// Takes note of a recall.
    pub(super) fn recall(&mut self, recall: Recall) {
        self.recall = recall;
    }

    /// Takes note of items given back.
    pub(super) fn pay(&mut self, count: usize) {
        self.returned += count as u64;
    }

    /// Items still owed.
    pub(super) fn owed(&self) -> usize {
        to_count(self.recall.total.saturating_sub(self.returned))
    }

    /// Items owed even at the cost of starts that wait, when `held` are here.
    pub(super) fn owed_above_share(&self, held: usize) -> usize {
        self.owed()
            .min(held.saturating_sub(to_count(self.recall.keep)))
    }
}

fn to_count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_counts_from_what_has_come() {
        let mut asking = Asking::default();
        let wish = |wanted, needed| Some(Wish { wanted, needed });
        assert_eq!(asking.revise(5, 1, 1), wish(5, 1));
        asking.receive(3);
        assert_eq!(asking.revise(2, 0, 1), None);
        assert_eq!(asking.revise(4, 1, 1), wish(7, 4));
    }

    #[test]
    fn a_queue_that_builds_up_costs_few_messages() {
        let mut asking = Asking::default();
        let said = (1..=1000).filter(|&waiting| asking.revise(waiting, waiting, 0).is_some());
        assert!(said.count() < 25);
    }

    #[test]
    fn a_holder_that_needs_no_more_says_so() {
        let mut asking = Asking::default();
        assert!(asking.revise(10, 10, 0).is_some());
        let wish = asking.revise(0, 0, 0);
        assert_eq!(wish, Some(Wish::default()));
        assert_eq!(asking.revise(0, 0, 0), None);
    }

    #[test]
    fn what_is_owed_shrinks_by_every_item_given_back() {
        let mut debt = Debt::default();
        debt.recall(Recall { total: 5, keep: 2 });
        assert_eq!((debt.owed(), debt.owed_above_share(4)), (5, 2));
        debt.pay(3);
        assert_eq!((debt.owed(), debt.owed_above_share(9)), (2, 2));
        debt.recall(Recall { total: 3, keep: 0 });
        assert_eq!(debt.owed(), 0);
    }
}
