//! How long something took, in buckets coarse enough to keep a minute of seconds.

use std::time::Duration;

/// The bits of a time in microseconds that tell one bucket from the next: buckets are 0.8 % wide.
const BITS: u32 = 8;

/// Times in buckets, in ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Times {
    /// The middle of each bucket in microseconds, and how many there are in it.
    buckets: Vec<(u64, u64)>,
}

impl Times {
    /// Adds `count` of `time`; quick when the times come in ascending order.
    pub(crate) fn add(&mut self, time: Duration, count: u64) {
        let middle = middle(time);
        if let Some((last, known)) = self.buckets.last_mut()
            && *last == middle
        {
            *known += count;
            return;
        }
        match self.buckets.binary_search_by_key(&middle, |&(at, _)| at) {
            Ok(index) => {
                if let Some((_, known)) = self.buckets.get_mut(index) {
                    *known += count;
                }
            }
            Err(index) => self.buckets.insert(index, (middle, count)),
        }
    }

    /// Adds what another has counted.
    pub(crate) fn merge(&mut self, other: &Times) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        for &(middle, count) in &other.buckets {
            self.add(Duration::from_micros(middle), count);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|&(_, count)| count).sum()
    }

    /// How many are longer than `limit`.
    pub(crate) fn above(&self, limit: Duration) -> u64 {
        let limit = micros(limit);
        let longer = self.buckets.iter().rev();
        longer
            .take_while(|&&(middle, _)| middle > limit)
            .map(|&(_, count)| count)
            .sum()
    }

    /// The smallest time that at least this part of them does not exceed.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let total = self.count();
        // 0.99 * 100 is a little more than 99 in floating point.
        let rank = (quantile.clamp(0.0, 1.0) * total as f64 - 1e-9).ceil() as u64;
        let mut seen = 0;
        let found = self.buckets.iter().find(|&&(_, count)| {
            seen += count;
            seen >= rank.max(1)
        });
        found.map(|&(middle, _)| Duration::from_micros(middle))
    }
}

/// The middle of the bucket that `time` falls into; the middle of a bucket falls into that bucket.
fn middle(time: Duration) -> u64 {
    let time = micros(time);
    let shift = (u64::BITS - time.leading_zeros()).saturating_sub(BITS);
    let floor = time >> shift << shift;
    floor + (1 << shift >> 1)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_ranks_to_within_a_hundredth() {
        let mut times = Times::default();
        for millis in 1..=1000 {
            times.add(Duration::from_millis(millis), 1);
        }
        for (quantile, truth) in [(0.5, 0.5), (0.95, 0.95), (0.99, 0.99), (1.0, 1.0)] {
            let found = times.quantile(quantile).unwrap().as_secs_f64();
            assert!((found / truth - 1.0).abs() < 0.01, "{quantile}: {found}");
        }
        assert!(times.above(Duration::from_millis(900)).abs_diff(100) <= 5);
        assert_eq!(Times::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn merging_loses_nothing_and_order_does_not_matter(
            micros in prop::collection::vec(0_u64..1 << 40, 0..50),
            cut in 0_usize..50,
        ) {
            let of = |micros: &[u64]| {
                let mut times = Times::default();
                for &micros in micros {
                    times.add(Duration::from_micros(micros), 1);
                }
                times
            };
            let cut = cut.min(micros.len());
            let mut merged = of(&micros[cut..]);
            merged.merge(&of(&micros[..cut]));
            prop_assert_eq!(&merged, &of(&micros));
            prop_assert_eq!(merged.count(), micros.len() as u64);
        }

        #[test]
        fn a_bucket_is_at_most_a_hundredth_off(micros in 0_u64..1 << 50) {
            let middle = middle(Duration::from_micros(micros));
            prop_assert!(middle.abs_diff(micros) as f64 <= micros as f64 * 0.01);
        }
    }
}
