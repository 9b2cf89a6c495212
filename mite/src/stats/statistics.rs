//! What was counted: the same form for a second of one worker and for a whole run.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    capped::{Capped, DEFAULT_CAP, MORE, Merge, SeriesKey, add},
    http::HttpStatistics,
    latency::Latency,
    user_metrics::UserMetric,
};
use crate::{id::EntryId, net::Lack};

/// Everything the run is judged by and reported from.
///
/// A worker's second, a second of all workers and the totals are of this one form, under names
/// rather than numbers, so that they can be added over workers, machines and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Statistics {
    /// How many series a metric may have; see [`Capped`] for what becomes of the rest.
    pub(crate) cap: usize,
    /// One row an entry of the scenario.
    pub(crate) journeys: BTreeMap<JourneyKey, JourneyStatistics>,
    /// One row a transaction.
    pub(crate) transactions: Capped<TransactionKey, TransactionStatistics>,
    /// Requests, over all of them and by name.
    pub(crate) http: HttpStatistics,
    /// Metrics of the user's own, by name.
    pub(crate) metrics: BTreeMap<Arc<str>, UserMetric>,
    /// How often each failure was seen.
    pub(crate) errors: Capped<ErrorKey, u64>,
    /// How well the load generator itself kept up.
    pub(crate) generator: GeneratorStatistics,
}

impl Statistics {
    /// Nothing counted yet, and at most `cap` series a metric.
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            cap,
            journeys: BTreeMap::new(),
            transactions: Capped::default(),
            http: HttpStatistics::default(),
            metrics: BTreeMap::new(),
            errors: Capped::default(),
            generator: GeneratorStatistics::default(),
        }
    }

    /// Adds what another worker or machine counted in the same time.
    ///
    /// The result is the same in any grouping and order, and every count, smallest, largest, mean
    /// and histogram bucket is as if one recorder had seen everything. Over the cap that holds of the
    /// totals; which rows there are is decided by who came first. The larger cap of the two is kept.
    pub(crate) fn merge(&mut self, other: Statistics) {
        self.cap = self.cap.max(other.cap);
        self.merge_up_to(self.cap, other);
    }

    /// As [`merge`](Statistics::merge), except that every row is kept, for whoever decides later
    /// which are.
    pub(crate) fn gather(&mut self, other: Statistics) {
        self.cap = self.cap.max(other.cap);
        self.merge_up_to(usize::MAX, other);
    }

    fn merge_up_to(&mut self, cap: usize, other: Statistics) {
        for (key, value) in other.journeys {
            add(&mut self.journeys, key, value);
        }
        self.transactions.merge(other.transactions, cap);
        self.http.merge(other.http, cap);
        for (name, theirs) in other.metrics {
            let kind = theirs.kind;
            let ours = self.metrics.entry(name);
            ours.or_insert_with(|| UserMetric::new(kind))
                .merge(theirs, cap);
        }
        self.errors.merge(other.errors, cap);
        self.generator.merge(&other.generator);
    }

    /// Has rows only where `whole` has them, of which this is a part: so that what is told of a
    /// second adds up to what is told of the run.
    pub(crate) fn conform(&mut self, whole: &Statistics) {
        self.transactions.conform(&whole.transactions);
        self.http.conform(&whole.http);
        for (name, metric) in &mut self.metrics {
            if let Some(whole) = whole.metrics.get(name) {
                metric.series.conform(&whole.series);
            }
        }
        self.errors.conform(&whole.errors);
    }

    /// Adds what was counted in the time after: as [`merge`](Statistics::merge), except that the
    /// users in flight are the later ones and their peak is the higher one, not the sum.
    pub(crate) fn follow(&mut self, next: Statistics) {
        let users: Vec<_> = next
            .journeys
            .iter()
            .map(|(key, later)| {
                let before = self.journeys.get(key).map(|earlier| earlier.users);
                let mut users = before.unwrap_or_default();
                users.follow(later.users);
                (key.clone(), users)
            })
            .collect();
        self.merge(next);
        for (key, users) in users {
            if let Some(journey) = self.journeys.get_mut(&key) {
                journey.users = users;
            }
        }
    }
}

impl Default for Statistics {
    fn default() -> Self {
        Self::new(DEFAULT_CAP)
    }
}

/// A line of the scenario, with the journey it runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct JourneyKey {
    pub(crate) entry: EntryId,
    pub(crate) journey: Arc<str>,
}

/// How the runs of a journey went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct JourneyStatistics {
    pub(crate) started: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
    pub(crate) interrupted: u64,
    /// Of the completed ones.
    pub(crate) service_time: Latency,
    /// Of the completed ones.
    pub(crate) response_time: Latency,
    /// Response time of the failed ones.
    pub(crate) failed_time: Latency,
    /// Of all that started.
    pub(crate) start_delay: Latency,
    /// Of all that were planned, those too that were given up.
    pub(crate) waits: Waits,
    pub(crate) users: UserTime,
}

impl JourneyStatistics {
    /// Those that ended by themselves, well or not.
    pub(crate) fn finished(&self) -> u64 {
        self.completed + self.failed
    }

    /// Adds what was counted in the time after.
    pub(crate) fn follow(&mut self, next: &Self) {
        self.add_all_but_users(next);
        self.users.follow(next.users);
    }

    fn add_all_but_users(&mut self, other: &Self) {
        self.started += other.started;
        self.completed += other.completed;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.interrupted += other.interrupted;
        self.service_time.merge(&other.service_time);
        self.response_time.merge(&other.response_time);
        self.failed_time.merge(&other.failed_time);
        self.start_delay.merge(&other.start_delay);
        self.waits.merge(other.waits);
    }
}

impl Merge for JourneyStatistics {
    fn merge(&mut self, other: Self) {
        self.add_all_but_users(&other);
        self.users.merge(other.users);
    }
}

/// What keeps a start that is due from starting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WaitFor {
    /// Its worker has not come round to it.
    #[default]
    Worker,
    /// As many journeys are in flight as may be.
    Room,
    /// There is no data for it.
    Data,
}

/// How long starts that were due had to wait, added up, by what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waits {
    pub(crate) worker: Duration,
    pub(crate) room: Duration,
    pub(crate) data: Duration,
}

impl Waits {
    pub(crate) fn add(&mut self, reason: WaitFor, time: Duration) {
        let sum = match reason {
            WaitFor::Worker => &mut self.worker,
            WaitFor::Room => &mut self.room,
            WaitFor::Data => &mut self.data,
        };
        *sum = sum.saturating_add(time);
    }

    /// What they waited for longest; their worker if they did not wait.
    pub(crate) fn mostly_for(&self) -> WaitFor {
        if self.worker >= self.room && self.worker >= self.data {
            WaitFor::Worker
        } else if self.room >= self.data {
            WaitFor::Room
        } else {
            WaitFor::Data
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (reason, time) in [
            (WaitFor::Worker, other.worker),
            (WaitFor::Room, other.room),
            (WaitFor::Data, other.data),
        ] {
            self.add(reason, time);
        }
    }
}

/// How many users of the closed model there were to be, and were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserTime {
    /// User-seconds asked for, outside ramps.
    pub(crate) wanted: Duration,
    /// User-seconds of those that were not there.
    pub(crate) unmet: Duration,
    /// Users in flight at the end of the interval.
    pub(crate) in_flight: u64,
    /// The most users in flight during the interval.
    pub(crate) peak: u64,
}

impl UserTime {
    fn merge(&mut self, other: Self) {
        self.wanted = self.wanted.saturating_add(other.wanted);
        self.unmet = self.unmet.saturating_add(other.unmet);
        self.in_flight += other.in_flight;
        self.peak += other.peak;
    }

    /// Adds the interval after this one.
    pub(crate) fn follow(&mut self, next: Self) {
        self.wanted = self.wanted.saturating_add(next.wanted);
        self.unmet = self.unmet.saturating_add(next.unmet);
        self.in_flight = next.in_flight;
        self.peak = self.peak.max(next.peak);
    }
}

/// A transaction of a journey; outer names first, joined with ` :: `.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct TransactionKey {
    pub(crate) journey: Arc<str>,
    pub(crate) transaction: Arc<str>,
}

impl SeriesKey for TransactionKey {
    fn overflow(&self) -> Self {
        Self {
            journey: self.journey.clone(),
            transaction: MORE.into(),
        }
    }
}

/// How a transaction went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TransactionStatistics {
    /// All of them, failed ones too.
    pub(crate) count: u64,
    /// Those that a failure ended.
    pub(crate) errors: u64,
    /// Of those that went well.
    pub(crate) time: Latency,
    /// Of those that a failure ended.
    pub(crate) failed_time: Latency,
}

impl Merge for TransactionStatistics {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.time.merge(&other.time);
        self.failed_time.merge(&other.failed_time);
    }
}

/// What failures are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ErrorKey {
    pub(crate) kind: Arc<str>,
    pub(crate) journey: Arc<str>,
    pub(crate) transaction: Arc<str>,
    pub(crate) location: Arc<str>,
    pub(crate) message: Arc<str>,
}

impl SeriesKey for ErrorKey {
    /// Only messages vary without bound, so all that a threshold can select by is kept.
    fn overflow(&self) -> Self {
        Self {
            message: MORE.into(),
            ..self.clone()
        }
    }
}

/// How well the load generator kept up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GeneratorStatistics {
    /// How late a worker's loop came to what was due.
    pub(crate) loop_lag: Latency,
    /// Connections that could not be opened.
    pub(crate) connections_failed: u64,
    /// Of these, the ones for which this machine itself lacked something.
    pub(crate) lacks: Lacks,
    /// What the work of the workers' threads used; waiting is no work, also where it spins.
    pub(crate) cpu: CpuTime,
}

impl GeneratorStatistics {
    fn merge(&mut self, other: &Self) {
        self.loop_lag.merge(&other.loop_lag);
        self.connections_failed += other.connections_failed;
        self.lacks.merge(other.lacks);
        self.cpu.add(other.cpu);
    }
}

/// Connections that could not be opened for want of something of this machine's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lacks {
    pub(crate) descriptors: u64,
    pub(crate) ports: u64,
    pub(crate) memory: u64,
}

impl Lacks {
    /// One more.
    pub(crate) fn count(&mut self, lack: Lack) {
        *match lack {
            Lack::Descriptors => &mut self.descriptors,
            Lack::Ports => &mut self.ports,
            Lack::Memory => &mut self.memory,
        } += 1;
    }

    fn merge(&mut self, other: Self) {
        self.descriptors += other.descriptors;
        self.ports += other.ports;
        self.memory += other.memory;
    }
}

/// Processor time, and the time in which it was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CpuTime {
    pub(crate) used: Duration,
    pub(crate) over: Duration,
}

impl CpuTime {
    /// The part of one core in use; absent when no time has passed.
    pub(crate) fn share(self) -> Option<f64> {
        let over = self.over.as_secs_f64();
        (over > 0.0).then(|| self.used.as_secs_f64() / over)
    }

    /// And as much again.
    pub(crate) fn add(&mut self, other: Self) {
        self.used = self.used.saturating_add(other.used);
        self.over = self.over.saturating_add(other.over);
    }
}
