//! The data of an entry inside one worker: what is in stock, and who waits for it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{entry::Entry, worker::Worker};
use crate::{
    datapool::{Policy, Stash, lease},
    id::EntryId,
    link::Message,
};

/// The time that what is in stock should last for.
const LOOKAHEAD: Duration = Duration::from_millis(100);

/// How many recyclable items a worker asks for at first.
const FIRST_STEP: usize = 4;

/// What a journey of an entry can be given.
pub(super) struct Supply {
    stash: RefCell<Stash>,
    /// Users that wait for an item, in order.
    queue: RefCell<VecDeque<oneshot::Sender<()>>>,
    policy: Policy,
    pulse: Cell<Pulse>,
}

/// How many items were taken lately.
#[derive(Clone, Copy, Default)]
struct Pulse {
    since: Duration,
    count: usize,
    last: usize,
}

impl Pulse {
    fn lately(self) -> usize {
        self.count.max(self.last)
    }

    fn beat(mut self, now: Duration) -> Self {
        if now.saturating_sub(self.since) >= LOOKAHEAD {
            self.last = std::mem::take(&mut self.count);
            self.since = now;
        }
        self.count += 1;
        self
    }
}

impl Supply {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            stash: RefCell::new(Stash::new(policy)),
            queue: RefCell::default(),
            policy,
            pulse: Cell::default(),
        }
    }

    /// A place in the queue; it is called, or finds out that there will be nothing more.
    pub(super) fn queue(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.queue.borrow_mut().push_back(sender);
        receiver
    }

    /// Calls the first in the queue that is still there.
    fn call_next(&self) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            if next.is_none_or(|next| next.send(()).is_ok()) {
                return;
            }
        }
    }

    /// Calls as many as there are items for.
    fn call_all(&self) {
        let idle = match self.policy {
            Policy::Shared => usize::MAX,
            Policy::Recycle | Policy::Once => self.stash.borrow().idle(),
        };
        let waiting = self.queue.borrow().len();
        for _ in 0..idle.min(waiting) {
            self.call_next();
        }
    }

    /// How many wait and have not gone away.
    fn waiting(&self) -> usize {
        let mut queue = self.queue.borrow_mut();
        queue.retain(|waiter| !waiter.is_closed());
        queue.len()
    }
}

/// An item that a journey has; dropping it gives it back, also when the journey is cut.
pub(super) struct Held {
    worker: Rc<Worker>,
    entry: EntryId,
    item: Option<lease::Item>,
}

impl Held {
    /// The item, encoded.
    pub(super) fn data(&self) -> &Bytes {
        static NOTHING: Bytes = Bytes::new();
        self.item.as_ref().map_or(&NOTHING, |item| &item.data)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(item), Some(entry)) = (self.item.take(), self.worker.entry(self.entry)) {
            self.worker.put_back(entry, item);
        }
    }
}

impl Worker {
    /// An item for a journey, if there is one in stock.
    pub(super) fn take(self: &Rc<Self>, entry: &Entry) -> Option<Held> {
        let supply = &entry.supply;
        let item = supply.stash.borrow_mut().take();
        if item.is_some() && supply.policy != Policy::Shared {
            let now = self.scope.clock().elapsed();
            supply.pulse.set(supply.pulse.get().beat(now));
        }
        item.map(|item| Held {
            worker: Rc::clone(self),
            entry: entry.id,
            item: Some(item),
        })
    }

    /// Tells the desk what is lacking and gives up what is owed, if that has changed.
    pub(super) fn report_data(&self, entry: &Entry) {
        if entry.over.get() {
            return;
        }
        let supply = &entry.supply;
        let waiting = supply.waiting() + entry.open.borrow().waiting();
        let at_hand = match supply.policy {
            // All of the pool is to go round, not just the few items that are needed at a time. It
            // is asked for in growing steps, so that workers end up with about as much each.
            // A worker that has never needed one leaves them to those that do.
            Policy::Recycle if supply.pulse.get().lately() == 0 => 0,
            Policy::Recycle => {
                let stash = supply.stash.borrow();
                stash.idle() + stash.held().max(FIRST_STEP)
            }
            Policy::Once | Policy::Shared => supply.pulse.get().lately(),
        };
        let report = entry.supply.stash.borrow_mut().report(waiting, at_hand);
        self.send_data(entry, report);
    }

    /// Items have come, or there will be no more, or others need some.
    pub(super) fn obey_data(self: &Rc<Self>, entry: &Entry, order: lease::Order) {
        let over = {
            let mut stash = entry.supply.stash.borrow_mut();
            stash.obey(order);
            stash.is_over()
        };
        if over {
            self.end_for_want_of_data(entry);
        } else {
            entry.supply.call_all();
            self.report_data(entry);
        }
        self.nudge();
    }

    /// Tells the desk which once-only items journeys have had.
    pub(super) fn flush_data(&self, entry: &Entry) {
        let report = entry.supply.stash.borrow_mut().flush();
        self.send_data(entry, report);
    }

    /// Gives back what no journey had, before the worker goes.
    pub(super) fn return_data(&self, entry: &Entry) {
        let report = entry
            .supply
            .stash
            .replace(Stash::new(Policy::Shared))
            .leave();
        self.send_data(entry, Some(report));
    }

    /// Forgets everybody who waits for an item.
    pub(super) fn send_away(&self, entry: &Entry) {
        entry.supply.queue.borrow_mut().clear();
    }

    fn put_back(self: &Rc<Self>, entry: &Entry, item: lease::Item) {
        if entry.supply.policy == Policy::Shared {
            return;
        }
        let over = {
            let mut stash = entry.supply.stash.borrow_mut();
            stash.put_back(item);
            stash.is_over()
        };
        if over && !entry.over.get() {
            self.end_for_want_of_data(entry);
        }
        entry.supply.call_next();
        self.report_data(entry);
        if entry.open.borrow().waiting() > 0 {
            self.nudge();
        }
    }

    /// There is no more data: nobody waits any longer, and nothing starts any more.
    fn end_for_want_of_data(self: &Rc<Self>, entry: &Entry) {
        entry.over.set(true);
        entry.open.borrow_mut().clear();
        self.dismiss_users(entry);
        self.flush_data(entry);
    }

    fn send_data(&self, entry: &Entry, report: Option<lease::Report>) {
        if let Some(report) = report {
            self.outbox.send(Message::Data {
                entry: entry.id,
                report,
            });
        }
    }
}
