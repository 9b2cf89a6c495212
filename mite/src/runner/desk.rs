//! The desk of a runner: passes orders to its workers and their messages to the controller, and
//! shares out the data its workers ask for.

use std::time::Duration;

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
    time::{Instant, interval},
};

use super::{
    MachineSource, RunnerSettings, SentSource,
    gathering::Gathering,
    leaving::{Departure, Step, sleep_till},
};
use crate::{
    datapool::{
        broker::{Action, Broker},
        lease,
    },
    id::EntryId,
    link::{Message, Order, RunnerEnd, Snapshot},
};

/// How long workers may take to go after they were told to; one that takes longer is stuck.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often it is told how the machine is.
const LOOK: Duration = Duration::from_secs(5);

/// How often the controller is told that what is to be kept elsewhere is still being sent.
const SENDING: Duration = Duration::from_secs(1);

/// How often spent data is reported.
const FLUSH: Duration = Duration::from_millis(200);

/// The state of the desk.
pub(super) struct Desk {
    link: RunnerEnd,
    workers: Vec<WorkerSeat>,
    brokers: Vec<Broker<usize>>,
    gathering: Gathering,
    departure: Departure,
    machine: Option<MachineSource>,
    sent: Option<SentSource>,
}

/// What the desk knows of one worker.
struct WorkerSeat {
    orders: UnboundedSender<Order>,
    drained: bool,
    gone: bool,
}

impl Desk {
    /// A desk for workers that listen on `orders`.
    pub(super) fn new(
        settings: &RunnerSettings,
        orders: Vec<UnboundedSender<Order>>,
        link: RunnerEnd,
    ) -> Self {
        Self {
            link,
            gathering: Gathering::new(orders.len()),
            workers: orders
                .into_iter()
                .map(|orders| WorkerSeat {
                    orders,
                    drained: false,
                    gone: false,
                })
                .collect(),
            brokers: settings
                .entries
                .iter()
                .map(|entry| Broker::relay(entry.policy))
                .collect(),
            departure: Departure::new(settings.leaving.clone(), settings.clock),
            machine: settings.machine.clone(),
            sent: settings.sent.clone(),
        }
    }

    /// Serves until every worker has gone, or has had its time to go.
    pub(super) async fn serve(mut self, mut inbox: UnboundedReceiver<(usize, Message)>) {
        let mut flush = interval(FLUSH);
        let mut look = interval(LOOK);
        while !self.has_left() {
            let late = self.gathering.late_at();
            tokio::select! {
                step = self.departure.step() => match step {
                    Step::Ask => self.link.send(Message::Leaving),
                    Step::Drain(at) => self.tell_all(&Order::Drain { at }),
                    Step::Cut => break,
                },
                () = sleep_till(late) => {
                    let late = self.gathering.late(Instant::now());
                    self.report(late);
                }
                _ = flush.tick() => self.flush_data(),
                _ = look.tick() => self.tell_machine(),
                order = self.link.receive() => match order {
                    Some(Order::Cut) | None => break,
                    Some(order) => self.obey(order),
                },
                Some((worker, message)) = inbox.recv() => self.hear(worker, message),
            }
        }
        self.tell_all(&Order::Cut);
        let farewell = async {
            while !self.workers.iter().all(|worker| worker.gone) {
                let Some((worker, message)) = inbox.recv().await else {
                    break;
                };
                self.hear(worker, message);
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        let rest = self.gathering.finish();
        self.report(rest);
        self.return_data();
        self.tell_machine();
        self.tell_sent().await;
        self.link.send(Message::Bye);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Target {
                entry,
                segment,
                share,
            } => {
                let workers = u32::try_from(self.workers.len()).unwrap_or(u32::MAX);
                for (worker, seat) in (0..).zip(&self.workers) {
                    let share = share.part(worker, workers, entry.0);
                    seat.tell(Order::Target {
                        entry,
                        segment: segment.clone(),
                        share,
                    });
                }
            }
            Order::Data { entry, order } => self.obey_data(entry, order),
            Order::Release { at } => self.departure.release(at),
            // Has been obeyed by whoever started this runner.
            Order::Begin { .. } => {}
            order @ (Order::GoOn | Order::Drain { .. } | Order::Cut) => self.tell_all(&order),
        }
    }

    fn obey_data(&mut self, entry: EntryId, order: lease::Order) {
        let is_last = order == lease::Order::Exhausted;
        self.broker(entry, |broker| broker.obey(order));
        let brokers = &self.brokers;
        let is_used_up = brokers.get(entry.index()).is_some_and(Broker::is_empty);
        if is_last && is_used_up {
            // Those too that have not said yet that they wait: the order to end may be the next.
            let order = lease::Order::Exhausted;
            self.tell_all(&Order::Data { entry, order });
        }
    }

    fn hear(&mut self, worker: usize, message: Message) {
        match message {
            Message::Data { entry, report } => {
                self.broker(entry, |broker| broker.report(worker, report));
            }
            Message::Drained => self.drained(worker),
            Message::Bye => self.gone(worker, |broker| {
                broker.leave(worker, lease::Report::default())
            }),
            Message::Died => self.gone(worker, |broker| broker.lost(worker)),
            Message::Snapshot(snapshot) => {
                let complete = self.gathering.add(Instant::now(), *snapshot);
                self.report(complete);
            }
            Message::StoodStill => self.link.send(message),
            // No worker says these.
            Message::Hello(_)
            | Message::Machine(_)
            | Message::Leaving
            | Message::Lost
            | Message::Sending
            | Message::Sent(_) => {}
        }
    }

    /// A worker is no more; `release` takes it from the data.
    fn gone(&mut self, worker: usize, release: impl Fn(&mut Broker<usize>) -> Vec<Action<usize>>) {
        if let Some(seat) = self.workers.get_mut(worker) {
            seat.gone = true;
        }
        let complete = self.gathering.leave(worker);
        self.report(complete);
        for entry in (0..self.brokers.len()).filter_map(|entry| u32::try_from(entry).ok()) {
            self.broker(EntryId(entry), &release);
        }
        self.drained(worker);
    }

    /// Tells what the workers have counted.
    fn report(&self, snapshots: Vec<Snapshot>) {
        for snapshot in snapshots {
            self.link.send(Message::Snapshot(Box::new(snapshot)));
        }
    }

    /// A worker has nothing in flight any more.
    fn drained(&mut self, worker: usize) {
        if let Some(seat) = self.workers.get_mut(worker) {
            seat.drained = true;
        }
        if self.is_drained() {
            self.link.send(Message::Drained);
        }
    }

    fn is_drained(&self) -> bool {
        self.workers.iter().all(|worker| worker.drained)
    }

    /// Whether nobody has to be waited for before the runner leaves as it was told to.
    fn has_left(&self) -> bool {
        self.departure.is_on_its_way() && self.is_drained()
    }

    /// Lets the broker of an entry act, and does what it says.
    fn broker(
        &mut self,
        entry: EntryId,
        act: impl FnOnce(&mut Broker<usize>) -> Vec<Action<usize>>,
    ) {
        let Some(broker) = self.brokers.get_mut(entry.index()) else {
            return;
        };
        for action in act(broker) {
            match action {
                Action::Order(holder, order) => self.tell(holder, Order::Data { entry, order }),
                Action::Report(report) => self.link.send(Message::Data { entry, report }),
                // Only a broker over a pool draws from it and checks in.
                Action::Draw(_) | Action::Checkin { .. } => {}
            }
        }
    }

    /// Gives back the data that nobody had; what a stuck worker holds is lost.
    fn return_data(&mut self) {
        for (entry, broker) in (0..).map(EntryId).zip(self.brokers.drain(..)) {
            for action in broker.close() {
                if let Action::Report(report) = action {
                    self.link.send(Message::Data { entry, report });
                }
            }
        }
    }

    /// Passes on which once-only items journeys have had.
    fn flush_data(&mut self) {
        for (entry, broker) in (0..).map(EntryId).zip(&mut self.brokers) {
            if let Some(report) = broker.flush() {
                self.link.send(Message::Data { entry, report });
            }
        }
    }

    /// Tells how process and machine are.
    fn tell_machine(&self) {
        if let Some(machine) = &self.machine {
            self.link.send(Message::Machine(Box::new(machine())));
        }
    }

    /// Waits until what was to be kept elsewhere has been sent, and tells what became of it.
    async fn tell_sent(&self) {
        let Some(sent) = &self.sent else { return };
        let sent = sent();
        tokio::pin!(sent);
        let mut patience = interval(SENDING);
        loop {
            tokio::select! {
                biased;
                sent = &mut sent => {
                    self.link.send(Message::Sent(Box::new(sent)));
                    return;
                }
                _ = patience.tick() => self.link.send(Message::Sending),
            }
        }
    }

    fn tell(&self, worker: usize, order: Order) {
        if let Some(seat) = self.workers.get(worker) {
            seat.tell(order);
        }
    }

    fn tell_all(&self, order: &Order) {
        for seat in &self.workers {
            seat.tell(order.clone());
        }
    }
}

impl WorkerSeat {
    fn tell(&self, order: Order) {
        // A worker that has gone needs no orders.
        let _ = self.orders.send(order);
    }
}
