//! What can go wrong between a process and the bus.

use std::{io, path::PathBuf, time::Duration};

/// Why there is no link over NATS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BusError {
    /// The prefix of subjects.
    #[error(
        "{0:?} cannot be the prefix of a test; it takes letters, digits, - and _, in parts with a \
         dot between them, such as shop or shop.evening"
    )]
    Prefix(String),
    /// The server is not there or does not want us.
    #[error("cannot connect to NATS at {url}: {reason}")]
    Connect {
        /// Without its secrets.
        url: String,
        reason: String,
    },
    /// A file with credentials or certificates.
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// Options that exclude each other or make no sense.
    #[error("{0}")]
    Options(String),
    /// What is to listen cannot.
    #[error("cannot listen on NATS: {0}")]
    Subscribe(String),
    /// Another controller has the runners of this test.
    #[error(
        "there is a controller already for tests of the prefix {0:?}; wait for its end, or give \
         this one and its runners another --nats-prefix"
    )]
    Taken(String),
    /// A run is to be gone on with, whose runners would be taken from it.
    #[error(
        "a run of the prefix {0:?} has been without its controller for {seconds} s and can be gone \
         on with: start that controller again, with --durable, or this one with --durable, which \
         takes its place; or give this one and its runners another --nats-prefix",
        seconds = .1.as_secs()
    )]
    LeftBehind(String, Duration),
    /// State is to be kept, and there is nothing that keeps it.
    #[error(
        "this NATS has no JetStream, which --durable and --standby need; start nats-server with \
         -js -sd DIR, or with jetstream {{ store_dir: DIR }} in its settings"
    )]
    NoJetStream,
    /// The journal.
    #[error("cannot keep the state of the run in JetStream: {0}")]
    Journal(String),
    /// The controller does not want this runner.
    #[error("the controller does not take this runner: {0}")]
    Refused(String),
    /// Somebody says what cannot be understood.
    #[error("{0} is not what mite of this version says; is another program using this prefix?")]
    Garbled(&'static str),
    /// There is nothing that would keep anything.
    #[error(
        "the NATS server at {0} has no JetStream, which keeps what runners send until it is \
         written; start it with `nats-server -js -sd DIRECTORY`, or write \
         `jetstream {{ store_dir: DIRECTORY }}` into its configuration"
    )]
    NoStreams(String),
    /// A stream cannot be made or read.
    #[error("cannot keep the stream {name} on NATS: {reason}")]
    Stream { name: String, reason: String },
    /// Another recorder is there.
    #[error(
        "there is a recorder already for tests of the prefix {0:?}; wait for its end, or give this \
         one, its controller and its runners another --nats-prefix"
    )]
    RecorderThere(String),
    /// Collectors that want different things.
    #[error(
        "the collectors of this test want events as {0} and as {1}; start all with the same \
         --collect-format"
    )]
    Formats(String, String),
    /// A thread or runtime.
    #[error("cannot start the thread of the link: {0}")]
    Thread(io::Error),
}
