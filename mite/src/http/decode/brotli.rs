//! `br`: Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Broken, Codec, Progress};

/// Decodes `br`.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        // Strict: windows of more than 16 MiB are not of this encoding.
        Self {
            state: BrotliState::new_strict(
                StandardAlloc::default(),
                StandardAlloc::default(),
                StandardAlloc::default(),
            ),
            ended: false,
        }
    }
}

impl Codec for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        if self.ended {
            return if input.is_empty() {
                Ok(Progress::default())
            } else {
                Err("something follows its end".to_owned())
            };
        }
        let mut progress = Progress::default();
        let (mut input_left, mut output_left) = (input.len(), output.len());
        let result = BrotliDecompressStream(
            &mut input_left,
            &mut progress.taken,
            input,
            &mut output_left,
            &mut progress.given,
            output,
            &mut 0,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => Err("it is not Brotli data".to_owned()),
            BrotliResult::ResultSuccess => {
                self.ended = true;
                Ok(progress)
            }
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Ok(progress),
        }
    }

    fn is_whole(&self) -> bool {
        self.ended
    }
}
