//! The small numbers that name things inside one run.

use serde::{Deserialize, Serialize};

/// A line of a scenario: one journey with its data and its volume, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EntryId(pub(crate) u32);

impl EntryId {
    /// The entry's place in a `Vec` that has one element an entry.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A process that runs journeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RunnerId(pub(crate) u32);

/// A named transaction inside one worker; 0 is the journey outside any transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TransactionId(pub(crate) u32);

impl TransactionId {
    /// The journey itself, outside every transaction.
    pub(crate) const ROOT: TransactionId = TransactionId(0);
}

/// A data item, as its pool knows it.
///
/// Pools number their items as they like; the number is what comes back at `checkin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId(pub u64);
