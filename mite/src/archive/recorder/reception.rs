//! What a recorder elsewhere writes: items in one file a name, each once, whoever was killed when.
//!
//! Before something is written, a ledger takes down how long the files were, and afterwards that it
//! is written. So what comes again because nobody could say that it was written is known again, and
//! what had been written half is undone.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Note, Notebook, Notes, try_out};
use crate::{archive::ArchiveError, event::check_name};

/// The ledger, which is hidden.
const LEDGER: &str = ".mite-recorder";

/// Writes down what journeys elsewhere record.
pub(crate) struct Reception {
    directory: PathBuf,
    /// Open, so that no other recorder writes here.
    _lock: File,
    notebooks: BTreeMap<String, Notebook>,
    ledger: Ledger,
    /// Items written and names purged that nobody has been told of.
    news: BTreeMap<String, Received>,
}

/// What was done under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Items that were written.
    pub(crate) items: u64,
    /// How often it was purged.
    pub(crate) purges: u64,
}

/// What was written last, or is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Ledger {
    /// The stream it came from.
    stream: String,
    /// Its place in there.
    sequence: u64,
    /// Whether all of it is written.
    written: bool,
    /// How long the files were before; absent those that were not there.
    lengths: BTreeMap<String, Option<u64>>,
}

impl Reception {
    /// Makes sure that files can be written in this directory, which is made if it is not there, and
    /// that nobody else does. What comes is from the stream with this identity.
    ///
    /// # Errors
    /// When it cannot be made or written to, or another recorder has it.
    pub(crate) fn open(directory: &Path, stream: &str) -> Result<Self, ArchiveError> {
        let failed = |error| ArchiveError::at("what is recorded", directory, &error);
        try_out(directory).map_err(failed)?;
        let lock = File::open(directory).map_err(failed)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(ArchiveError(format!(
                "another recorder records into {}; give this one another directory",
                directory.display()
            )));
        }
        let mut ledger = Ledger::read(directory).map_err(failed)?;
        if ledger.stream != stream {
            ledger = Ledger {
                stream: stream.to_owned(),
                ..Ledger::default()
            };
        }
        Ok(Self {
            directory: directory.to_owned(),
            _lock: lock,
            notebooks: BTreeMap::new(),
            ledger,
            news: BTreeMap::new(),
        })
    }

    /// Writes what journeys did, unless it has been written before; with what there is to say of it.
    ///
    /// # Errors
    /// When it is not written; nothing more is to be written then.
    pub(crate) fn write(&mut self, sequence: u64, notes: &Notes) -> Result<Vec<String>, String> {
        if sequence < self.ledger.sequence
            || sequence == self.ledger.sequence && self.ledger.written
        {
            return Ok(Vec::new());
        }
        let mut told = Vec::new();
        let mut right = Vec::with_capacity(notes.notes.len());
        for note in &notes.notes {
            match check_name(note.name()) {
                Ok(()) => right.push(note),
                Err(why) => told.push(why),
            }
        }
        if sequence == self.ledger.sequence {
            self.undo().map_err(|error| self.failure(&error))?;
        } else {
            let names = right.iter().map(|note| note.name().to_owned());
            let lengths = names.map(|name| {
                let length = fs::metadata(self.path(&name)).ok();
                (name, length.map(|file| file.len()))
            });
            self.ledger.lengths = lengths.collect();
            self.ledger.sequence = sequence;
            self.ledger.written = false;
            self.take_down()?;
        }
        for note in right {
            told.extend(self.do_as(note)?);
        }
        let synced = (self.ledger.lengths.keys())
            .filter_map(|name| self.notebooks.get(name))
            .try_for_each(Notebook::sync);
        synced.map_err(|error| self.failure(&error))?;
        self.ledger.written = true;
        self.take_down()?;
        Ok(told)
    }

    /// What was done since this was asked last, by name.
    pub(crate) fn news(&mut self) -> BTreeMap<String, Received> {
        std::mem::take(&mut self.news)
    }

    /// The file of a name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.msgpack"))
    }

    fn do_as(&mut self, note: &Note) -> Result<Option<String>, String> {
        let path = self.path(note.name());
        let mut mended = None;
        match note {
            Note::Item(name, item) => {
                let notebook = match self.notebooks.get_mut(name) {
                    Some(notebook) => notebook,
                    None => {
                        let (notebook, told) = Notebook::open(&path).map_err(|error| {
                            format!("cannot record into {}: {error}", path.display())
                        })?;
                        mended = told;
                        self.notebooks.entry(name.clone()).or_insert(notebook)
                    }
                };
                notebook
                    .append(item)
                    .map_err(|error| format!("cannot record into {}: {error}", path.display()))?;
                self.news.entry(name.clone()).or_default().items += 1;
            }
            Note::Purge(name) => {
                let purged = match self.notebooks.remove(name) {
                    Some(notebook) => notebook.remove(&path),
                    None => Notebook::purge(&path),
                };
                purged.map_err(|error| format!("cannot purge {}: {error}", path.display()))?;
                self.news.entry(name.clone()).or_default().purges += 1;
            }
        }
        Ok(mended)
    }

    /// Makes files as long as they were. One that was purged meanwhile will be purged again.
    fn undo(&mut self) -> io::Result<()> {
        self.notebooks.clear();
        for (name, length) in &self.ledger.lengths {
            let path = self.path(name);
            match (length, OpenOptions::new().write(true).open(&path)) {
                (None, Ok(_)) => fs::remove_file(&path)?,
                (Some(length), Ok(file)) => {
                    if file.metadata()?.len() > *length {
                        file.set_len(*length)?;
                    }
                }
                (_, Err(error)) if error.kind() == ErrorKind::NotFound => {}
                (_, Err(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn take_down(&self) -> Result<(), String> {
        let written = self.ledger.write(&self.directory);
        written.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> String {
        format!("cannot record into {}: {error}", self.directory.display())
    }
}

impl Note {
    fn name(&self) -> &str {
        match self {
            Self::Item(name, _) | Self::Purge(name) => name,
        }
    }
}

impl Ledger {
    fn read(directory: &Path) -> io::Result<Self> {
        match fs::read(directory.join(LEDGER)) {
            // Nothing but a recorder writes it, in one piece.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn write(&self, directory: &Path) -> io::Result<()> {
        let new = directory.join(format!("{LEDGER}.new"));
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, directory.join(LEDGER))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn item(name: &str, item: &'static [u8]) -> Note {
        Note::Item(name.to_owned(), Bytes::from_static(item))
    }

    fn notes(notes: &[Note]) -> Notes {
        Notes {
            notes: notes.to_vec(),
        }
    }

    fn content(directory: &Path, name: &str) -> Option<Vec<u8>> {
        fs::read(directory.join(format!("{name}.msgpack"))).ok()
    }

    #[test]
    fn what_comes_again_is_written_once_and_what_was_begun_is_undone() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let open = || Reception::open(at, "stream 1").unwrap();
        let first = notes(&[item("users", b"\x01"), item("orders", b"\x02")]);
        open().write(7, &first).unwrap();
        open().write(7, &first).unwrap();
        assert_eq!(content(at, "users"), Some(b"\x01".to_vec()));

        // It is killed in the middle of the next: its ledger is written, and half of its items.
        let second = notes(&[
            item("users", b"\x03"),
            item("new", b"\x04"),
            item("users", b"\x05"),
        ]);
        let mut killed = open();
        killed.write(8, &second).unwrap();
        killed.ledger.written = false;
        killed.take_down().unwrap();
        drop(killed);
        fs::write(at.join("users.msgpack"), b"\x01\x03").unwrap();
        open().write(8, &second).unwrap();
        assert_eq!(content(at, "users"), Some(b"\x01\x03\x05".to_vec()));
        assert_eq!(content(at, "new"), Some(b"\x04".to_vec()));
        assert_eq!(content(at, "orders"), Some(b"\x02".to_vec()));

        // The same with a purge in it.
        let third = notes(&[
            item("users", b"\x06"),
            Note::Purge("users".into()),
            item("users", b"\x07"),
        ]);
        let mut killed = open();
        killed.write(9, &third).unwrap();
        killed.ledger.written = false;
        killed.take_down().unwrap();
        drop(killed);
        open().write(9, &third).unwrap();
        assert_eq!(content(at, "users"), Some(b"\x07".to_vec()));
    }

    #[test]
    fn another_stream_begins_to_count_anew_and_another_recorder_is_kept_away() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let users = notes(&[item("users", b"\x01")]);
        let mut one = Reception::open(at, "stream 1").unwrap();
        one.write(5, &users).unwrap();
        let other = Reception::open(at, "stream 2").err().unwrap();
        assert!(other.to_string().contains("another recorder"), "{other}");
        drop(one);
        let mut other = Reception::open(at, "stream 2").unwrap();
        other.write(1, &users).unwrap();
        assert_eq!(content(at, "users"), Some(b"\x01\x01".to_vec()));
        let told = other
            .write(2, &notes(&[item("../users", b"\x01")]))
            .unwrap();
        assert!(told[0].contains("cannot be the name"), "{told:?}");
    }
}
