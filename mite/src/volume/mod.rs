//! How much load, and when: volume models.
//!
//! A plan is written in parts, [`Nothing`], [`Constant`], [`Ramp`] and [`one_shot`], joined with `+`.
//! Other parts follow the results: [`Saturate`] finds out how much the system can take,
//! [`HoldLatency`] and [`HoldErrorRate`] keep it at a target. In the *closed* model an amount is a number of users: journeys in flight at once, each followed
//! by the next, so a slow server gets less load. In the *open* model it is a rate: starts per
//! second, whatever the server does.
//!
//! Start k, counted from 0, is due where the integral of the rate reaches k + 1/2. A ramp from 0 to
//! 100 a second over ten seconds therefore starts exactly 500 journeys, however many machines share
//! it.
//!
//! Anything else is a [`VolumeModel`] of your own, or a closure:
//!
//! ```
//! use mite::volume::{Volume, VolumeModel, Window};
//!
//! fn accepts(model: impl VolumeModel) {}
//!
//! // Five users in every other minute, for an hour.
//! accepts(|window: Window| match window.start.as_secs() / 60 {
//!     60.. => Volume::Stop,
//!     minute => Volume::Users(if minute % 2 == 0 { 5 } else { 0 }),
//! });
//! ```

mod adaptive;
mod amount;
mod chain;
mod finding;
mod observed;
mod part;
mod resolve;
pub(crate) mod schedule;
mod times;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::{
    adaptive::{Bounds, HoldErrorRate, HoldLatency, Saturate},
    amount::Amount,
    chain::Chain,
    finding::{Conclusion, Finding, FindingKind, Step},
    observed::{Observed, Stretch},
    part::{Constant, Nothing, OneShot, Ramp, one_shot},
};
pub(crate) use self::{observed::Second, times::Times};

/// A stretch of the run: `start` belongs to it, `end` does not.
///
/// Both count from the start of the run, so sixty seconds are `[0, 60)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment of the window.
    pub start: Duration,
    /// The moment after its last.
    pub end: Duration,
}

impl Window {
    /// How long the window is.
    pub fn length(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// How much of a journey there is to be during one [`Window`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Volume {
    /// So many in flight at once: the closed model.
    Users(u64),
    /// So many starts a second, whatever the server does: the open model.
    PerSecond(f64),
    /// A straight line from one amount at the start of the window to another at its end.
    Ramp {
        /// What the amounts count.
        unit: Unit,
        /// The amount at the start.
        from: f64,
        /// The amount the window ends with.
        to: f64,
    },
    /// No more of this journey, now or later.
    Stop,
}

/// The highest rate that is taken for meant; a slip of the keyboard beyond it would fill the memory
/// with starts that are due.
pub(crate) const MOST_PER_SECOND: f64 = 10_000_000.0;

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Journeys in flight at once: the closed model.
    Users,
    /// Starts per second: the open model.
    PerSecond,
}

/// Says how much of a journey there is to be.
///
/// The engine asks for one window after the other, in order, ahead of time: half a second for a model
/// that [follows the results](VolumeModel::follows_results), two seconds for others. A window is one
/// second long, or reaches to the next [`boundary`](VolumeModel::boundary) where the model knows one.
/// What it answers must be finite and not negative; anything else ends the run.
///
/// Every `FnMut(Window) -> Volume` is a model. A model that follows the results reads `observed`:
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Observed, Volume, VolumeModel, Window};
///
/// /// Adds ten starts a second each second until p99 passes 250 ms.
/// struct FindLimit {
///     rate: f64,
/// }
///
/// impl VolumeModel for FindLimit {
///     fn volume(&mut self, _: Window, observed: &Observed) -> Volume {
///         if observed.http_p99 > Some(Duration::from_millis(250)) {
///             return Volume::Stop;
///         }
///         self.rate += 10.0;
///         Volume::PerSecond(self.rate)
///     }
/// }
/// ```
pub trait VolumeModel: Send + 'static {
    /// The volume during `window`.
    fn volume(&mut self, window: Window, observed: &Observed) -> Volume;

    /// The next moment after `after` at which the volume jumps, bends or ends, if that is known
    /// beforehand. The default knows of none.
    ///
    /// Up to there the volume is one straight line, so the engine asks for it only once. A model
    /// that may change its mind earlier leaves this at the default.
    fn boundary(&self, after: Duration) -> Option<Duration> {
        let _ = after;
        None
    }

    /// The name of the stage that `at` lies in, if it has one. The default has none.
    fn stage(&self, at: Duration) -> Option<&str> {
        let _ = at;
        None
    }

    /// Whether the starts around `at` come at random, as a Poisson process, and not evenly spaced.
    /// The default spaces them evenly.
    fn poisson(&self, at: Duration) -> bool {
        let _ = at;
        false
    }

    /// How long the model lasts at most, if that is known beforehand. The default does not know.
    fn duration(&self) -> Option<Duration> {
        None
    }

    /// Whether the model looks at `observed`. The default is that it does; one that does not, such as
    /// a closure, is asked earlier, and nothing is kept for it to look at.
    fn follows_results(&self) -> bool {
        true
    }

    /// Within which bounds the model may choose the volume around `at`, if it decides by the results:
    /// what `scenario plan` shows. The default knows of none.
    fn bounds(&self, at: Duration) -> Option<Bounds> {
        let _ = at;
        None
    }

    /// What the model has found out; asked when the run is over. The default is nothing.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// Whether the model can be run at all; asked when the scenario is built.
    ///
    /// # Errors
    /// When part of it makes no sense, such as a ramp that does not say where it begins.
    fn check(&self) -> Result<(), VolumeError> {
        Ok(())
    }
}

impl<F> VolumeModel for F
where
    F: FnMut(Window) -> Volume + Send + 'static,
{
    fn volume(&mut self, window: Window, _: &Observed) -> Volume {
        self(window)
    }

    fn follows_results(&self) -> bool {
        false
    }
}

/// A volume model that makes no sense, and the part of it that does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VolumeError(pub(crate) String);

impl VolumeError {
    /// An error with a message for the user, for the [`check`](VolumeModel::check) of a model of
    /// your own.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
