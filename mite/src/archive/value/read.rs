//! Values from bytes that may be anything (the MessagePack specification, "Formats").

use std::io::{self, BufRead, ErrorKind, Read};

use thiserror::Error;

use super::Value;

/// How deep values may nest: what is written as JSON has to be read again.
const DEPTH: usize = 100;
/// Memory is asked for in such steps, since a length may be a lie.
const STEP: u64 = 64 << 10;

/// Why there is no further value.
#[derive(Debug, Error)]
pub(in crate::archive) enum ReadError {
    /// The bytes end in the middle of it.
    #[error("it is cut off")]
    CutOff,
    /// The bytes are no MessagePack.
    #[error("at byte {at}: {what}")]
    Bad {
        /// Where.
        at: u64,
        /// What is wrong.
        what: String,
    },
    /// The bytes cannot be had.
    #[error(transparent)]
    Io(io::Error),
}

/// Reads one value after the other.
pub(in crate::archive) struct Reader<R> {
    source: R,
    offset: u64,
}

impl<R: BufRead> Reader<R> {
    pub(in crate::archive) fn new(source: R) -> Self {
        Self { source, offset: 0 }
    }

    /// How many bytes have been read.
    pub(in crate::archive) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next value; `None` when the bytes end before it begins.
    ///
    /// # Errors
    /// When they end in the middle of it, or are no value. There is nothing to read behind that.
    pub(in crate::archive) fn next_value(&mut self) -> Result<Option<Value>, ReadError> {
        loop {
            match self.source.fill_buf() {
                Ok([]) => return Ok(None),
                Ok(_) => return self.value(DEPTH).map(Some),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
    }

    /// The first bytes of what comes, as many as are there.
    pub(in crate::archive) fn peek(&mut self) -> &[u8] {
        self.source.fill_buf().unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Value, ReadError> {
        let at = self.offset;
        let [marker] = self.array()?;
        Ok(match marker {
            0x00..=0x7f => Value::Count(marker.into()),
            0x80..=0x8f => self.map(u32::from(marker & 0x0f), at, depth)?,
            0x90..=0x9f => self.list(u32::from(marker & 0x0f), at, depth)?,
            0xa0..=0xbf => self.text(u32::from(marker & 0x1f))?,
            0xc0 => Value::Nil,
            0xc2 => Value::Flag(false),
            0xc3 => Value::Flag(true),
            0xc4 => Value::Bytes(self.one_byte_length()?),
            0xc5 => Value::Bytes(self.two_byte_length()?),
            0xc6 => Value::Bytes(self.four_byte_length()?),
            0xc7..=0xc9 => self.long_extension(marker)?,
            0xca => Value::Single(f32::from_be_bytes(self.array()?)),
            0xcb => Value::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Value::Count(self.array().map(u8::from_be_bytes)?.into()),
            0xcd => Value::Count(self.array().map(u16::from_be_bytes)?.into()),
            0xce => Value::Count(self.array().map(u32::from_be_bytes)?.into()),
            0xcf => Value::Count(self.array().map(u64::from_be_bytes)?),
            0xd0 => signed(self.array().map(i8::from_be_bytes)?.into()),
            0xd1 => signed(self.array().map(i16::from_be_bytes)?.into()),
            0xd2 => signed(self.array().map(i32::from_be_bytes)?.into()),
            0xd3 => signed(self.array().map(i64::from_be_bytes)?),
            0xd4..=0xd8 => self.extension(1 << (marker - 0xd4))?,
            0xd9 => text(self.one_byte_length()?),
            0xda => text(self.two_byte_length()?),
            0xdb => text(self.four_byte_length()?),
            0xdc => {
                let length = self.array().map(u16::from_be_bytes)?;
                self.list(length.into(), at, depth)?
            }
            0xdd => {
                let length = self.array().map(u32::from_be_bytes)?;
                self.list(length, at, depth)?
            }
            0xde => {
                let length = self.array().map(u16::from_be_bytes)?;
                self.map(length.into(), at, depth)?
            }
            0xdf => {
                let length = self.array().map(u32::from_be_bytes)?;
                self.map(length, at, depth)?
            }
            0xe0..=0xff => signed(i8::from_be_bytes([marker]).into()),
            0xc1 => {
                return Err(ReadError::Bad {
                    at,
                    what: "the byte c1, which begins nothing in MessagePack".to_owned(),
                });
            }
        })
    }

    fn list(&mut self, length: u32, at: u64, depth: usize) -> Result<Value, ReadError> {
        let depth = deeper(depth, at)?;
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(depth)?);
        }
        Ok(Value::List(values))
    }

    fn map(&mut self, length: u32, at: u64, depth: usize) -> Result<Value, ReadError> {
        let depth = deeper(depth, at)?;
        let mut pairs = Vec::new();
        for _ in 0..length {
            pairs.push((self.value(depth)?, self.value(depth)?));
        }
        Ok(Value::Map(pairs))
    }

    fn text(&mut self, length: u32) -> Result<Value, ReadError> {
        self.bytes(length).map(text)
    }

    fn long_extension(&mut self, marker: u8) -> Result<Value, ReadError> {
        let length = match marker {
            0xc7 => self.array().map(u8::from_be_bytes)?.into(),
            0xc8 => self.array().map(u16::from_be_bytes)?.into(),
            _ => self.array().map(u32::from_be_bytes)?,
        };
        self.extension(length)
    }

    fn extension(&mut self, length: u32) -> Result<Value, ReadError> {
        let kind = self.array().map(i8::from_be_bytes)?;
        Ok(Value::Extension(kind, self.bytes(length)?))
    }

    fn one_byte_length(&mut self) -> Result<Vec<u8>, ReadError> {
        let length = self.array().map(u8::from_be_bytes)?;
        self.bytes(length.into())
    }

    fn two_byte_length(&mut self) -> Result<Vec<u8>, ReadError> {
        let length = self.array().map(u16::from_be_bytes)?;
        self.bytes(length.into())
    }

    fn four_byte_length(&mut self) -> Result<Vec<u8>, ReadError> {
        let length = self.array().map(u32::from_be_bytes)?;
        self.bytes(length)
    }

    fn bytes(&mut self, length: u32) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        let mut rest = u64::from(length);
        while rest > 0 {
            let step = rest.min(STEP);
            let read = (&mut self.source).take(step).read_to_end(&mut bytes);
            let read = read.map_err(ReadError::Io)? as u64;
            self.offset += read;
            if read < step {
                return Err(ReadError::CutOff);
            }
            rest -= step;
        }
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let mut bytes = [0; N];
        match self.source.read_exact(&mut bytes) {
            Ok(()) => {
                self.offset += N as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(ReadError::CutOff),
            Err(error) => Err(ReadError::Io(error)),
        }
    }
}

fn deeper(depth: usize, at: u64) -> Result<usize, ReadError> {
    depth.checked_sub(1).ok_or_else(|| ReadError::Bad {
        at,
        what: format!("values nest deeper than {DEPTH} levels"),
    })
}

fn signed(number: i64) -> Value {
    u64::try_from(number).map_or(Value::Negative(number), Value::Count)
}

fn text(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes).map_or_else(|error| Value::RawText(error.into_bytes()), Value::Text)
}
