//! The rows of a CSV file, its mistakes named by line and column header.

use std::{fs::File, io::BufReader, path::PathBuf};

use csv::{ErrorKind, StringRecord, Trim};
use serde::de::DeserializeOwned;

use super::{columns::Row, open, wrong_at};
use crate::datapool::DataPoolError;

/// Reads the header; each row is read when it is asked for.
pub(super) fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Rows<T>, DataPoolError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(Trim::All)
        .from_reader(open(&path)?);
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return Err(explain(&path, &StringRecord::new(), &error)),
    };
    if headers.is_empty() {
        return Err(DataPoolError::new(format!(
            "{} is empty; its first line must name the columns",
            path.display()
        )));
    }
    Ok(Rows {
        path,
        reader,
        headers,
        record: StringRecord::new(),
        item: std::marker::PhantomData,
    })
}

/// An iterator over the rows.
pub(super) struct Rows<T> {
    path: PathBuf,
    reader: csv::Reader<BufReader<File>>,
    headers: StringRecord,
    record: StringRecord,
    item: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<T, DataPoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.read_record(&mut self.record) {
            Ok(true) => Some(self.item()),
            Ok(false) => None,
            Err(error) => Some(Err(explain(&self.path, &self.headers, &error))),
        }
    }
}

impl<T: DeserializeOwned> Rows<T> {
    fn item(&self) -> Result<T, DataPoolError> {
        let line = self.record.position().map_or(0, csv::Position::line);
        match self.record.deserialize::<Row<T>>(Some(&self.headers)) {
            Ok(Row(Ok(item))) => Ok(item),
            Ok(Row(Err((column, message)))) => Err(self.bad_field(line, column, &message)),
            Err(error) => Err(wrong_at(&self.path, line, format_args!(": {error}"))),
        }
    }

    fn bad_field(&self, line: u64, column: Option<usize>, message: &str) -> DataPoolError {
        if let Some(name) = missing_column(&self.headers, message) {
            return DataPoolError::new(format!(
                "{} has no column `{name}`; its columns are {}",
                self.path.display(),
                list(&self.headers)
            ));
        }
        let (index, message) = split_index(message);
        match index.or(column).and_then(|index| self.headers.get(index)) {
            Some(name) => wrong_at(
                &self.path,
                line,
                format_args!(", field `{name}`: {message}"),
            ),
            None => wrong_at(&self.path, line, format_args!(": {message}")),
        }
    }
}

/// The name of the column that serde misses, if the header lacks it indeed.
fn missing_column<'a>(headers: &StringRecord, message: &'a str) -> Option<&'a str> {
    let name = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    (!headers.iter().any(|header| header == name)).then_some(name)
}

/// Takes the `field 3: ` off a message of the `csv` crate, whose fields count from 0.
fn split_index(message: &str) -> (Option<usize>, &str) {
    message
        .strip_prefix("field ")
        .and_then(|rest| rest.split_once(": "))
        .and_then(|(index, rest)| Some((Some(index.parse().ok()?), rest)))
        .unwrap_or((None, message))
}

/// An error that came up before a row could be looked at.
fn explain(path: &std::path::Path, headers: &StringRecord, error: &csv::Error) -> DataPoolError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        ErrorKind::Utf8 { err, .. } => match headers.get(err.field()) {
            Some(name) => wrong_at(path, line, format_args!(", field `{name}`: not UTF-8")),
            None => wrong_at(path, line, ": not UTF-8"),
        },
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => wrong_at(
            path,
            line,
            format_args!(
                ": this row has {len} fields, the header {expected_len}: {}",
                list(headers)
            ),
        ),
        ErrorKind::Io(error) => {
            DataPoolError::new(format!("{} cannot be read: {error}", path.display()))
        }
        _ => wrong_at(path, line, format_args!(": {error}")),
    }
}

fn list(headers: &StringRecord) -> String {
    headers
        .iter()
        .map(|header| format!("`{header}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
