//! What a collector elsewhere writes: the events of runs, in files of each run.
//!
//! Before the records of a parcel stands one of type `block`, which says whose they are. So what was
//! sent twice can be told from what happened twice, also by whoever comes after a collector that was
//! killed.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    ArchiveError, CollectOptions, Parcel,
    directory::{Directory, Shelf as _},
    format::Format,
    leftover::{self, Mended},
    rolling::{Roll, Rolling},
};

/// A parcel that was written: of which run, from whom, and which.
pub(super) type Mark = (u64, u64, u64);

/// Writes down the events of runs.
pub(crate) struct Gathering {
    directory: PathBuf,
    roll: Roll,
    runs: BTreeMap<u64, Files>,
    /// What is in files of this directory.
    written: HashSet<Mark>,
}

/// The files of one run.
struct Files {
    test: String,
    files: Rolling,
    touched: Instant,
    gathered: Gathered,
}

/// What has been written of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// The full name of what was run.
    pub(crate) test: String,
    /// Events.
    pub(crate) events: u64,
    /// Files.
    pub(crate) files: u64,
    /// Bytes in them.
    pub(crate) bytes: u64,
    /// Parcels that came again and were not written again.
    pub(crate) repeated: u64,
}

impl Gathering {
    /// Makes sure that files can be written, and mends those that killed collectors have left; with
    /// what there is to say of them.
    ///
    /// # Errors
    /// When the directory cannot be made or written to, or an option makes no sense.
    pub(crate) fn open(
        options: &CollectOptions,
        directory: &Path,
    ) -> Result<(Self, Vec<String>), ArchiveError> {
        let format = options.format.parse().map_err(ArchiveError)?;
        let roll = options.roll()?;
        let failed = |error| ArchiveError::at("collected events", directory, &error);
        let mut tried = Directory::open(directory, format).map_err(failed)?;
        drop(tried.begin().map_err(failed)?);
        let Mended { written, notes } = leftover::mend(directory).map_err(failed)?;
        let gathering = Self {
            directory: directory.to_owned(),
            roll,
            runs: BTreeMap::new(),
            written,
        };
        Ok((gathering, notes))
    }

    /// Writes a parcel, unless it has been written here before.
    ///
    /// # Errors
    /// When it is in no file.
    pub(crate) fn write(&mut self, parcel: &Parcel) -> Result<(), String> {
        let mark = (parcel.run, parcel.sender, parcel.number);
        let format: Format = parcel.format.parse()?;
        let files = match self.runs.entry(parcel.run) {
            std::collections::btree_map::Entry::Occupied(files) => files.into_mut(),
            std::collections::btree_map::Entry::Vacant(none) => {
                let shelf = Directory::open(&self.directory, format)
                    .map_err(|error| failure("begin", &self.directory, &error))?;
                none.insert(Files {
                    test: parcel.test.clone(),
                    files: Rolling::new(Box::new(shelf), self.roll, None),
                    touched: Instant::now(),
                    gathered: Gathered::default(),
                })
            }
        };
        files.touched = Instant::now();
        if self.written.contains(&mark) {
            files.gathered.repeated += 1;
            return Ok(());
        }
        files
            .write(parcel, format)
            .map_err(|error| failure("write", &self.directory, &error))?;
        self.written.insert(mark);
        Ok(())
    }

    /// Sees to it that what was written outlives the machine.
    ///
    /// # Errors
    /// When it may not.
    pub(crate) fn sync(&mut self) -> Result<(), String> {
        let mut runs = self.runs.values_mut();
        let synced = runs.try_for_each(|files| files.files.sync());
        synced.map_err(|error| failure("write", &self.directory, &error))
    }

    /// Finishes files that are old enough.
    ///
    /// # Errors
    /// When one cannot get its name.
    pub(crate) fn roll(&mut self) -> Result<(), String> {
        for files in self.runs.values_mut() {
            if files.files.patience() == Some(Duration::ZERO) {
                let finished = files.files.finish();
                finished.map_err(|error| failure("finish", &self.directory, &error))?;
            }
        }
        Ok(())
    }

    /// The runs of which files are open, each with how long nothing has come of it.
    pub(crate) fn open_runs(&self) -> Vec<(u64, Duration)> {
        let runs = self.runs.iter();
        runs.map(|(run, files)| (*run, files.touched.elapsed()))
            .collect()
    }

    /// Forgets what was written of a run of which nothing can come again.
    pub(crate) fn forget(&mut self, run: u64) {
        self.written.retain(|(of, ..)| *of != run);
    }

    /// Finishes the files of a run, if there are any.
    ///
    /// # Errors
    /// When one cannot get its name.
    pub(crate) fn finish(&mut self, run: u64) -> Result<Option<Gathered>, String> {
        let Some(mut files) = self.runs.remove(&run) else {
            return Ok(None);
        };
        let finished = files.files.finish();
        finished.map_err(|error| failure("finish", &self.directory, &error))?;
        Ok(Some(Gathered {
            test: files.test,
            ..files.gathered
        }))
    }
}

impl Files {
    fn write(&mut self, parcel: &Parcel, format: Format) -> std::io::Result<()> {
        let mut head = Vec::new();
        format.append(&mut head, &BlockRecord(parcel));
        let written = match self.files.write(&[&head, &parcel.records]) {
            Ok(written) => written,
            Err((first, finishes)) => {
                if finishes {
                    self.files.finish()?;
                }
                return Err(first);
            }
        };
        self.gathered.events += parcel.events;
        self.gathered.bytes += written.bytes;
        self.gathered.files += u64::from(written.begins);
        if self.files.is_full() {
            self.files.finish()?;
        }
        Ok(())
    }
}

fn failure(what: &str, directory: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot {what} a file with collected events in {}: {error}",
        directory.display()
    )
}

/// What stands before the records of a parcel.
struct BlockRecord<'a>(&'a Parcel);

impl Serialize for BlockRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parcel = self.0;
        let mut map = serializer.serialize_map(Some(8))?;
        map.serialize_entry("type", "block")?;
        map.serialize_entry("test", &parcel.test)?;
        map.serialize_entry("run", &format!("{:016x}", parcel.run))?;
        map.serialize_entry("runner_id", &parcel.runner)?;
        map.serialize_entry("sender", &format!("{:016x}", parcel.sender))?;
        map.serialize_entry("number", &parcel.number)?;
        map.serialize_entry("events", &parcel.events)?;
        map.serialize_entry("bytes", &parcel.records.len())?;
        map.end()
    }
}
