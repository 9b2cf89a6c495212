//! `gzip`: deflate data between a header and a checksum, any number of times (RFC 1952).

use flate2::Crc;

use super::{Broken, Codec, Progress, deflate::Inflate};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;

/// The flags of a header that say what is in it.
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Decodes `gzip`.
#[derive(Debug)]
pub(super) struct Gzip {
    state: State,
    checksum: Crc,
}

#[derive(Debug)]
enum State {
    /// In the ten bytes every header begins with, of which `length` are there.
    Header {
        fixed: [u8; 10],
        length: usize,
    },
    /// In the length of the extra field, and the flags still to be seen to.
    ExtraLength {
        flags: u8,
        bytes: [u8; 2],
        length: usize,
    },
    /// In what may be passed over.
    Skip {
        flags: u8,
        left: u16,
    },
    /// In a text that ends in a zero, of which only that is of interest.
    Text {
        flags: u8,
    },
    Data(Box<Inflate>),
    /// In the checksum and the length after the data.
    Trailer {
        bytes: [u8; 8],
        length: usize,
    },
    /// After a member, where another one, zeros or nothing may follow.
    Between,
    Padding,
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            state: State::header(),
            checksum: Crc::new(),
        }
    }
}

impl Codec for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        let mut taken = 0;
        loop {
            let left = input.get(taken..).unwrap_or_default();
            if let State::Data(inflate) = &mut self.state {
                let progress = inflate.decode(left, output)?;
                let decoded = output.get(..progress.given).unwrap_or_default();
                self.checksum.update(decoded);
                if inflate.is_ended() {
                    self.state = State::Trailer {
                        bytes: [0; 8],
                        length: 0,
                    };
                }
                taken += progress.taken;
                let given = progress.given;
                if given > 0 || !matches!(self.state, State::Trailer { .. }) {
                    return Ok(Progress { taken, given });
                }
                continue;
            }
            let Some(byte) = left.first() else {
                return Ok(Progress { taken, given: 0 });
            };
            self.state = self.after(*byte)?;
            taken += 1;
        }
    }

    fn is_whole(&self) -> bool {
        matches!(self.state, State::Between | State::Padding)
    }
}

impl Gzip {
    /// What comes after a byte that is not data.
    fn after(&mut self, byte: u8) -> Result<State, Broken> {
        match &mut self.state {
            State::Header { fixed, length } => {
                put(fixed, length, byte);
                let (fixed, length) = (*fixed, *length);
                check_header(&fixed, length)?;
                Ok(match fixed {
                    [_, _, _, flags, ..] if length == fixed.len() => State::fields(flags),
                    _ => State::Header { fixed, length },
                })
            }
            State::ExtraLength {
                flags,
                bytes,
                length,
            } => {
                put(bytes, length, byte);
                let (flags, bytes, length) = (*flags, *bytes, *length);
                Ok(if length == bytes.len() {
                    State::skip(flags, u16::from_le_bytes(bytes))
                } else {
                    State::ExtraLength {
                        flags,
                        bytes,
                        length,
                    }
                })
            }
            State::Skip { flags, left } => Ok(State::skip(*flags, left.saturating_sub(1))),
            State::Text { flags } if byte == 0 => Ok(State::fields(*flags)),
            State::Text { flags } => Ok(State::Text { flags: *flags }),
            State::Trailer { bytes, length } => {
                put(bytes, length, byte);
                let (bytes, length) = (*bytes, *length);
                if length < bytes.len() {
                    return Ok(State::Trailer { bytes, length });
                }
                self.check_trailer(bytes)?;
                Ok(State::Between)
            }
            State::Between | State::Padding if byte == 0 => Ok(State::Padding),
            State::Between if MAGIC.starts_with(&[byte]) => {
                *self = Self::default();
                self.after(byte)
            }
            State::Between | State::Padding => Err("something follows its end".to_owned()),
            // Data is not looked at byte by byte.
            State::Data(_) => Err("it does not go on".to_owned()),
        }
    }

    fn check_trailer(&self, trailer: [u8; 8]) -> Result<(), Broken> {
        let trailer = u64::from_le_bytes(trailer);
        let (checksum, length) = (trailer as u32, (trailer >> 32) as u32);
        if checksum != self.checksum.sum() {
            return Err("it does not match its checksum".to_owned());
        }
        if length != self.checksum.amount() {
            return Err("it is not of the length it says".to_owned());
        }
        Ok(())
    }
}

impl State {
    fn header() -> Self {
        Self::Header {
            fixed: [0; 10],
            length: 0,
        }
    }

    /// What comes next of the fields of a header whose `flags` are still to be seen to.
    fn fields(flags: u8) -> Self {
        if flags & EXTRA != 0 {
            Self::ExtraLength {
                flags: flags & !EXTRA,
                bytes: [0; 2],
                length: 0,
            }
        } else if flags & NAME != 0 {
            Self::Text {
                flags: flags & !NAME,
            }
        } else if flags & COMMENT != 0 {
            Self::Text {
                flags: flags & !COMMENT,
            }
        } else if flags & HEADER_CHECKSUM != 0 {
            Self::Skip {
                flags: flags & !HEADER_CHECKSUM,
                left: 2,
            }
        } else {
            Self::Data(Box::new(Inflate::new(false)))
        }
    }

    fn skip(flags: u8, left: u16) -> Self {
        if left == 0 {
            Self::fields(flags)
        } else {
            Self::Skip { flags, left }
        }
    }
}

fn put(bytes: &mut [u8], length: &mut usize, byte: u8) {
    if let Some(place) = bytes.get_mut(*length) {
        *place = byte;
        *length += 1;
    }
}

/// Whether what there is of a header can become one.
fn check_header(fixed: &[u8; 10], length: usize) -> Result<(), Broken> {
    let begun = fixed.get(..length).unwrap_or(fixed);
    let magic = begun.get(..MAGIC.len()).unwrap_or(begun);
    if !MAGIC.starts_with(magic) {
        return Err("it does not begin as gzip data does".to_owned());
    }
    match begun {
        [_, _, method, ..] if *method != DEFLATE => Err(format!(
            "it is compressed by method {method}, not by deflate"
        )),
        [_, _, _, flags, ..] if flags & RESERVED != 0 => {
            Err("its header has flags that mean nothing".to_owned())
        }
        _ => Ok(()),
    }
}
