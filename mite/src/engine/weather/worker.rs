//! The one worker of a simulated runner: it starts what is due and has data, and counts it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::SECOND;
use crate::{
    datapool::{Item, Policy, Stash},
    event::{JourneyEnd, Outcome, What},
    id::{EntryId, ItemId, TransactionId},
    link::{Cover, Message, Order, Snapshot},
    stats::{CpuTime, DEFAULT_CAP, JourneyStatistics, Recorder},
    volume::schedule::{Arrivals, Share},
};

pub(super) const JOURNEY: &str = "shop::browse";
const ENTRY: EntryId = EntryId(0);
/// A worker that was not there for so long may have been given up.
const STILL: Duration = Duration::from_millis(2500);
/// A start that is later is dropped.
const LATEST: Duration = Duration::from_secs(10);

/// What was done in truth, whoever heard of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) journeys: JourneyStatistics,
    /// The items that journeys have had.
    pub(super) used: BTreeSet<ItemId>,
    /// Those that two journeys have had.
    pub(super) used_twice: Vec<ItemId>,
}

pub(super) struct Worker {
    recorder: Recorder,
    policy: Policy,
    random: fastrand::Rng,
    arrivals: Arrivals,
    share: Option<Share>,
    /// Starts that wait for data.
    backlog: VecDeque<Duration>,
    stash: Stash,
    running: Vec<Journey>,
    /// Up to which second it has reported.
    reported: u64,
    drain: Option<Duration>,
    is_drained: bool,
    /// When it last went round.
    last: Option<Duration>,
    /// Whether it starts nothing until the controller has been heard.
    is_held: bool,
    /// Whether there is no data any more.
    is_over: bool,
}

/// A journey in flight.
struct Journey {
    due: Duration,
    began: Duration,
    ends: Duration,
    outcome: Outcome,
    item: Option<Item>,
}

impl Worker {
    pub(super) fn new(seed: u64, policy: Policy) -> Self {
        Self {
            recorder: Recorder::new(vec![Arc::from(JOURNEY)], DEFAULT_CAP, Vec::new()),
            policy,
            random: fastrand::Rng::with_seed(seed),
            arrivals: Arrivals::new(1),
            share: None,
            backlog: VecDeque::new(),
            stash: Stash::new(policy),
            running: Vec::new(),
            reported: 0,
            drain: None,
            is_drained: false,
            last: None,
            is_held: false,
            is_over: false,
        }
    }

    /// Does what is due, and says what there is to say.
    pub(super) fn go_round(&mut self, now: Duration, done: &mut Done) -> Vec<Message> {
        let last = self.last.replace(now);
        if last.is_none() {
            self.reported = now.as_secs();
        }
        let mut said = Vec::new();
        if last.is_some_and(|last| now - last > STILL) {
            self.is_held = true;
            said.push(Message::StoodStill);
        }
        self.end_what_is_over(now, done);
        if self.is_held {
            return said;
        }
        if now.as_secs() > self.reported {
            said.push(self.snapshot(now.as_secs(), false));
        }
        self.start_what_is_due(now, now, done);
        let waiting = self.backlog.len();
        said.extend(self.stash.report(waiting, 4).map(data));
        said.extend(self.stash.flush().map(data));
        let is_idle = self.drain.is_some() && self.running.is_empty();
        if is_idle && !std::mem::replace(&mut self.is_drained, true) {
            said.push(Message::Drained);
        }
        said
    }

    /// Does as it is told; `false` once it is to go.
    pub(super) fn obey(&mut self, now: Duration, order: Order, done: &mut Done) -> bool {
        match order {
            Order::Target { segment, share, .. } => {
                if self.share.replace(share) != Some(share) {
                    self.arrivals.set_share(share, segment.first());
                }
                self.arrivals.push(segment);
            }
            Order::Data { order, .. } => {
                self.stash.obey(order);
                self.look_for_the_end_of_data();
            }
            Order::GoOn => self.is_held = false,
            Order::Drain { at } => {
                if !std::mem::take(&mut self.is_held) {
                    self.start_what_is_due(at, now, done);
                }
                self.drain = Some(at);
                self.give_up(self.backlog.len(), done);
                self.backlog.clear();
                self.arrivals = Arrivals::new(1);
            }
            Order::Begin { .. } | Order::Release { .. } => {}
            Order::Cut => return false,
        }
        true
    }

    /// Gives up what is in flight, and says its last.
    pub(super) fn leave(mut self, now: Duration, done: &mut Done) -> Vec<Message> {
        for journey in std::mem::take(&mut self.running) {
            self.end(journey, now, Some(Outcome::Interrupted), done);
        }
        let last = self.snapshot(now.as_secs() + 1, true);
        vec![last, data(self.stash.leave()), Message::Bye]
    }

    fn start_what_is_due(&mut self, until: Duration, now: Duration, done: &mut Done) {
        if self.is_over {
            return;
        }
        let is_due = |due: Duration| due < until;
        while self.arrivals.peek().is_some_and(is_due) {
            let due = self.arrivals.next().map(|(_, due)| due);
            self.backlog.extend(due);
        }
        while let Some(due) = self.backlog.front().copied() {
            if now.saturating_sub(due) > LATEST {
                self.give_up(1, done);
            } else {
                let item = match self.policy {
                    Policy::Shared => None,
                    Policy::Recycle | Policy::Once => match self.stash.take() {
                        None => break,
                        item => item,
                    },
                };
                self.start(due, now, item, done);
            }
            self.backlog.pop_front();
        }
        self.look_for_the_end_of_data();
    }

    fn look_for_the_end_of_data(&mut self) {
        if self.policy != Policy::Shared && self.stash.is_over() {
            self.is_over = true;
            self.backlog.clear();
            self.arrivals = Arrivals::new(1);
        }
    }

    fn start(&mut self, due: Duration, now: Duration, item: Option<Item>, done: &mut Done) {
        let delay = noted(now.saturating_sub(due));
        self.recorder.journey_started(ENTRY, Some(delay));
        done.journeys.started += 1;
        done.journeys.start_delay.record(delay);
        if let Some(item) = &item
            && !done.used.insert(item.id)
        {
            done.used_twice.push(item.id);
        }
        let outcome = match self.random.u8(..) {
            0..25 => Outcome::Failed,
            _ => Outcome::Completed,
        };
        self.running.push(Journey {
            due,
            began: now,
            ends: now + SECOND.mul_f64(2.0 * self.random.f64()),
            outcome,
            item,
        });
    }

    fn end_what_is_over(&mut self, now: Duration, done: &mut Done) {
        let running = std::mem::take(&mut self.running);
        let (over, running) = running.into_iter().partition(|one| one.ends <= now);
        self.running = running;
        let over: Vec<Journey> = over;
        for journey in over {
            let ends = journey.ends;
            self.end(journey, ends, None, done);
        }
    }

    fn end(&mut self, journey: Journey, at: Duration, cut: Option<Outcome>, done: &mut Done) {
        let end = JourneyEnd {
            outcome: cut.unwrap_or(journey.outcome),
            service_time: noted(at.saturating_sub(journey.began)),
            response_time: noted(at.saturating_sub(journey.due)),
            start_delay: Some(noted(journey.began.saturating_sub(journey.due))),
        };
        let what = What::Journey(&end);
        self.recorder.record(at, ENTRY, TransactionId::ROOT, &what);
        let row = &mut done.journeys;
        match end.outcome {
            Outcome::Completed => {
                row.completed += 1;
                row.service_time.record(end.service_time);
                row.response_time.record(end.response_time);
            }
            Outcome::Failed => {
                row.failed += 1;
                row.failed_time.record(end.response_time);
            }
            _ => row.interrupted += 1,
        }
        if let Some(item) = journey.item {
            self.stash.put_back(item);
        }
    }

    fn give_up(&mut self, count: usize, done: &mut Done) {
        self.recorder.dropped(ENTRY, count as u64);
        done.journeys.dropped += count as u64;
    }

    fn snapshot(&mut self, until: u64, last: bool) -> Message {
        let first = std::mem::replace(&mut self.reported, until);
        Message::Snapshot(Box::new(Snapshot {
            covers: vec![Cover {
                worker: 0,
                first,
                until,
                last,
                cpu: CpuTime::default(),
            }],
            statistics: self.recorder.take(),
        }))
    }
}

/// What is noted of a time: the histograms of short ones are small, and soon sent and added up.
fn noted(time: Duration) -> Duration {
    time / 4096
}

fn data(report: crate::datapool::lease::Report) -> Message {
    Message::Data {
        entry: ENTRY,
        report,
    }
}
