//! A machine with a runner on it, which says hello, takes part, and may stand still or die.

use std::{ops::Range, time::Duration};

use super::{
    SECOND,
    network::Weather,
    worker::{Done, Worker},
};
use crate::{
    datapool::Policy,
    link::{
        Message, Order, Recruit,
        conversation::Frame,
        lifeline::{Down, Lifeline},
    },
};

pub(super) const ORPHAN_GRACE: Duration = Duration::from_secs(20);
/// How long the last words may take to be heard.
const FAREWELL: Duration = Duration::from_secs(5);

/// What becomes of a machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    pub(super) weather: Weather,
    /// When its runner is there.
    pub(super) comes: Duration,
    /// When it stands still.
    pub(super) freezes: Vec<Range<Duration>>,
    /// When it is killed.
    pub(super) dies: Option<Duration>,
    /// By how much its clock is wrong.
    pub(super) skew: Duration,
}

/// What a runner wants to be carried.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Hello(u64),
    Frame(Frame),
}

pub(super) struct Machine {
    pub(super) fate: Fate,
    policy: Policy,
    /// Tells its runners from those of others.
    number: u64,
    /// How many runners there have been on it.
    runners: u64,
    state: State,
    /// What has come while it stood still.
    mail: Vec<Post>,
}

/// What comes for a runner.
#[derive(Clone, Debug)]
pub(super) enum Post {
    Welcome(u64),
    Down(u64, Down),
}

enum State {
    /// It says hello at this time, again.
    Waiting(Duration),
    Working(Box<Working>),
    /// It has said its last word, and waits until this time for it to be heard.
    Leaving(Duration, Box<Lifeline>),
}

struct Working {
    lifeline: Lifeline,
    worker: Worker,
    begun: Option<Duration>,
}

impl Machine {
    pub(super) fn new(number: u64, fate: Fate, policy: Policy) -> Self {
        Self {
            policy,
            number,
            runners: 0,
            state: State::Waiting(fate.comes),
            mail: Vec::new(),
            fate,
        }
    }

    /// The machine on which the runner of this name is.
    pub(super) fn of(name: u64) -> usize {
        usize::try_from(name >> 16).unwrap()
    }

    fn name(&self) -> u64 {
        (self.number << 16) + self.runners
    }

    pub(super) fn is_dead(&self, now: Duration) -> bool {
        self.fate.dies.is_some_and(|dies| dies <= now)
    }

    /// Whether its runner takes part in no run.
    pub(super) fn is_at_rest(&self, now: Duration) -> bool {
        self.is_dead(now) || matches!(self.state, State::Waiting(_))
    }

    pub(super) fn receive(&mut self, post: Post) {
        self.mail.push(post);
    }

    /// Does what is due, and gives what is to be carried.
    pub(super) fn live(&mut self, now: Duration, is_online: bool, done: &mut Done) -> Vec<Call> {
        let is_frozen = self.fate.freezes.iter().any(|one| one.contains(&now));
        if is_frozen || self.is_dead(now) {
            return Vec::new();
        }
        let now = now + self.fate.skew;
        for post in std::mem::take(&mut self.mail) {
            self.read(now, post, done);
        }
        self.work(now, done);
        match &mut self.state {
            State::Waiting(at) if is_online && *at <= now => {
                *at = now + SECOND;
                vec![Call::Hello(self.name())]
            }
            State::Working(working) if is_online => frames(now, &mut working.lifeline),
            State::Leaving(until, lifeline) => {
                let is_over = lifeline.is_heard() || *until <= now;
                let last = match is_online {
                    true => frames(now, lifeline),
                    false => Vec::new(),
                };
                if is_over {
                    self.rest(now);
                }
                last
            }
            State::Waiting(_) | State::Working(_) => Vec::new(),
        }
    }

    /// Waits for the next run.
    fn rest(&mut self, now: Duration) {
        self.runners += 1;
        self.state = State::Waiting(now);
    }

    fn read(&mut self, now: Duration, post: Post, done: &mut Done) {
        let name = self.name();
        match (&mut self.state, post) {
            (State::Waiting(_), Post::Welcome(to)) if to == name => {
                let mut lifeline = Lifeline::new(now, name, ORPHAN_GRACE);
                lifeline.say(&Message::Hello(recruit()));
                self.state = State::Working(Box::new(Working {
                    lifeline,
                    worker: Worker::new(name, self.policy),
                    begun: None,
                }));
            }
            (State::Working(working), Post::Down(to, down)) if to == name => {
                let orders = working.lifeline.hear(now, down);
                self.obey(now, orders, done);
            }
            (State::Leaving(until, lifeline), Post::Down(to, down)) if to == name => {
                if down == Down::Gone {
                    *until = now;
                }
                lifeline.hear(now, down);
            }
            // Of a former runner, or said twice.
            _ => {}
        }
    }

    fn work(&mut self, now: Duration, done: &mut Done) {
        let State::Working(working) = &mut self.state else {
            return;
        };
        let mut orders: Vec<_> = working.lifeline.look_after(now).into_iter().collect();
        if let Some(begun) = working.begun
            && let Some(at) = now.checked_sub(begun)
        {
            for message in working.worker.go_round(at, done) {
                orders.extend(working.lifeline.say(&message));
            }
        }
        self.obey(now, orders, done);
    }

    fn obey(&mut self, now: Duration, orders: Vec<Order>, done: &mut Done) {
        for order in orders {
            let State::Working(working) = &mut self.state else {
                return;
            };
            if let Order::Begin { at, .. } = order {
                working.begun = Some(at);
            }
            let at = now.saturating_sub(working.begun.unwrap_or(now));
            // Without a beginning there are no workers that could end anything.
            let ends = working.begun.is_none() && matches!(order, Order::Drain { .. });
            if !working.worker.obey(at, order, done) || ends {
                self.leave(now, done);
            }
        }
    }

    fn leave(&mut self, now: Duration, done: &mut Done) {
        let resting = State::Waiting(now);
        let State::Working(working) = std::mem::replace(&mut self.state, resting) else {
            return;
        };
        let Working {
            mut lifeline,
            worker,
            begun,
        } = *working;
        let said = match begun.and_then(|begun| now.checked_sub(begun)) {
            Some(at) => worker.leave(at, done),
            None => vec![Message::Bye],
        };
        for message in said {
            lifeline.say(&message);
        }
        self.state = State::Leaving(now + FAREWELL, Box::new(lifeline));
    }
}

fn frames(now: Duration, lifeline: &mut Lifeline) -> Vec<Call> {
    lifeline.due(now).into_iter().map(Call::Frame).collect()
}

fn recruit() -> Recruit {
    Recruit {
        workers: 1,
        weight: 1,
        max_in_flight: 100_000,
        host: String::new(),
    }
}
