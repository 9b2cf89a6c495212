//! One file that is tried before it is needed, and then written whole or not at all.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
};

use super::error::ReportError;

/// Where a file is to go.
pub(super) struct Target {
    path: PathBuf,
}

/// Makes sure that no two paths lead to one file, however they are written.
pub(super) fn check_distinct(paths: &[PathBuf]) -> Result<(), ReportError> {
    let mut known = BTreeSet::new();
    match paths.iter().find(|path| !known.insert(resolved(path))) {
        Some(path) => Err(ReportError::Twice { path: path.clone() }),
        None => Ok(()),
    }
}

/// Where a path leads, symbolic links followed; the path itself where that is nowhere yet.
fn resolved(path: &Path) -> PathBuf {
    let in_directory = || {
        let directory = directory_of(path).canonicalize().ok()?;
        Some(directory.join(path.file_name()?))
    };
    let found = path.canonicalize().ok().or_else(in_directory);
    found.unwrap_or_else(|| path.to_owned())
}

impl Target {
    /// Makes sure that a file can be written there, and leaves nothing.
    pub(super) fn open(path: &Path) -> Result<Self, ReportError> {
        if path.is_dir() {
            return Err(ReportError::IsDirectory { path: path.into() });
        }
        // It would be replaced by a file, and whoever reads from it would wait for ever.
        if path.exists() && !path.is_file() {
            return Err(ReportError::NoFile { path: path.into() });
        }
        let directory = directory_of(path);
        if !directory.is_dir() {
            return Err(ReportError::NoDirectory {
                path: path.into(),
                directory: directory.into(),
            });
        }
        let target = Self { path: path.into() };
        let draft = target.draft();
        create(&draft)
            .and_then(|_| fs::remove_file(&draft))
            .map_err(|source| target.unwritable(source))?;
        Ok(target)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it beside, and puts it in the place of what was there.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), ReportError> {
        let draft = self.draft();
        let written = create(&draft)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&draft, &self.path));
        written.map_err(|source| {
            let _ = fs::remove_file(&draft);
            self.unwritable(source)
        })
    }

    /// A name beside the file, so that the rename stays within one file system and is atomic.
    fn draft(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", process::id()));
        self.path.with_file_name(name)
    }

    fn unwritable(&self, source: io::Error) -> ReportError {
        ReportError::Unwritable {
            path: self.path.clone(),
            source,
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
