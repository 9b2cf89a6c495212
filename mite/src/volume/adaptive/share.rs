//! How many of the samples of a step lie beyond a limit, and how sure that makes of anything.
//!
//! Times in a queue are much like those before them: whoever comes to a full one waits, and so does
//! the next. So the samples beyond a limit come in clusters, and a share of them varies more than
//! that of independent samples would. By how much, the seconds of the steps tell; the share is then
//! tested by the deviance of a binomial over this dispersion (quasi-likelihood: Wedderburn, Biometrika
//! 61, 1974), which holds for few samples as well.

/// How much more times in a queue vary at least than independent ones, as far as anybody knows who
/// has not seen many beyond a limit. In an M/M/1 queue at 70 % it is 15.
pub(super) const IN_A_QUEUE: f64 = 12.0;
/// How many seconds are taken together to see how much a share varies.
const BATCHES: [usize; 4] = [1, 2, 4, 8];
/// Batches of one length from which on they tell anything.
const LEAST_BATCHES: usize = 4;
/// A dispersion is told by shares that are so many times the one that is allowed, or as small a part
/// of it: an overload that piles up varies for other reasons than chance.
const NEAR_LIMIT: f64 = 4.0;

/// A share of samples that lie beyond a limit, and how much of it is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Share {
    pub(super) beyond: f64,
    pub(super) of: f64,
    pub(super) allowed: f64,
    /// Whether it is clear enough that there are none beyond, however few samples there are.
    pub(super) none_is_clear: bool,
    /// How much more it varies at least than that of independent samples.
    pub(super) least_dispersion: f64,
}

impl Share {
    pub(super) fn is_good(self) -> bool {
        self.beyond <= self.expected()
    }

    /// How many more are beyond than may be.
    pub(super) fn excess(self) -> f64 {
        self.beyond - self.expected()
    }

    /// How many are beyond at the limit.
    fn expected(self) -> f64 {
        self.of * self.allowed
    }

    /// By how many standard deviations it differs from what is allowed, when the share of clustered
    /// samples varies by `dispersion` times what that of independent ones does; above zero when it
    /// is beyond.
    pub(super) fn deviations(self, dispersion: f64) -> f64 {
        let term = |count: f64, expected: f64| {
            if count > 0.0 && expected > 0.0 {
                count * (count / expected).ln()
            } else {
                0.0
            }
        };
        let beyond = self.beyond.clamp(0.0, self.of);
        let expected = self.expected();
        let within = term(self.of - beyond, self.of - expected);
        let deviance = 2.0 * (term(beyond, expected) + within) / dispersion;
        (beyond - expected).signum() * deviance.max(0.0).sqrt()
    }

    /// Whether it is within what is allowed beyond doubt. What was not measured is no reason to doubt.
    pub(super) fn is_good_by(self, deviations: f64, dispersion: f64) -> bool {
        self.of == 0.0
            || (self.none_is_clear && self.beyond == 0.0)
            || self.deviations(dispersion) <= -deviations
    }

    /// Whether it is beyond what is allowed beyond doubt.
    pub(super) fn is_bad_by(self, deviations: f64, dispersion: f64) -> bool {
        self.deviations(dispersion) >= deviations
    }

    fn is_near_limit(self) -> bool {
        let expected = self.expected();
        self.beyond * NEAR_LIMIT >= expected && self.beyond <= expected * NEAR_LIMIT
    }
}

/// All of some shares together.
pub(super) fn pooled<'a>(shares: impl IntoIterator<Item = &'a Share>) -> Share {
    shares
        .into_iter()
        .fold(Share::default(), |sum, share| Share {
            beyond: sum.beyond + share.beyond,
            of: sum.of + share.of,
            ..*share
        })
}

/// How much more the shares of seconds vary than those of independent samples would, by volumes
/// near the limit.
pub(super) fn dispersion<'a>(volumes: impl Iterator<Item = &'a [Share]>) -> f64 {
    let volumes: Vec<_> = volumes.map(|seconds| (seconds, pooled(seconds))).collect();
    let least = volumes.iter().map(|(_, whole)| whole.least_dispersion);
    let least = least.fold(0.0, f64::max);
    // A volume at which nothing ended tells nothing.
    let near = volumes
        .iter()
        .filter(|(_, whole)| whole.of > 0.0 && whole.is_near_limit());
    let of_length = |length: usize| {
        let (mut squares, mut expected) = (0.0, 0.0);
        for (seconds, whole) in near.clone() {
            let batches = seconds.chunks_exact(length);
            if batches.len() < LEAST_BATCHES {
                continue;
            }
            let share = whole.beyond / whole.of;
            // The mean was taken from the same batches.
            let lost = batches.len() as f64 / (batches.len() as f64 - 1.0);
            for batch in batches {
                let batch = pooled(batch);
                squares += lost * (batch.beyond - share * batch.of).powi(2);
                expected += batch.of * share * (1.0 - share);
            }
        }
        if expected > 0.0 {
            squares / expected
        } else {
            0.0
        }
    };
    let lengths = BATCHES.into_iter().map(of_length);
    lengths.fold(least, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(beyond: f64, of: f64) -> Share {
        Share {
            beyond,
            of,
            allowed: 0.01,
            none_is_clear: false,
            least_dispersion: IN_A_QUEUE,
        }
    }

    #[test]
    fn a_share_is_as_sure_as_its_samples_are_many_and_independent() {
        assert!(share(10.0, 1000.0).deviations(1.0).abs() < 1e-6);
        assert!(
            share(11.0, 1000.0).deviations(1.0) < 1.0,
            "that may be chance"
        );
        assert!(share(0.0, 1000.0).deviations(1.0) < -4.0);
        assert!(share(0.0, 1000.0).deviations(16.0) > -1.5);
        assert!(share(50.0, 1000.0).deviations(1.0) > 8.0);
        let few = share(3.0, 100.0).deviations(4.0);
        let many = share(300.0, 10_000.0).deviations(4.0);
        assert!((many / few - 10.0).abs() < 1e-6, "{few} {many}");
        assert_eq!(share(0.0, 0.0).deviations(1.0), 0.0);
    }

    #[test]
    fn what_comes_in_clusters_is_more_dispersed() {
        let even = vec![share(1.0, 100.0); 40];
        assert_eq!(dispersion([even.as_slice()].into_iter()), IN_A_QUEUE);
        let clustered: Vec<_> = (0..40)
            .map(|second| share(if second % 10 == 0 { 20.0 } else { 0.0 }, 100.0))
            .collect();
        let found = dispersion([clustered.as_slice()].into_iter());
        assert!((15.0..25.0).contains(&found), "{found}");
        let silent = vec![share(0.0, 0.0); 40];
        let beside = [silent.as_slice(), clustered.as_slice()];
        assert_eq!(dispersion(beside.into_iter()), found);
    }

    #[test]
    fn an_overload_tells_nothing_of_chance() {
        let overload: Vec<_> = (0..40)
            .map(|second| share(if second < 10 { 0.0 } else { 100.0 }, 100.0))
            .collect();
        let found = dispersion([overload.as_slice()].into_iter());
        assert_eq!(found, IN_A_QUEUE);
    }
}
