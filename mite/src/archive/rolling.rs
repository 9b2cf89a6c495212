//! Files one after the other: each takes whole pieces, and is finished when it is large or old
//! enough.

use std::{
    io,
    time::{Duration, Instant},
};

use super::directory::{Sheet, Shelf};

/// When a file is finished and the next one begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roll {
    /// When it has so many bytes.
    pub(super) size: u64,
    /// When it is so old.
    pub(super) time: Duration,
}

/// Writes into files that roll.
pub(super) struct Rolling {
    shelf: Box<dyn Shelf>,
    roll: Roll,
    file: Option<Open>,
}

/// The file that is being written.
struct Open {
    sheet: Box<dyn Sheet>,
    length: u64,
    since: Instant,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// How many bytes.
    pub(super) bytes: u64,
    /// Whether they are the first of their file.
    pub(super) begins: bool,
}

impl Rolling {
    /// Files on this shelf, of which the first has been begun or not.
    pub(super) fn new(shelf: Box<dyn Shelf>, roll: Roll, first: Option<Box<dyn Sheet>>) -> Self {
        Self {
            shelf,
            roll,
            file: first.map(Open::new),
        }
    }

    /// How long the file may still be written; nothing where there is no hurry.
    pub(super) fn patience(&self) -> Option<Duration> {
        let file = self.file.as_ref().filter(|file| file.length > 0)?;
        Some(self.roll.time.saturating_sub(file.since.elapsed()))
    }

    /// Whether the file is large enough.
    pub(super) fn is_full(&self) -> bool {
        let file = self.file.as_ref();
        file.is_some_and(|file| file.length >= self.roll.size)
    }

    /// Where the files are.
    pub(super) fn name(&self) -> String {
        self.shelf.name()
    }

    /// Writes all of these into one file, or nothing of them. A file that takes no more is to be
    /// [finished](Self::finish) by whoever is told so.
    ///
    /// # Errors
    /// Why not, and whether the file is to be finished: another may have room where this has none.
    pub(super) fn write(&mut self, pieces: &[&[u8]]) -> Result<Written, (io::Error, bool)> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Open::new(
                self.shelf.begin().map_err(|error| (error, false))?,
            )),
        };
        if file.length == 0 {
            file.since = Instant::now();
        }
        let written = (pieces.iter()).try_for_each(|piece| file.sheet.write_all(piece));
        if let Err(error) = written {
            // What was not cut is the tail of the file's last record, with which it is still
            // readable up to there.
            let whole = file.sheet.cut(file.length).is_ok();
            return Err((error, file.length > 0 || !whole));
        }
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        let begins = file.length == 0;
        file.length += bytes;
        Ok(Written { bytes, begins })
    }

    /// Sees to it that what was written outlives the machine.
    #[cfg(feature = "nats")]
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.sheet.sync(),
            None => Ok(()),
        }
    }

    /// Finishes the file, if there is something in it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(file) if file.length > 0 => file.sheet.finish(),
            _ => Ok(()),
        }
    }
}

impl Open {
    fn new(sheet: Box<dyn Sheet>) -> Self {
        Self {
            sheet,
            length: 0,
            since: Instant::now(),
        }
    }
}
