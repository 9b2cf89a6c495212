//! `Saturate`: how much can it take?

use std::time::Duration;

use super::{
    super::{
        Amount, Unit,
        part::{Part, Shape},
    },
    Adaptive, Search,
    criterion::{Criterion, Subject},
};

/// Raises the load until the system can take no more, and reports the capacity it found.
///
/// It begins with the lower bound and doubles the volume while each step is good. The first bad step
/// and the last good one are then brought closer together, until they are as near as the
/// [`precision`](Saturate::precision) asks for, and measured again while it is not sure which they are.
/// What is found is the highest volume that is good by all steps together; the
/// [`Finding`](crate::volume::Finding) has it with the highest that is surely good, the lowest that is
/// surely bad, and every step on the way.
///
/// A step is good when all that was asked for holds of it:
///
/// | Method | Good while |
/// |---|---|
/// | [`until_p50`](Saturate::until_p50), [`until_p95`](Saturate::until_p95), [`until_p99`](Saturate::until_p99) | the percentile of successful requests is below a limit |
/// | [`until_error_rate`](Saturate::until_error_rate) | failed by finished journeys is below a share; 1 % unless something else is said |
/// | [`until_throughput_stops`](Saturate::until_throughput_stops) | what is asked for comes through |
///
/// A step settles first, is measured then, and up to three times as long while chance may have
/// decided it. One that was bad for some seconds only is repeated. An overload that shows
/// itself for three seconds in a row ends its step early, and after a bad step nothing is asked for
/// until what is in flight has ended, so that no queue is carried into the next.
///
/// The part is over when the capacity is found, or after [`at_most`](Saturate::at_most). Failures and
/// missing starts that the search provoked do not count against the run; thresholds do, also those
/// over its overloaded steps. A run in which the lower bound was bad already fails, and one in which
/// the load generator may have been the limit is invalid.
///
/// # Defaults
/// Steps of 10 s, a precision of 5 %, ten minutes at most. A step settles for 3 s, or for twice the
/// longest latency allowed if that is more.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Constant, Saturate, VolumeModel};
///
/// let second = Duration::from_secs(1);
/// let volume = Constant::per_second(50, 30 * second).named("warm-up")
///     + Saturate::per_second(50, 5000)
///         .until_p99(Duration::from_millis(250))
///         .until_error_rate(0.01)
///         .named("search");
/// volume.check()?;
/// assert_eq!(volume.duration(), Some(630 * second));
///
/// let message = Saturate::users(1, 500).check().unwrap_err().to_string();
/// assert!(message.contains("nothing says when to stop"));
/// # Ok::<(), mite::volume::VolumeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Saturate(pub(in crate::volume) Part);

impl Saturate {
    /// Looks for the most starts a second that the system can take, from `from` to `to`: the open
    /// model. Both are above zero.
    pub fn per_second(from: impl Amount, to: impl Amount) -> Self {
        Self::of(Unit::PerSecond, from.to_f64(), to.to_f64())
    }

    /// Looks for the most journeys in flight at once that the system can take, from `from` to `to`:
    /// the closed model. Both are above zero.
    pub fn users(from: impl Amount, to: impl Amount) -> Self {
        Self::of(Unit::Users, from.to_f64(), to.to_f64())
    }

    fn of(unit: Unit, from: f64, to: f64) -> Self {
        let search = Search::new(unit, from, to);
        let at_most = search.at_most;
        let shape = Shape::Adaptive(Box::new(Adaptive::Saturate(search)));
        Self(Part::new(shape, at_most))
    }

    /// Until the median time of successful requests is not below `limit`.
    #[must_use]
    pub fn until_p50(self, limit: Duration) -> Self {
        self.until_quantile(0.5, limit)
    }

    /// Until the 95th percentile of the time of successful requests is not below `limit`.
    #[must_use]
    pub fn until_p95(self, limit: Duration) -> Self {
        self.until_quantile(0.95, limit)
    }

    /// Until the 99th percentile of the time of successful requests is not below `limit`.
    #[must_use]
    pub fn until_p99(self, limit: Duration) -> Self {
        self.until_quantile(0.99, limit)
    }

    fn until_quantile(self, quantile: f64, limit: Duration) -> Self {
        self.with(|search| {
            let criterion = Criterion::Latency { quantile, limit };
            search.criteria.all.insert(0, criterion);
            search.has_criterion = true;
        })
    }

    /// Looks at response times of the journey, which count from the intended start, where it would
    /// look at those of requests: for journeys without HTTP, or where the journey as a whole is what
    /// a user feels.
    #[must_use]
    pub fn of_journeys(self) -> Self {
        self.with(|search| search.criteria.subject = Subject::Journeys)
    }

    /// Until so many of the journeys fail, as a share: 0.01 is 1 %, which is the default whatever
    /// else ends the search.
    #[must_use]
    pub fn until_error_rate(self, share: f64) -> Self {
        self.with(|search| {
            let all = &mut search.criteria.all;
            all.retain(|criterion| !matches!(criterion, Criterion::Errors { .. }));
            all.push(Criterion::Errors { limit: share });
            search.has_criterion = true;
        })
    }

    /// Until more load brings no more throughput.
    ///
    /// In the open model that is when more than 3 % of the journeys asked for do not end well within
    /// the step. In the closed model it is when doubling the users brings less than a tenth of what
    /// they should; the capacity is then where 97 % of the highest throughput is reached. A step
    /// should [settle](Saturate::settle) for longer than a journey takes.
    #[must_use]
    pub fn until_throughput_stops(self) -> Self {
        self.with(|search| {
            search.criteria.all.insert(0, Criterion::KeepsUp);
            search.has_criterion = true;
        })
    }

    /// How long a step is measured, at least a second. The default is 10 s.
    #[must_use]
    pub fn step_time(self, time: Duration) -> Self {
        self.with(|search| search.step_time = time)
    }

    /// How long a step settles before it is measured. The default is 3 s, or twice the longest
    /// latency allowed if that is more.
    #[must_use]
    pub fn settle(self, time: Duration) -> Self {
        self.with(|search| search.settle = Some(time))
    }

    /// How near the lowest bad volume is to come to the highest good one, as a share of it. The
    /// default is 0.05, which is 5 %.
    #[must_use]
    pub fn precision(self, share: f64) -> Self {
        self.with(|search| search.precision = share)
    }

    /// How long the search may take. The default is ten minutes.
    #[must_use]
    pub fn at_most(mut self, duration: Duration) -> Self {
        self.0.duration = duration;
        self.with(|search| search.at_most = duration)
    }

    /// Lets the starts come at random, as those of independent visitors do: a Poisson process. Only
    /// for [`per_second`](Saturate::per_second).
    #[must_use]
    pub fn poisson(mut self) -> Self {
        self.0.poisson = true;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Search)) -> Self {
        if let Shape::Adaptive(adaptive) = &mut self.0.shape
            && let Adaptive::Saturate(search) = adaptive.as_mut()
        {
            change(search);
        }
        self
    }
}
