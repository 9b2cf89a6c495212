//! Doors to parts that have no public one, for the benches of this repository: no part of the
//! interface, and only there with the feature `bench`.
//!
//! What a benchmark of a whole run cannot tell apart is reached here, and nothing else: a bench of
//! the public interface is to be preferred.

#[cfg(feature = "nats")]
mod crew;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method;

use crate::{
    archive,
    config::Config,
    datapool::{Item, Policy, Stash, lease::Order},
    event::{Event, HttpRequest, Tap, Timings, TransactionEnd, What},
    id::{EntryId, ItemId, TransactionId},
    stats,
    volume::{
        Unit,
        schedule::{Arrivals, Segment, Share},
    },
};

#[cfg(feature = "nats")]
pub use crew::simulate;

const ENTRY: EntryId = EntryId(0);

/// Where a worker that runs one journey counts.
pub struct Recorder(stats::Recorder);

/// A transaction that the recorder knows.
#[derive(Clone, Copy, Debug)]
pub struct Transaction(TransactionId);

/// What was counted in a while.
#[derive(Clone)]
pub struct Snapshot(stats::Statistics);

impl Recorder {
    /// Nothing counted yet, and room for `cap` series a metric.
    pub fn new(cap: usize) -> Self {
        let journeys = vec![Arc::from("benches::journey")];
        Self(stats::Recorder::new(journeys, cap, Vec::new()))
    }

    /// The transaction of this name, as it is looked up each time one begins.
    pub fn transaction(&mut self, name: &str) -> Transaction {
        Transaction(self.0.transaction(ENTRY, TransactionId::ROOT, name))
    }

    /// Counts the end of a transaction.
    pub fn transaction_ended(&mut self, transaction: Transaction, time: Duration) {
        let end = TransactionEnd {
            time,
            failed: false,
        };
        self.record(transaction, &What::Transaction(&end));
    }

    /// Counts a request on a kept connection that was answered with 200.
    pub fn request_ended(&mut self, transaction: Transaction, name: &str, time: Duration) {
        answered(name, time, |what| self.record(transaction, what));
    }

    /// Hands over what was counted since the last time, as a worker does once a second.
    pub fn take(&mut self) -> Snapshot {
        Snapshot(self.0.take())
    }

    fn record(&mut self, transaction: Transaction, what: &What<'_>) {
        self.0.record(Duration::ZERO, ENTRY, transaction.0, what);
    }
}

/// A request on a kept connection that was answered with 200.
fn answered(name: &str, time: Duration, tell: impl FnOnce(&What<'_>)) {
    let timings = Timings {
        sent: Some(time / 10),
        first_byte: Some(time / 10 * 8),
        body: Some(time / 10),
        total: time,
        bytes_sent: 60,
        bytes_received: 160,
        reused: true,
        ..Timings::default()
    };
    tell(&What::Http(&HttpRequest {
        name,
        method: &Method::GET,
        status: Some(200),
        failed: false,
        sent: true,
        error: None,
        timings: &timings,
        labels: &[],
    }));
}

/// What a worker does with its events when they are collected, onto a disk that costs nothing.
pub struct Collecting(Box<dyn Tap>);

impl Collecting {
    /// Records of this format, `msgpack` or `jsonl`, with these settings of the run.
    ///
    /// # Errors
    /// When there is no such format.
    pub fn new(format: &str, config: &Config) -> Result<Self, String> {
        archive::discarding_tap(format, config).map(Self)
    }

    /// Writes down the end of a transaction.
    pub fn transaction_ended(&mut self, time: Duration) {
        let end = TransactionEnd {
            time,
            failed: false,
        };
        self.tell(&What::Transaction(&end));
    }

    /// Writes down a request on a kept connection that was answered with 200.
    pub fn request_ended(&mut self, name: &str, time: Duration) {
        answered(name, time, |what| self.tell(what));
    }

    fn tell(&mut self, what: &What<'_>) {
        let event = Event {
            at: Duration::from_secs(1),
            journey: "benches::journey",
            transaction: "sign in :: log in",
            what: *what,
        };
        self.0.event(&event, 0);
    }
}

impl fmt::Debug for Collecting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Collecting")
    }
}

impl Snapshot {
    /// Adds what another worker counted in the same time.
    pub fn merge(&mut self, other: Snapshot) {
        self.0.merge(other.0);
    }
}

/// The items of a datapool that a worker holds.
#[derive(Debug)]
pub struct Items(Stash);

impl Items {
    /// So many recyclable items of 32 bytes.
    pub fn new(count: u64) -> Self {
        let mut stash = Stash::new(Policy::Recycle);
        let item = |number| Item {
            id: ItemId(number),
            data: Bytes::from(vec![0; 32]),
        };
        stash.obey(Order::Give((0..count).map(item).collect()));
        Self(stash)
    }

    /// Takes an item for a journey and puts it back; false when there was none.
    pub fn check_out_and_in(&mut self) -> bool {
        let item = self.0.take();
        let taken = item.is_some();
        if let Some(item) = item {
            self.0.put_back(item);
        }
        taken
    }
}

/// The starts of an open entry, as a worker takes them one by one.
#[derive(Debug)]
pub struct Pacer(Arrivals);

/// What a [`Pacer`] follows.
#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// 20,000 evenly spaced starts a second.
    Even,
    /// 20,000 starts a second on average, at random.
    Poisson,
    /// From none to 20,000 starts a second in an hour.
    Ramp,
}

impl Pacer {
    /// The pacer of the only worker.
    pub fn new(plan: Plan) -> Self {
        let mut arrivals = Arrivals::new(1);
        arrivals.set_share(Share::one(0, 1), 0);
        let ramps = matches!(plan, Plan::Ramp);
        arrivals.push(Segment {
            from: Duration::ZERO,
            until: ramps.then_some(Duration::from_secs(3600)),
            unit: Unit::PerSecond,
            start: if ramps { 0.0 } else { 20_000.0 },
            end: 20_000.0,
            base: 0.0,
            poisson: matches!(plan, Plan::Poisson),
        });
        Self(arrivals)
    }

    /// When the next start is due, which is then taken; `None` at the end of the plan.
    pub fn next_start(&mut self) -> Option<Duration> {
        self.0.next().map(|(_, due)| due)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Snapshot").finish_non_exhaustive()
    }
}
