//! Models that follow the results: they look for a volume, or hold one.
//!
//! Each is a part of a chain like any other. What it decides is a function of what it was shown, so
//! the same results lead to the same volumes.

mod attempt;
mod border;
mod criterion;
mod doubt;
mod held;
mod hold;
mod saturate;
mod search;
mod share;
mod steer;
mod tried;
mod words;

#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use humantime::format_duration;

pub use self::{
    hold::{HoldErrorRate, HoldLatency},
    saturate::Saturate,
};
use self::{search::Search, steer::Steer};
use super::{Finding, Observed, Unit, VolumeError, Window};

/// Within which bounds a model that follows the results may choose, for `scenario plan`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bounds {
    /// What the amounts count.
    pub unit: Unit,
    /// The least it may ask for.
    pub low: f64,
    /// The most it may ask for.
    pub high: f64,
    /// What it is after, as half a sentence: `raised while http.p99 < 250ms`.
    pub aim: String,
}

impl Bounds {
    /// Bounds from `low` to `high`.
    pub fn new(unit: Unit, low: f64, high: f64, aim: impl Into<String>) -> Self {
        let aim = aim.into();
        Self {
            unit,
            low,
            high,
            aim,
        }
    }
}

/// A part of a chain that follows the results.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a chain holds it in a box")]
pub(super) enum Adaptive {
    Saturate(Search),
    Hold(Steer),
}

/// What a part wants for a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) level: f64,
    /// Whether the part is over with this window.
    pub(super) is_last: bool,
}

impl Answer {
    fn go_on(level: f64) -> Self {
        Self {
            level,
            is_last: false,
        }
    }
}

impl Adaptive {
    pub(super) fn answer(&mut self, window: Window, observed: &Observed) -> Answer {
        match self {
            Self::Saturate(search) => search.answer(window, observed),
            Self::Hold(steer) => steer.answer(window, observed),
        }
    }

    pub(super) fn unit(&self) -> Option<Unit> {
        match self {
            Self::Saturate(search) => Some(search.unit),
            Self::Hold(steer) => steer.bounds.map(|(unit, ..)| unit),
        }
    }

    /// What it begins with.
    pub(super) fn first_level(&self) -> Option<f64> {
        match self {
            Self::Saturate(search) => Some(search.from),
            Self::Hold(steer) => steer.first_level(),
        }
    }

    pub(super) fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::Saturate(search) => Some(search.bounds()),
            Self::Hold(steer) => steer.bounds(),
        }
    }

    pub(super) fn finding(&self) -> Option<Finding> {
        match self {
            Self::Saturate(search) => search.finding(),
            Self::Hold(steer) => steer.finding(),
        }
    }

    /// Whether it makes sense as a part that lasts `duration`.
    pub(super) fn check(&self, duration: Duration) -> Result<(), VolumeError> {
        match self {
            Self::Saturate(_) if duration.is_zero() => Err(VolumeError::new(
                "it has no time; give .at_most(duration) a duration above zero",
            )),
            Self::Saturate(search) => search.check(),
            Self::Hold(steer) => steer.check(duration),
        }
    }

    /// The part as a message names it.
    pub(super) fn name(
        &self,
        duration: Duration,
        formatter: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        match self {
            Self::Saturate(_) => formatter.write_str("Saturate")?,
            Self::Hold(steer) => write!(formatter, "a hold of {:#}", steer.target)?,
        }
        if let Some(bounds) = self.bounds() {
            let unit = match bounds.unit {
                Unit::Users => "users",
                Unit::PerSecond => "per second",
            };
            write!(formatter, " from {} to {} {unit}", bounds.low, bounds.high)?;
        }
        write!(formatter, " over {}", format_duration(duration))
    }
}
