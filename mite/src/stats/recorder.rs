//! Where a worker counts what happens: on the path of every request, on one thread.

use std::{borrow::Cow, sync::Arc, time::Duration};

use rustc_hash::FxHashMap;

use super::{
    capped::{Capped, MORE},
    errors::ErrorTable,
    http::HttpStatistics,
    latency::Latency,
    metric::Metric,
    names::{Names, kept},
    order::RowOrder,
    requests::RequestTable,
    statistics::{
        GeneratorStatistics, JourneyKey, JourneyStatistics, Statistics, TransactionKey,
        TransactionStatistics, UserTime, Waits,
    },
    user_metrics::UserMetrics,
};
use crate::{
    event::{Event, Failure, HttpRequest, JourneyEnd, Outcome, TransactionEnd, What},
    id::{EntryId, TransactionId},
    net::Lack,
};

/// Counts the events of one worker.
///
/// Names are looked up once and then are numbers; in the steady state recording an event allocates
/// nothing but the histograms of an interval, each at its first sample.
///
/// Over the cap, a new transaction, request name, label set or error message shares one series
/// named `(more)`. Totals are not affected.
#[derive(Debug)]
pub(crate) struct Recorder {
    cap: usize,
    /// The journey each entry runs, as an index into `journeys`.
    entries: Vec<Entry>,
    journeys: Vec<Arc<str>>,
    transactions: Transactions,
    http: HttpStatistics,
    requests: RequestTable,
    errors: ErrorTable,
    user: UserMetrics,
    generator: GeneratorStatistics,
}

#[derive(Debug)]
struct Entry {
    journey: u32,
    name: Arc<str>,
    statistics: JourneyStatistics,
    /// Of runs that began when they were meant to: service and response time are the same, and
    /// recorded once.
    prompt_time: Latency,
}

impl Recorder {
    /// A recorder for a scenario whose entries run these journeys, at most `cap` series a metric.
    pub(crate) fn new(journeys: Vec<Arc<str>>, cap: usize, metrics: Vec<Metric>) -> Self {
        let mut names = Vec::<Arc<str>>::new();
        let entries = journeys
            .into_iter()
            .map(|name| {
                let known = names.iter().position(|other| *other == name);
                let journey = known.unwrap_or_else(|| {
                    // A copy of this worker's own: the count of a shared one would be contended.
                    names.push(Arc::from(name.as_ref()));
                    names.len() - 1
                });
                Entry {
                    journey: u32::try_from(journey).unwrap_or(u32::MAX),
                    name: names.get(journey).unwrap_or(&name).clone(),
                    statistics: JourneyStatistics::default(),
                    prompt_time: Latency::default(),
                }
            })
            .collect();
        Self {
            cap,
            entries,
            transactions: Transactions::new(&names, cap),
            journeys: names,
            http: HttpStatistics::default(),
            requests: RequestTable::new(cap),
            errors: ErrorTable::new(cap),
            user: UserMetrics::new(metrics, cap),
            generator: GeneratorStatistics::default(),
        }
    }

    /// The number of a transaction of this name inside `parent`; [`TransactionId::ROOT`] is outside
    /// of any. Numbers stay valid for the life of the recorder.
    pub(crate) fn transaction(
        &mut self,
        entry: EntryId,
        parent: TransactionId,
        name: &str,
    ) -> TransactionId {
        match self.entries.get(entry.index()) {
            Some(entry) => self.transactions.id(entry.journey, parent, name),
            None => TransactionId::ROOT,
        }
    }

    /// Outer and inner names joined with ` :: `; empty for [`TransactionId::ROOT`].
    pub(crate) fn path(&self, id: TransactionId) -> &Arc<str> {
        self.transactions.path(id)
    }

    /// The full name of the journey that an entry runs; empty for an entry that there is not.
    pub(crate) fn journey(&self, entry: EntryId) -> &Arc<str> {
        self.entries
            .get(entry.index())
            .map_or(&self.transactions.empty, |entry| &entry.name)
    }

    /// A run of the journey was started, in the open model so long after it was due.
    pub(crate) fn journey_started(&mut self, entry: EntryId, delay: Option<Duration>) {
        if let Some(entry) = self.entries.get_mut(entry.index()) {
            entry.statistics.started += 1;
            if let Some(delay) = delay {
                entry.statistics.start_delay.record(delay);
            }
        }
    }

    /// So many planned starts were given up.
    pub(crate) fn dropped(&mut self, entry: EntryId, count: u64) {
        if let Some(entry) = self.entries.get_mut(entry.index()) {
            entry.statistics.dropped += count;
        }
    }

    /// Counts an event, in the built-in metrics and in those of the user that are bound to it.
    pub(crate) fn record(
        &mut self,
        at: Duration,
        entry: EntryId,
        transaction: TransactionId,
        what: &What<'_>,
    ) {
        match what {
            What::Journey(end) => self.journey_ended(entry, end),
            What::Transaction(end) => self.transactions.ended(transaction, end),
            What::Http(request) => self.request(entry, transaction, request),
            What::Failure(failure) => self.failure(entry, transaction, failure),
            What::Custom { .. } => {}
        }
        if self.user.is_idle() {
            return;
        }
        let Some(entry) = self.entries.get(entry.index()) else {
            return;
        };
        self.user.record(&Event {
            at,
            journey: &entry.name,
            transaction: self.transactions.path(transaction),
            what: *what,
        });
    }

    /// Whether any metric counts events of this kind; without one an event of the user's own need
    /// not be put together.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.user.wants(kind)
    }

    /// The worker's loop came so late to something due.
    pub(crate) fn loop_lag(&mut self, lag: Duration) {
        self.generator.loop_lag.record(lag);
    }

    /// A connection was opened after so many addresses would not do; with TLS, an earlier session was
    /// resumed or not.
    pub(crate) fn connection_opened(&mut self, tls_resumed: Option<bool>, passed_over: u64) {
        self.http.connections.opened(tls_resumed, passed_over);
    }

    /// A connection could not be opened.
    pub(crate) fn connection_failed(&mut self) {
        self.generator.connections_failed += 1;
    }

    /// This machine itself had not what a connection takes.
    pub(crate) fn lacked(&mut self, lack: Lack) {
        self.generator.lacks.count(lack);
    }

    /// User-seconds of a part of the interval, and the users there were at its end.
    pub(crate) fn users(&mut self, entry: EntryId, users: UserTime) {
        if let Some(entry) = self.entries.get_mut(entry.index()) {
            entry.statistics.users.follow(users);
        }
    }

    /// How long starts of a part of the interval waited, by what for.
    pub(crate) fn waited(&mut self, entry: EntryId, waits: Waits) {
        if let Some(entry) = self.entries.get_mut(entry.index()) {
            entry.statistics.waits.merge(waits);
        }
    }

    /// What was counted since the last time, and starts afresh.
    pub(crate) fn take(&mut self) -> Statistics {
        let mut taken = Statistics::new(self.cap);
        for (index, entry) in (0..).zip(&mut self.entries) {
            let key = JourneyKey {
                entry: EntryId(index),
                journey: entry.name.clone(),
            };
            let mut statistics = std::mem::take(&mut entry.statistics);
            let prompt_time = std::mem::take(&mut entry.prompt_time);
            statistics.service_time.merge(&prompt_time);
            statistics.response_time.merge(&prompt_time);
            taken.journeys.insert(key, statistics);
        }
        taken.transactions = self.transactions.take(&self.journeys);
        taken.http = std::mem::take(&mut self.http);
        let paths = |id: TransactionId| self.transactions.path(id).clone();
        taken.http.requests_by = self.requests.take(&self.journeys, paths);
        taken.errors = self.errors.take(&self.journeys, paths);
        taken.metrics = self.user.take().collect();
        taken.generator = std::mem::take(&mut self.generator);
        taken
    }

    fn journey_ended(&mut self, entry: EntryId, end: &JourneyEnd) {
        let Some(entry) = self.entries.get_mut(entry.index()) else {
            return;
        };
        let statistics = &mut entry.statistics;
        match end.outcome {
            Outcome::Completed => {
                statistics.completed += 1;
                if end.service_time == end.response_time {
                    entry.prompt_time.record(end.service_time);
                } else {
                    statistics.service_time.record(end.service_time);
                    statistics.response_time.record(end.response_time);
                }
            }
            Outcome::Failed => {
                statistics.failed += 1;
                statistics.failed_time.record(end.response_time);
            }
            Outcome::Interrupted => statistics.interrupted += 1,
        }
    }

    fn request(&mut self, entry: EntryId, transaction: TransactionId, request: &HttpRequest<'_>) {
        let Some(entry) = self.entries.get(entry.index()) else {
            return;
        };
        self.http.record(request);
        if request.sent {
            self.requests.record(entry.journey, transaction, request);
        }
        if request.error == Some("interrupted") {
            let message = ["given up before its answer was complete: ", request.name];
            self.errors
                .record(entry.journey, transaction, "interrupted", "", &message);
        }
    }

    fn failure(&mut self, entry: EntryId, transaction: TransactionId, failure: &Failure<'_>) {
        if let Some(entry) = self.entries.get(entry.index()) {
            let message = [failure.message];
            self.errors.record(
                entry.journey,
                transaction,
                failure.kind,
                failure.location,
                &message,
            );
        }
    }
}

/// The transactions seen, each a number; 0 is outside any, then comes the overflow of each journey.
#[derive(Debug)]
struct Transactions {
    /// Those asked for lately, each at the place its key falls on: what comes again and again need
    /// not be hashed.
    recent: [Option<Recent>; RECENT],
    names: Names,
    ids: FxHashMap<TransactionName, TransactionId>,
    rows: Vec<TransactionRow>,
    order: RowOrder,
    /// How many rows are not transactions of their own.
    fixed: usize,
    cap: usize,
    empty: Arc<str>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TransactionName {
    journey: u32,
    parent: TransactionId,
    name: u32,
}

/// How many transactions are remembered by what they were asked for with.
const RECENT: usize = 8;

/// One of them.
#[derive(Debug)]
struct Recent {
    journey: u32,
    parent: TransactionId,
    name: Box<str>,
    id: TransactionId,
}

#[derive(Debug)]
struct TransactionRow {
    journey: u32,
    path: Arc<str>,
    statistics: TransactionStatistics,
}

impl Transactions {
    fn new(journeys: &[Arc<str>], cap: usize) -> Self {
        let row = |journey, path: &str| TransactionRow {
            journey,
            path: path.into(),
            statistics: TransactionStatistics::default(),
        };
        let mut rows = vec![row(u32::MAX, "")];
        rows.extend((0..).zip(journeys).map(|(journey, _)| row(journey, MORE)));
        Self {
            recent: Default::default(),
            names: Names::new(cap),
            ids: FxHashMap::default(),
            fixed: rows.len(),
            rows,
            order: RowOrder::default(),
            cap,
            empty: "".into(),
        }
    }

    fn id(&mut self, journey: u32, parent: TransactionId, name: &str) -> TransactionId {
        let place = (parent.0 ^ journey) as usize ^ name.len();
        if let Some(Some(recent)) = self.recent.get(place % RECENT)
            && recent.journey == journey
            && recent.parent == parent
            && *recent.name == *name
        {
            return recent.id;
        }
        let id = self.look_up(journey, parent, name);
        if let (Some(recent), Cow::Borrowed(name)) =
            (self.recent.get_mut(place % RECENT), kept(name))
        {
            *recent = Some(Recent {
                journey,
                parent,
                name: name.into(),
                id,
            });
        }
        id
    }

    fn look_up(&mut self, journey: u32, parent: TransactionId, name: &str) -> TransactionId {
        let overflow = TransactionId(journey.saturating_add(1));
        if parent == overflow {
            return overflow;
        }
        let Some(name_number) = self.names.number(name) else {
            return overflow;
        };
        let key = TransactionName {
            journey,
            parent,
            name: name_number,
        };
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        if self.rows.len() - self.fixed >= self.cap {
            return overflow;
        }
        let name = kept(name);
        let path = match self.path(parent).as_ref() {
            "" => name.into(),
            outer => format!("{outer} :: {name}").into(),
        };
        let id = TransactionId(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        self.rows.push(TransactionRow {
            journey,
            path,
            statistics: TransactionStatistics::default(),
        });
        self.ids.insert(key, id);
        id
    }

    fn path(&self, id: TransactionId) -> &Arc<str> {
        self.rows
            .get(id.0 as usize)
            .map_or(&self.empty, |row| &row.path)
    }

    fn ended(&mut self, id: TransactionId, end: &TransactionEnd) {
        let Some(row) = self.rows.get_mut(id.0 as usize) else {
            return;
        };
        let statistics = &mut row.statistics;
        statistics.count += 1;
        if end.failed {
            statistics.errors += 1;
            statistics.failed_time.record(end.time);
        } else {
            statistics.time.record(end.time);
        }
    }

    fn take(&mut self, journeys: &[Arc<str>]) -> Capped<TransactionKey, TransactionStatistics> {
        let key = |row: &TransactionRow| {
            Some(TransactionKey {
                journey: journeys.get(row.journey as usize)?.clone(),
                transaction: row.path.clone(),
            })
        };
        let key_of = |index: usize| self.rows.get(index).and_then(key);
        let order = self.order.of(self.rows.len(), |one, other| {
            key_of(one).cmp(&key_of(other))
        });
        let sampled = self.rows.iter().filter(|row| row.statistics.count > 0);
        let (mut own, mut more) = (Vec::with_capacity(sampled.count()), Vec::new());
        for &index in order {
            let Some(row) = self.rows.get_mut(index) else {
                continue;
            };
            if row.statistics.count == 0 {
                continue;
            }
            let Some(key) = key(row) else { continue };
            let rows = if index < self.fixed {
                &mut more
            } else {
                &mut own
            };
            rows.push((key, std::mem::take(&mut row.statistics)));
        }
        let mut taken = Capped::of(own);
        for (key, statistics) in more {
            taken.add_overflow(key, statistics);
        }
        taken
    }
}
