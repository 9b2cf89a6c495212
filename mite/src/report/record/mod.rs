//! What is written of a run while it goes on: a second at a time, and nothing of it kept.

mod batches;
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

pub(super) use self::{csv::Csv, hlog::IntervalLog};
use super::{batches::Batches, error::ReportError, parts::SeriesPoint};
use crate::{config::Config, stats::Statistics};
use batches::BatchLog;

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
pub(super) trait Recording: Send {
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

/// Everything that is written while a run goes on.
pub(crate) struct Recorder {
    streams: Vec<Stream>,
    batches: Option<BatchLog>,
}

struct Stream {
    path: PathBuf,
    /// Gone once it could not be written.
    recording: Option<Box<dyn Recording>>,
}

impl Recorder {
    /// Nothing to write yet; `batches` are for a report that is to be compared.
    pub(super) fn new(batches: bool, config: &Config) -> Self {
        Self {
            streams: Vec::new(),
            batches: batches.then(|| BatchLog::new(config.clone())),
        }
    }

    /// Begins a file, in place of what was there.
    pub(super) fn begin(
        &mut self,
        path: &Path,
        begin: Begin,
        beginning: &Beginning<'_>,
    ) -> Result<(), ReportError> {
        let begun = File::create(path).and_then(|file| begin(file, beginning));
        let recording = begun.map_err(|source| ReportError::Unwritable {
            path: path.into(),
            source,
        })?;
        self.streams.push(Stream {
            path: path.into(),
            recording: Some(recording),
        });
        Ok(())
    }

    /// Whether there is anything to record.
    pub(crate) fn is_idle(&self) -> bool {
        self.streams.is_empty() && self.batches.is_none()
    }

    /// Writes a second to every file, and says which could not be written. Those are left alone from
    /// then on; what they have already stays there.
    pub(crate) fn second(&mut self, second: &RecordedSecond) -> Vec<ReportError> {
        if let Some(batches) = &mut self.batches {
            batches.second(second);
        }
        let failed = self.streams.iter_mut().filter_map(|stream| {
            let recording = stream.recording.as_mut()?;
            let source = recording.second(second).err()?;
            stream.recording = None;
            Some(ReportError::Broken {
                path: stream.path.clone(),
                seconds: second.from.as_secs(),
                source,
            })
        });
        failed.collect()
    }

    /// The run is over: it is cut up for comparisons, if that was wanted.
    pub(crate) fn finish(self) -> Option<Batches> {
        self.batches.map(BatchLog::finish)
    }
}
