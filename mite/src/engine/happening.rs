//! What happens to a run from outside: all that its controller ever learns.

use std::time::Duration;

#[cfg(feature = "nats")]
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Stop;
use crate::{
    id::{EntryId, RunnerId},
    link::Message,
};
#[cfg(feature = "nats")]
use crate::{
    link::{Cover, Snapshot, nameless},
    stats::Statistics,
};

/// Something that happened.
#[derive(Debug)]
#[cfg_attr(feature = "nats", derive(Serialize, Deserialize))]
pub(super) struct Happening {
    /// When, on the clock of the run.
    pub(super) at: Duration,
    pub(super) what: What,
}

/// What happened.
#[derive(Debug)]
#[cfg_attr(feature = "nats", derive(Serialize, Deserialize))]
pub(super) enum What {
    /// Time has passed.
    Tick,
    /// A runner said something.
    Heard { runner: RunnerId, message: Message },
    /// Runners said what happened in a second, all together.
    #[cfg(feature = "nats")]
    Reported(Box<Reported>),
    /// A pool has given something, which is at hand.
    Supplied { entry: EntryId, supply: Supply },
    /// Somebody stops the run.
    Stop(Stop),
    /// Somebody wants so much of the plan.
    Volume(f64),
    /// The webhook has taken the start of the run, and calls it so if it has a name for it.
    Logged(Option<Value>),
    /// The controller is another one than before.
    #[cfg_attr(
        not(feature = "nats"),
        expect(dead_code, reason = "for runners elsewhere")
    )]
    TakenOver,
}

/// What several runners counted in a second.
#[cfg(feature = "nats")]
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reported {
    /// Whose it is.
    pub(super) covers: Vec<(RunnerId, Cover)>,
    /// The second after the last one covered.
    pub(super) until: u64,
    #[serde(with = "nameless")]
    pub(super) statistics: Statistics,
}

#[cfg(feature = "nats")]
impl Reported {
    /// What one runner counted.
    pub(super) fn of(runner: RunnerId, snapshot: Snapshot) -> Self {
        let until = snapshot.until();
        let covers = snapshot.covers.into_iter();
        Self {
            covers: covers.map(|cover| (runner, cover)).collect(),
            until,
            statistics: snapshot.statistics,
        }
    }

    /// Whether both have something of one runner.
    pub(super) fn shares_a_runner_with(&self, other: &Self) -> bool {
        let has = |runner| self.covers.iter().any(|(one, _)| *one == runner);
        other.covers.iter().any(|(runner, _)| has(*runner))
    }

    /// Adds what others counted in the same second.
    pub(super) fn gather(&mut self, other: Self) {
        self.covers.extend(other.covers);
        self.statistics.gather(other.statistics);
    }
}

/// What a pool gave.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "nats", derive(Serialize, Deserialize))]
pub(super) enum Supply {
    /// A block of items, by which it is known again.
    Block(u64),
    /// It broke.
    Broke(String),
}

impl What {
    /// Whether somebody waits for what comes of it.
    #[cfg(feature = "nats")]
    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Self::Tick | Self::Reported(_) | Self::Logged(_) => false,
            Self::Heard { message, .. } => !matches!(message, Message::Machine(_)),
            Self::Supplied { .. } | Self::Stop(_) | Self::Volume(_) | Self::TakenOver => true,
        }
    }
}
