//! How a runner goes before the run is over: when whoever started it tells it to.

use std::{future::pending, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::clock::RunClock;

/// What a runner is to do about the run it takes part in, by the word of who started it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// To take part until the controller ends it.
    #[default]
    Stay,
    #[cfg_attr(
        not(any(feature = "nats", test)),
        expect(dead_code, reason = "the one runner of a process ends with it")
    )]
    /// To leave: others take over its share, and its journeys come to their end.
    Leave,
    /// To be gone, whatever is in flight.
    Go,
}

/// How a runner is told to leave, and how long its journeys may go on then.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    /// What is wished now.
    pub(crate) wishes: watch::Receiver<Wish>,
    /// How long after that what is in flight is cut.
    pub(crate) grace: Duration,
}

impl Leaving {
    /// Waits until more is wished than `heard`; for ever when nobody is there to wish it.
    pub(crate) async fn wished(&self, heard: Wish) -> Wish {
        let mut wishes = self.wishes.clone();
        let wished = wishes.wait_for(|wish| *wish > heard).await;
        match wished.map(|wish| *wish) {
            Ok(wish) => wish,
            Err(_) => pending().await,
        }
    }
}

/// The way out of a run, as far as a desk has gone it.
#[derive(Debug)]
pub(super) struct Departure {
    leaving: Option<Leaving>,
    clock: RunClock,
    heard: Wish,
    /// When whatever is in flight is cut.
    cut: Option<Instant>,
    /// When the share goes to others, once the controller has said so.
    released: Option<Duration>,
}

/// The next step on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the controller to be let go.
    Ask,
    /// Start nothing that is due at this time or later.
    Drain(Duration),
    /// Cut whatever is in flight and go.
    Cut,
}

impl Departure {
    /// Nobody has wished anything yet.
    pub(super) fn new(leaving: Option<Leaving>, clock: RunClock) -> Self {
        Self {
            leaving,
            clock,
            heard: Wish::Stay,
            cut: None,
            released: None,
        }
    }

    /// Whether the runner goes as soon as nothing is in flight any more.
    pub(super) fn is_on_its_way(&self) -> bool {
        self.heard > Wish::Stay
    }

    /// From `at` on others have the runner's share.
    pub(super) fn release(&mut self, at: Duration) {
        self.released = Some(at);
    }

    /// Waits for the next step; for ever if nobody wants the runner to leave.
    pub(super) async fn step(&mut self) -> Step {
        let released = self.released.map(|at| self.clock.instant(at));
        tokio::select! {
            (wish, grace) = wished(self.leaving.as_ref(), self.heard) => {
                self.heard = wish;
                self.cut = Some(Instant::now() + grace);
                if wish == Wish::Go { Step::Cut } else { Step::Ask }
            }
            () = sleep_till(released) => Step::Drain(self.released.take().unwrap_or_default()),
            () = sleep_till(self.cut) => Step::Cut,
        }
    }
}

async fn wished(leaving: Option<&Leaving>, heard: Wish) -> (Wish, Duration) {
    match leaving {
        Some(leaving) => (leaving.wished(heard).await, leaving.grace),
        None => pending().await,
    }
}

/// Never, if there is no such time.
pub(super) async fn sleep_till(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
