//! What a broker knows of one holder.

use rustc_hash::FxHashSet;

use super::{Item, Policy, Recall, Wish};
use crate::id::ItemId;

/// One of those a broker shares its items between.
#[derive(Debug, Default)]
pub(super) struct Holder {
    /// What it wished for last.
    pub(super) wish: Wish,
    /// Items ever given to it.
    pub(super) given: u64,
    /// What it said last about having nothing unused: how many items it had received by then.
    pub(super) empty_after: Option<u64>,
    /// Whether it was told that nothing more will come.
    pub(super) dismissed: bool,
    items: FxHashSet<ItemId>,
    recall: Recall,
    returned: u64,
    /// How much was asked of it at a time; it doubles while it gives all that is asked.
    asked: usize,
}

impl Holder {
    /// Items it still wants.
    pub(super) fn want(&self) -> usize {
        self.open(self.wish.wanted.max(self.wish.needed))
    }

    /// Items that its starts wait for.
    pub(super) fn need(&self) -> usize {
        self.open(self.wish.needed)
    }

    fn open(&self, total: u64) -> usize {
        if self.dismissed {
            return 0;
        }
        usize::try_from(total.saturating_sub(self.given)).unwrap_or(usize::MAX)
    }

    /// Items it has or is about to receive.
    pub(super) fn held(&self) -> usize {
        self.items.len()
    }

    /// Whether it has no once-only item that is unused.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() || self.empty_after == Some(self.given)
    }

    /// Whether asking it for items makes sense.
    pub(super) fn can_give(&self, policy: Policy, keep: usize) -> bool {
        match policy {
            Policy::Once => !self.is_empty(),
            Policy::Recycle => self.held() > 0 && (self.need() == 0 || self.held() > keep),
            Policy::Shared => false,
        }
    }

    /// Takes note that these are on their way to it.
    pub(super) fn lend(&mut self, items: &[Item]) {
        self.given += items.len() as u64;
        self.items.extend(items.iter().map(|item| item.id));
    }

    /// Takes items back; those that were not lent to it are dropped.
    pub(super) fn give_back(&mut self, mut items: Vec<Item>) -> Vec<Item> {
        self.returned += items.len() as u64;
        items.retain(|item| self.items.remove(&item.id));
        items
    }

    /// Items it has no more, of those named.
    pub(super) fn release(&mut self, items: &[ItemId]) -> Vec<ItemId> {
        let known = items.iter().filter(|id| self.items.remove(id));
        known.copied().collect()
    }

    /// Everything it had.
    pub(super) fn into_items(self) -> Vec<ItemId> {
        self.items.into_iter().collect()
    }

    /// Asks it for items, at first for its `part` of the `short` ones; nothing if that was said.
    pub(super) fn recall(&mut self, short: usize, part: usize, keep: usize) -> Option<Recall> {
        let owed = self.recall.total.saturating_sub(self.returned);
        let keep = keep as u64;
        if owed > 0 && self.recall.keep == keep {
            return None;
        }
        if owed == 0 {
            self.asked = part.max(self.asked * 2).min(short);
            self.recall.total = self.returned + self.asked as u64;
        }
        self.recall.keep = keep;
        Some(self.recall)
    }

    /// Lets it keep what it has; nothing if it owes nothing.
    pub(super) fn release_from_recall(&mut self) -> Option<Recall> {
        self.asked = 0;
        (self.recall.total > self.returned).then(|| {
            self.recall.total = self.returned;
            self.recall
        })
    }
}
