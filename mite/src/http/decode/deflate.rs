//! `deflate`: the zlib format (RFC 1950), or bare deflate data (RFC 1951) as browsers accept it.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Broken, Codec, Progress};

const AFTER_END: &str = "something follows its end";

/// Decodes `deflate`.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    /// The first byte, while it is the only one.
    first: Option<u8>,
    inflate: Option<Inflate>,
}

impl Codec for Deflate {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        if let Some(inflate) = &mut self.inflate {
            return inflate.decode_all(input, output);
        }
        // Which of the two it is shows in the first two bytes.
        match (self.first, input) {
            (None, [first]) => {
                self.first = Some(*first);
                Ok(Progress { taken: 1, given: 0 })
            }
            (None, [first, second, ..]) => {
                let inflate = self.inflate.insert(Inflate::new(is_zlib(*first, *second)));
                inflate.decode_all(input, output)
            }
            (Some(first), [second, ..]) => {
                let inflate = self.inflate.insert(Inflate::new(is_zlib(first, *second)));
                // Nothing comes of the first byte alone.
                inflate.decode_all(&[first], output)?;
                inflate.decode_all(input, output)
            }
            (_, []) => Ok(Progress::default()),
        }
    }

    fn is_whole(&self) -> bool {
        self.inflate.as_ref().is_some_and(Inflate::is_ended)
    }
}

/// Whether data that begins so is in the zlib format.
fn is_zlib(first: u8, second: u8) -> bool {
    let is_deflate = first & 0x0f == 8 && first >> 4 <= 7;
    is_deflate && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

/// Decodes deflate data up to its end.
#[derive(Debug)]
pub(super) struct Inflate {
    inner: Decompress,
    ended: bool,
}

impl Inflate {
    /// Of data with a zlib header and checksum, or of bare data.
    pub(super) fn new(is_zlib: bool) -> Self {
        Self {
            inner: Decompress::new(is_zlib),
            ended: false,
        }
    }

    /// Whether the data has come to its end.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Decodes up to the end of the data.
    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        let (in_before, out_before) = (self.inner.total_in(), self.inner.total_out());
        let status = self
            .inner
            .decompress(input, output, FlushDecompress::None)
            .map_err(|error| match error.needs_dictionary() {
                Some(_) => "it needs a dictionary".to_owned(),
                None => "it is not deflate data, or does not match its checksum".to_owned(),
            })?;
        self.ended = status == Status::StreamEnd;
        Ok(Progress {
            taken: (self.inner.total_in() - in_before) as usize,
            given: (self.inner.total_out() - out_before) as usize,
        })
    }

    /// Decodes data nothing may follow.
    fn decode_all(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        if self.ended {
            return if input.is_empty() {
                Ok(Progress::default())
            } else {
                Err(AFTER_END.to_owned())
            };
        }
        self.decode(input, output)
    }
}
