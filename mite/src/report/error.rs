//! A report that cannot be written, and what would be right.

use std::{io, path::PathBuf};

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The ending names no format.
    #[error(
        "cannot tell the format of the report {}: {found}, and the ending chooses it; there are {known}",
        path.display()
    )]
    Ending {
        path: PathBuf,
        found: String,
        known: String,
    },
    /// There is nothing to put it into.
    #[error(
        "cannot write the report {}: there is no directory {}; create it first, or give another path",
        path.display(), directory.display()
    )]
    NoDirectory { path: PathBuf, directory: PathBuf },
    /// The path is taken by a directory.
    #[error(
        "cannot write the report {}: it is a directory; give a file in it, such as {}",
        path.display(), path.join("report.json").display()
    )]
    IsDirectory { path: PathBuf },
    /// The path is taken by a pipe, a device or a socket.
    #[error(
        "cannot write the report {}: what is there is no ordinary file but a pipe or a device; \
         give another path",
        path.display()
    )]
    NoFile { path: PathBuf },
    /// The directory does not let a file be made.
    #[error(
        "cannot write the report {}: {source}; give a path in a directory you may write to",
        path.display()
    )]
    Unwritable { path: PathBuf, source: io::Error },
    /// A file that is written while the run goes on could not be written any more.
    #[error(
        "cannot write the report {} any more, {seconds} s into the run: {source}; what was written \
         before is there, and the run goes on",
        path.display()
    )]
    Broken {
        path: PathBuf,
        seconds: u64,
        source: io::Error,
    },
    /// Two reports to one path.
    #[error("two reports are to go to {}; give each a path of its own", path.display())]
    Twice { path: PathBuf },
    /// The format could not express the report.
    #[error("cannot put the report into {format}: {message}")]
    Render {
        format: &'static str,
        message: String,
    },
}
