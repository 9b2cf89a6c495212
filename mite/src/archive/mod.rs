//! What happened, event by event, in files; what journeys record for a later run; both as text.

mod block;
mod cat;
mod collector;
mod directory;
mod format;
mod gap;
#[cfg(feature = "nats")]
mod gathering;
#[cfg(feature = "nats")]
mod leftover;
mod recorder;
#[cfg(feature = "nats")]
mod relay;
mod rolling;
mod room;
mod row;
mod scribe;
mod tap;
mod taps;
#[cfg(test)]
mod tests;
mod value;

use std::{io, path::Path};

use thiserror::Error;

pub(crate) use cat::{Trouble, cat, uncat};
pub(crate) use collector::{CollectOptions, Collected, Collector, Ready};
#[cfg(feature = "nats")]
pub(crate) use gathering::{Gathered, Gathering};
pub(crate) use recorder::{Kept, Recorder};
#[cfg(feature = "nats")]
pub(crate) use recorder::{Notes, Outbox, Outgoing as OutboxOutgoing, Received, Reception};
#[cfg(feature = "nats")]
pub(crate) use relay::{Parcel, Relay, Sender, Shipment};

/// What collects events onto a disk that costs nothing.
#[cfg(feature = "bench")]
pub(crate) fn discarding_tap(
    format: &str,
    config: &crate::config::Config,
) -> Result<Box<dyn crate::event::Tap>, String> {
    let (messages, heard) = std::sync::mpsc::channel();
    let room = std::sync::Arc::new(room::Room::new(usize::MAX));
    let given_back = std::sync::Arc::clone(&room);
    std::thread::spawn(move || {
        while let Ok(block::Message::Block(block)) = heard.recv() {
            given_back.give_back(block.bytes.len());
        }
    });
    let origin = row::Origin {
        test: "benches::scenario".to_owned(),
        runner: 0,
    };
    Ok(Box::new(tap::CollectTap::new(
        origin.into(),
        format.parse()?,
        config.masker(),
        std::time::SystemTime::now(),
        std::sync::Arc::default(),
        block::Outlet::new(room, move |message| messages.send(message).is_ok()),
    )))
}

/// Why nothing can be written down.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct ArchiveError(String);

impl ArchiveError {
    fn at(what: &str, path: &Path, error: &io::Error) -> Self {
        Self(format!(
            "cannot write {what} to {}: {error}; it has to be a directory you may write to, or one \
             that can be made",
            path.display()
        ))
    }
}
