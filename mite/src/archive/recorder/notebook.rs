//! The file of one name: whole items, one after the other, and one run at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufReader, ErrorKind, Seek, SeekFrom, Write},
    path::Path,
};

use crate::archive::value::{ReadError, Reader};

/// A file that items are appended to.
pub(super) struct Notebook {
    file: File,
    length: u64,
}

impl Notebook {
    /// Opens or makes the file; with what there is to say when something had to be mended.
    ///
    /// # Errors
    /// When it cannot be opened, is in use by another run, or is no file of items.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<String>), String> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(|error| error.to_string())?;
        // A device or a pipe may have no end.
        if !file.metadata().is_ok_and(|file| file.is_file()) {
            return Err("it is there already and is no file".to_owned());
        }
        lock(&file)?;
        let (whole, cut_off) = whole(&file)?;
        let mended = cut_off.then(|| {
            format!(
                "the last item of {} was cut off, since the run that recorded it was killed; it has \
                 been taken out",
                path.display()
            )
        });
        let end = (|| {
            if cut_off {
                file.set_len(whole)?;
            }
            file.seek(SeekFrom::Start(whole))
        })();
        let length = end.map_err(|error| error.to_string())?;
        Ok((Self { file, length }, mended))
    }

    /// Appends an item, or leaves the file as it was.
    pub(super) fn append(&mut self, item: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(item);
        if written.is_ok() {
            self.length += item.len() as u64;
        } else {
            // What cannot be cut is the beginning of an item, which the next run takes out.
            let _ = self.file.set_len(self.length);
        }
        written
    }

    /// Sees to it that what was appended outlives the machine.
    #[cfg(feature = "nats")]
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Removes the file.
    pub(super) fn remove(self, path: &Path) -> Result<(), String> {
        remove(path)
    }

    /// Removes a file that has not been opened, if there is one.
    pub(super) fn purge(path: &Path) -> Result<(), String> {
        match File::open(path) {
            Ok(file) => {
                lock(&file)?;
                remove(path)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn remove(path: &Path) -> Result<(), String> {
    fs::remove_file(path).map_err(|error| error.to_string())
}

/// Keeps other runs away.
fn lock(file: &File) -> Result<(), String> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err("another run records into it now".to_owned()),
        // A file system without locks is no reason not to record.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// How long the file is up to the end of its last whole item, and whether there is more.
fn whole(file: &File) -> Result<(u64, bool), String> {
    let mut reader = Reader::new(BufReader::new(file));
    loop {
        let before = reader.offset();
        match reader.next_value() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok((before, false)),
            Err(ReadError::CutOff) => return Ok((before, true)),
            Err(error) => {
                return Err(format!(
                    "it is there already and no file of recorded items: {error}; move it away, or \
                     record elsewhere"
                ));
            }
        }
    }
}
