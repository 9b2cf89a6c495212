//! Where the items of a pool are read from: an iterator, or a file that is checked row by row.

mod columns;
mod csv_rows;
mod json_lines;
mod msgpack;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::DataPoolError;

/// Items to come, each of which may turn out to be a bad row.
pub(super) type Items<T> = Box<dyn Iterator<Item = Result<T, DataPoolError>> + Send>;

/// What was given to the constructor of a pool; nothing of it is touched before it is opened.
pub(super) enum Source<T> {
    /// Items made by the program, perhaps without end.
    Program(Box<dyn Iterator<Item = T> + Send>),
    /// A file with a header row.
    Csv(PathBuf),
    /// A file with one JSON value a line.
    JsonLines(PathBuf),
    /// A file of MessagePack values, one after the other.
    MessagePack(PathBuf),
}

impl<T: DeserializeOwned + Send + 'static> Source<T> {
    /// A source of items made by the program.
    pub(super) fn program<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self::Program(Box::new(items.into_iter()))
    }

    /// Starts reading.
    ///
    /// # Errors
    /// When the file cannot be opened or its head makes no sense.
    pub(super) fn items(self) -> Result<Items<T>, DataPoolError> {
        match self {
            Self::Program(items) => Ok(Box::new(items.map(Ok))),
            Self::Csv(path) => Ok(Box::new(csv_rows::read(path)?)),
            Self::JsonLines(path) => Ok(Box::new(json_lines::read(path)?)),
            Self::MessagePack(path) => Ok(Box::new(msgpack::read(path)?)),
        }
    }

    /// Reads a file to its end, so that a bad row shows before anything starts; a program's items
    /// are left alone.
    ///
    /// # Errors
    /// The first thing that is wrong with the file.
    pub(super) fn check(&self) -> Result<(), DataPoolError> {
        let mut items: Items<T> = match self {
            Self::Program(_) => return Ok(()),
            Self::Csv(path) => Box::new(csv_rows::read(path.clone())?),
            Self::JsonLines(path) => Box::new(json_lines::read(path.clone())?),
            Self::MessagePack(path) => Box::new(msgpack::read(path.clone())?),
        };
        items.try_for_each(|item| item.map(drop))
    }

    /// The message for a source without a single item.
    pub(super) fn empty_message(&self) -> String {
        match self {
            Self::Program(_) => "a datapool was made of an iterator without items".to_owned(),
            Self::Csv(path) => format!("{} has a header but no rows", path.display()),
            Self::JsonLines(path) => format!("{} has no lines with data", path.display()),
            Self::MessagePack(path) => format!("{} has no items", path.display()),
        }
    }
}

impl<T> fmt::Debug for Source<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(_) => formatter.write_str("items"),
            Self::Csv(path) | Self::JsonLines(path) | Self::MessagePack(path) => {
                path.fmt(formatter)
            }
        }
    }
}

/// Opens a file, or says where it was looked for.
fn open(path: &Path) -> Result<BufReader<File>, DataPoolError> {
    File::open(path).map(BufReader::new).map_err(|error| {
        let from = std::env::current_dir().unwrap_or_default();
        DataPoolError::new(format!(
            "{} cannot be opened: {error} (looked for {}; the current directory is {})",
            path.display(),
            from.join(path).display(),
            from.display(),
        ))
    })
}

/// What is wrong in one place of a file.
fn wrong_at(path: &Path, line: u64, rest: impl fmt::Display) -> DataPoolError {
    DataPoolError::new(format!("{}, line {line}{rest}", path.display()))
}
