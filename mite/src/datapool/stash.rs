//! The items one worker thread has for one entry of the scenario.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    Policy,
    lease::{Asking, Debt, Item, Order, Report, Wish},
};
use crate::id::ItemId;

/// What a worker holds, what of it is idle, and what it owes.
///
/// The worker passes on every [`Order`] it gets, takes an item for each journey and puts it back
/// when the journey is over, and asks for a [`report`](Stash::report) when something has changed,
/// a [`flush`](Stash::flush) about once a second, and its [`leave`](Stash::leave) at the end.
#[derive(Debug)]
pub(crate) struct Stash {
    policy: Policy,
    idle: VecDeque<Item>,
    in_use: usize,
    owed: Vec<Item>,
    spent: Vec<ItemId>,
    asking: Asking,
    debt: Debt,
    said_empty: Option<u64>,
    exhausted: bool,
}

impl Stash {
    /// A stash that has nothing yet.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            idle: VecDeque::new(),
            in_use: 0,
            owed: Vec::new(),
            spent: Vec::new(),
            asking: Asking::default(),
            debt: Debt::default(),
            said_empty: None,
            exhausted: false,
        }
    }

    /// An item for a journey that starts now.
    pub(crate) fn take(&mut self) -> Option<Item> {
        if self.policy == Policy::Shared {
            return self.idle.front().cloned();
        }
        let item = self.idle.pop_front()?;
        self.in_use += 1;
        Some(item)
    }

    /// Takes the item of a journey that is over, however it ended.
    pub(crate) fn put_back(&mut self, item: Item) {
        if self.policy == Policy::Shared {
            return;
        }
        self.in_use = self.in_use.saturating_sub(1);
        if self.policy == Policy::Once {
            self.spent.push(item.id);
        } else if self.debt.owed_above_share(self.held() + 1) > 0 {
            self.return_item(item);
        } else {
            self.idle.push_back(item);
        }
    }

    /// Does as it is told; a [`report`](Stash::report) may be due afterwards.
    pub(crate) fn obey(&mut self, order: Order) {
        match order {
            Order::Give(items) => {
                self.asking.receive(items.len());
                if self.policy == Policy::Shared {
                    // A copy of its own: the count of references is not contended between workers.
                    self.idle = items
                        .into_iter()
                        .map(|item| Item {
                            id: item.id,
                            data: Bytes::copy_from_slice(&item.data),
                        })
                        .collect();
                } else {
                    self.idle.extend(items);
                }
            }
            Order::Recall(recall) => self.debt.recall(recall),
            Order::Exhausted => self.exhausted = true,
        }
    }

    /// What has to be said now, if anything, given the starts that wait for an item and the items
    /// it would be good to have at hand beyond these.
    ///
    /// It must be asked for when starts begin or cease to wait, after an order, and after
    /// [`put_back`](Stash::put_back); the waiting starts take what is idle first.
    pub(crate) fn report(&mut self, waiting: usize, at_hand: usize) -> Option<Report> {
        let spare = self.idle.len().saturating_sub(waiting);
        if self.policy != Policy::Shared {
            for _ in 0..spare.min(self.debt.owed()) {
                if let Some(item) = self.idle.pop_front() {
                    self.return_item(item);
                }
            }
        }
        let mut report = Report {
            wish: self.wish(waiting, at_hand),
            returned: std::mem::take(&mut self.owed),
            empty_after: self.newly_empty(),
            ..Report::default()
        };
        report.is_urgent().then(|| {
            report.spent = std::mem::take(&mut self.spent);
            report
        })
    }

    /// The items spent since the last report, if there are any.
    ///
    /// What has not been reported when a worker or its machine dies is counted as lost.
    pub(crate) fn flush(&mut self) -> Option<Report> {
        (!self.spent.is_empty()).then(|| Report {
            spent: std::mem::take(&mut self.spent),
            ..Report::default()
        })
    }

    /// The last report: gives back everything that is not in use.
    pub(crate) fn leave(mut self) -> Report {
        if self.policy == Policy::Shared {
            return Report::default();
        }
        self.owed.extend(self.idle);
        Report {
            returned: self.owed,
            spent: self.spent,
            ..Report::default()
        }
    }

    /// Items that a journey could have at once.
    pub(crate) fn idle(&self) -> usize {
        self.idle.len()
    }

    /// Whether no journey can start any more, ever, for want of data.
    pub(crate) fn is_over(&self) -> bool {
        self.exhausted && self.idle.is_empty()
    }

    /// The numbers of the items that are here and not in use.
    #[cfg(test)]
    pub(super) fn items(&self) -> impl Iterator<Item = u64> {
        self.idle.iter().chain(&self.owed).map(|item| item.id.0)
    }

    /// Items that are here or with a journey.
    pub(crate) fn held(&self) -> usize {
        self.idle.len() + self.in_use
    }

    fn return_item(&mut self, item: Item) {
        self.debt.pay(1);
        self.owed.push(item);
    }

    fn wish(&mut self, waiting: usize, at_hand: usize) -> Option<Wish> {
        if self.exhausted {
            return None;
        }
        let (want, need) = if self.policy == Policy::Shared {
            let missing = usize::from(self.idle.is_empty());
            (missing, missing.min(waiting))
        } else {
            let idle = self.idle.len();
            (
                (waiting + at_hand).saturating_sub(idle),
                waiting.saturating_sub(idle),
            )
        };
        self.asking.revise(want, need, at_hand.div_ceil(2))
    }

    fn newly_empty(&mut self) -> Option<u64> {
        let received = Some(self.asking.received());
        let news = self.policy == Policy::Once
            && self.debt.owed() > 0
            && self.idle.is_empty()
            && self.said_empty != received;
        news.then(|| {
            self.said_empty = received;
            received
        })
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lease::Recall, *};

    fn item(id: u64) -> Item {
        Item {
            id: ItemId(id),
            data: Bytes::from(vec![1]),
        }
    }

    fn stash(policy: Policy, items: std::ops::Range<u64>) -> Stash {
        let mut stash = Stash::new(policy);
        stash.obey(Order::Give(items.map(item).collect()));
        stash
    }

    fn recall(total: u64, keep: u64) -> Order {
        Order::Recall(Recall { total, keep })
    }

    #[test]
    fn a_recycled_item_is_taken_again_after_the_others() {
        let mut stash = stash(Policy::Recycle, 0..3);
        let first = stash.take().unwrap();
        stash.put_back(first);
        let order: Vec<u64> = std::iter::from_fn(|| stash.take())
            .map(|i| i.id.0)
            .collect();
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(stash.flush(), None);
    }

    #[test]
    fn a_once_only_item_is_reported_as_spent_and_not_taken_again() {
        let mut stash = stash(Policy::Once, 0..1);
        let only = stash.take().unwrap();
        stash.put_back(only);
        assert_eq!(stash.take(), None);
        assert_eq!(stash.flush().unwrap().spent, [ItemId(0)]);
        assert_eq!(stash.flush(), None);
    }

    #[test]
    fn a_recall_takes_what_is_idle_and_later_what_comes_free() {
        let mut stash = stash(Policy::Recycle, 0..3);
        let used = stash.take().unwrap();
        stash.obey(recall(3, 0));
        let report = stash.report(0, 0).unwrap();
        assert_eq!(report.returned, [item(1), item(2)]);
        stash.put_back(used);
        assert_eq!(stash.take(), None);
        assert_eq!(stash.report(5, 0).unwrap().returned, [item(0)]);
    }

    #[test]
    fn a_holder_serves_its_own_starts_first_up_to_its_fair_share() {
        let mut stash = stash(Policy::Recycle, 0..2);
        let (first, second) = (stash.take().unwrap(), stash.take().unwrap());
        stash.obey(recall(2, 1));
        stash.put_back(first);
        assert_eq!(stash.take(), None, "above its share the recall comes first");
        stash.put_back(second);
        let report = stash.report(1, 0).unwrap();
        assert_eq!(report.returned, [item(0)]);
        assert_eq!(stash.take(), Some(item(1)));
    }

    #[test]
    fn a_recalled_stash_without_unused_items_says_so_once() {
        let mut stash = stash(Policy::Once, 0..1);
        let used = stash.take().unwrap();
        stash.obey(recall(4, 0));
        assert_eq!(stash.report(0, 0).unwrap().empty_after, Some(1));
        assert_eq!(stash.report(0, 0), None);
        stash.put_back(used);
        assert_eq!(stash.report(0, 0), None);
        stash.obey(Order::Give(vec![item(9)]));
        let report = stash.report(0, 0).unwrap();
        assert_eq!((report.returned.len(), report.empty_after), (1, Some(2)));
    }

    #[test]
    fn a_shared_item_is_asked_for_once_and_serves_any_number() {
        let mut stash = Stash::new(Policy::Shared);
        assert_eq!(stash.report(7, 0).unwrap().wish.unwrap().wanted, 1);
        assert_eq!(stash.report(9, 0), None);
        stash.obey(Order::Give(vec![item(0)]));
        for _ in 0..100 {
            assert_eq!(stash.take(), Some(item(0)));
        }
        stash.put_back(item(0));
        stash.obey(recall(5, 0));
        assert_eq!(stash.report(50, 10), None);
        assert_eq!(stash.leave(), Report::default());
    }

    #[test]
    fn an_exhausted_stash_is_over_when_its_last_item_is_taken() {
        let mut stash = stash(Policy::Once, 0..1);
        stash.obey(Order::Exhausted);
        assert!(!stash.is_over());
        assert!(stash.take().is_some());
        assert!(stash.is_over());
        assert_eq!(stash.report(3, 3), None);
    }

    #[test]
    fn a_goodbye_gives_back_what_is_unused_and_reports_what_is_spent() {
        let mut stash = stash(Policy::Once, 0..3);
        let used = stash.take().unwrap();
        stash.put_back(used);
        let report = stash.leave();
        assert_eq!(report.returned, [item(1), item(2)]);
        assert_eq!(report.spent, [ItemId(0)]);
    }
}
