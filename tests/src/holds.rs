//! What evenly spaced starts wait for, by the watch of whoever held them up.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// Starts at a steady rate, from a moment on.
#[derive(Clone, Copy, Debug)]
pub struct Starts {
    /// When the plan began.
    pub began: Instant,
    /// How many there are each second.
    pub per_second: u32,
}

impl Starts {
    /// When start `number`, from 0, was due: where the rate adds up to that and a half.
    pub fn due(&self, number: usize) -> Instant {
        self.began + Self::offset(self.per_second, number)
    }

    /// The plan that began when the first of these starts would have to have been due, were each as
    /// late as it was: none begins early, and of many one is in time.
    pub fn seen(per_second: u32, started: impl IntoIterator<Item = (usize, Instant)>) -> Self {
        let began = started
            .into_iter()
            .map(|(number, at)| at - Self::offset(per_second, number))
            .min();
        Self {
            began: began.unwrap(),
            per_second,
        }
    }

    fn offset(per_second: u32, number: usize) -> Duration {
        Duration::from_secs_f64((number as f64 + 0.5) / f64::from(per_second))
    }

    /// How long each of so many waits for the end of the hold it is due in, in seconds and in order
    /// of length: nothing outside of them, and nothing for the work that was left behind.
    pub fn waits(&self, count: usize, holds: &[Range<Instant>]) -> Vec<f64> {
        in_order((0..count).map(|number| {
            let due = self.due(number);
            let hold = holds.iter().find(|hold| hold.contains(&due));
            hold.map_or(0.0, |hold| (hold.end - due).as_secs_f64())
        }))
    }
}

/// Sorted, the shortest first.
pub fn in_order(times: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut times: Vec<_> = times.collect();
    times.sort_by(f64::total_cmp);
    times
}

/// What this part of them is not longer than.
pub fn quantile(in_order: &[f64], part: f64) -> f64 {
    in_order[((in_order.len() as f64 * part) as usize).max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_of_one_second_in_five_is_waited_for_as_long_as_arithmetic_says() {
        let began = Instant::now();
        let starts = Starts {
            began,
            per_second: 1000,
        };
        let hold = |from: u64| {
            let from = began + Duration::from_secs(from);
            from..from + Duration::from_secs(1)
        };
        let waits = starts.waits(10_000, &[hold(2), hold(7)]);
        for (part, expected) in [(0.79, 0.0), (0.90, 0.50), (0.95, 0.75), (0.99, 0.95)] {
            let found = quantile(&waits, part);
            assert!((found - expected).abs() < 0.002, "{part}: {found}");
        }
    }
}
