//! What volume models get to see of the results, made once a second.

use std::{collections::BTreeSet, time::Duration};

use super::results::Begun;
use crate::{
    id::EntryId,
    stats::{JourneyStatistics, Latency, Statistics},
    volume::{Observed, Second, Times},
};

/// What has been observed: of the whole run, and for each entry whose model looks at it.
pub(super) struct Observations {
    run: Observed,
    followed: Vec<Followed>,
    /// Whether all entries run one journey, so that all requests are its own.
    one_journey: bool,
}

/// An entry whose model follows the results.
struct Followed {
    entry: EntryId,
    journey: String,
    observed: Observed,
}

impl Observations {
    /// For entries with their journeys; of each, whether its model follows the results.
    pub(super) fn new<'a>(entries: impl Iterator<Item = (EntryId, &'a str, bool)>) -> Self {
        let entries: Vec<_> = entries.collect();
        let journeys: BTreeSet<_> = entries.iter().map(|(_, journey, _)| journey).collect();
        Self {
            run: Observed::default(),
            one_journey: journeys.len() < 2,
            followed: entries
                .iter()
                .filter(|(.., follows)| *follows)
                .map(|(entry, journey, _)| Followed {
                    entry: *entry,
                    journey: (*journey).to_owned(),
                    observed: Observed::default(),
                })
                .collect(),
        }
    }

    /// What the whole run has shown.
    pub(super) fn run(&self) -> &Observed {
        &self.run
    }

    /// What the model of `entry` gets to see.
    pub(super) fn of(&self, entry: EntryId) -> &Observed {
        let followed = self.followed.iter().find(|one| one.entry == entry);
        followed.map_or(&self.run, |one| &one.observed)
    }

    /// Takes in the second from `at`; `begun` is what became of all starts up to its end.
    pub(super) fn second(&mut self, at: Duration, statistics: &Statistics, begun: &[Begun]) {
        self.run = run(at, statistics, begun);
        for one in &mut self.followed {
            let second = second(one, at, statistics, self.one_journey);
            one.observed.follow(&self.run, second);
        }
    }
}

fn run(at: Duration, statistics: &Statistics, begun: &[Begun]) -> Observed {
    let total = |field: fn(&Begun) -> u64| begun.iter().map(field).sum();
    let now = |field: fn(&JourneyStatistics) -> u64| -> u64 {
        statistics.journeys.values().map(field).sum()
    };
    let failed = now(|journey| journey.failed);
    let finished = now(JourneyStatistics::finished);
    let time = &statistics.http.time;
    let mut observed = Observed::default();
    observed.elapsed = at + Duration::from_secs(1);
    observed.users = now(|journey| journey.users.in_flight);
    observed.started = total(|begun| begun.started);
    observed.completed = total(|begun| begun.completed);
    observed.failed = total(|begun| begun.failed);
    observed.dropped = total(|begun| begun.dropped);
    if finished > 0 {
        observed.error_rate = failed as f64 / finished as f64;
    }
    observed.starts_per_second = now(|journey| journey.started) as f64;
    observed.requests_per_second = statistics.http.requests as f64;
    observed.http_p50 = time.quantile(0.5);
    observed.http_p95 = time.quantile(0.95);
    observed.http_p99 = time.quantile(0.99);
    observed
}

/// What one entry has shown; requests are those of its journey, whichever entry made them.
fn second(one: &Followed, at: Duration, statistics: &Statistics, one_journey: bool) -> Second {
    let mut second = Second {
        at,
        loop_lag: times(&statistics.generator.loop_lag),
        ..Second::default()
    };
    let journeys = statistics.journeys.iter();
    for (_, journey) in journeys.filter(|(key, _)| key.entry == one.entry) {
        second.started += journey.started;
        second.completed += journey.completed;
        second.failed += journey.failed;
        second.dropped += journey.dropped;
        second.in_flight += journey.users.in_flight;
        second.response.merge(&times(&journey.response_time));
        second.start_delay.merge(&times(&journey.start_delay));
        second.wanted += journey.users.wanted;
        second.unmet += journey.users.unmet;
    }
    if one_journey {
        second.requests = statistics.http.requests;
        second.failed_requests = statistics.http.failed;
        second.http = times(&statistics.http.time);
        return second;
    }
    let rows = statistics.http.requests_by.iter();
    for (_, row) in rows.filter(|(key, _)| *key.journey == *one.journey) {
        second.requests += row.count;
        second.failed_requests += row.failed;
        second.http.merge(&times(&row.time));
    }
    second
}

fn times(latency: &Latency) -> Times {
    let mut times = Times::default();
    for (time, count) in latency.buckets() {
        times.add(time, count);
    }
    times
}
