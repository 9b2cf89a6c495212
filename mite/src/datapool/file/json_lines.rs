//! The lines of a JSON Lines file, its mistakes named by line, column and field.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use serde::de::DeserializeOwned;

use super::{open, wrong_at};
use crate::datapool::DataPoolError;

/// Opens the file; each line is read when it is asked for. Blank lines are skipped.
pub(super) fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Lines<T>, DataPoolError> {
    Ok(Lines {
        reader: open(&path)?,
        path,
        line: 0,
        text: Vec::new(),
        item: std::marker::PhantomData,
    })
}

/// An iterator over the values.
pub(super) struct Lines<T> {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
    text: Vec<u8>,
    item: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, DataPoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.text.clear();
            self.line += 1;
            match self.reader.read_until(b'\n', &mut self.text) {
                Ok(0) => return None,
                Ok(_) if self.text.trim_ascii().is_empty() => {}
                Ok(_) => return Some(self.item()),
                Err(error) => {
                    let path = self.path.display();
                    let message = format!("{path} cannot be read: {error}");
                    return Some(Err(DataPoolError::new(message)));
                }
            }
        }
    }
}

impl<T: DeserializeOwned> Lines<T> {
    fn item(&self) -> Result<T, DataPoolError> {
        let text = without_mark(&self.text).trim_ascii_end();
        let Ok(text) = std::str::from_utf8(text) else {
            return Err(wrong_at(&self.path, self.line, ": not UTF-8"));
        };
        let mut json = serde_json::Deserializer::from_str(text);
        let item = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            let error = error.into_inner();
            let field = if error.is_data() { field.as_str() } else { "" };
            self.wrong(field.trim_end_matches(['.', '?']), &error.to_string())
        })?;
        json.end()
            .map_err(|error| self.wrong("", &error.to_string()))?;
        Ok(item)
    }

    /// Turns the ` at line 1 column 12` of `serde_json` into the place in the file; no field is
    /// the whole line.
    fn wrong(&self, field: &str, message: &str) -> DataPoolError {
        let (message, column) = match message.rsplit_once(" at line 1 column ") {
            Some((message, column)) => (message, format!(", column {column}")),
            None => (message, String::new()),
        };
        let field = match field {
            "" => String::new(),
            field => format!(", field `{field}`"),
        };
        wrong_at(
            &self.path,
            self.line,
            format_args!("{column}{field}: {message}"),
        )
    }
}

/// The text without the byte order mark that some editors put first.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}
