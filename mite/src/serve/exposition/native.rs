//! Prometheus' native histograms (`Histogram` in its `metrics.proto`).

use std::collections::BTreeMap;

use crate::{families::Exponential, stats::Latency};

/// A native histogram (`Histogram` in Prometheus' `metrics.proto`).
#[derive(Debug, Default, PartialEq)]
pub(super) struct Native {
    pub(super) zeros: u64,
    /// Runs of buckets that follow one another: how many indexes are left out before, and how many
    /// there are.
    pub(super) spans: Vec<(i32, u32)>,
    /// The counts, each as what it has more than the one before.
    pub(super) deltas: Vec<i64>,
}

impl Native {
    pub(super) fn of(samples: &Latency) -> Self {
        let Exponential { zeros, counts } = Exponential::of(samples);
        let mut native = Self {
            zeros,
            ..Self::default()
        };
        native.pack(&counts);
        native
    }

    fn pack(&mut self, counts: &BTreeMap<i32, u64>) {
        let mut next = 0;
        let mut before = 0;
        for (&index, &count) in counts {
            match self.spans.last_mut() {
                Some((_, length)) if index == next => *length += 1,
                _ => self.spans.push((index - next, 1)),
            }
            next = index + 1;
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.deltas.push(count - before);
            before = count;
        }
        if self.spans.is_empty() {
            // What tells an empty native histogram from a classic one.
            self.spans.push((0, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::families::of_time;

    fn of(times: &[Duration]) -> (Latency, Native) {
        let mut samples = Latency::default();
        times.iter().for_each(|time| samples.record(*time));
        let native = Native::of(&samples);
        (samples, native)
    }

    /// The upper bounds of the buckets and what is in them.
    fn unpacked(native: &Native) -> Vec<(f64, i64)> {
        let mut deltas = native.deltas.iter();
        let (mut index, mut count, mut rows) = (0, 0, Vec::new());
        for &(offset, length) in &native.spans {
            index += offset;
            for _ in 0..length {
                count += deltas.next().unwrap();
                rows.push((2f64.powf(f64::from(index) / 32.0), count));
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        rows
    }

    #[test]
    fn every_sample_is_in_the_bucket_of_its_value() {
        let times = [1, 2, 999, 1000, 1000, 5000, 5001, 1_000_000, 77_000_000];
        let (samples, native) = of(&times.map(Duration::from_micros));
        let rows = unpacked(&native);
        for (time, count) in samples.buckets() {
            let value = of_time(time);
            let width = 2f64.powf(1.0 / 32.0);
            let its =
                |row: &&(f64, i64)| value <= row.0 * 1.000_001 && value > row.0 / width * 0.999_999;
            let (_, held) = rows.iter().find(its).unwrap();
            assert!(*held >= count as i64, "{value}");
        }
        let all: i64 = rows.iter().map(|(_, count)| count).sum();
        assert_eq!(all as u64 + native.zeros, samples.count());
    }

    #[test]
    fn a_quantile_is_off_by_as_much_as_is_said() {
        let times: Vec<_> = (1..=10_000)
            .map(|n| Duration::from_micros(n * 37))
            .collect();
        let (samples, native) = of(&times);
        for quantile in [0.5, 0.9, 0.99] {
            let truth = samples.quantile(quantile).unwrap().as_secs_f64();
            let mut left = (quantile * 10_000.0) as i64;
            let (upper, _) = unpacked(&native)
                .into_iter()
                .find(|(_, count)| {
                    left -= count;
                    left <= 0
                })
                .unwrap();
            let middle = upper / 2f64.powf(1.0 / 64.0);
            assert!(
                (middle / truth - 1.0).abs() < 0.0125,
                "{middle} for {truth}"
            );
        }
    }

    #[test]
    fn zero_has_a_bucket_of_its_own() {
        let (_, native) = of(&[
            Duration::ZERO,
            Duration::from_nanos(100),
            Duration::from_micros(1),
        ]);
        assert_eq!(native.zeros, 2);
        assert_eq!(unpacked(&native).len(), 1);
        assert_eq!(Native::of(&Latency::default()).spans, [(0, 0)]);
    }
}
