//! The values of a MessagePack file, as journeys record them, its mistakes named by item and field.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read},
    path::PathBuf,
};

use rmp_serde::decode::Error;
use serde::de::DeserializeOwned;

use super::open;
use crate::datapool::DataPoolError;

/// Opens the file; each value is read when it is asked for.
pub(super) fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Values<T>, DataPoolError> {
    Ok(Values {
        reader: Counting {
            reader: open(&path)?,
            offset: 0,
        },
        path,
        number: 0,
        failed: false,
        item: std::marker::PhantomData,
    })
}

/// An iterator over the values.
pub(super) struct Values<T> {
    path: PathBuf,
    reader: Counting,
    number: u64,
    failed: bool,
    item: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Iterator for Values<T> {
    type Item = Result<T, DataPoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        // There is no telling where the next one begins.
        if self.failed {
            return None;
        }
        match self.reader.reader.fill_buf() {
            Ok([]) => None,
            Ok(_) => {
                let item = self.item();
                self.failed = item.is_err();
                Some(item)
            }
            Err(error) => {
                self.failed = true;
                let path = self.path.display();
                let message = format!("{path} cannot be read: {error}");
                Some(Err(DataPoolError::new(message)))
            }
        }
    }
}

impl<T: DeserializeOwned> Values<T> {
    fn item(&mut self) -> Result<T, DataPoolError> {
        self.number += 1;
        let begins = self.reader.offset;
        let mut decoder = rmp_serde::Deserializer::new(&mut self.reader);
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(&mut decoder, &mut track);
        T::deserialize(tracked).map_err(|error| {
            let (path, number) = (self.path.display(), self.number);
            let place = format!("{path}, item {number} (it begins at byte {begins})");
            if is_cut_off(&error) {
                return DataPoolError::new(format!(
                    "{place}: the file ends in the middle of it, as when the run that recorded it \
                     was killed; record into it again, which takes it out"
                ));
            }
            let field = track.path().to_string();
            let field = match field.trim_end_matches(['.', '?']) {
                "" => String::new(),
                field => format!(", field `{field}`"),
            };
            DataPoolError::new(format!("{place}{field}: {error}"))
        })
    }
}

fn is_cut_off(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidMarkerRead(error) | Error::InvalidDataRead(error)
            if error.kind() == ErrorKind::UnexpectedEof
    )
}

/// A reader that knows how far it is.
struct Counting {
    reader: BufReader<File>,
    offset: u64,
}

impl Read for Counting {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(bytes)?;
        self.offset += read as u64;
        Ok(read)
    }
}
