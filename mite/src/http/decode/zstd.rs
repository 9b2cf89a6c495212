//! `zstd`: Zstandard (RFC 8878).

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::{Broken, Codec, Progress};

/// The largest window this encoding allows is 8 MiB (RFC 9659).
const LARGEST_WINDOW: DParameter = DParameter::WindowLogMax(23);

/// Decodes `zstd`.
pub(super) struct Zstd {
    context: DCtx<'static>,
    whole: bool,
}

impl Zstd {
    pub(super) fn new() -> Result<Self, Broken> {
        let mut context = DCtx::try_create().ok_or("there is no memory to decode zstd in")?;
        context.set_parameter(LARGEST_WINDOW).map_err(words)?;
        Ok(Self {
            context,
            whole: false,
        })
    }
}

impl Codec for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken> {
        let mut input = InBuffer::around(input);
        let mut output = OutBuffer::around(output);
        let hint = self
            .context
            .decompress_stream(&mut output, &mut input)
            .map_err(words)?;
        let progress = Progress {
            taken: input.pos(),
            given: output.pos(),
        };
        // Asked for nothing after the end of a frame, it hints at the beginning of the next one.
        if progress != Progress::default() {
            self.whole = hint == 0;
        }
        Ok(progress)
    }

    fn is_whole(&self) -> bool {
        self.whole
    }
}

fn words(code: usize) -> Broken {
    get_error_name(code).to_lowercase()
}
