//! Which journeys are traced.

use std::{cell::Cell, str::FromStr, time::Duration};

use super::ids::mix;

/// Which journeys are traced; decided when they start, by the seed of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sampling {
    /// This part of them, from 0 to 1.
    Share(f64),
    /// At most so many a second, over all workers.
    PerSecond(f64),
}

/// At most ten a second: enough of a short test to look at, and never more than that of one with
/// many thousand, for the collector and for the system under test, which traces these too.
impl Default for Sampling {
    fn default() -> Self {
        Sampling::PerSecond(10.0)
    }
}

impl Sampling {
    /// Whether no journey is ever traced.
    pub(crate) fn is_never(self) -> bool {
        matches!(self, Sampling::Share(amount) | Sampling::PerSecond(amount) if amount <= 0.0)
    }
}

impl FromStr for Sampling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let number: f64 = text.trim().parse().ok()?;
            (number.is_finite() && number >= 0.0).then_some(number)
        };
        let given = text.trim();
        let sampling = if let Some(rate) = given.strip_suffix("/s") {
            number(rate).map(Sampling::PerSecond)
        } else if let Some(percent) = given.strip_suffix('%') {
            number(percent).map(|percent| Sampling::Share(percent / 100.0))
        } else {
            number(given).map(Sampling::Share)
        };
        match sampling {
            Some(Sampling::Share(share)) if share > 1.0 => Err(format!(
                "{text:?} is more than all journeys; the share of those traced is 1%, 0.01 or, for \
                 all of them, 100%, and so many a second are 10/s"
            )),
            Some(sampling) => Ok(sampling),
            None => Err(format!(
                "{text:?} says nothing about which journeys to trace; it is a share of them, like \
                 1%, 0.01 or 100%, or at most so many a second, like 10/s, or 0 for none"
            )),
        }
    }
}

/// The sampling of one worker.
pub(super) struct Sampler {
    sampling: Sampling,
    seed: u64,
    /// Of a number a second: how many nanoseconds the worker has for each, and in which such time
    /// it last traced one.
    interval: u64,
    last: Cell<Option<u64>>,
}

/// So that what is decided by a seed does not depend on what else is.
const SALT: u64 = 0x6f74_656c;

impl Sampler {
    pub(super) fn new(sampling: Sampling, seed: u64, workers: usize, index: usize) -> Self {
        let interval = match sampling {
            Sampling::PerSecond(rate) if rate > 0.0 => {
                // What is too much for the number becomes the greatest there is.
                (workers.max(1) as f64 / rate * 1e9) as u64
            }
            _ => u64::MAX,
        };
        Self {
            sampling,
            seed: mix(seed ^ SALT, index as u64),
            interval: interval.max(1),
            last: Cell::new(None),
        }
    }

    /// Whether to trace the journey with this seed, which starts at `at`.
    pub(super) fn takes(&self, seed: u64, at: Duration) -> bool {
        match self.sampling {
            Sampling::Share(share) => part(mix(seed, SALT)) < share,
            Sampling::PerSecond(rate) => rate > 0.0 && self.is_turn(at),
        }
    }

    /// Takes the first journey after a moment of each interval that chance decides. Were it always
    /// the first in the interval, what comes in a regular order would be met in that order. Where
    /// the interval before had none, nothing has to be waited for.
    fn is_turn(&self, at: Duration) -> bool {
        let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let number = at / self.interval;
        let last = self.last.get();
        if last == Some(number) {
            return false;
        }
        let into = (at % self.interval) as f64 / self.interval as f64;
        let is_idle = last.is_none_or(|last| last + 1 < number);
        let is_turn = is_idle || into >= part(mix(self.seed, number));
        if is_turn {
            self.last.set(Some(number));
        }
        is_turn
    }
}

/// A number from 0 to 1, without 1.
fn part(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}
