//! Histograms whose buckets grow by a factor, as Prometheus' native ones and OpenTelemetry's do, made
//! of those of HdrHistogram.

use std::{collections::BTreeMap, time::Duration};

use crate::stats::Latency;

/// So many buckets to a doubling, as a power of two.
///
/// A bucket is 2.2 % wide then, so a value that is taken for the middle of its bucket is off by
/// 1.1 % at most, and by the 0.1 % of the histogram it comes from. A run whose times lie between a
/// millisecond and a second has 320 of them.
pub(crate) const SCHEMA: i32 = 5;

/// What is below this is 0: less than half of the smallest time that is told apart from it.
pub(crate) const ZERO: f64 = 4e-7;

/// Counts of samples in the same buckets, by their index.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Exponential {
    pub(crate) zeros: u64,
    pub(crate) counts: BTreeMap<i32, u64>,
}

impl Exponential {
    pub(crate) fn of(samples: &Latency) -> Self {
        let mut zeros = 0;
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        for (time, count) in samples.buckets() {
            match of_time(time) {
                value if value <= ZERO => zeros += count,
                value => *counts.entry(index(value)).or_default() += count,
            }
        }
        // Prometheus takes no histogram whose buckets are not its count. They are not where a
        // bucket was so full that it could count no further.
        let known = counts.values().sum::<u64>() + zeros;
        let uncounted = samples.count().saturating_sub(known);
        if let Some(fullest) = counts.values_mut().max() {
            *fullest += uncounted;
        } else {
            zeros += uncounted;
        }
        Self { zeros, counts }
    }
}

/// The bucket of a value: the one with index i holds what is above `2^((i - 1) / 2^SCHEMA)` and not
/// above `2^(i / 2^SCHEMA)`.
fn index(value: f64) -> i32 {
    (value.log2() * f64::from(1 << SCHEMA)).ceil() as i32
}

/// A time in seconds: the number that was rounded to whole microseconds to be counted.
pub(crate) fn of_time(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}
