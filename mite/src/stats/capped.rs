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
/// Whoever has a row keeps it, so that what is shown of it never goes back; over the cap those that
/// come later have none. No number is lost.
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
    /// A table of these rows in the order of their keys, which were given their own by whoever keeps
    /// to the cap. Those of the same key are added up.
    pub(crate) fn of(rows: Vec<(K, V)>) -> Self {
        let mut own: Vec<(K, V)> = Vec::with_capacity(rows.len());
        for (key, value) in rows {
            match own.last_mut() {
                Some((last, sum)) if *last == key => sum.merge(value),
                _ => own.push((key, value)),
            }
        }
        Self {
            rows: own.into_iter().collect(),
            more: BTreeMap::new(),
        }
    }

    /// Adds to a row that was given its own by whoever keeps to the cap.
    pub(crate) fn add(&mut self, key: K, value: V) {
        add(&mut self.rows, key, value);
    }

    /// Adds to an overflow row.
    pub(crate) fn add_overflow(&mut self, key: K, value: V) {
        add(&mut self.more, key, value);
    }

    /// Adds another table. Of its rows that this one has not, those that sort first get one of their
    /// own, as long as there is room.
    pub(crate) fn merge(&mut self, mut other: Self, cap: usize) {
        if self.rows.len() + other.rows.len() > cap {
            let mut room = cap.saturating_sub(self.rows.len());
            other.fold(|key| {
                let has_one = self.rows.contains_key(key);
                let gets_one = !has_one && room > 0;
                room -= usize::from(gets_one);
                has_one || gets_one
            });
        }
        add_all(&mut self.rows, other.rows);
        for (key, value) in other.more {
            add(&mut self.more, key, value);
        }
    }

    /// Keeps only the rows that `whole` has as well, of which this is a part.
    pub(crate) fn conform(&mut self, whole: &Self) {
        if !whole.more.is_empty() {
            self.fold(|key| whole.rows.contains_key(key));
        }
    }

    /// Moves the rows that are not to be kept to their overflow rows.
    fn fold(&mut self, mut keep: impl FnMut(&K) -> bool) {
        let rows = std::mem::take(&mut self.rows);
        for (key, value) in rows {
            if keep(&key) {
                self.rows.insert(key, value);
            } else {
                add(&mut self.more, key.overflow(), value);
            }
        }
    }

    /// All rows in order of their keys, then the overflow rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().chain(&self.more)
    }

    /// Whether there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.more.is_empty()
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

/// How many rows are gone past in the time that one is looked up.
const PASSED: usize = 8;

/// Adds rows to those of the same keys.
fn add_all<K: Ord, V: Merge>(rows: &mut BTreeMap<K, V>, others: BTreeMap<K, V>) {
    if rows.is_empty() {
        *rows = others;
        return;
    }
    if others.len() < rows.len() / PASSED {
        let others = others.into_iter();
        return others.for_each(|(key, value)| add(rows, key, value));
    }
    // Both are in order, so each row is gone past once, and none is looked up.
    let mut new = Vec::new();
    let mut ours = rows.iter_mut().peekable();
    for (key, value) in others {
        while ours.next_if(|(our, _)| **our < key).is_some() {}
        match ours.next_if(|(our, _)| **our == key) {
            Some((_, row)) => row.merge(value),
            None => new.push((key, value)),
        }
    }
    rows.extend(new);
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, cmp::Ordering, rc::Rc};

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

    fn table(names: &[&str]) -> Table {
        let mut table = Table::default();
        for name in names {
            table.add((*name).to_owned(), 1);
        }
        table
    }

    fn shown(table: &Table) -> Vec<(&str, u64)> {
        table
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect()
    }

    #[test]
    fn over_the_cap_whoever_has_a_row_keeps_it() {
        let all = merged([
            table(&["d", "b"]),
            table(&["e", "a", "c", "b"]),
            table(&["a", "c", "d"]),
        ]);
        assert_eq!(shown(&all), [("a", 2), ("b", 2), ("d", 2), (MORE, 3)]);
    }

    #[test]
    fn a_part_has_no_rows_that_the_whole_has_not() {
        let parts = [table(&["d", "b"]), table(&["e", "a", "c", "b"])];
        let whole = merged(parts.clone());
        let mut sum = Table::default();
        for mut part in parts {
            part.conform(&whole);
            sum.merge(part, usize::MAX);
        }
        assert_eq!(sum, whole);
        let mut small = table(&["x"]);
        small.conform(&table(&["a"]));
        assert_eq!(shown(&small), [("x", 1)], "nothing is over the cap");
    }

    /// Keys that are the same are told apart by nobody, but comparing them is counted.
    #[derive(Clone, Debug)]
    struct Counted(u32, Rc<Cell<usize>>);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            self.1.set(self.1.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other) == Ordering::Equal
        }
    }

    impl Eq for Counted {}

    impl SeriesKey for Counted {
        fn overflow(&self) -> Self {
            Self(u32::MAX, self.1.clone())
        }
    }

    /// How often keys are compared to make a table of so many rows and to add it to one like it.
    fn compared(rows: u32) -> usize {
        let count = Rc::new(Cell::new(0));
        let table = || {
            let row = |number| (Counted(number, count.clone()), 1);
            Capped::of((0..rows).map(row).collect())
        };
        let mut total: Capped<_, u64> = table();
        total.merge(table(), usize::MAX);
        assert!(total.iter().all(|(_, value)| *value == 2));
        count.get()
    }

    #[test]
    fn a_row_takes_no_more_comparing_when_there_are_more_of_them() {
        let (few, many) = (compared(100), compared(10_000));
        assert!(many <= few * 101, "{few} for 100, {many} for 10,000");
    }

    proptest! {
        #[test]
        fn rows_are_added_to_the_same_whether_they_are_looked_up_or_gone_past(
            ours in prop::collection::btree_map(0u32..300, 1u64..10, 0..200),
            theirs in prop::collection::btree_map(0u32..300, 1u64..10, 0..60),
        ) {
            let mut one_by_one = ours.clone();
            for (key, value) in theirs.clone() {
                add(&mut one_by_one, key, value);
            }
            let mut all = ours;
            add_all(&mut all, theirs);
            prop_assert_eq!(all, one_by_one);
        }

        #[test]
        fn the_table_does_not_depend_on_the_order_of_merging_below_the_cap(
            samples in prop::collection::vec(("[a-h]", 1u64..10), 0..40),
            cap in 1usize..12,
        ) {
            let singles: Vec<Table> = samples.iter().map(|(name, value)| {
                let mut table = Table::default();
                table.add(name.clone(), *value);
                table
            }).collect();
            let merged = |tables: Vec<Table>| {
                let mut all = Table::default();
                tables.into_iter().for_each(|table| all.merge(table, cap));
                all
            };
            let forward = merged(singles.clone());
            let backward = merged(singles.clone().into_iter().rev().collect());
            let grouped = merged(singles.chunks(4).map(|group| merged(group.to_vec())).collect());
            if forward.more.is_empty() {
                prop_assert_eq!(&forward, &backward);
                prop_assert_eq!(&forward, &grouped);
            }
            for table in [forward, backward, grouped] {
                prop_assert!(table.rows.len() <= cap);
                let total: u64 = table.iter().map(|(_, value)| value).sum();
                prop_assert_eq!(total, samples.iter().map(|(_, value)| value).sum::<u64>());
            }
        }
    }
}
