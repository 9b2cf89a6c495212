//! The open model in one worker: starts when they are due, in order, and not when there is room.

use std::{collections::VecDeque, rc::Rc, time::Duration};

use tokio::{task::spawn_local, time::Instant};

use super::{
    entry::{Entry, mix},
    supply::Held,
    worker::Worker,
};
use crate::{
    id::EntryId,
    journey::{Start, run_once},
    stats::{WaitFor, Waits},
    volume::schedule::{Arrivals, Segment, Share},
};

/// What is due, and what has been due for a while.
pub(super) struct Open {
    seed: u64,
    arrivals: Arrivals,
    backlog: VecDeque<Due>,
    waiting: Waiting,
    in_flight: u64,
    share: Option<Share>,
}

/// A start that has come due.
#[derive(Clone, Copy)]
struct Due {
    number: u64,
    at: Duration,
}

/// What starts that are due wait for, and for how long they have.
#[derive(Default)]
struct Waiting {
    reason: WaitFor,
    /// Up to when it has been added up.
    counted: Duration,
    sums: Waits,
}

impl Open {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            arrivals: Arrivals::new(seed),
            backlog: VecDeque::new(),
            waiting: Waiting::default(),
            in_flight: 0,
            share: None,
        }
    }

    pub(super) fn retarget(&mut self, segment: &Segment, share: Share) {
        if self.share.replace(share) != Some(share) {
            self.arrivals.set_share(share, segment.first());
        }
        self.arrivals.push(segment.clone());
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Starts that wait for room or for data.
    pub(super) fn waiting(&self) -> usize {
        self.backlog.len()
    }

    /// How long starts have waited since this was last asked, by what for.
    pub(super) fn take_waits(&mut self) -> Waits {
        std::mem::take(&mut self.waiting.sums)
    }

    /// Forgets every start that is due or will be, and says how many were due.
    pub(super) fn clear(&mut self) -> usize {
        self.arrivals = Arrivals::new(self.seed);
        std::mem::take(&mut self.backlog).len()
    }

    /// Takes note of what has come due.
    fn collect(&mut self, now: Duration) {
        let standing = u32::try_from(self.backlog.len()).unwrap_or(u32::MAX);
        let mut waited = now.saturating_sub(self.waiting.counted) * standing;
        while self.arrivals.peek().is_some_and(|due| due <= now) {
            let Some((number, at)) = self.arrivals.next() else {
                break;
            };
            self.backlog.push_back(Due { number, at });
            waited += now.saturating_sub(at);
        }
        self.waiting.counted = now;
        self.waiting.sums.add(self.waiting.reason, waited);
    }
}

impl Worker {
    /// Starts what is due at `now` or earlier, and says when something will be due next.
    ///
    /// At most so many start, so that those get their turn before there are more.
    pub(super) fn step_open(
        self: &Rc<Self>,
        entry: &Entry,
        now: Duration,
        most: usize,
    ) -> Option<Duration> {
        if entry.over.get() {
            return None;
        }
        let mut open = entry.open.borrow_mut();
        let mut dropped = 0;
        let mut left = most;
        open.collect(now);
        open.waiting.reason = WaitFor::Worker;
        while let Some(due) = open.backlog.front().copied() {
            if now.saturating_sub(due.at) > self.max_start_delay {
                dropped += 1;
            } else if left == 0 {
                break;
            } else if !self.has_room() {
                open.waiting.reason = WaitFor::Room;
                break;
            } else if let Some(held) = self.take(entry) {
                open.in_flight += 1;
                left -= 1;
                self.start(entry, mix(open.seed, due.number), due.at, held);
            } else {
                open.waiting.reason = WaitFor::Data;
                break;
            }
            open.backlog.pop_front();
        }
        if dropped > 0 {
            self.scope.recorder().dropped(entry.id, dropped);
        }
        let expiry = open
            .backlog
            .front()
            .map(|due| due.at + self.max_start_delay + NEXT_INSTANT);
        let next = match open.backlog.front() {
            Some(_) if left == 0 => Some(now),
            _ => open.arrivals.peek(),
        };
        drop(open);
        self.report_data(entry);
        expiry.into_iter().chain(next).min()
    }

    /// Gives up the starts that are due but found no room or no data.
    pub(super) fn close_open(&self, entry: &Entry) {
        let given_up = entry.open.borrow_mut().clear();
        if given_up > 0 && !entry.over.get() {
            self.scope.recorder().dropped(entry.id, given_up as u64);
        }
    }

    fn start(self: &Rc<Self>, entry: &Entry, seed: u64, due: Duration, held: Held) {
        let mut flight = Flight::new(self, entry.id);
        let intended = Some(self.scope.clock().instant(due));
        let journey = entry.journey;
        spawn_local(async move {
            let worker = Rc::clone(&flight.worker);
            if worker.is_cut() {
                return;
            }
            flight.began = true;
            let start = Start {
                entry: flight.entry,
                seed,
                user: None,
                intended,
                at: Instant::now(),
            };
            let run = run_once(&worker.scope, &journey, held.data(), start).await;
            drop(held);
            drop(flight);
            worker.attend(run.ended);
        });
    }
}

/// A start that waits is dropped after, not at, the end of its patience.
const NEXT_INSTANT: Duration = Duration::from_nanos(1);

/// One journey of the open model in flight; landing may make room for the next.
struct Flight {
    worker: Rc<Worker>,
    entry: EntryId,
    /// Whether its turn on the thread came before the run was over.
    began: bool,
}

impl Flight {
    fn new(worker: &Rc<Worker>, entry: EntryId) -> Self {
        worker.enter();
        Self {
            worker: Rc::clone(worker),
            entry,
            began: false,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(entry) = self.worker.entry(self.entry) {
            entry.open.borrow_mut().in_flight -= 1;
            if !self.began {
                self.worker.scope.recorder().dropped(entry.id, 1);
            }
        }
        self.worker.leave();
    }
}
