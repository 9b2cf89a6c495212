//! A worker thread: one runtime, its journeys, its connections and its statistics.
//!
//! Nothing here is shared with other workers. What is due is worked out from the targets alone, so a
//! worker keeps up its share without being told again.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
};

use super::{
    RunnerSettings, alarm::Alarm, entry::Entry, rounds::Rounds, thread_clock::ThreadClock,
};
use crate::{
    context::{Scope, ScopeSettings, Shared},
    id::EntryId,
    link::{Cover, Message, Order, Snapshot},
    trace::Tracer,
};

/// What one worker is made of.
pub(super) struct WorkerSettings {
    pub(super) runner: RunnerSettings,
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
}

/// The worker's way to its desk.
#[derive(Clone)]
pub(super) struct Outbox {
    worker: usize,
    messages: UnboundedSender<(usize, Message)>,
}

impl Outbox {
    pub(super) fn new(worker: usize, messages: UnboundedSender<(usize, Message)>) -> Self {
        Self { worker, messages }
    }

    pub(super) fn send(&self, message: Message) {
        // Nobody listens any more once the desk has given the worker up.
        let _ = self.messages.send((self.worker, message));
    }
}

/// A worker, as its loop and its journeys see it.
pub(super) struct Worker {
    pub(super) scope: Rc<Scope>,
    pub(super) entries: Vec<Entry>,
    pub(super) outbox: Outbox,
    pub(super) max_start_delay: Duration,
    /// Users this worker may add each second.
    pub(super) spawn_rate: f64,
    /// When the next user may be added, of whichever entry, by the spawn rate.
    pub(super) next_spawn: Cell<Duration>,
    /// The entry that is to add the next user.
    pub(super) turn: Cell<usize>,
    index: usize,
    max_in_flight: usize,
    in_flight: Cell<usize>,
    drained: Cell<bool>,
    snapshot_due: Cell<u64>,
    cpu: ThreadClock,
    pub(super) rounds: Rounds,
}

/// Runs a worker from its first order to its last word.
///
/// However it ends, it says goodbye, so that nobody waits for it.
pub(super) fn main(settings: WorkerSettings, orders: UnboundedReceiver<Order>, outbox: &Outbox) {
    let _goodbye = Goodbye(outbox);
    match Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
    {
        Ok(runtime) => {
            let precise = settings.runner.precise;
            let worker = Worker::new(settings, orders, outbox.clone());
            runtime.block_on(async {
                let alarm = if precise {
                    Alarm::Precise(worker.cpu.idle())
                } else {
                    Alarm::fine()
                };
                Rc::clone(&worker).run(alarm, Alarm::fine()).await;
            });
            // Cuts whatever is still in flight; each takes note of its own end.
            drop(runtime);
            worker.farewell();
        }
        Err(error) => tracing::error!("a worker thread cannot start its runtime: {error}"),
    }
}

/// Says goodbye when it is dropped, be it by a panic.
struct Goodbye<'a>(&'a Outbox);

impl Drop for Goodbye<'_> {
    fn drop(&mut self) {
        let panicked = std::thread::panicking();
        self.0.send(if panicked {
            Message::Died
        } else {
            Message::Bye
        });
    }
}

impl Worker {
    /// A worker that has not been told anything yet.
    pub(super) fn new(
        settings: WorkerSettings,
        orders: UnboundedReceiver<Order>,
        outbox: Outbox,
    ) -> Rc<Self> {
        let WorkerSettings {
            runner,
            shared,
            index,
        } = settings;
        let workers = runner.workers.max(1);
        let tap = runner.tap.map(|make| make(&runner.config, runner.clock));
        let trace = runner.trace;
        let is_elsewhere = runner.machine.is_some();
        let scope = Rc::new(Scope::new(ScopeSettings {
            clock: runner.clock,
            journeys: runner
                .entries
                .iter()
                .map(|entry| Arc::from(entry.journey.name()))
                .collect(),
            metrics: runner.metrics,
            series_cap: runner.series_cap,
            config: runner.config,
            shared,
            tap,
            keep: runner.keep,
            tracer: trace.and_then(|trace| Tracer::new(trace, runner.seed, workers, index)),
        }));
        let entries = (0..).map(EntryId).zip(&runner.entries);
        Rc::new(Self {
            scope,
            entries: entries
                .map(|(id, entry)| Entry::new(id, entry, runner.seed))
                .collect(),
            outbox,
            max_start_delay: runner.max_start_delay,
            spawn_rate: runner.spawn_rate,
            next_spawn: Cell::new(Duration::ZERO),
            turn: Cell::new(0),
            index,
            // The limit is the runner's; each worker has its share of it.
            max_in_flight: (runner.max_in_flight + workers - 1 - index.min(workers - 1)) / workers,
            in_flight: Cell::new(0),
            drained: Cell::new(false),
            snapshot_due: Cell::new(0),
            cpu: ThreadClock::start(runner.clock.elapsed()),
            rounds: Rounds::new(orders, is_elsewhere),
        })
    }

    /// The entry of that number, if the scenario has it.
    pub(super) fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(id.index())
    }

    /// Whether another journey may be in flight.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight.get() < self.max_in_flight
    }

    /// One more is in flight.
    pub(super) fn enter(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
    }

    /// One fewer is in flight, which may be what a start or the end of the run waits for.
    pub(super) fn leave(self: &Rc<Self>) {
        let full = !self.has_room();
        self.in_flight.set(self.in_flight.get().saturating_sub(1));
        if full || self.scope.is_stopping() {
            self.nudge();
        }
    }

    /// Says once that nothing is in flight any more and nothing will be.
    pub(super) fn tell_if_drained(&self) {
        if self.scope.is_stopping() && self.in_flight.get() == 0 && !self.drained.replace(true) {
            self.outbox.send(Message::Drained);
        }
    }

    /// Sends what happened in the seconds before `second`, unless that has been done.
    pub(super) fn send_snapshot_before(&self, second: u64) {
        if second > self.snapshot_due.get() {
            self.snapshot(second, false);
        }
    }

    /// Sends what happened in the seconds before `second`.
    fn snapshot(&self, second: u64, last: bool) {
        let now = self.scope.clock().elapsed();
        for entry in &self.entries {
            self.flush_data(entry);
            let time = entry.user_time(now);
            let waits = entry.open.borrow_mut().take_waits();
            self.scope.recorder().users(entry.id, time);
            self.scope.recorder().waited(entry.id, waits);
        }
        let mut statistics = self.scope.recorder().take();
        let cpu = self.cpu.lap(now);
        statistics.generator.cpu = cpu;
        self.scope.flush();
        let cover = Cover {
            worker: u32::try_from(self.index).unwrap_or(u32::MAX),
            first: self.snapshot_due.replace(second),
            until: second,
            last,
            cpu,
        };
        self.outbox.send(Message::Snapshot(Box::new(Snapshot {
            covers: vec![cover],
            statistics,
        })));
    }

    /// Sends the last statistics and gives back the data that nobody had.
    pub(super) fn farewell(&self) {
        for entry in &self.entries {
            self.return_data(entry);
        }
        self.snapshot(self.scope.clock().elapsed().as_secs() + 1, true);
    }
}
