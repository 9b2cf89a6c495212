//! The figures of two runs, and the interval of each change.

use std::{collections::BTreeMap, ops::Range};

use super::{
    Difference, Figure, Level,
    comparable::measured,
    noise::{Noise, noise},
};
use crate::{
    report::{
        Report,
        batches::{BatchKind, BatchRow},
    },
    stats::LatencySummary,
};

/// A percentile is told to three digits, so a change of less is none.
const PRECISION: f64 = 0.001;

/// What tells a series from others.
type Key<'a> = (BatchKind, &'a str, &'a str, &'a str, &'a str);

/// Every figure that either of the runs has.
pub(super) fn differences(before: &Report, after: &Report, confidence: f64) -> Vec<Difference> {
    let [first, second] = [before, after].map(Cut::of);
    let (first, second) = Cut::aligned(first, second);
    let [mut ours, mut theirs] = [before, after].map(Totals::by_series);
    let begin = after.series.warm_up_seconds;
    let seconds = second.seconds as f64;
    let mut found = Vec::new();
    for row in &second.rows {
        let key = key(row);
        let earlier = first.rows.iter().find(|earlier| self::key(earlier) == key);
        let pair = Pair {
            before: earlier,
            after: Some(row),
            units: first.units.min(second.units),
            begin,
            seconds,
            totals: [ours.remove(&key), theirs.remove(&key)],
            confidence,
        };
        found.extend(Figure::ALL.map(|figure| pair.difference(key, figure)));
    }
    let gone = first
        .rows
        .iter()
        .filter(|row| !second.rows.iter().any(|other| key(other) == key(row)));
    for row in gone {
        let key = key(row);
        let pair = Pair {
            before: Some(row),
            after: None,
            units: 0,
            begin,
            seconds,
            totals: [ours.remove(&key), None],
            confidence,
        };
        found.extend(Figure::ALL.map(|figure| pair.difference(key, figure)));
    }
    found.retain(|row| row.before.is_some() || row.after.is_some());
    found
}

fn key(row: &BatchRow) -> Key<'_> {
    (
        row.kind,
        &row.journey,
        &row.transaction,
        &row.name,
        &row.method,
    )
}

/// The stretches of a run.
struct Cut {
    rows: Vec<BatchRow>,
    seconds: u64,
    units: usize,
}

impl Cut {
    fn of(report: &Report) -> Self {
        let batches = report.batches.clone().unwrap_or_default();
        Self {
            units: batches.rows.first().map_or(0, |row| row.count.len()),
            seconds: batches.seconds.max(1),
            rows: batches.rows,
        }
    }

    /// Both in stretches of the same length. Lengths are powers of two, so the longer one will do.
    fn aligned(mut first: Self, mut second: Self) -> (Self, Self) {
        let seconds = first.seconds.max(second.seconds);
        first.coarsen(seconds);
        second.coarsen(seconds);
        (first, second)
    }

    fn coarsen(&mut self, seconds: u64) {
        let times = usize::try_from(seconds / self.seconds).unwrap_or(1).max(1);
        if times == 1 {
            return;
        }
        self.units /= times;
        self.seconds = seconds;
        for row in &mut self.rows {
            *row = coarser(row, times, self.units);
        }
    }
}

fn coarser(row: &BatchRow, times: usize, units: usize) -> BatchRow {
    let each = || (0..units).map(|unit| unit * times..(unit + 1) * times);
    let sums = |list: &[u64]| each().map(|range| sum(list, range)).collect();
    let means = |list: &[Option<f64>]| each().map(|range| weighted(row, list, range)).collect();
    BatchRow {
        count: sums(&row.count),
        errors: sums(&row.errors),
        mean: means(&row.mean),
        p50: means(&row.p50),
        p95: means(&row.p95),
        p99: means(&row.p99),
        ..row.clone()
    }
}

fn sum(list: &[u64], range: Range<usize>) -> u64 {
    list.get(range).map_or(0, |part| part.iter().sum())
}

/// The mean of a time over some stretches, each by how many samples it has.
fn weighted(row: &BatchRow, list: &[Option<f64>], range: Range<usize>) -> Option<f64> {
    let (mut all, mut weight) = (0.0, 0.0);
    let counts = row.count.iter().zip(&row.errors).zip(list);
    for ((count, errors), time) in counts.take(range.end).skip(range.start) {
        let samples = count.saturating_sub(*errors) as f64;
        if let Some(time) = time {
            all += time * samples;
            weight += samples;
        }
    }
    (weight > 0.0).then(|| all / weight)
}

/// What a whole run says of a series.
#[derive(Clone, Default)]
struct Totals {
    /// Rows of the report it is made of.
    rows: usize,
    count: u64,
    errors: u64,
    seconds: f64,
    times: Option<LatencySummary>,
}

impl Totals {
    /// Of all series of a report.
    fn by_series(report: &Report) -> BTreeMap<Key<'_>, Totals> {
        let mut all = BTreeMap::new();
        let seconds = measured(report);
        let mut put = |key, count, errors, times: Option<&LatencySummary>| {
            let row: &mut Totals = all.entry(key).or_default();
            // Percentiles of two rows do not add up.
            row.times = times.filter(|_| row.rows == 0).cloned();
            row.rows += 1;
            row.count += count;
            row.errors += errors;
            row.seconds = seconds;
        };
        let http = &report.http;
        put(
            (BatchKind::Http, "", "", "", ""),
            http.requests,
            http.failed,
            Some(&http.time),
        );
        for row in &report.journeys {
            let finished = row.completed + row.failed;
            let journey = (BatchKind::Journey, row.journey.as_str(), "", "", "");
            for key in [(BatchKind::Run, "", "", "", ""), journey] {
                put(key, finished, row.failed, Some(&row.response_time));
            }
        }
        for row in &report.transactions {
            let key = (
                BatchKind::Transaction,
                row.journey.as_str(),
                row.transaction.as_str(),
                "",
                "",
            );
            put(key, row.count, row.errors, Some(&row.time));
        }
        for row in &http.requests_by_name {
            let key = (
                BatchKind::Request,
                "",
                "",
                row.name.as_str(),
                row.method.as_str(),
            );
            put(key, row.count, row.failed(), Some(&row.time));
        }
        for together in &report.response_times {
            let key = match &together.journey {
                None => (BatchKind::Run, "", "", "", ""),
                Some(journey) => (BatchKind::Journey, journey.as_str(), "", "", ""),
            };
            if let Some(row) = all.get_mut(&key) {
                row.times = Some(together.response_time.clone());
            }
        }
        all
    }

    fn value(&self, figure: Figure) -> Option<f64> {
        let count = self.count as f64;
        let times = self.times.as_ref();
        match figure {
            Figure::Rate => (self.seconds > 0.0).then(|| count / self.seconds),
            Figure::ErrorRate => (self.count > 0).then(|| self.errors as f64 / count),
            Figure::Mean => times?.mean,
            Figure::P50 => times?.p50,
            Figure::P95 => times?.p95,
            Figure::P99 => times?.p99,
        }
    }
}

/// One series of two runs.
struct Pair<'a> {
    before: Option<&'a BatchRow>,
    after: Option<&'a BatchRow>,
    /// Stretches that both have.
    units: usize,
    /// The age of the run at the first of them, in seconds.
    begin: f64,
    /// How long each is.
    seconds: f64,
    totals: [Option<Totals>; 2],
    confidence: f64,
}

impl Pair<'_> {
    fn difference(
        &self,
        (kind, journey, transaction, name, method): Key<'_>,
        figure: Figure,
    ) -> Difference {
        let [before, after] = [(self.before, 0), (self.after, 1)].map(|(row, index)| {
            let totals = self.totals.get(index).and_then(Option::as_ref);
            totals.and_then(|totals| totals.value(figure)).or_else(|| {
                // Of the stretches' percentiles there is none of the whole.
                let row = row.filter(|_| figure == Figure::Mean)?;
                weighted(row, times_of(row, figure)?, 0..row.count.len())
            })
        });
        let whole = before
            .zip(after)
            .and_then(|(before, after)| distance(figure, before, after));
        let noise = whole.and_then(|whole| self.noise(figure, whole));
        let noise = noise.unwrap_or_default();
        let least = match figure {
            Figure::ErrorRate => 0.0,
            _ => PRECISION,
        };
        let half = noise.half_width.map(|half| half.max(least));
        let interval = whole
            .zip(half)
            .map(|(whole, half)| (whole - half, whole + half));
        Difference {
            kind,
            journey: journey.to_owned(),
            transaction: transaction.to_owned(),
            name: name.to_owned(),
            method: method.to_owned(),
            figure,
            before,
            after,
            change: whole.map(|whole| change(figure, whole)),
            low: interval.map(|(low, _)| change(figure, low)),
            high: interval.map(|(_, high)| change(figure, high)),
            levels: self.levels(figure, &noise.breaks),
        }
    }

    fn noise(&self, figure: Figure, whole: f64) -> Option<Noise> {
        let (before, after) = (self.before?, self.after?);
        // A stretch may be empty, so it is held against an average one.
        let usual = sum(&before.count, 0..self.units) as f64 / self.units as f64;
        let of = |range: Range<usize>| {
            if figure == Figure::Rate {
                let counts = [before, after].map(|row| sum(&row.count, range.clone()) as f64);
                return Some((counts[1] - counts[0]) / (usual * range.len() as f64));
            }
            let before = self.value(before, figure, range.clone())?;
            distance(figure, before, self.value(after, figure, range)?)
        };
        Some(noise(self.units, whole, self.confidence, of))
    }

    /// What a run shows in some stretches.
    fn value(&self, row: &BatchRow, figure: Figure, range: Range<usize>) -> Option<f64> {
        let count = sum(&row.count, range.clone()) as f64;
        match figure {
            Figure::Rate => Some(count / (range.len() as f64 * self.seconds)),
            Figure::ErrorRate => {
                let errors = sum(&row.errors, range) as f64;
                (count > 0.0).then(|| errors / count)
            }
            _ => weighted(row, times_of(row, figure)?, range),
        }
    }

    /// The runs between the stretches at which their difference changes.
    fn levels(&self, figure: Figure, breaks: &[usize]) -> Vec<Level> {
        let (Some(before), Some(after), [_, ..]) = (self.before, self.after, breaks) else {
            return Vec::new();
        };
        let bounds = || std::iter::once(0).chain(breaks.iter().copied());
        let ranges = bounds().zip(bounds().skip(1).chain([self.units]));
        let level = ranges.map(|(from, until)| {
            let [before, after] = [before, after].map(|row| self.value(row, figure, from..until));
            let apart = before
                .zip(after)
                .and_then(|(before, after)| distance(figure, before, after));
            let age = |unit: usize| self.begin + unit as f64 * self.seconds;
            Level {
                from: age(from),
                until: age(until),
                before,
                after,
                change: apart.map(|apart| change(figure, apart)),
            }
        });
        level.collect()
    }
}

fn times_of(row: &BatchRow, figure: Figure) -> Option<&[Option<f64>]> {
    match figure {
        Figure::Rate | Figure::ErrorRate => None,
        Figure::Mean => Some(&row.mean),
        Figure::P50 => Some(&row.p50),
        Figure::P95 => Some(&row.p95),
        Figure::P99 => Some(&row.p99),
    }
}

/// How far apart two values are, in what can be averaged: ratios of times by their logarithm.
fn distance(figure: Figure, before: f64, after: f64) -> Option<f64> {
    let distance = match figure {
        Figure::ErrorRate => after - before,
        Figure::Rate => after / before - 1.0,
        _ => (after / before).ln(),
    };
    distance.is_finite().then_some(distance)
}

/// The distance as a person reads it.
fn change(figure: Figure, distance: f64) -> f64 {
    match figure {
        Figure::Rate | Figure::ErrorRate => distance,
        _ => distance.exp_m1(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_as_often_as_it_was_measured() {
        let row = BatchRow {
            count: vec![10, 30, 5],
            errors: vec![0, 10, 5],
            p50: vec![Some(1.0), Some(4.0), None],
            ..BatchRow::default()
        };
        assert_eq!(weighted(&row, &row.p50, 0..3), Some(3.0));
        assert_eq!(weighted(&row, &row.p50, 2..3), None);
        let coarse = coarser(&row, 2, 1);
        assert_eq!((coarse.count, coarse.errors), (vec![40], vec![10]));
        assert_eq!(coarse.p50, [Some(3.0)]);
    }
}
