//! What is written of a run while it goes on: a second at a time, and nothing of it kept.

mod batches;
mod batching;
mod csv;
mod hlog;
mod row;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use self::batching::Batching;
pub(super) use self::{csv::Csv, hlog::IntervalLog};
use super::{error::ReportError, parts::SeriesPoint};
use crate::{config::Config, stats::Statistics};

/// A second of a run.
#[derive(Clone, Debug)]
pub(crate) struct RecordedSecond {
    /// The age of the run at its beginning.
    pub(crate) from: Duration,
    /// Whether it is kept out of totals.
    pub(crate) warming_up: bool,
    /// What the report's series says of it.
    pub(crate) point: SeriesPoint,
    /// All that was counted in it.
    pub(crate) statistics: Arc<Statistics>,
}

/// One way to write a run down as it goes on.
pub(crate) trait Recording: Send {
    /// Writes a second, through to the file.
    fn second(&mut self, second: &RecordedSecond) -> io::Result<()>;
}

/// How a file that is written while the run goes on is begun.
pub(super) type Begin = fn(File, &Beginning<'_>) -> io::Result<Box<dyn Recording>>;

/// What a recording needs to know at its beginning.
pub(super) struct Beginning<'a> {
    /// When the run began.
    pub(super) started: SystemTime,
    /// Whose secrets nothing may show.
    pub(super) config: &'a Config,
}

/// Everything that is kept of a run while it goes on.
pub(crate) struct Recorder {
    /// The files that are written.
    pub(crate) files: Vec<RecordedFile>,
    /// The run as it is cut up, if that is wanted.
    pub(crate) batches: Option<Batching>,
}

/// A file that is written while the run goes on.
pub(crate) struct RecordedFile {
    path: PathBuf,
    /// Gone once it could not be written.
    recording: Option<Box<dyn Recording>>,
}

impl RecordedFile {
    /// Begins a file, in place of what was there.
    pub(super) fn begin(
        path: &Path,
        begin: Begin,
        beginning: &Beginning<'_>,
    ) -> Result<Self, ReportError> {
        let begun = File::create(path).and_then(|file| begin(file, beginning));
        match begun {
            Ok(recording) => Ok(Self::new(path, recording)),
            Err(source) => Err(ReportError::Unwritable {
                path: path.into(),
                source,
            }),
        }
    }

    /// What is written to `path` by `recording`.
    pub(crate) fn new(path: &Path, recording: Box<dyn Recording>) -> Self {
        Self {
            path: path.into(),
            recording: Some(recording),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a second. A file that could not be written is left alone from then on; what it has
    /// already stays there.
    ///
    /// # Errors
    /// When it could not be written, once.
    pub(crate) fn second(&mut self, second: &RecordedSecond) -> Result<(), ReportError> {
        let Some(recording) = &mut self.recording else {
            return Ok(());
        };
        recording.second(second).map_err(|source| {
            self.recording = None;
            ReportError::Broken {
                path: self.path.clone(),
                seconds: second.from.as_secs(),
                source,
            }
        })
    }
}
