//! Files in a directory: begun under another name, and named when they are finished.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::format::Format;

/// Where files are begun.
pub(super) trait Shelf: Send {
    /// Begins a file.
    fn begin(&mut self) -> io::Result<Box<dyn Sheet>>;

    /// What to call it.
    fn name(&self) -> String;
}

/// A file that is being written.
pub(super) trait Sheet: Write + Send {
    /// Gives up what is behind this length.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Sees to it that what was written outlives the machine.
    #[cfg(feature = "nats")]
    fn sync(&mut self) -> io::Result<()>;

    /// There is no more: names it. One that is dropped instead, and empty, is removed.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A directory in which a run keeps its files.
pub(super) struct Directory {
    path: PathBuf,
    /// What the names of this run begin with.
    stem: String,
    format: Format,
    number: u32,
}

impl Directory {
    /// The directory at this path, which is made if it is not there.
    pub(super) fn open(path: &Path, format: Format) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let now: String = now.chars().filter(|sign| !"-:".contains(*sign)).collect();
        Ok(Self {
            path: path.to_owned(),
            // Others may collect into the same directory.
            stem: format!("{now}-{:06x}", fastrand::u32(..1 << 24)),
            format,
            number: 0,
        })
    }
}

impl Shelf for Directory {
    fn begin(&mut self) -> io::Result<Box<dyn Sheet>> {
        loop {
            self.number += 1;
            let ending = self.format.ending();
            let name = format!("{}-{:04}.{ending}", self.stem, self.number);
            let path = self.path.join(name);
            let part = self
                .path
                .join(format!("{}-{:04}.{ending}.part", self.stem, self.number));
            let file = OpenOptions::new().write(true).create_new(true).open(&part);
            match file {
                Ok(file) => {
                    // Who mends what killed collectors have left keeps away from it.
                    let _ = file.try_lock();
                    return Ok(Box::new(Part {
                        file,
                        part,
                        path,
                        finished: false,
                    }));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// A file under its first name.
struct Part {
    file: File,
    part: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Sheet for Part {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        use io::Seek as _;
        self.file.set_len(length)?;
        self.file.seek(io::SeekFrom::Start(length)).map(drop)
    }

    #[cfg(feature = "nats")]
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.finished = true;
        // Its name says that all of it is there, so that has to be so.
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let empty = self.file.metadata().is_ok_and(|file| file.len() == 0);
        if !self.finished && empty {
            let _ = fs::remove_file(&self.part);
        }
    }
}
