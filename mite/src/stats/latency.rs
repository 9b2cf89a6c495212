//! How long something took, over many times of it: a histogram with its exact edges.

mod bytes;

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{buckets::Buckets, summary::LatencySummary};

/// Significant digits of a histogram, which decide its size and how far a percentile may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digits {
    /// Off by up to 1 %: request phases.
    Two,
    /// Off by up to 0.1 %: whatever is judged.
    Three,
}

impl Digits {
    pub(super) fn count(self) -> u8 {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// Times, or other amounts that are not negative, as a histogram in millionths.
///
/// It costs a few bytes until the first sample. Merging adds, so it gives the same whatever the
/// grouping and the order.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    digits: Digits,
    samples: Option<Box<Samples>>,
}

#[derive(Clone, Debug)]
struct Samples {
    exact: Exact,
    buckets: Buckets,
}

/// What a histogram would round. In nanoseconds, which are cheaper to compare and to add than a
/// `Duration`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exact {
    count: u64,
    min: u128,
    max: u128,
    sum: u128,
}

impl Latency {
    /// An empty one.
    pub(crate) const fn new(digits: Digits) -> Self {
        Self {
            digits,
            samples: None,
        }
    }

    /// Counts one sample, to the nearest microsecond in its bucket and exactly at the edges.
    pub(crate) fn record(&mut self, time: Duration) {
        match &mut self.samples {
            Some(samples) => samples.record(time),
            None => self.samples = Some(Samples::first(self.digits, time)),
        }
    }

    /// Adds what the other has counted.
    pub(crate) fn merge(&mut self, other: &Latency) {
        let Some(theirs) = &other.samples else {
            return;
        };
        match &mut self.samples {
            Some(ours) => ours.merge(theirs),
            None if self.digits == other.digits => self.samples = Some(theirs.clone()),
            None => self.samples = Some(Samples::converted(self.digits, theirs)),
        }
    }

    /// How many samples there are.
    pub(crate) fn count(&self) -> u64 {
        self.samples
            .as_ref()
            .map_or(0, |samples| samples.exact.count)
    }

    /// Whether there is no sample.
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_none()
    }

    /// The smallest sample, exactly.
    pub(crate) fn min(&self) -> Option<Duration> {
        let samples = self.samples.as_ref()?;
        Some(duration(samples.exact.min))
    }

    /// The largest sample, exactly.
    pub(crate) fn max(&self) -> Option<Duration> {
        let samples = self.samples.as_ref()?;
        Some(duration(samples.exact.max))
    }

    /// All samples added up in seconds, exactly.
    pub(crate) fn sum_seconds(&self) -> f64 {
        let samples = self.samples.as_ref();
        samples.map_or(0.0, |samples| seconds(samples.exact.sum))
    }

    /// The mean of all samples in seconds, exactly.
    pub(crate) fn mean_seconds(&self) -> Option<f64> {
        let samples = self.samples.as_ref()?;
        Some(seconds(samples.exact.sum) / samples.exact.count as f64)
    }

    /// The standard deviation in seconds, to the precision of the buckets.
    pub(crate) fn stddev_seconds(&self) -> Option<f64> {
        let samples = self.samples.as_ref()?;
        Some(samples.buckets.deviation() / 1e6)
    }

    /// The smallest time that at least this part of the samples does not exceed, to the precision
    /// of the buckets and never outside the smallest and largest sample.
    ///
    /// The median is `quantile(0.5)`.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let samples = self.samples.as_ref()?;
        Some(samples.quantile(quantile))
    }

    /// How often each time was seen, in ascending order, to the precision of the buckets.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let samples = self.samples.iter();
        let buckets = samples.flat_map(|samples| samples.buckets.counted_from_above());
        buckets.map(|(micros, count)| (Duration::from_micros(micros), u64::from(count)))
    }

    /// How the samples spread, in at most so many steps, 64 at least: from a time to below another,
    /// so many. In ascending order, without those that are empty.
    pub(crate) fn spread(&self, most: usize) -> Vec<(Duration, Duration, u64)> {
        let samples = self.samples.iter();
        let groups = samples.flat_map(|samples| samples.buckets.grouped(most));
        let micros = Duration::from_micros;
        groups
            .map(|(from, until, count)| (micros(from), micros(until), count))
            .collect()
    }

    /// The same as HdrHistogram has it, in microseconds; absent without a sample.
    pub(crate) fn histogram(&self) -> Option<Histogram<u32>> {
        let samples = self.samples.as_ref()?;
        samples.buckets.to_histogram(self.digits)
    }

    /// The figures a report shows.
    pub(crate) fn summary(&self) -> LatencySummary {
        LatencySummary::of(self)
    }
}

impl Samples {
    #[cold]
    fn first(digits: Digits, time: Duration) -> Box<Self> {
        let mut samples = Self {
            exact: Exact {
                count: 0,
                min: u128::MAX,
                max: 0,
                sum: 0,
            },
            buckets: Buckets::new(digits),
        };
        samples.record(time);
        Box::new(samples)
    }

    fn converted(digits: Digits, other: &Samples) -> Box<Self> {
        let mut buckets = Buckets::new(digits);
        buckets.merge(&other.buckets);
        Box::new(Self {
            exact: other.exact.clone(),
            buckets,
        })
    }

    fn record(&mut self, time: Duration) {
        let nanoseconds = time.as_nanos();
        let exact = &mut self.exact;
        exact.count += 1;
        exact.min = exact.min.min(nanoseconds);
        exact.max = exact.max.max(nanoseconds);
        exact.sum += nanoseconds;
        self.buckets.record(microseconds(time));
    }

    fn merge(&mut self, other: &Samples) {
        let exact = &mut self.exact;
        exact.count += other.exact.count;
        exact.min = exact.min.min(other.exact.min);
        exact.max = exact.max.max(other.exact.max);
        exact.sum += other.exact.sum;
        self.buckets.merge(&other.buckets);
    }

    fn quantile(&self, quantile: f64) -> Duration {
        // 0.07 * 100 is a little more than 7 in floating point, which would ask for the 8th of a
        // hundred samples; a hair less than 0.07 does not.
        let value = self
            .buckets
            .value_at_quantile(quantile.clamp(0.0, 1.0).next_down().max(0.0));
        duration((u128::from(value) * 1000).clamp(self.exact.min, self.exact.max))
    }
}

/// Exact for sums of less than 2^53 seconds, whose nanoseconds a floating-point number cannot hold.
fn seconds(nanoseconds: u128) -> f64 {
    let whole = nanoseconds / 1_000_000_000;
    let rest = nanoseconds % 1_000_000_000;
    whole as f64 + rest as f64 / 1e9
}

/// The nearest whole number of microseconds.
fn microseconds(time: Duration) -> u64 {
    let seconds = time.as_secs().saturating_mul(1_000_000);
    let rest = u64::from((time.subsec_nanos() + 500) / 1000);
    seconds.saturating_add(rest).min(LONGEST)
}

/// What does not fit is counted in the last bucket; as a time this is 292,000 years.
const LONGEST: u64 = u64::MAX >> 1;

fn duration(nanoseconds: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanoseconds / SECOND).unwrap_or(u64::MAX);
    Duration::new(seconds, (nanoseconds % SECOND) as u32)
}

impl Default for Latency {
    fn default() -> Self {
        Self::new(Digits::Three)
    }
}

impl PartialEq for Latency {
    fn eq(&self, other: &Self) -> bool {
        match (&self.samples, &other.samples) {
            (Some(ours), Some(theirs)) => {
                ours.exact == theirs.exact && ours.buckets == theirs.buckets
            }
            (None, None) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: impl IntoIterator<Item = Duration>) -> Latency {
        let mut latency = Latency::new(Digits::Three);
        for time in times {
            latency.record(time);
        }
        latency
    }

    #[test]
    fn percentiles_are_exact_to_three_digits_over_the_whole_range() {
        for unit in [Duration::from_micros(1), Duration::from_millis(7)] {
            let latency = of((1..=1000).map(|n| unit * n));
            for (quantile, rank) in [
                (0.07, 70),
                (0.5, 500),
                (0.99, 990),
                (0.999, 999),
                (1.0, 1000),
            ] {
                let truth = (unit * rank).as_secs_f64();
                let shown = latency.quantile(quantile).unwrap().as_secs_f64();
                assert!(
                    (shown / truth - 1.0).abs() <= 0.001,
                    "{quantile}: {shown} for {truth}"
                );
            }
        }
    }

    #[test]
    fn a_spread_has_every_sample_once_where_it_belongs_in_few_steps() {
        let latency = of((1..=20_000).map(|n| Duration::from_micros(n * 37)));
        let spread = latency.spread(200);
        assert!((50..=200).contains(&spread.len()), "{} steps", spread.len());
        for (from, until, count) in &spread {
            let truth = (1..=20_000)
                .map(|n| Duration::from_micros(n * 37))
                .filter(|time| from <= time && time < until);
            assert_eq!(truth.count() as u64, *count, "{from:?} to {until:?}");
        }
        assert_eq!(spread.iter().map(|step| step.2).sum::<u64>(), 20_000);
        assert!(spread.is_sorted_by(|one, next| one.1 <= next.0));
        assert!(of([]).spread(200).is_empty());
    }

    #[test]
    fn a_late_large_sample_is_not_cut() {
        let mut latency = of([Duration::from_micros(3)]);
        latency.record(Duration::from_secs(3600));
        assert_eq!(latency.quantile(1.0), Some(Duration::from_secs(3600)));
        assert!(latency.quantile(0.99).unwrap() > Duration::from_secs(3590));
    }

    #[test]
    fn percentiles_never_leave_the_measured_range() {
        let time = Duration::from_nanos(1_234_567_890);
        let latency = of([time]);
        for quantile in [0.0, 0.5, 0.9999, 1.0] {
            assert_eq!(latency.quantile(quantile), Some(time));
        }
        assert_eq!(latency.max(), Some(time));
        assert_eq!(latency.min(), Some(time));
    }

    #[test]
    fn zero_and_absurdly_long_times_are_counted() {
        let latency = of([Duration::ZERO, Duration::from_nanos(250), Duration::MAX]);
        assert_eq!(latency.count(), 3);
        assert_eq!(latency.min(), Some(Duration::ZERO));
        assert_eq!(latency.max(), Some(Duration::MAX));
        assert!(latency.quantile(0.5).unwrap() < Duration::from_micros(1));
        assert!(latency.quantile(1.0).unwrap() > Duration::from_secs(1 << 40));
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_samples() {
        let latency = of([2, 4, 4, 4, 5, 5, 7, 9].map(Duration::from_millis));
        assert!((latency.mean_seconds().unwrap() - 0.005).abs() < 1e-9);
        assert!((latency.stddev_seconds().unwrap() - 0.002).abs() < 1e-5);
    }

    #[test]
    fn a_coarse_histogram_merges_into_a_fine_one_and_keeps_the_edges() {
        let mut coarse = Latency::new(Digits::Two);
        coarse.record(Duration::from_micros(123_457));
        let mut fine = Latency::new(Digits::Three);
        fine.merge(&coarse);
        fine.record(Duration::from_micros(2));
        assert_eq!(fine.max(), Some(Duration::from_micros(123_457)));
        assert_eq!(fine.count(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn merging_in_any_grouping_equals_recording_everything_in_one(
            nanos in prop::collection::vec(0u64..100_000_000_000, 0..60),
            cuts in prop::collection::vec(0usize..60, 2),
        ) {
            let times: Vec<_> = nanos.into_iter().map(Duration::from_nanos).collect();
            let (first, second) = (cuts[0].min(cuts[1]), cuts[0].max(cuts[1]));
            let whole = of(times.iter().copied());
            let part = |from: usize, to: usize| {
                of(times.iter().copied().take(to).skip(from))
            };
            let (a, b, c) = (part(0, first), part(first, second), part(second, 60));
            let mut left = a.clone();
            left.merge(&b);
            left.merge(&c);
            let mut right = c;
            right.merge(&b);
            right.merge(&a);
            prop_assert_eq!(&left, &whole);
            prop_assert_eq!(&right, &whole);
        }
    }
}
