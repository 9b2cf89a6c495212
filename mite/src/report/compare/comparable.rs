//! Whether two runs can be compared at all.

use std::collections::BTreeSet;

use super::{CompareError, LEAST_SECONDS, Which};
use crate::report::{Batches, Report, SeriesPoint, Verdict};

/// How far lengths may be apart: the last journeys take their time.
const LENGTHS: f64 = 0.1;
/// How far planned starts may be apart.
const STARTS: f64 = 0.01;
/// How far the users in flight may be apart, on average.
const USERS: f64 = 0.05;

/// Looks at everything that makes a comparison meaningless.
pub(super) fn check(before: &Report, after: &Report) -> Result<(), CompareError> {
    if before.scenario != after.scenario {
        return Err(CompareError::Scenario {
            before: before.scenario.clone(),
            after: after.scenario.clone(),
        });
    }
    let journeys = |report: &Report| -> BTreeSet<String> {
        report
            .journeys
            .iter()
            .map(|row| row.journey.clone())
            .collect()
    };
    let mut only_one = journeys(before)
        .symmetric_difference(&journeys(after))
        .cloned()
        .collect::<Vec<_>>()
        .into_iter();
    if let Some(journey) = only_one.next() {
        return Err(CompareError::Journey(journey));
    }
    for (report, which) in [(before, Which::First), (after, Which::Second)] {
        each(report, which)?;
    }
    let [first, second] = [before, after].map(measured);
    if (first - second).abs() > LENGTHS * first.max(second) {
        return Err(CompareError::Length {
            before: first,
            after: second,
        });
    }
    volumes(before, after)
}

fn each(report: &Report, which: Which) -> Result<(), CompareError> {
    if report.verdict == Verdict::Invalid {
        let why = report.reasons.first();
        return Err(CompareError::Invalid {
            which,
            why: why.map(|why| format!(": {why}")).unwrap_or_default(),
        });
    }
    if !report.findings.is_empty() {
        return Err(CompareError::Adaptive(which));
    }
    let seconds = measured(report);
    if seconds < LEAST_SECONDS as f64 {
        return Err(CompareError::TooShort { which, seconds });
    }
    let batches = report.batches.as_ref();
    let batches = batches.filter(|batches| batches.seconds > 0 && !batches.rows.is_empty());
    let batches = batches.ok_or(CompareError::NoBatches(which))?;
    if is_whole(batches) {
        Ok(())
    } else {
        Err(CompareError::Damaged(which))
    }
}

fn is_whole(batches: &Batches) -> bool {
    let length = batches.rows.first().map_or(0, |row| row.count.len());
    length > 0
        && batches.rows.iter().all(|row| {
            let lists = [&row.mean, &row.p50, &row.p95, &row.p99];
            row.count.len() == length
                && row.errors.len() == length
                && lists.iter().all(|list| list.len() == length)
        })
}

/// The seconds of a run that totals are about.
pub(super) fn measured(report: &Report) -> f64 {
    (report.duration_seconds - report.series.warm_up_seconds).max(0.0)
}

fn volumes(before: &Report, after: &Report) -> Result<(), CompareError> {
    let sum = |report: &Report, of: fn(&SeriesPoint) -> u64| {
        let warm_up = report.series.warm_up_seconds;
        let points = report.series.points.iter();
        let points = points.filter(|point| point.at > warm_up);
        points.map(|point| of(point) as f64).sum::<f64>()
    };
    let differs =
        |first: f64, second: f64, by: f64| (first - second).abs() > by * first.max(second);
    let starts = [before, after].map(|report| sum(report, |point| point.planned_starts));
    let [first, second] = starts;
    // Those of Poisson arrivals are not the same in any two runs.
    let chance = 3.0 * (first + second).sqrt() / first.max(second).max(1.0);
    if differs(first, second, STARTS.max(chance)) {
        return Err(CompareError::Volume {
            what: "planned starts",
            before: first,
            after: second,
        });
    }
    let users = [before, after].map(|report| sum(report, |point| point.users) / measured(report));
    let [first, second] = users;
    let closed = starts.iter().all(|starts| *starts == 0.0);
    if closed && differs(first, second, USERS) && (first - second).abs() >= 0.5 {
        return Err(CompareError::Volume {
            what: "users in flight, on average,",
            before: first,
            after: second,
        });
    }
    Ok(())
}
