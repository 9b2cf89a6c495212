//! What a model that follows the results gets to see.

use std::{collections::VecDeque, time::Duration};

use super::times::Times;

/// How much of the past is kept.
const KEPT: usize = 60;

/// One second; what is observed is known by it.
const SECOND: Duration = Duration::from_secs(1);

/// What the run has shown so far, for models that follow the results.
///
/// The fields are about the whole run, all its journeys together. Times are those of the last full
/// second; counts are since the run began. What the model's own entry of the scenario has shown is
/// in [`last`](Observed::last) and [`between`](Observed::between), for up to the last minute.
///
/// The results of a second are there some hundredths of a second after its end, so what is observed
/// ends at [`elapsed`](Observed::elapsed), and a window that is asked for begins a second or so after
/// that. A change of the volume thus shows when `elapsed` has passed the beginning of its window.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Observed, Volume, VolumeModel, Window};
///
/// /// Ten starts a second more each second, until one in a hundred of the last ten seconds' requests
/// /// takes longer than 250 ms.
/// struct Rising(f64);
///
/// impl VolumeModel for Rising {
///     fn volume(&mut self, _: Window, observed: &Observed) -> Volume {
///         let p99 = observed.http_quantile(0.99, Duration::from_secs(10));
///         if p99 > Some(Duration::from_millis(250)) {
///             return Volume::Stop;
///         }
///         self.0 += 10.0;
///         Volume::PerSecond(self.0)
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// How old the run was when this was seen: the end of the last second that is known.
    pub elapsed: Duration,
    /// Journeys in flight.
    pub users: u64,
    /// Journeys started.
    pub started: u64,
    /// Journeys that ended well.
    pub completed: u64,
    /// Journeys that failed.
    pub failed: u64,
    /// Starts given up.
    pub dropped: u64,
    /// Failed by finished journeys in the last second, between 0 and 1.
    pub error_rate: f64,
    /// Starts in the last second.
    pub starts_per_second: f64,
    /// Requests in the last second.
    pub requests_per_second: f64,
    /// Median time of successful requests in the last second; absent without one.
    pub http_p50: Option<Duration>,
    /// 95th percentile of the same.
    pub http_p95: Option<Duration>,
    /// 99th percentile of the same.
    pub http_p99: Option<Duration>,
    /// The last seconds of the model's own entry, the oldest first.
    recent: VecDeque<Second>,
}

impl Observed {
    /// What the model's entry has shown in the last `duration` before
    /// [`elapsed`](Observed::elapsed), in full seconds; at most those of the last minute.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use mite::volume::Observed;
    /// # fn look(observed: &Observed) {
    /// let last = observed.last(Duration::from_secs(10));
    /// let throughput = last.completed_per_second();
    /// let p95 = last.response_quantile(0.95);
    /// # let _ = (throughput, p95);
    /// # }
    /// ```
    pub fn last(&self, duration: Duration) -> Stretch {
        self.between(self.elapsed.saturating_sub(duration), self.elapsed)
    }

    /// What the model's entry has shown in the full seconds that lie between two ages of the run; at
    /// most those of the last minute.
    pub fn between(&self, from: Duration, until: Duration) -> Stretch {
        let mut stretch = Stretch::default();
        for second in self.seconds_from(from) {
            if second.end() <= until {
                stretch.add(second);
            }
        }
        stretch
    }

    /// The time that this part of the successful requests of the last `last` did not exceed: of all
    /// of them together, since percentiles of seconds cannot be averaged. Of the requests of the
    /// entry's own journey, to within 1 %; absent without one.
    pub fn http_quantile(&self, quantile: f64, last: Duration) -> Option<Duration> {
        self.last(last).http_quantile(quantile)
    }

    /// The same of the response times of the entry's journeys, which count from the intended start.
    pub fn response_quantile(&self, quantile: f64, last: Duration) -> Option<Duration> {
        self.last(last).response_quantile(quantile)
    }

    /// The seconds that are known and begin at `from` or later, the oldest first.
    pub(crate) fn seconds_from(&self, from: Duration) -> impl Iterator<Item = &Second> {
        self.recent.iter().filter(move |second| second.at >= from)
    }

    /// Takes in what the next second has shown, of the run and of the entry.
    pub(crate) fn follow(&mut self, run: &Observed, second: Second) {
        let mut recent = std::mem::take(&mut self.recent);
        while recent.len() >= KEPT {
            recent.pop_front();
        }
        recent.push_back(second);
        *self = run.clone();
        self.recent = recent;
    }
}

/// What one entry of the scenario has shown in one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Second {
    /// Its beginning.
    pub(crate) at: Duration,
    pub(crate) started: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
    /// Journeys in flight at its end.
    pub(crate) in_flight: u64,
    pub(crate) requests: u64,
    pub(crate) failed_requests: u64,
    /// Of successful requests.
    pub(crate) http: Times,
    /// From the intended start, of completed journeys.
    pub(crate) response: Times,
    pub(crate) start_delay: Times,
    /// How late the loops of all workers were.
    pub(crate) loop_lag: Times,
    /// User-seconds asked for, and those that were missing.
    pub(crate) wanted: Duration,
    pub(crate) unmet: Duration,
}

impl Second {
    pub(crate) fn end(&self) -> Duration {
        self.at + SECOND
    }
}

/// What one entry of the scenario has shown over some seconds of the run.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stretch {
    /// How many full seconds it has.
    pub seconds: u64,
    /// Journeys that began.
    pub started: u64,
    /// Journeys that ended well.
    pub completed: u64,
    /// Journeys that failed.
    pub failed: u64,
    /// Starts given up.
    pub dropped: u64,
    /// Journeys in flight at its end.
    pub in_flight: u64,
    /// Requests of the journey that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub failed_requests: u64,
    pub(crate) http: Times,
    pub(crate) response: Times,
    pub(crate) start_delay: Times,
    pub(crate) loop_lag: Times,
    pub(crate) wanted: Duration,
    pub(crate) unmet: Duration,
}

impl Stretch {
    /// Failed by finished journeys, between 0 and 1; 0 when none finished.
    pub fn error_rate(&self) -> f64 {
        match self.finished() {
            0 => 0.0,
            finished => self.failed as f64 / finished as f64,
        }
    }

    /// Journeys that ended well each second: the throughput.
    pub fn completed_per_second(&self) -> f64 {
        self.completed as f64 / self.seconds.max(1) as f64
    }

    /// The time that this part of the successful requests did not exceed, to within 1 %; absent
    /// without one.
    pub fn http_quantile(&self, quantile: f64) -> Option<Duration> {
        self.http.quantile(quantile)
    }

    /// The same of the response times of completed journeys, which count from the intended start.
    pub fn response_quantile(&self, quantile: f64) -> Option<Duration> {
        self.response.quantile(quantile)
    }

    /// The same of the delays from the intended to the actual start; there are none in the closed
    /// model.
    pub fn start_delay_quantile(&self, quantile: f64) -> Option<Duration> {
        self.start_delay.quantile(quantile)
    }

    /// Journeys that ended by themselves.
    pub(crate) fn finished(&self) -> u64 {
        self.completed + self.failed
    }

    pub(crate) fn add(&mut self, second: &Second) {
        self.seconds += 1;
        self.started += second.started;
        self.completed += second.completed;
        self.failed += second.failed;
        self.dropped += second.dropped;
        self.in_flight = second.in_flight;
        self.requests += second.requests;
        self.failed_requests += second.failed_requests;
        self.http.merge(&second.http);
        self.response.merge(&second.response);
        self.start_delay.merge(&second.start_delay);
        self.loop_lag.merge(&second.loop_lag);
        self.wanted = self.wanted.saturating_add(second.wanted);
        self.unmet = self.unmet.saturating_add(second.unmet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(seconds: u64) -> Observed {
        let mut observed = Observed::default();
        for number in 0..seconds {
            let mut second = Second {
                at: Duration::from_secs(number),
                completed: 10,
                failed: number % 2,
                ..Second::default()
            };
            second
                .http
                .add(Duration::from_millis(10 * (number + 1)), 10);
            let run = Observed {
                elapsed: second.end(),
                ..Observed::default()
            };
            observed.follow(&run, second);
        }
        observed
    }

    #[test]
    fn a_percentile_over_some_seconds_is_that_of_all_their_samples() {
        let observed = observed(10);
        let within = |found: Option<Duration>, millis: u64| {
            let found = found.unwrap().as_secs_f64() * 1000.0;
            assert!((found / millis as f64 - 1.0).abs() < 0.01, "{found}");
        };
        within(observed.http_quantile(0.5, 10 * SECOND), 50);
        within(observed.http_quantile(0.99, 10 * SECOND), 100);
        within(observed.http_quantile(0.5, 2 * SECOND), 90);
        within(observed.between(SECOND, 4 * SECOND).http_quantile(1.0), 40);
        assert_eq!(observed.response_quantile(0.5, SECOND), None);
    }

    #[test]
    fn counts_are_those_of_the_full_seconds_within() {
        let observed = observed(10);
        let half = observed.between(SECOND / 2, 3 * SECOND + SECOND / 2);
        assert_eq!((half.seconds, half.completed, half.failed), (2, 20, 1));
        assert_eq!(half.completed_per_second(), 10.0);
        assert_eq!(observed.last(2 * SECOND).error_rate(), 1.0 / 21.0);
        assert_eq!(Observed::default().last(SECOND).error_rate(), 0.0);
    }

    #[test]
    fn what_is_kept_does_not_grow_with_the_run() {
        let observed = observed(600);
        assert_eq!(observed.last(600 * SECOND).seconds, 60);
        assert_eq!(observed.elapsed, 600 * SECOND);
    }
}
