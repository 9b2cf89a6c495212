//! Where the difference between two runs changes its level, as it does when something breaks, or
//! mends, in the middle of one of them.
//!
//! One long disturbance makes a series look as if it swung slowly, and leaves no stretches that
//! could be taken for independent. A test for a change of level must not fall into the same trap by
//! estimating the noise across the change. So it is *self-normalised* (Shao and Zhang, Journal of the
//! American Statistical Association 105, 2010): the squared difference of the levels on both sides
//! of a moment is divided by how much the running levels of either side wander by themselves, for
//! which neither a variance nor a correlation has to be estimated. Looking at windows around each
//! moment finds several changes (Zhao, Jiang and Shao, Journal of the Royal Statistical Society B 84,
//! 2022).

/// No level lasts less than this part of the series.
const SHORTEST_PART: usize = 6;
/// Nor fewer units than this.
const LEAST: usize = 8;

/// How large the ratio has to be. Of series without a change, of 60 to 128 units, at most 1 in 100 of
/// independent ones go beyond it, and 5 in 100 of such as follow one another by 0.8 (by simulation:
/// the limits of the papers are those of long series).
const LIMIT: f64 = 600.0;

/// The units at which a new level begins, in ascending order.
pub(super) fn breaks(series: &[f64]) -> Vec<usize> {
    let shortest = (series.len() / SHORTEST_PART).max(LEAST);
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(series.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }))
        .collect();
    let series = Sums { sums, shortest };
    let mut found = Vec::new();
    series.search(0, series.sums.len() - 1, &mut found);
    found
}

/// A series by its running sums, which give the mean of any part of it.
struct Sums {
    sums: Vec<f64>,
    shortest: usize,
}

impl Sums {
    /// Finds the changes between two units, in ascending order.
    fn search(&self, from: usize, until: usize, found: &mut Vec<usize>) {
        let Some(at) = self.strongest(from, until) else {
            return;
        };
        self.search(from, at, found);
        found.push(at);
        self.search(at, until, found);
    }

    /// The unit at which the level changes most clearly, if it does anywhere.
    fn strongest(&self, from: usize, until: usize) -> Option<usize> {
        let mut best = (LIMIT, None);
        for at in from + self.shortest..=until.saturating_sub(self.shortest) {
            let lefts = (1..).map(|times| at.checked_sub(times * self.shortest));
            let lefts = lefts.map_while(|left| left.filter(|left| *left >= from));
            for left in lefts {
                let rights = (1..).map(|times| at + times * self.shortest);
                for right in rights.take_while(|right| *right <= until) {
                    let ratio = self.ratio(left, at, right);
                    if ratio > best.0 {
                        best = (ratio, Some(at));
                    }
                }
            }
        }
        best.1
    }

    /// How clearly the level before `at` is another than that from `at` on, between `left` and
    /// `right`.
    fn ratio(&self, left: usize, at: usize, right: usize) -> f64 {
        let length = (right - left) as f64;
        let (before, after) = ((at - left) as f64, (right - at) as f64);
        let levels = [self.mean(left, at), self.mean(at, right)];
        let step = levels[0] - levels[1];
        // What differs less than it can be written down is the same.
        if step.abs() <= 1e-9 * (levels[0].abs() + levels[1].abs()) {
            return 0.0;
        }
        let apart = before * after / length.powf(1.5) * step;
        let wandered = |from: usize, until: usize| {
            let whole = (until - from) as f64;
            let each = (from + 1..until).map(|unit| {
                let weight = (unit - from) as f64 * (until - unit) as f64 / (length * whole);
                (weight * (self.mean(from, unit) - self.mean(unit, until))).powi(2)
            });
            each.sum::<f64>()
        };
        // Of two levels without any noise it is infinite.
        apart.powi(2) / (wandered(left, at) + wandered(at, right))
    }

    fn mean(&self, from: usize, until: usize) -> f64 {
        let sum = |unit: usize| self.sums.get(unit).copied().unwrap_or_default();
        (sum(until) - sum(from)) / (until - from) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of which each follows the one before by so much.
    fn noise(random: &mut fastrand::Rng, units: usize, follow: f64) -> Vec<f64> {
        let mut level = 0.0;
        let mut next = || {
            // Nearly normal.
            let step: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
            level = follow * level + step;
            level
        };
        (0..200).for_each(|_| _ = next());
        (0..units).map(|_| next()).collect()
    }

    /// Of so many series, in how many a change is found.
    fn found(series: usize, units: usize, follow: f64, seed: u64) -> usize {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..series)
            .filter(|_| !breaks(&noise(&mut random, units, follow)).is_empty())
            .count()
    }

    #[test]
    fn noise_has_no_change_however_slowly_it_swings() {
        for (units, follow, most) in [
            (60, 0.0, 3),
            (120, 0.0, 3),
            (60, 0.8, 15),
            (120, 0.8, 15),
            (120, 0.95, 30),
        ] {
            let found = found(300, units, follow, 3);
            assert!(found <= most, "{units} units, {follow}: {found} of 300");
        }
    }

    #[test]
    fn a_change_for_good_and_one_for_a_while_are_found_where_they_are() {
        let mut random = fastrand::Rng::with_seed(11);
        for follow in [0.0, 0.5] {
            for (from, until) in [(40, 90), (25, 50)] {
                let mut right = 0;
                for _ in 0..100 {
                    let mut series = noise(&mut random, 90, follow);
                    series[from..until]
                        .iter_mut()
                        .for_each(|value| *value += 20.0);
                    let found = breaks(&series);
                    let expected = [from, until];
                    let expected = if until == 90 {
                        &expected[..1]
                    } else {
                        &expected
                    };
                    right += usize::from(
                        found.len() == expected.len()
                            && found
                                .iter()
                                .zip(expected)
                                .all(|(one, other)| one.abs_diff(*other) <= 2),
                    );
                }
                assert!(right >= 80, "{follow}, {from} to {until}: {right} of 100");
            }
        }
    }

    #[test]
    fn a_slope_is_no_step_and_a_step_without_noise_is_one() {
        let slope: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(breaks(&slope), [0; 0]);
        assert_eq!(breaks(&[3.0; 100]), [0; 0]);
        assert_eq!(breaks(&[]), [0; 0]);
        let step: Vec<f64> = (0..100).map(|unit| f64::from(unit / 50)).collect();
        assert_eq!(breaks(&step), [50]);
    }
}
