//! `zstd`: Zstandard (RFC 8878).

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, errors::FrameDecoderError};

use super::{Broken, Codec, Progress};

const MAGIC: u32 = 0xfd2f_b528;
const LARGEST_BLOCK: usize = 128 * 1024;

/// The largest window this encoding allows (RFC 9659).
const LARGEST_WINDOW: u64 = 8 << 20;

/// The parts of a descriptor, the byte after the magic number.
const SINGLE_SEGMENT: u8 = 1 << 5;
const HAS_CHECKSUM: u8 = 1 << 2;

/// Decodes `zstd`.
///
/// It looks back into what it has decoded, of which it hands over what is older than the window, and
/// the rest at the end of a frame. So a stream that is flushed but not ended comes late.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    state: State,
    /// The part the state is about, as far as it has come.
    part: Vec<u8>,
    /// Bytes of the frame that have been handed over.
    given: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// After a frame, or where the first one is to come.
    Between,
    /// In the header of a frame that has begun.
    Header,
    Blocks(Frame),
    /// All blocks are there; what is left of them is handed over.
    Rest(Frame),
    /// In a frame that may be passed over.
    Skip {
        left: usize,
    },
}

/// What the header of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    has_checksum: bool,
    has_length: bool,
}

/// How long the part in the making is.
enum Length {
    /// It shows in the part up to here.
    AtLeast(usize),
    Exactly(usize),
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self {
            decoder,
            state: State::Between,
            part: Vec::new(),
            given: 0,
        }
    }

    /// Takes of `input` what the part in the making lacks; returns how much, and whether that was
    /// all of it.
    fn gather(&mut self, input: &[u8]) -> Result<(usize, bool), Broken> {
        let mut left = input;
        loop {
            let length = match self.state {
                State::Blocks(frame) => block_length(&self.part, frame)?,
                _ => header_length(&self.part)?,
            };
            let (Length::AtLeast(wanted) | Length::Exactly(wanted)) = length;
            let lacks = wanted.saturating_sub(self.part.len()).min(left.len());
            let (more, rest) = left.split_at(lacks);
            self.part.extend_from_slice(more);
            left = rest;
            let is_there = self.part.len() >= wanted;
            if !is_there || matches!(length, Length::Exactly(_)) {
                return Ok((input.len() - left.len(), is_there));
            }
        }
    }

    /// Makes of a part that is complete what can be made of it.
    fn take_part(&mut self) -> Result<(), Broken> {
        self.state = match self.state {
            State::Blocks(frame) => {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let part = self.part.as_slice();
                if self
                    .decoder
                    .decode_blocks(part, one)
                    .map_err(|error| words(&error))?
                {
                    State::Rest(frame)
                } else {
                    State::Blocks(frame)
                }
            }
            _ => match skipped(&self.part) {
                Some(left) => State::Skip { left },
                None => {
                    self.decoder
                        .reset(self.part.as_slice())
                        .map_err(|error| words(&error))?;
                    self.given = 0;
                    State::Blocks(Frame::new(&self.part))
                }
            },
        };
        self.part.clear();
        Ok(())
    }

    /// Holds what a frame says of itself against what has been decoded.
    fn check(&self, frame: Frame) -> Result<(), Broken> {
        if frame.has_length && self.decoder.content_size() != self.given {
            return Err("it is not of the length it says".to_owned());
        }
        let checksum = self.decoder.get_checksum_from_data();
        if frame.has_checksum && checksum != self.decoder.get_calculated_checksum() {
            return Err("it does not match its checksum".to_owned());
        }
        Ok(())
    }
}

impl Codec for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        let mut taken = 0;
        loop {
            let given = self
                .decoder
                .read(output)
                .map_err(|error| error.to_string())?;
            self.given += given as u64;
            if let State::Rest(frame) = self.state
                && self.decoder.can_collect() == 0
            {
                self.check(frame)?;
                self.state = State::Between;
            }
            if given > 0 {
                return Ok(Progress { taken, given });
            }
            let left = input.get(taken..).unwrap_or_default();
            match &mut self.state {
                State::Skip { left: 0 } => self.state = State::Between,
                _ if left.is_empty() => return Ok(Progress { taken, given: 0 }),
                State::Skip { left: to_skip } => {
                    let skipped = left.len().min(*to_skip);
                    *to_skip -= skipped;
                    taken += skipped;
                }
                _ => {
                    let (gathered, is_there) = self.gather(left)?;
                    taken += gathered;
                    if is_there {
                        self.take_part()?;
                    } else if self.state == State::Between {
                        self.state = State::Header;
                    }
                }
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.state == State::Between
    }
}

impl Frame {
    fn new(header: &[u8]) -> Self {
        let descriptor = header.get(4).copied().unwrap_or_default();
        Self {
            has_checksum: descriptor & HAS_CHECKSUM != 0,
            has_length: length_of_content_size(descriptor) > 0,
        }
    }
}

/// How long the header of a frame is that begins with `part`.
fn header_length(part: &[u8]) -> Result<Length, Broken> {
    let Some(magic) = part.first_chunk() else {
        return Ok(Length::AtLeast(4));
    };
    match u32::from_le_bytes(*magic) {
        magic if is_skippable(magic) => Ok(Length::Exactly(8)),
        MAGIC => Ok(match part.get(4) {
            None => Length::AtLeast(5),
            Some(descriptor) => {
                let window = usize::from(descriptor & SINGLE_SEGMENT == 0);
                let dictionary = match descriptor & 3 {
                    3 => 4,
                    length => usize::from(length),
                };
                let content_size = length_of_content_size(*descriptor);
                Length::Exactly(5 + window + dictionary + content_size)
            }
        }),
        _ => Err("it does not begin as zstd data does".to_owned()),
    }
}

fn length_of_content_size(descriptor: u8) -> usize {
    match descriptor >> 6 {
        0 => usize::from(descriptor & SINGLE_SEGMENT != 0),
        1 => 2,
        2 => 4,
        _ => 8,
    }
}

fn is_skippable(magic: u32) -> bool {
    magic & !0xf == 0x184d_2a50
}

/// How much to pass over after this header, if that is what it says.
fn skipped(header: &[u8]) -> Option<usize> {
    let (magic, length) = header.split_first_chunk()?;
    let length = u32::from_le_bytes(*length.first_chunk()?);
    is_skippable(u32::from_le_bytes(*magic)).then_some(length as usize)
}

/// How long the block is that begins with `part`, with the checksum after the last one.
fn block_length(part: &[u8], frame: Frame) -> Result<Length, Broken> {
    let [first, second, third, ..] = *part else {
        return Ok(Length::AtLeast(3));
    };
    let header = u32::from_le_bytes([first, second, third, 0]);
    let size = (header >> 3) as usize;
    if size > LARGEST_BLOCK {
        return Err("it has a block of more than 128 KiB".to_owned());
    }
    let content = match header >> 1 & 3 {
        // One byte that is repeated.
        1 => 1,
        3 => return Err("it has a block of no known kind".to_owned()),
        _ => size,
    };
    let is_last = header & 1 != 0;
    let checksum = if is_last && frame.has_checksum { 4 } else { 0 };
    Ok(Length::Exactly(3 + content + checksum))
}

fn words(error: &FrameDecoderError) -> Broken {
    match error {
        FrameDecoderError::WindowSizeTooBig { .. } => "its window is of more than 8 MiB",
        FrameDecoderError::DictNotProvided { .. } => "it needs a dictionary",
        _ => "it is not zstd data",
    }
    .to_owned()
}
