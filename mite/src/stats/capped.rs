//! A table that names make, kept from growing without bound.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

/// What stands in the place of a name when a metric has too many of them.
pub(crate) const MORE: &str = "(more)";

/// How many series of one metric are kept apart unless a run says otherwise.
pub(crate) const DEFAULT_CAP: usize = 1000;

/// Numbers that can be added up, in any grouping and in any order, with the same result.
pub(crate) trait Merge {
    /// Adds the other's numbers.
    fn merge(&mut self, other: Self);
}

impl Merge for u64 {
    fn merge(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

/// What names a row.
pub(crate) trait SeriesKey: Ord {
    /// The row its numbers go to when it cannot have its own; there must be few of these.
    fn overflow(&self) -> Self;
}

/// Rows by key, at most `cap` of them; the rest share overflow rows that name themselves
/// [`MORE`].
///
/// Over the cap the rows that sort first keep their own. That rule, unlike *first come*, gives the
/// same table in whatever grouping and order tables are merged; no number is lost either way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Serialize, V: Serialize",
    deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"
))]
pub(crate) struct Capped<K, V> {
    rows: BTreeMap<K, V>,
    more: BTreeMap<K, V>,
}

impl<K, V> Default for Capped<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            more: BTreeMap::new(),
        }
    }
}

impl<K: SeriesKey, V: Merge> Capped<K, V> {
    /// Adds to a row that was given its own by whoever keeps to the cap.
    pub(crate) fn add(&mut self, key: K, value: V) {
        add(&mut self.rows, key, value);
    }

    /// Adds to an overflow row.
    pub(crate) fn add_overflow(&mut self, key: K, value: V) {
        add(&mut self.more, key, value);
    }

    /// Adds another table, then folds what is over the cap.
    pub(crate) fn merge(&mut self, other: Self, cap: usize) {
        for (key, value) in other.rows {
            add(&mut self.rows, key, value);
        }
        for (key, value) in other.more {
            add(&mut self.more, key, value);
        }
        while self.rows.len() > cap
            && let Some((key, value)) = self.rows.pop_last()
        {
            add(&mut self.more, key.overflow(), value);
        }
    }

    /// All rows in order of their keys, then the overflow rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().chain(&self.more)
    }

    /// The row of this key, if it has its own or is an overflow row.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).or_else(|| self.more.get(key))
    }

    /// Whether there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.more.is_empty()
    }

    /// Whether some row had to share an overflow row.
    pub(crate) fn overflowed(&self) -> bool {
        !self.more.is_empty()
    }
}

/// Adds to the row of `key`, or makes it.
pub(crate) fn add<K: Ord, V: Merge>(rows: &mut BTreeMap<K, V>, key: K, value: V) {
    match rows.entry(key) {
        Entry::Occupied(mut row) => row.get_mut().merge(value),
        Entry::Vacant(row) => {
            row.insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl SeriesKey for String {
        fn overflow(&self) -> Self {
            MORE.to_owned()
        }
    }

    type Table = Capped<String, u64>;

    fn merged(tables: impl IntoIterator<Item = Table>) -> Table {
        let mut all = Table::default();
        for table in tables {
            all.merge(table, 3);
        }
        all
    }

    proptest! {
        #[test]
        fn the_table_does_not_depend_on_the_order_of_merging_even_over_the_cap(
            samples in prop::collection::vec(("[a-h]", 1u64..10), 0..40),
        ) {
            let singles: Vec<Table> = samples.iter().map(|(name, value)| {
                let mut table = Table::default();
                table.add(name.clone(), *value);
                table
            }).collect();
            let forward = merged(singles.clone());
            let backward = merged(singles.clone().into_iter().rev());
            let grouped = merged(singles.chunks(4).map(|group| merged(group.to_vec())));
            prop_assert_eq!(&forward, &backward);
            prop_assert_eq!(&forward, &grouped);
            prop_assert!(forward.rows.len() <= 3);
            let total: u64 = forward.iter().map(|(_, value)| value).sum();
            prop_assert_eq!(total, samples.iter().map(|(_, value)| value).sum::<u64>());
        }
    }
}
