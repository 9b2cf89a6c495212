//! What runners send to be kept: streams of JetStream between them and whoever writes it down.
//!
//! A stream takes up what comes faster than it is written, and keeps what has been said that nobody
//! has written yet, whoever is killed.

mod delivery;
mod intake;
mod keepers;

pub(crate) use self::{
    delivery::{Letter, Outgoing, deliver},
    intake::{Delivery, Heard, Intake, StreamLimits},
    keepers::{Keepers, Over},
};

/// What is kept, each kind in a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Blocks of events, for collectors that share the work.
    Events,
    /// What journeys record for a later run, for one recorder, in order.
    Recorded,
}

impl Stream {
    /// Its part of subjects and of its name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Recorded => "recorded",
        }
    }
}
