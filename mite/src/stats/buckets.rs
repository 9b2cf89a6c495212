//! Counts by size, in the buckets of HdrHistogram.

use hdrhistogram::Histogram;

use super::{
    latency::Digits,
    leb128::{Numbers, put},
};

/// How many samples had which value, to so many digits.
///
/// Up to a value that depends on the digits each has a bucket of its own; from there on each
/// doubling has as many buckets as the one before, so that every bucket is about as wide in
/// proportion. That is the layout of HdrHistogram, which reads and writes these; counting in them
/// is on the path of every request several times over, and is a few instructions here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// How many buckets a doubling has, as a power of two.
    bits: u32,
    /// Up to the highest that was ever needed.
    counts: Vec<u32>,
}

impl Buckets {
    pub(super) fn new(digits: Digits) -> Self {
        Self {
            // The least power of two that tells 10^digits values of a doubling apart.
            bits: match digits {
                Digits::Two => 7,
                Digits::Three => 10,
            },
            counts: Vec::new(),
        }
    }

    /// Counts a value.
    pub(super) fn record(&mut self, value: u64) {
        self.record_many(value, 1);
    }

    fn record_many(&mut self, value: u64, times: u32) {
        self.add(self.index(value), times);
    }

    fn add(&mut self, index: usize, times: u32) {
        match self.counts.get_mut(index) {
            Some(count) => *count = count.saturating_add(times),
            None => self.grow_and_record(index, times),
        }
    }

    #[cold]
    fn grow_and_record(&mut self, index: usize, times: u32) {
        // To the end of the doubling, so that values that creep upwards do not grow it each time.
        let doubling = 1 << self.bits;
        self.counts.resize((index / doubling + 1) * doubling, 0);
        if let Some(count) = self.counts.get_mut(index) {
            *count = times;
        }
    }

    /// Adds what others have counted.
    pub(super) fn merge(&mut self, other: &Self) {
        if self.bits != other.bits {
            for (value, count) in other.counted() {
                self.record_many(value, count);
            }
            return;
        }
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours = ours.saturating_add(*theirs);
        }
    }

    /// The highest value of the bucket of this part of the samples in order.
    pub(super) fn value_at_quantile(&self, quantile: f64) -> u64 {
        let all: u64 = self.counts.iter().copied().map(u64::from).sum();
        let rank = ((quantile * all as f64).ceil() as u64).max(1);
        let mut passed = 0;
        let found = self.counts.iter().position(|count| {
            passed += u64::from(*count);
            passed >= rank
        });
        found.map_or(0, |index| self.highest(index))
    }

    /// The standard deviation, each value taken for the middle of its bucket.
    pub(super) fn deviation(&self) -> f64 {
        let middles = || {
            self.filled().map(|(index, count)| {
                let middle = self.lowest(index) + self.width(index) / 2;
                (middle as f64, f64::from(count))
            })
        };
        let all: f64 = middles().map(|(_, count)| count).sum();
        let mean = middles().map(|(value, count)| value * count).sum::<f64>() / all;
        let square = |(value, count): (f64, f64)| (value - mean).powi(2) * count;
        (middles().map(square).sum::<f64>() / all).sqrt()
    }

    /// The lowest value of each bucket that is not empty, and what is in it.
    fn counted(&self) -> impl Iterator<Item = (u64, u32)> {
        self.filled()
            .map(|(index, count)| (self.lowest(index), count))
    }

    /// The highest value of each bucket that is not empty, and what is in it.
    pub(super) fn counted_from_above(&self) -> impl Iterator<Item = (u64, u32)> {
        self.filled()
            .map(|(index, count)| (self.highest(index), count))
    }

    /// The same in at most so many groups of neighbours, 64 at least: the lowest value of each, the
    /// lowest value above it, and what is in it.
    ///
    /// A group never reaches into another doubling, so groups are as even in proportion as buckets.
    pub(super) fn grouped(&self, most: usize) -> Vec<(u64, u64, u64)> {
        let mut groups = self.groups(0);
        for coarseness in 1..=self.bits {
            if groups.len() <= most {
                break;
            }
            groups = self.groups(coarseness);
        }
        groups
    }

    /// Groups of `2^coarseness` buckets that are not empty.
    fn groups(&self, coarseness: u32) -> Vec<(u64, u64, u64)> {
        let size = 1 << coarseness;
        let groups = self.counts.chunks(size).enumerate();
        groups
            .filter_map(|(group, counts)| {
                let count: u64 = counts.iter().copied().map(u64::from).sum();
                let first = group * size;
                let last = first + counts.len() - 1;
                (count > 0).then(|| (self.lowest(first), self.highest(last) + 1, count))
            })
            .collect()
    }

    /// The buckets that are not empty.
    fn filled(&self) -> impl Iterator<Item = (usize, u32)> {
        let counts = self.counts.iter().copied().enumerate();
        counts.filter(|(_, count)| *count > 0)
    }

    /// The last there can be.
    pub(super) fn last(digits: Digits) -> usize {
        Self::new(digits).index(u64::MAX)
    }

    fn index(&self, value: u64) -> usize {
        // The values of the first two doublings have a bucket each.
        let shift = (u64::BITS - self.bits - 1).saturating_sub(value.leading_zeros());
        ((shift as usize) << self.bits) + (value >> shift) as usize
    }

    fn lowest(&self, index: usize) -> u64 {
        let shift = self.shift(index);
        ((index - (shift << self.bits)) as u64) << shift
    }

    fn highest(&self, index: usize) -> u64 {
        self.lowest(index) + (self.width(index) - 1)
    }

    fn width(&self, index: usize) -> u64 {
        1 << self.shift(index)
    }

    fn shift(&self, index: usize) -> usize {
        (index >> self.bits).saturating_sub(1)
    }

    /// The same as HdrHistogram has it.
    pub(super) fn to_histogram(&self, digits: Digits) -> Option<Histogram<u32>> {
        let mut histogram = Histogram::new(digits.count()).ok()?;
        for (value, count) in self.counted() {
            histogram.record_n(value, count).ok()?;
        }
        Some(histogram)
    }

    /// Appends what is in them: of each that is not empty how many it is after the last one, and its
    /// count.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let mut next = 0;
        for (index, count) in self.filled() {
            put(bytes, (index - next) as u128);
            put(bytes, count.into());
            next = index + 1;
        }
    }

    /// What was [put](Self::put) down, to the end of the numbers; nothing if there is no such bucket.
    pub(super) fn take(digits: Digits, numbers: &mut Numbers<'_>) -> Option<Self> {
        let last = Self::last(digits);
        let mut filled = Vec::new();
        let mut next = 0;
        while let Some(gap) = numbers.next() {
            let index = usize::try_from(gap).ok()?.checked_add(next)?;
            let count = numbers.next()?.try_into().ok()?;
            if index > last {
                return None;
            }
            filled.push((index, count));
            next = index + 1;
        }
        let mut buckets = Self::new(digits);
        // From the last on, so that the table has its size at once.
        for (index, count) in filled.into_iter().rev() {
            buckets.add(index, count);
        }
        Some(buckets)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_value_is_where_hdrhistogram_has_it(
            shifts in prop::collection::vec(0u32..63, 1..40),
            fraction: u64,
        ) {
            for (digits, count) in [(Digits::Two, 2), (Digits::Three, 3)] {
                let mut buckets = Buckets::new(digits);
                let mut histogram = Histogram::<u32>::new(count).unwrap();
                for shift in &shifts {
                    let value = (fraction | 1 << 63) >> (63 - shift);
                    buckets.record(value);
                    histogram.record(value).unwrap();
                    let index = buckets.index(value);
                    prop_assert_eq!(buckets.lowest(index), histogram.lowest_equivalent(value));
                    prop_assert_eq!(
                        buckets.highest(index),
                        histogram.highest_equivalent(value)
                    );
                }
                for quantile in [0.001, 0.1, 0.5, 0.9, 0.99, 1.0] {
                    prop_assert_eq!(
                        buckets.value_at_quantile(quantile),
                        histogram.value_at_quantile(quantile)
                    );
                }
                let deviation = histogram.stdev();
                prop_assert!((buckets.deviation() - deviation).abs() <= deviation * 1e-9 + 1e-9);
                let there = buckets.to_histogram(digits).unwrap();
                prop_assert_eq!(&there, &histogram);
            }
        }
    }
}
