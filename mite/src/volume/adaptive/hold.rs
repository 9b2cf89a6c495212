//! `HoldLatency` and `HoldErrorRate`: as much as keeps the system at a target.

use std::time::Duration;

use super::{
    super::{
        Amount, Unit,
        part::{Part, Shape},
    },
    Adaptive, Steer,
    criterion::{Criteria, Criterion, Subject},
};

/// Keeps the load at which a percentile of the latency is what it should be.
///
/// The volume goes up while the latency is below the target and down while it is above, in steps
/// that become shorter each time the target is passed and longer again while it is not. Each is
/// measured after it has settled, for 2 to 10 s depending on how clear it is. The
/// [`Finding`](crate::volume::Finding) has the mean of the volume from when the target was first
/// reached, and the percentile over that time.
///
/// Some servers have no volume that holds a latency for long: below their limit they are quick, and
/// above it a queue grows for as long as the load is there. Then the load stays just below the limit,
/// and the queue of every step above it is let run off with half the load.
///
/// # Defaults
/// It begins with the lower bound. A step settles for a second, or for the target if that is longer.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{HoldLatency, VolumeModel};
///
/// let volume = HoldLatency::p99(Duration::from_millis(250))
///     .per_second(10, 2000)
///     .starting_at(100)
///     .over(Duration::from_secs(600))
///     .named("at the edge");
/// volume.check()?;
/// assert_eq!(volume.duration(), Some(Duration::from_secs(600)));
///
/// let message = HoldLatency::p95(Duration::from_secs(1)).check().unwrap_err().to_string();
/// assert!(message.contains("say .per_second(low, high) or .users(low, high)"));
/// # Ok::<(), mite::volume::VolumeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HoldLatency(pub(in crate::volume) Part);

impl HoldLatency {
    /// Holds the median time of successful requests at `target`.
    pub fn p50(target: Duration) -> Self {
        Self::of(0.5, target)
    }

    /// Holds the 95th percentile of the time of successful requests at `target`.
    pub fn p95(target: Duration) -> Self {
        Self::of(0.95, target)
    }

    /// Holds the 99th percentile of the time of successful requests at `target`.
    pub fn p99(target: Duration) -> Self {
        Self::of(0.99, target)
    }

    fn of(quantile: f64, limit: Duration) -> Self {
        Self(part(Criterion::Latency { quantile, limit }))
    }

    /// Looks at response times of the journey, which count from the intended start, where it would
    /// look at those of requests.
    #[must_use]
    pub fn of_journeys(self) -> Self {
        self.with(|steer| steer.target.subject = Subject::Journeys)
    }
}

/// Keeps the load at which a share of the journeys fails.
///
/// It goes the way of [`HoldLatency`]. Failures that it provokes do not fail the run; a threshold on
/// `errors` may say how many are too many.
///
/// # Defaults
/// It begins with the lower bound. A step settles for a second.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{HoldErrorRate, VolumeModel};
///
/// HoldErrorRate::at(0.01).per_second(10, 2000).over(Duration::from_secs(600)).check()?;
/// assert!(HoldErrorRate::at(1).users(1, 50).over(Duration::from_secs(60)).check().is_err());
/// # Ok::<(), mite::volume::VolumeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HoldErrorRate(pub(in crate::volume) Part);

impl HoldErrorRate {
    /// Holds failed by finished journeys at a share: 0.01 is 1 %.
    pub fn at(share: impl Amount) -> Self {
        let limit = share.to_f64();
        Self(part(Criterion::Errors { limit }))
    }
}

fn part(criterion: Criterion) -> Part {
    let steer = Steer::new(Criteria {
        subject: Subject::Http,
        all: vec![criterion],
    });
    let shape = Shape::Adaptive(Box::new(Adaptive::Hold(steer)));
    Part::new(shape, Duration::ZERO)
}

macro_rules! holds {
    ($($hold:ident),*) => {$(
        impl $hold {
            /// With so many starts a second, from `low` to `high`: the open model. Both are above
            /// zero.
            #[must_use]
            pub fn per_second(self, low: impl Amount, high: impl Amount) -> Self {
                let bounds = (Unit::PerSecond, low.to_f64(), high.to_f64());
                self.with(|steer| steer.bounds = Some(bounds))
            }

            /// With so many journeys in flight at once, from `low` to `high`: the closed model. Both
            /// are above zero.
            #[must_use]
            pub fn users(self, low: impl Amount, high: impl Amount) -> Self {
                let bounds = (Unit::Users, low.to_f64(), high.to_f64());
                self.with(|steer| steer.bounds = Some(bounds))
            }

            /// The volume it begins with. The default is the lower bound.
            #[must_use]
            pub fn starting_at(self, amount: impl Amount) -> Self {
                self.with(|steer| steer.start = Some(amount.to_f64()))
            }

            /// How long it goes on.
            #[must_use]
            pub fn over(mut self, duration: Duration) -> Self {
                self.0.duration = duration;
                self
            }

            /// How long a changed volume settles before it is measured. The default is a second, or
            /// the target of a latency, in full seconds, if that is longer.
            #[must_use]
            pub fn settle(self, time: Duration) -> Self {
                self.with(|steer| steer.settle = Some(time))
            }

            /// Lets the starts come at random, as those of independent visitors do: a Poisson
            /// process. Only for starts per second.
            #[must_use]
            pub fn poisson(mut self) -> Self {
                self.0.poisson = true;
                self
            }

            fn with(mut self, change: impl FnOnce(&mut Steer)) -> Self {
                if let Shape::Adaptive(adaptive) = &mut self.0.shape
                    && let Adaptive::Hold(steer) = adaptive.as_mut()
                {
                    change(steer);
                }
                self
            }
        }
    )*};
}

holds!(HoldLatency, HoldErrorRate);
