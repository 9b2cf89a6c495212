//! Which rows are shown where there is no room for all.

use std::cmp::Reverse;

use super::parts::ThresholdSummary;

/// Rows of a table shown; the others are in the report.
pub(super) const MOST_ROWS: usize = 20;
/// Of these, the ones that are there because they fail most, or take longest.
const WORST_ROWS: usize = 5;

/// At most so many thresholds, in their order; those that held give way to the broken ones.
pub(super) fn thresholds(all: &[ThresholdSummary], most: usize) -> Vec<&ThresholdSummary> {
    let broken = all.iter().filter(|row| !row.passed).count();
    let mut room = [most.saturating_sub(broken), most.min(broken)];
    let has_room = |row: &&ThresholdSummary| {
        let [held, broken] = &mut room;
        let left = if row.passed { held } else { broken };
        let has_room = *left > 0;
        *left = left.saturating_sub(1);
        has_room
    };
    all.iter().filter(has_room).collect()
}

/// Keeps the rows that fail most, the slowest and the busiest, ordered by how busy they are, and says
/// how many it took out. A row is known by its count, its failures and its p95.
pub(super) fn keep<T>(
    rows: &mut Vec<&T>,
    figures: impl Fn(&T) -> (u64, u64, Option<f64>),
) -> usize {
    let left_out = rows.len().saturating_sub(MOST_ROWS);
    if left_out == 0 {
        return 0;
    }
    rows.sort_by_key(|row| Reverse(figures(row).1));
    let failing = rows.iter().take(WORST_ROWS);
    let failing = failing.take_while(|row| figures(row).1 > 0).count();
    let slowest = rows.get_mut(failing..).unwrap_or_default();
    slowest.sort_by(|one, other| {
        let [one, other] = [figures(one), figures(other)];
        let busier = other.0.cmp(&one.0);
        f64::total_cmp(&p95(other), &p95(one)).then(busier)
    });
    let busiest = slowest.get_mut(WORST_ROWS..).unwrap_or_default();
    busiest.sort_by_key(|row| Reverse(figures(row).0));
    rows.truncate(MOST_ROWS);
    rows.sort_by_key(|row| Reverse(figures(row).0));
    left_out
}

/// What failed always has no time.
fn p95((_, _, p95): (u64, u64, Option<f64>)) -> f64 {
    p95.unwrap_or(0.0)
}
