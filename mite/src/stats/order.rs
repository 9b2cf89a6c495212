//! Rows that are found by number, gone through in the order of their keys.

use std::cmp::Ordering;

/// The order of a table to which rows are only ever added.
///
/// They are put in order when there are new ones. So in a second without a new name, which is any
/// but the first few, handing over rows in order takes no longer for each when there are more.
#[derive(Debug, Default)]
pub(super) struct RowOrder(Vec<usize>);

impl RowOrder {
    /// The numbers of so many rows in order.
    pub(super) fn of(
        &mut self,
        rows: usize,
        mut compare: impl FnMut(usize, usize) -> Ordering,
    ) -> &[usize] {
        if self.0.len() < rows {
            self.0.extend(self.0.len()..rows);
            self.0.sort_by(|one, other| compare(*one, *other));
        }
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_came_later_are_put_where_they_belong() {
        let rows = ["d", "b", "c", "a", "e"];
        let mut order = RowOrder::default();
        let mut sorted = |count| -> Vec<_> {
            let numbers = order.of(count, |one, other| rows[one].cmp(rows[other]));
            numbers.iter().map(|number| rows[*number]).collect()
        };
        assert_eq!(sorted(3), ["b", "c", "d"]);
        assert_eq!(sorted(5), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn nothing_is_compared_when_nothing_is_new() {
        let mut order = RowOrder::default();
        assert_eq!(order.of(3, |one, other| other.cmp(&one)), [2, 1, 0]);
        let again = order.of(3, |_, _| unreachable!("they are in order"));
        assert_eq!(again, [2, 1, 0]);
    }
}
