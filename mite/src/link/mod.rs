//! What controller and runner say to each other, and how it gets across.
//!
//! A runner passes what it is told on to its workers in the same words, so there is one vocabulary
//! from the controller down to the thread.

#[cfg(feature = "nats")]
pub(crate) mod conversation;
mod ends;
#[cfg(feature = "nats")]
pub(crate) mod lifeline;
#[cfg(feature = "nats")]
pub(crate) mod nats;
#[cfg(feature = "nats")]
pub(crate) mod sessions;
#[cfg(feature = "nats")]
mod wire;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

pub(crate) use ends::{ControllerEnd, Heard, RunnerEnd, local};
#[cfg(feature = "nats")]
pub(crate) use ends::{Mark, Word};
#[cfg(feature = "nats")]
pub(crate) use wire::{decode, encode, nameless};

use crate::{
    datapool::lease,
    id::{EntryId, RunnerId},
    stats::{CpuTime, MachineFigures, Statistics},
    volume::schedule::{Segment, Share},
};

/// What a controller tells a runner, and a runner its workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// The run begins when the clock of the controller shows this: the first order of a runner that
    /// is not in the controller's process. It has this number.
    Begin { at: Duration, runner: RunnerId },
    /// From the segment's beginning on, keep up this share of it, until told otherwise.
    Target {
        entry: EntryId,
        segment: Segment,
        share: Share,
    },
    /// About the data of an entry: here is some, others need some, there is no more.
    Data { entry: EntryId, order: lease::Order },
    /// Others have the share of a runner that wants to leave from `at` on: it starts nothing that is
    /// due then or later, and goes when nothing is in flight any more.
    Release { at: Duration },
    /// The controller still counts on a runner that stood still: it may start what is due.
    GoOn,
    /// Start nothing that is due at `at` or later, and let what is in flight come to its end.
    Drain { at: Duration },
    /// Give up what is in flight, send the last statistics and go.
    Cut,
}

/// What a worker tells its runner, and a runner its controller.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Message {
    /// A runner is there.
    Hello(Recruit),
    /// How process and machine of a runner are, all told from its beginning on.
    Machine(Box<MachineFigures>),
    /// What happened in some seconds of the run, in one worker or in several.
    Snapshot(Box<Snapshot>),
    /// About the data of an entry: what is wanted, given back and spent.
    Data {
        entry: EntryId,
        report: lease::Report,
    },
    /// A worker stood still for so long that the controller may have given the runner up and others
    /// do what was its share; it starts nothing until it is told to go on.
    StoodStill,
    /// A runner was told to end before the run is over, and wants others to take over its share.
    Leaving,
    /// Nothing is in flight any more, and nothing will be.
    Drained,
    /// Its workers are gone, and it is still busy with what it sends to be kept.
    Sending,
    /// What became of what it sent to be kept.
    Sent(Box<Sent>),
    /// The last word; the last snapshot came before it.
    Bye,
    /// The last word of one that panicked: what it held is lost.
    Died,
    /// Nothing has been heard of a runner for too long. The link says so, not the runner.
    Lost,
}

/// A runner that wants to take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recruit {
    /// Its worker threads.
    pub(crate) workers: u32,
    /// Its part of the volume, against the weights of others.
    pub(crate) weight: u32,
    /// Journeys in flight at once in it.
    pub(crate) max_in_flight: u64,
    /// The name of its machine; empty when it is in the controller's own process.
    pub(crate) host: String,
}

/// What became of what a runner sent to be kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// Of its events, if they were to be collected.
    pub(crate) events: Option<SentEvents>,
    /// Of what its journeys recorded, by name.
    pub(crate) recorded: BTreeMap<String, SentItems>,
    /// Why something was not sent.
    pub(crate) failures: Vec<String>,
}

/// What became of the events of a runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SentEvents {
    /// Those that were sent.
    pub(crate) events: u64,
    /// Those that were not.
    pub(crate) missing: u64,
    /// The bytes of their records.
    pub(crate) bytes: u64,
}

/// What became of what journeys recorded under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SentItems {
    /// Items that were sent.
    pub(crate) items: u64,
    /// Items that were not.
    pub(crate) missing: u64,
}

/// What some workers of a runner counted, all of it up to the end of the same second.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// Whose it is, a worker once at most.
    pub(crate) covers: Vec<Cover>,
    /// What happened, all of theirs together.
    #[cfg_attr(feature = "nats", serde(with = "nameless"))]
    pub(crate) statistics: Statistics,
}

/// Which seconds a worker reports on, and what it took to do what was done in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cover {
    /// The worker, counted within its runner.
    pub(crate) worker: u32,
    /// The first second covered, counted from the start of the run.
    pub(crate) first: u64,
    /// The second after the last one covered; more than one further when the worker was held up.
    pub(crate) until: u64,
    /// Whether it is the worker's last.
    pub(crate) last: bool,
    /// What this worker alone used.
    pub(crate) cpu: CpuTime,
}

impl Snapshot {
    /// The second after the last one covered; 0 if it is nobody's.
    pub(crate) fn until(&self) -> u64 {
        let ends = self.covers.iter().map(|cover| cover.until);
        ends.max().unwrap_or_default()
    }

    /// Adds what other workers counted up to the end of the same second.
    pub(crate) fn gather(&mut self, other: Snapshot) {
        self.covers.extend(other.covers);
        self.statistics.gather(other.statistics);
    }
}
