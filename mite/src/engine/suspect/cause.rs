//! Who is to blame for load that came late or not at all.

use crate::{
    controller::Outcome,
    report::{
        Cause,
        human::{percent, time},
    },
    stats::{JourneyStatistics, Latency, WaitFor, Waits},
};

/// The part of their service time that journeys spend on requests when it is the server's.
const SERVERS: f64 = 0.5;
/// The part of the limit on journeys in flight that makes it the limit of the users.
const AT_LIMIT: f64 = 0.9;

/// All that tells the causes apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// The journeys that may be in flight at once, in all runners together.
    max_in_flight: u64,
    /// The most users that were, all entries together.
    users: u64,
    /// The part of the journeys' time that was spent on requests; absent without a journey that
    /// ended.
    on_requests: Option<f64>,
    /// Whether the workers were held up or at their limit, so that times may be their own.
    strained: bool,
}

/// Who it is, and in words why and what to do about it.
pub(super) type Blame = (Cause, String);

impl Circumstances {
    pub(super) fn new(outcome: &Outcome, strained: bool) -> Self {
        let journeys = || outcome.totals.journeys.values();
        let sum = |times: [&Latency; 2]| times.map(Latency::sum_seconds).iter().sum::<f64>();
        let running: f64 = journeys()
            .map(|journey| sum([&journey.service_time, &journey.failed_time]))
            .sum();
        let http = &outcome.totals.http;
        let on_requests = sum([&http.time, &http.failed_time]) / running;
        Self {
            max_in_flight: outcome.room(),
            users: journeys().map(|journey| journey.users.peak).sum(),
            on_requests: (running > 0.0).then(|| on_requests.min(1.0)),
            strained,
        }
    }

    /// Why starts of these journeys, that were due, were late or did not take place.
    pub(super) fn of_starts<'a>(
        &self,
        journeys: impl Iterator<Item = &'a JourneyStatistics>,
    ) -> Blame {
        let mut waits = Waits::default();
        let mut service_time = Latency::default();
        for journey in journeys {
            waits.merge(journey.waits);
            service_time.merge(&journey.service_time);
        }
        match waits.mostly_for() {
            WaitFor::Data => (
                Cause::Data,
                "their datapool had nothing to give in time. Put more items into it.".to_owned(),
            ),
            WaitFor::Room => self.of_no_room(&service_time),
            WaitFor::Worker => (
                Cause::Generator,
                "the generator did not come to them in time. Use more cores or runners, or ask \
                 for less."
                    .to_owned(),
            ),
        }
    }

    /// Why there was no room for more journeys, when they took this long.
    fn of_no_room(&self, service_time: &Latency) -> Blame {
        let limit = self.max_in_flight;
        if self.strained {
            let why = format!(
                "as many journeys were in flight as --max-in-flight allows ({limit}), and the \
                 generator was held up itself. Use more cores or runners, or ask for less."
            );
            return (Cause::Generator, why);
        }
        let took = service_time
            .mean_seconds()
            .map_or("and none came to its end".to_owned(), |mean| {
                format!("because each took {} on average", time(mean))
            });
        let full =
            format!("as many journeys were in flight as --max-in-flight allows ({limit}), {took}");
        match self.on_requests {
            Some(share) if share < SERVERS => (
                Cause::Scenario,
                format!(
                    "{full}, {} of it for requests. Raise --max-in-flight, shorten the journeys, \
                     or ask for less.",
                    percent((share * 1000.0).round() / 1000.0)
                ),
            ),
            _ => (
                Cause::Server,
                format!(
                    "{full}. The server is too slow for this volume; if it may take that long, \
                     raise --max-in-flight."
                ),
            ),
        }
    }

    /// Why users of the closed model, for whom there was data, were missing.
    pub(super) fn of_users(&self) -> Blame {
        let limit = self.max_in_flight;
        if self.users as f64 >= limit as f64 * AT_LIMIT && !self.strained {
            let why = format!(
                "no more journeys may be in flight than --max-in-flight says ({limit}). Raise it, \
                 or ask for less."
            );
            return (Cause::Scenario, why);
        }
        let why = "the load generator did not keep up. Use more cores or runners, or ask for less.";
        (Cause::Generator, why.to_owned())
    }
}

#[cfg(test)]
mod tests;
