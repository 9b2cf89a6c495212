//! Cuts a run into some hundred stretches while it goes on, in memory that does not grow with time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
    sync::Arc,
};

use super::RecordedSecond;
use crate::{
    config::Config,
    report::batches::{BatchKind, BatchRow, Batches},
    stats::{Latency, Statistics},
};

/// When there are so many stretches, each two become one.
const MOST: usize = 128;
/// So many series of each kind have a place in a report because they are the busiest, and as many of
/// the others because they are the slowest.
const MOST_ROWS: usize = 100;

/// The stretches so far, and the one that goes on.
pub(super) struct BatchLog {
    config: Config,
    /// How many seconds a stretch has.
    length: u64,
    /// How many of them have passed.
    passed: u64,
    /// How many stretches there are.
    done: usize,
    current: BTreeMap<Key, Sum>,
    rows: BTreeMap<Key, Vec<Batch>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: BatchKind,
    journey: Arc<str>,
    transaction: Arc<str>,
    name: Arc<str>,
    method: Arc<str>,
}

#[derive(Default)]
struct Sum {
    count: u64,
    errors: u64,
    times: Latency,
}

/// What is kept of a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Batch {
    count: u64,
    errors: u64,
    times: Option<[f64; 4]>,
}

impl BatchLog {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            length: 1,
            passed: 0,
            done: 0,
            current: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    pub(super) fn second(&mut self, second: &RecordedSecond) {
        if second.warming_up {
            return;
        }
        self.add(&second.statistics);
        self.passed += 1;
        if self.passed == self.length {
            self.close();
        }
        if self.done == MOST {
            for row in self.rows.values_mut() {
                *row = row.chunks(2).map(Batch::joined).collect();
            }
            self.done /= 2;
            self.length *= 2;
        }
    }

    fn add(&mut self, second: &Statistics) {
        let none: Arc<str> = "".into();
        let all = |kind| Key {
            kind,
            ..Key::default()
        };
        for (key, journey) in &second.journeys {
            let own = Key {
                kind: BatchKind::Journey,
                journey: key.journey.clone(),
                ..Key::default()
            };
            for key in [all(BatchKind::Run), own] {
                let row = (journey.finished(), journey.failed);
                self.count(key, row, &journey.response_time);
            }
        }
        let http = &second.http;
        self.count(
            all(BatchKind::Http),
            (http.requests, http.failed),
            &http.time,
        );
        for (key, transaction) in second.transactions.iter() {
            let own = Key {
                kind: BatchKind::Transaction,
                journey: key.journey.clone(),
                transaction: key.transaction.clone(),
                name: none.clone(),
                method: none.clone(),
            };
            let row = (transaction.count, transaction.errors);
            self.count(own, row, &transaction.time);
        }
        for (key, request) in http.requests_by.iter() {
            let own = Key {
                kind: BatchKind::Request,
                journey: none.clone(),
                transaction: none.clone(),
                name: key.name.clone(),
                method: key.method.clone(),
            };
            self.count(own, (request.count, request.failed), &request.time);
        }
    }

    fn count(&mut self, key: Key, (count, errors): (u64, u64), times: &Latency) {
        if count == 0 {
            return;
        }
        let sum = self.current.entry(key).or_default();
        sum.count += count;
        sum.errors += errors;
        sum.times.merge(times);
    }

    fn close(&mut self) {
        self.passed = 0;
        for (key, sum) in std::mem::take(&mut self.current) {
            let row = self.rows.entry(key).or_default();
            // It may not have been there before.
            row.resize(self.done, Batch::default());
            row.push(Batch::of(&sum));
        }
        self.done += 1;
        for row in self.rows.values_mut() {
            row.resize(self.done, Batch::default());
        }
    }

    /// All stretches; a last one of which less than half has passed tells nothing.
    pub(super) fn finish(&mut self) -> Batches {
        if self.passed * 2 >= self.length {
            self.close();
        }
        self.so_far()
    }

    pub(super) fn so_far(&self) -> Batches {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(key, row)| {
            let count: u64 = row.iter().map(|batch| batch.count).sum();
            (key.kind, Reverse(count))
        });
        let kinds = rows.chunk_by(|(one, _), (other, _)| one.kind == other.kind);
        let kept = kinds.flat_map(most_telling);
        Batches {
            seconds: self.length,
            rows: kept.map(|(key, row)| self.row(key, row)).collect(),
        }
    }

    fn row(&self, key: &Key, row: &[Batch]) -> BatchRow {
        let times = |index: usize| {
            let time = move |batch: &Batch| batch.times.and_then(|times| times.get(index).copied());
            row.iter().map(time).collect()
        };
        BatchRow {
            kind: key.kind,
            journey: key.journey.to_string(),
            transaction: self.config.mask(&key.transaction),
            name: self.config.mask(&key.name),
            method: key.method.to_string(),
            count: row.iter().map(|batch| batch.count).collect(),
            errors: row.iter().map(|batch| batch.errors).collect(),
            mean: times(0),
            p50: times(1),
            p95: times(2),
            p99: times(3),
        }
    }
}

impl Batch {
    fn of(sum: &Sum) -> Self {
        let quantile = |quantile| sum.times.quantile(quantile).map(|time| time.as_secs_f64());
        let times = || {
            Some([
                sum.times.mean_seconds()?,
                quantile(0.5)?,
                quantile(0.95)?,
                quantile(0.99)?,
            ])
        };
        Self {
            count: sum.count,
            errors: sum.errors,
            times: times().map(|times| times.map(to_microseconds)),
        }
    }

    /// Two stretches as one; a percentile of it is the mean of theirs by their counts.
    fn joined(pair: &[Batch]) -> Self {
        let [one, two] = match pair {
            [one, two] => [*one, *two],
            [one] => return *one,
            _ => return Self::default(),
        };
        let weight = |batch: Batch| batch.count.saturating_sub(batch.errors) as f64;
        let (first, second) = (weight(one), weight(two));
        let times = match (one.times, two.times) {
            (Some(mut ours), Some(theirs)) => {
                for (our, their) in ours.iter_mut().zip(theirs) {
                    *our = to_microseconds((*our * first + their * second) / (first + second));
                }
                Some(ours)
            }
            (ours, theirs) => ours.or(theirs),
        };
        Self {
            count: one.count + two.count,
            errors: one.errors + two.errors,
            times,
        }
    }
}

/// Of the series of one kind, the busiest first, those that are worth a place.
fn most_telling<'a>(rows: &[(&'a Key, &'a Vec<Batch>)]) -> Vec<(&'a Key, &'a Vec<Batch>)> {
    let (busiest, others) = rows.split_at(rows.len().min(MOST_ROWS));
    let mut others = others.to_vec();
    others.sort_by(|(_, one), (_, other)| slower_first(one, other));
    others.truncate(MOST_ROWS);
    [busiest, &others].concat()
}

/// By the longest that a stretch took on average.
fn slower_first(one: &[Batch], other: &[Batch]) -> Ordering {
    let slowest = |row: &[Batch]| {
        let means = row
            .iter()
            .filter_map(|batch| batch.times.map(|[mean, ..]| mean));
        means.fold(0.0, f64::max)
    };
    slowest(other).total_cmp(&slowest(one))
}

/// No digits that say nothing, in a list of thousands.
fn to_microseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::record::tests::{idle, second},
        stats::HttpKey,
    };

    fn cut(seconds: impl IntoIterator<Item = RecordedSecond>) -> Batches {
        let mut log = BatchLog::new(Config::default());
        seconds.into_iter().for_each(|second| log.second(&second));
        log.finish()
    }

    fn row(batches: &Batches, kind: BatchKind) -> &BatchRow {
        batches.rows.iter().find(|row| row.kind == kind).unwrap()
    }

    #[test]
    fn a_short_run_is_cut_into_seconds() {
        let batches = cut((0..60).map(second));
        assert_eq!(batches.seconds, 1);
        let kinds: Vec<_> = batches.rows.iter().map(|row| row.kind).collect();
        use BatchKind::{Http, Journey, Request, Run, Transaction};
        assert_eq!(kinds, [Run, Http, Journey, Transaction, Request, Request]);
        let http = row(&batches, Http);
        assert_eq!(
            (http.count.len(), http.count[7], http.errors[7]),
            (60, 8, 1)
        );
        assert!((http.p50[7].unwrap() - 0.004).abs() < 0.0001);
        assert_eq!(row(&batches, Journey).count[3], 8);
    }

    #[test]
    fn a_long_run_has_no_more_stretches_and_loses_no_count() {
        for length in [127, 128, 500, 10_000] {
            let batches = cut((0..length).map(second));
            let http = row(&batches, BatchKind::Http);
            assert!(
                (60..=128).contains(&http.count.len()),
                "{length}: {}",
                http.count.len()
            );
            let all = http.count.len() as u64 * batches.seconds;
            assert!(
                length - all.min(length) < batches.seconds,
                "{length} and {all}"
            );
            assert!(http.count.iter().sum::<u64>() * 10 >= 8 * length * 9);
            assert!((http.p99[0].unwrap() - 0.007).abs() < 0.0001);
        }
    }

    #[test]
    fn what_comes_late_or_stays_away_has_empty_stretches() {
        let batches = cut([idle(0), second(1), idle(2)]);
        let http = row(&batches, BatchKind::Http);
        assert_eq!(http.count, [0, 8, 0]);
        assert_eq!(
            http.p50.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true, false]
        );
    }

    #[test]
    fn a_slow_name_is_kept_however_rare_it_is() {
        let mut busy = second(0);
        let mut statistics = (*busy.statistics).clone();
        let (key, row) = statistics.http.requests_by.iter().next().unwrap();
        let (key, row) = (key.clone(), row.clone());
        for number in 0..300 {
            let mut row = row.clone();
            row.count += number;
            if number == 5 {
                row.time.record(std::time::Duration::from_secs(3));
            }
            let key = HttpKey {
                name: format!("GET /{number}").into(),
                ..key.clone()
            };
            statistics.http.requests_by.add(key, row);
        }
        busy.statistics = Arc::new(statistics);
        let batches = cut([busy]);
        let names: Vec<_> = batches.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(
            names
                .iter()
                .filter(|name| name.starts_with("GET /"))
                .count(),
            200
        );
        assert!(
            names.contains(&"GET /299") && names.contains(&"GET /5"),
            "{names:?}"
        );
        assert!(!names.contains(&"GET /50"), "{names:?}");
    }

    #[test]
    fn the_warm_up_is_in_no_stretch() {
        let mut warm_up = second(0);
        warm_up.warming_up = true;
        assert_eq!(row(&cut([warm_up, second(1)]), BatchKind::Http).count, [8]);
    }

    #[test]
    fn two_stretches_are_joined_by_their_counts() {
        let batch = |count, errors, time: f64| Batch {
            count,
            errors,
            times: Some([time; 4]),
        };
        let joined = Batch::joined(&[batch(4, 1, 0.1), batch(1, 0, 0.5)]);
        assert_eq!(joined, batch(5, 1, 0.2));
        let empty = Batch::default();
        assert_eq!(Batch::joined(&[empty, batch(4, 1, 0.1)]), batch(4, 1, 0.1));
    }
}
