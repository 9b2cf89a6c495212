//! The rounds of a worker: obey what was ordered, do what is due, wait for more.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    time::Duration,
};

use tokio::{
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, error::TryRecvError},
    },
    task::spawn_local,
    time::Instant,
};

use super::{alarm::Alarm, worker::Worker};
use crate::{
    context::Scope,
    link::{Message, Order},
};

/// How often the loop is asked whether it comes round in time.
const LAG_PROBE: Duration = Duration::from_millis(50);

/// How far ahead a worker looks when nothing at all is due.
const IDLE: Duration = Duration::from_secs(1);

/// How long journeys that never wait may keep a worker from its orders.
const GLANCE: Duration = Duration::from_millis(1);

/// A worker that did not come round for so long may have been given up: sooner than that it is not.
const STILL: Duration = Duration::from_millis(2500);

/// How many journeys of an entry are started in one round.
const STARTS_A_ROUND: usize = 256;

/// How long journeys have the thread to themselves between two rounds.
const BREATH: Duration = Duration::from_micros(100);

/// What a worker's loop keeps from one round to the next.
pub(super) struct Rounds {
    orders: RefCell<UnboundedReceiver<Order>>,
    nudge: Notify,
    /// When something will be due next.
    due: Cell<Instant>,
    /// When a journey that ends has to let the worker go round.
    glance: Cell<Instant>,
    /// Whether the worker has been told to cut whatever is in flight.
    cut: Cell<bool>,
    /// When it last went round, where a controller elsewhere may give up a runner that stands still.
    last: Option<Cell<Duration>>,
    /// Whether it is to start nothing until the controller has been heard.
    held: Cell<bool>,
}

impl Rounds {
    /// The rounds of a worker that listens to `orders` of a controller in this process or elsewhere.
    pub(super) fn new(orders: UnboundedReceiver<Order>, is_elsewhere: bool) -> Self {
        let now = Instant::now();
        Self {
            orders: RefCell::new(orders),
            nudge: Notify::new(),
            due: Cell::new(now),
            glance: Cell::new(now),
            cut: Cell::new(false),
            last: is_elsewhere.then(|| Cell::new(Duration::MAX)),
            held: Cell::new(false),
        }
    }

    /// Whether it has stood still until `now`, for so long that it may have been given up.
    fn stood_still(&self, now: Duration) -> bool {
        let last = self.last.as_ref().map(|last| last.replace(now));
        last.is_some_and(|last| now.saturating_sub(last) > STILL)
    }

    /// The next order; `None` when there will be none any more.
    async fn order(&self) -> Option<Order> {
        poll_fn(|task| self.orders.borrow_mut().poll_recv(task)).await
    }

    /// The next order, if it has come already; `None` within when there will be none any more.
    fn order_at_hand(&self) -> Option<Option<Order>> {
        match self.orders.borrow_mut().try_recv() {
            Ok(order) => Some(Some(order)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(None),
        }
    }
}

impl Worker {
    /// Does what is due and obeys orders until it is told to cut.
    pub(super) async fn run(self: Rc<Self>, mut alarm: Alarm, probe: Alarm) {
        spawn_local(probe_lag(Rc::clone(&self.scope), probe));
        while self.go_round() {
            tokio::select! {
                biased;
                order = self.rounds.order() => self.obey(order),
                () = self.rounds.nudge.notified() => {}
                () = alarm.wait_until(self.rounds.due.get()) => {}
            }
        }
    }

    /// Lets the loop come round again now.
    pub(super) fn nudge(&self) {
        self.rounds.nudge.notify_one();
    }

    /// Whether nothing is to begin any more.
    pub(super) fn is_cut(&self) -> bool {
        self.rounds.cut.get()
    }

    /// To be called when a journey has ended, at `now`: others that are due, and orders, do not have
    /// to wait until the runtime has done with all tasks that are ready.
    ///
    /// True when that took some of the thread's time.
    pub(super) fn attend(self: &Rc<Self>, now: Instant) -> bool {
        let attends = now >= self.rounds.glance.get();
        if attends {
            self.go_round();
            // The alarm is set to what was due before.
            self.nudge();
        }
        attends
    }

    /// Obeys what was ordered and does what is due; false once it has been told to cut.
    fn go_round(self: &Rc<Self>) -> bool {
        while let Some(order) = self.rounds.order_at_hand() {
            self.obey(order);
            if self.is_cut() {
                break;
            }
        }
        if self.is_cut() {
            return false;
        }
        let clock = self.scope.clock();
        let now = clock.elapsed();
        if self.rounds.stood_still(now) {
            self.rounds.held.set(true);
            self.outbox.send(Message::StoodStill);
        }
        if self.rounds.held.get() {
            self.rounds.due.set(clock.instant(now + IDLE));
            self.rounds.glance.set(clock.instant(now + GLANCE));
            return true;
        }
        let next = self.step(now);
        self.rounds.due.set(clock.instant(next));
        // However far it is behind, what has been started comes to its turn in between.
        let breath = clock.elapsed() + BREATH;
        self.rounds
            .glance
            .set(clock.instant(next.min(now + GLANCE).max(breath)));
        true
    }

    /// Does all that is due at `now`, and says when something will be due next.
    fn step(self: &Rc<Self>, now: Duration) -> Duration {
        let second = now.as_secs();
        self.send_snapshot_before(second);
        let mut next = Duration::from_secs(second + 1).min(now + IDLE);
        // Entries take turns, since the spawn rate is that of all of them.
        let turn = self.turn.get() % self.entries.len().max(1);
        let (later, first) = self.entries.split_at(turn);
        for entry in first.iter().chain(later) {
            let users = self.step_users(entry, now);
            let starts = self.step_open(entry, now, STARTS_A_ROUND);
            for due in [users, starts] {
                next = next.min(due.unwrap_or(next));
            }
        }
        self.tell_if_drained();
        next
    }

    fn obey(self: &Rc<Self>, order: Option<Order>) {
        match order {
            Some(Order::Target {
                entry,
                segment,
                share,
            }) => {
                if let Some(entry) = self.entry(entry) {
                    entry.retarget(&segment, share);
                }
            }
            Some(Order::Data { entry, order }) => {
                if let Some(entry) = self.entry(entry) {
                    self.obey_data(entry, order);
                }
            }
            Some(Order::Drain { at }) => self.drain(at),
            Some(Order::GoOn) => self.rounds.held.set(false),
            // The desk sees to it.
            Some(Order::Begin { .. } | Order::Release { .. }) => {}
            Some(Order::Cut) | None => self.rounds.cut.set(true),
        }
    }

    /// Starts what was due before `at`, gives up what cannot start, and lets the users go.
    fn drain(self: &Rc<Self>, at: Duration) {
        // What came due while it stood still is not its own any more.
        if !self.rounds.held.replace(false) {
            for entry in &self.entries {
                self.step_open(entry, at, usize::MAX);
            }
        }
        self.scope.stop();
        for entry in &self.entries {
            self.close_open(entry);
            self.dismiss_users(entry);
        }
    }
}

/// Measures how late the loop comes round to a task that is ready.
async fn probe_lag(scope: Rc<Scope>, mut alarm: Alarm) {
    let mut due = Instant::now() + LAG_PROBE;
    loop {
        alarm.wait_until(due).await;
        let now = Instant::now();
        // A loop that is held up for long misses many probes, each of them late: were it one, a
        // second of standing still would count no more than a twentieth of a second.
        while due <= now {
            scope.recorder().loop_lag(now - due);
            due += LAG_PROBE;
        }
    }
}
