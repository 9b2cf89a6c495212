//! Where what is said on the bus.

use super::{BusError, Stream};

/// The subjects of one test, below a prefix that tells it from others on the same NATS.
#[derive(Clone, Debug)]
pub(super) struct Subjects {
    prefix: String,
}

impl Subjects {
    /// # Errors
    /// When the prefix is no name that NATS takes.
    pub(super) fn new(prefix: &str) -> Result<Self, BusError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let tokens = || prefix.split('.');
        if tokens().all(|token| !token.is_empty() && token.chars().all(is_plain)) {
            return Ok(Self {
                prefix: prefix.to_owned(),
            });
        }
        Err(BusError::Prefix(prefix.to_owned()))
    }

    /// Where a runner says hello, and is told what to do.
    pub(super) fn hello(&self) -> String {
        format!("{}.hello", self.prefix)
    }

    /// Where the controller tells what its clock shows.
    pub(super) fn clock(&self) -> String {
        format!("{}.clock", self.prefix)
    }

    /// Where a runner speaks.
    pub(super) fn up(&self, conversation: u64) -> String {
        format!("{}.up.{conversation:016x}", self.prefix)
    }

    /// Where all runners speak.
    pub(super) fn all_up(&self) -> String {
        format!("{}.up.*", self.prefix)
    }

    /// Where a controller writes what another needs to take its place.
    pub(super) fn journal(&self) -> String {
        format!("{}.journal", self.prefix)
    }

    /// What the stream is called that keeps it.
    pub(super) fn journal_stream(&self) -> String {
        self.stream_named("journal")
    }

    /// Where collectors are asked who is there, and told that a run is over.
    pub(super) fn collect(&self) -> String {
        format!("{}.collect", self.prefix)
    }

    /// Where the recorder is asked whether it is there.
    pub(super) fn record(&self) -> String {
        format!("{}.record", self.prefix)
    }

    /// Where the controller is asked for the metrics of its run.
    pub(super) fn metrics(&self) -> String {
        format!("{}.metrics", self.prefix)
    }

    /// Where a sender puts what goes to a stream.
    pub(super) fn to(&self, stream: Stream, sender: u64) -> String {
        format!("{}.{}.{sender:016x}", self.prefix, stream.word())
    }

    /// All that goes to a stream.
    pub(super) fn all_to(&self, stream: Stream) -> String {
        format!("{}.{}.*", self.prefix, stream.word())
    }

    /// What a stream is called, which takes no dots.
    pub(super) fn stream(&self, stream: Stream) -> String {
        self.stream_named(stream.word())
    }

    fn stream_named(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix.replace('.', "="))
    }

    /// Where a runner is spoken to.
    pub(super) fn down(&self, conversation: u64) -> String {
        format!("{}.down.{conversation:016x}", self.prefix)
    }
}
