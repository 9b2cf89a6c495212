//! Files of records as text, and text as such files.

use std::{
    fmt,
    io::{self, BufRead, Write},
};

use super::value::{ReadError, Reader, Value};

/// Why not all of a file was gone through.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is cut off: all whole records came out.
    CutOff {
        /// How many whole records there are.
        records: u64,
        /// Where the cut off one begins.
        at: u64,
    },
    /// It is not what it should be.
    Wrong(String),
    /// The bytes cannot be had.
    Unreadable(io::Error),
    /// Nobody takes what comes out.
    Unwritable(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff { records, at } => write!(
                formatter,
                "it is cut off in the middle of the record that begins at byte {at}, as when the \
                 program that wrote it was killed; all of the {records} before it are there"
            ),
            Self::Wrong(what) => formatter.write_str(what),
            Self::Unreadable(error) => write!(formatter, "cannot read it: {error}"),
            Self::Unwritable(error) => write!(formatter, "cannot write: {error}"),
        }
    }
}

/// Writes each value of `source`, which is MessagePack, as a line of JSON.
///
/// # Errors
/// When not all of it is MessagePack, or cannot be read or written.
pub(crate) fn cat(source: impl BufRead, out: &mut impl Write) -> Result<(), Trouble> {
    let mut reader = Reader::new(source);
    if reader.peek().starts_with(b"{\"") {
        return Err(Trouble::Wrong(
            "it is JSON, not MessagePack; such a file needs no cat".to_owned(),
        ));
    }
    let mut records = 0_u64;
    loop {
        let at = reader.offset();
        match reader.next_value() {
            Ok(Some(value)) => {
                let mut line = serde_json::to_vec(&value)
                    .map_err(|error| Trouble::Wrong(error.to_string()))?;
                line.push(b'\n');
                out.write_all(&line).map_err(Trouble::Unwritable)?;
                records += 1;
            }
            Ok(None) => return Ok(()),
            Err(ReadError::CutOff) => return Err(Trouble::CutOff { records, at }),
            Err(ReadError::Io(error)) => return Err(Trouble::Unreadable(error)),
            Err(bad) => {
                return Err(Trouble::Wrong(format!(
                    "it is not MessagePack {bad} (record {}, which begins at byte {at})",
                    records + 1
                )));
            }
        }
    }
}

/// Writes each line of `source`, which is a JSON value, as MessagePack.
///
/// # Errors
/// When a line is no JSON, or cannot be read or written.
pub(crate) fn uncat(mut source: impl BufRead, out: &mut impl Write) -> Result<(), Trouble> {
    let mut text = Vec::new();
    for line in 1_u64.. {
        text.clear();
        let read = source.read_until(b'\n', &mut text);
        if read.map_err(Trouble::Unreadable)? == 0 {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_slice(&text)
            .map_err(|error| Trouble::Wrong(at_line(line, &error.to_string())))?;
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        out.write_all(&bytes).map_err(Trouble::Unwritable)?;
    }
    Ok(())
}

/// What is wrong, at the line of the file in place of the one that was looked at.
fn at_line(line: u64, message: &str) -> String {
    match message.rsplit_once(" at line 1 column ") {
        Some((message, column)) => format!("line {line}, column {column}: {message}"),
        None => format!("line {line}: {message}"),
    }
}
