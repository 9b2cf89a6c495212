//! Which of the starts, or of the users, are one sharer's own.

use serde::{Deserialize, Serialize};

/// Sharer `index` of `of`: it owns every number that leaves `index` when divided by `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) index: u32,
    pub(crate) of: u32,
}

impl Share {
    /// Everything.
    #[cfg(test)]
    pub(crate) const ALL: Share = Share { index: 0, of: 1 };

    /// Nothing at all.
    pub(crate) const NONE: Share = Share { index: 0, of: 0 };

    /// Whether number `k` is its own.
    #[cfg(test)]
    pub(crate) fn owns(self, k: u64) -> bool {
        self.owns_any() && k % u64::from(self.of) == u64::from(self.index)
    }

    /// Its first own number from `k` on, if it has any.
    pub(crate) fn first_at_or_after(self, k: u64) -> Option<u64> {
        if !self.owns_any() {
            return None;
        }
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        let ahead = (index + of - k % of) % of;
        k.checked_add(ahead)
    }

    /// How many of the numbers 0 … `total` - 1 are its own.
    pub(crate) fn count(self, total: u64) -> u64 {
        if !self.owns_any() {
            return 0;
        }
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        total / of + u64::from(total % of > index)
    }

    fn owns_any(self) -> bool {
        self.index < self.of
    }
}
