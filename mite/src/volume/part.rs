//! The parts a plan is written in: nothing, a constant, a ramp, a single start.

use std::{fmt, time::Duration};

use humantime::format_duration;

use super::{Amount, Unit, adaptive::Adaptive};

/// No load at all for a while.
///
/// A ramp beside it starts or ends at 0.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Constant, Nothing};
///
/// // Leaves the first minute to the other journeys.
/// let late = Nothing::over(Duration::from_secs(60)) + Constant::users(5, Duration::from_secs(60));
/// # use mite::volume::VolumeModel;
/// # late.check().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Nothing(pub(super) Part);

impl Nothing {
    /// No load for `duration`.
    pub fn over(duration: Duration) -> Self {
        Self(Part::new(Shape::Nothing, duration))
    }
}

/// The same load for a while.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Constant, VolumeModel};
///
/// let minute = Duration::from_secs(60);
/// Constant::users(10, minute).check()?;
/// Constant::per_second(0.5, minute).named("quiet").check()?;
/// assert!(Constant::users(2.5, minute).check().is_err());
/// # Ok::<(), mite::volume::VolumeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Constant(pub(super) Part);

impl Constant {
    /// `amount` journeys in flight at once for `duration`: the closed model.
    pub fn users(amount: impl Amount, duration: Duration) -> Self {
        Self::of(Unit::Users, amount.to_f64(), duration)
    }

    /// `amount` starts a second for `duration`, whatever the server does: the open model.
    ///
    /// Starts are evenly spaced unless [`poisson`](Constant::poisson) says otherwise, and their
    /// number is exact: `per_second(1000, …)` over ten seconds makes 10,000.
    pub fn per_second(amount: impl Amount, duration: Duration) -> Self {
        Self::of(Unit::PerSecond, amount.to_f64(), duration)
    }

    fn of(unit: Unit, amount: f64, duration: Duration) -> Self {
        Self(Part::new(Shape::Constant { unit, amount }, duration))
    }

    /// Lets the starts come at random, as those of independent visitors do: a Poisson process.
    ///
    /// The rate is then kept in expectation, not to the count. The same seed gives the same starts,
    /// on however many machines. Only for [`per_second`](Constant::per_second).
    #[must_use]
    pub fn poisson(mut self) -> Self {
        self.0.poisson = true;
        self
    }
}

/// A load that rises or falls evenly.
///
/// In a chain a ramp leads from the part before it to the part after it. Only where it has no
/// neighbour does it say where it starts ([`from`](Ramp::from), as the first part) or ends
/// ([`to`](Ramp::to), as the last). Where a jump is wanted, [`Ramp::users`] and
/// [`Ramp::per_second`] give both ends whatever stands beside them.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Constant, Ramp, VolumeModel};
///
/// let minute = Duration::from_secs(60);
/// let there_and_back = Ramp::over(minute).from(0)
///     + Constant::users(100, 10 * minute)
///     + Ramp::over(minute).to(0);
/// there_and_back.check()?;
///
/// let message = (Constant::users(100, minute) + Ramp::over(minute)).check().unwrap_err().to_string();
/// assert!(message.starts_with("part 2 of 2, Ramp over 1m: nothing follows"));
/// # Ok::<(), mite::volume::VolumeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ramp(pub(super) Part);

impl Ramp {
    /// From the part before to the part after, within `duration`.
    pub fn over(duration: Duration) -> Self {
        Self::of(None, None, None, duration)
    }

    /// From so many journeys in flight to so many within `duration`, whatever stands beside it.
    pub fn users(from: impl Amount, to: impl Amount, duration: Duration) -> Self {
        let ends = (Some(from.to_f64()), Some(to.to_f64()));
        Self::of(Some(Unit::Users), ends.0, ends.1, duration)
    }

    /// From so many starts a second to so many within `duration`, whatever stands beside it.
    ///
    /// The number of starts is exact: from 0 to 100 over ten seconds makes 500.
    pub fn per_second(from: impl Amount, to: impl Amount, duration: Duration) -> Self {
        let ends = (Some(from.to_f64()), Some(to.to_f64()));
        Self::of(Some(Unit::PerSecond), ends.0, ends.1, duration)
    }

    fn of(unit: Option<Unit>, from: Option<f64>, to: Option<f64>, duration: Duration) -> Self {
        Self(Part::new(Shape::Ramp { unit, from, to }, duration))
    }

    /// Where the ramp starts, as the first part of a chain.
    #[must_use]
    pub fn from(mut self, amount: impl Amount) -> Self {
        if let Shape::Ramp { from, .. } = &mut self.0.shape {
            *from = Some(amount.to_f64());
        }
        self
    }

    /// Where the ramp ends, as the last part of a chain.
    #[must_use]
    pub fn to(mut self, amount: impl Amount) -> Self {
        if let Shape::Ramp { to, .. } = &mut self.0.shape {
            *to = Some(amount.to_f64());
        }
        self
    }

    /// Lets the starts come at random, as those of independent visitors do: a Poisson process.
    ///
    /// The rate is then kept in expectation, not to the count. Only where the ramp counts starts
    /// per second.
    #[must_use]
    pub fn poisson(mut self) -> Self {
        self.0.poisson = true;
        self
    }
}

/// A single start, made by [`one_shot`].
#[derive(Clone, Debug)]
pub struct OneShot(pub(super) Part);

/// Exactly one journey, once, on one worker of one runner; then the volume ends.
///
/// It is one start a second for one second, so the journey starts half a second into the run. What
/// it does may take longer than that second: it then ends with the other journeys of the run, or is
/// cut when the grace after the last of them is over.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Nothing, VolumeModel, one_shot};
///
/// // Once, after five minutes.
/// let purge = Nothing::over(Duration::from_secs(300)) + one_shot().named("purge");
/// assert_eq!(purge.duration(), Some(Duration::from_secs(301)));
/// ```
pub fn one_shot() -> OneShot {
    OneShot(Part::new(Shape::OneShot, Duration::from_secs(1)))
}

/// What all parts are inside.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) shape: Shape,
    pub(super) duration: Duration,
    pub(super) poisson: bool,
    pub(super) name: Option<String>,
}

/// How the load of a part runs.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Nothing,
    Constant {
        unit: Unit,
        amount: f64,
    },
    Ramp {
        unit: Option<Unit>,
        from: Option<f64>,
        to: Option<f64>,
    },
    OneShot,
    /// It follows the results.
    Adaptive(Box<Adaptive>),
}

impl Part {
    pub(super) fn new(shape: Shape, duration: Duration) -> Self {
        Self {
            shape,
            duration,
            poisson: false,
            name: None,
        }
    }

    /// What the part counts, if it says so itself.
    pub(super) fn unit(&self) -> Option<Unit> {
        match &self.shape {
            Shape::Nothing => None,
            Shape::Constant { unit, .. } => Some(*unit),
            Shape::Ramp { unit, .. } => *unit,
            Shape::OneShot => Some(Unit::PerSecond),
            Shape::Adaptive(adaptive) => adaptive.unit(),
        }
    }

    /// The level a ramp before this part ends at.
    pub(super) fn first_level(&self) -> Option<f64> {
        match &self.shape {
            Shape::Nothing | Shape::OneShot => Some(0.0),
            Shape::Constant { amount, .. } => Some(*amount),
            Shape::Ramp { unit, from, .. } => unit.and(*from),
            Shape::Adaptive(adaptive) => adaptive.first_level(),
        }
    }

    /// The level a ramp after this part starts from.
    pub(super) fn last_level(&self) -> Option<f64> {
        match &self.shape {
            Shape::Ramp { unit, to, .. } => unit.and(*to),
            Shape::Adaptive(_) => None,
            _ => self.first_level(),
        }
    }

    /// The part of it that follows the results, if it does.
    pub(super) fn adaptive(&self) -> Option<&Adaptive> {
        match &self.shape {
            Shape::Adaptive(adaptive) => Some(adaptive),
            _ => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::Nothing => formatter.write_str("Nothing")?,
            Shape::Constant { unit, amount } => {
                write!(formatter, "Constant of {}", quantity(*amount, *unit))?;
            }
            Shape::Ramp {
                unit: Some(unit),
                from: Some(from),
                to: Some(to),
            } => write!(formatter, "Ramp from {from} to {}", quantity(*to, *unit))?,
            Shape::Ramp { .. } => formatter.write_str("Ramp")?,
            Shape::OneShot => return formatter.write_str("one_shot"),
            Shape::Adaptive(adaptive) => return adaptive.name(self.duration, formatter),
        }
        write!(formatter, " over {}", format_duration(self.duration))
    }
}

/// An amount with its unit, as a message says it.
pub(super) fn quantity(amount: f64, unit: Unit) -> String {
    match unit {
        Unit::Users if amount == 1.0 => "1 user".to_owned(),
        Unit::Users => format!("{amount} users"),
        Unit::PerSecond => format!("{amount} per second"),
    }
}
