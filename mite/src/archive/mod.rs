//! What happened, event by event, in files; what journeys record for a later run; both as text.

mod block;
mod cat;
mod collector;
mod directory;
mod format;
mod gap;
mod recorder;
mod room;
mod row;
mod scribe;
mod tap;
#[cfg(test)]
mod tests;
mod value;

use std::{io, path::Path};

use thiserror::Error;

pub(crate) use cat::{Trouble, cat, uncat};
pub(crate) use collector::{CollectOptions, Collected, Collector, Ready};
pub(crate) use recorder::{Kept, Recorder};

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
