//! Up to where the classic buckets of a histogram reach.

use std::str::FromStr;

use crate::{families::of_time, stats::Latency};

/// The upper bounds of classic buckets of times, in seconds and ascending; all above the last are in
/// one more.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassicBuckets(Vec<f64>);

/// Those of Prometheus' own clients, and one more at each end.
const TIMES: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Of histograms that are of no times.
const AMOUNTS: [f64; 10] = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// Each series has a line for each of them.
const MOST: usize = 100;

impl Default for ClassicBuckets {
    fn default() -> Self {
        Self(TIMES.into())
    }
}

impl FromStr for ClassicBuckets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bounds: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        let mut bounds = bounds.unwrap_or_default();
        // The last one is there in any case.
        if bounds.last() == Some(&f64::INFINITY) {
            bounds.pop();
        }
        let fit = (1..=MOST).contains(&bounds.len())
            && bounds.iter().all(|bound| bound.is_finite() && *bound > 0.0)
            && bounds.is_sorted_by(|one, next| one < next);
        if fit {
            Ok(Self(bounds))
        } else {
            Err(format!(
                "{text:?} is no list of 1 to {MOST} seconds in ascending order, like 0.005,0.05,0.5,5"
            ))
        }
    }
}

impl ClassicBuckets {
    /// How many samples do not exceed each bound, to the precision of the histogram.
    pub(super) fn cumulative(&self, samples: &Latency, times: bool) -> Vec<(f64, u64)> {
        let bounds = if times { self.0.as_slice() } else { &AMOUNTS };
        let mut rows = Vec::with_capacity(bounds.len());
        let mut filled = samples.buckets().peekable();
        let mut passed = 0;
        for &bound in bounds {
            while let Some((_, count)) = filled.next_if(|(time, _)| of_time(*time) <= bound) {
                passed += count;
            }
            rows.push((bound, passed));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bounds_are_seconds_in_ascending_order() {
        let read: ClassicBuckets = "0.005, 0.05,+Inf".parse().unwrap();
        assert_eq!(read.0, [0.005, 0.05]);
        for wrong in ["", "a", "1,1", "2,1", "0,1", "-1", "NaN", "+Inf", "1,inf,2"] {
            let error = wrong.parse::<ClassicBuckets>().unwrap_err();
            assert!(error.contains("0.005,0.05,0.5,5"), "{wrong}: {error}");
        }
    }

    #[test]
    fn each_bucket_has_all_that_is_not_longer() {
        let mut samples = Latency::default();
        for millis in [1, 5, 5, 6, 700, 60_000] {
            samples.record(Duration::from_millis(millis));
        }
        // 5 ms are 5000 to 5003 µs in a histogram of three digits.
        let buckets: ClassicBuckets = "0.001,0.00501,0.1,1".parse().unwrap();
        let rows = buckets.cumulative(&samples, true);
        let counts: Vec<_> = rows.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 3, 4, 5]);
    }
}
