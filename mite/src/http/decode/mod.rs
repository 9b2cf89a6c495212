//! Undoing the `content-encoding` of an answer as it comes, in bounded memory.

#[cfg(feature = "brotli")]
mod brotli;
mod deflate;
mod gzip;
#[cfg(test)]
mod tests;
#[cfg(feature = "zstd")]
mod zstd;

use std::{fmt, ops::ControlFlow};

use http::{HeaderMap, header::CONTENT_ENCODING};

/// Those of which every piece gives what is in it at once: zstd is held back up to its window.
pub(super) const ACCEPTED_STREAMED: &str = if cfg!(feature = "brotli") {
    "gzip, deflate, br"
} else {
    "gzip, deflate"
};

/// The encodings that can be undone, as `accept-encoding` has them.
pub(super) const ACCEPTED: &str = match (cfg!(feature = "brotli"), cfg!(feature = "zstd")) {
    (true, true) => "gzip, deflate, br, zstd",
    (true, false) => "gzip, deflate, br",
    (false, true) => "gzip, deflate, zstd",
    (false, false) => "gzip, deflate",
};

/// How many encodings a body may have on top of one another.
const MOST_LAYERS: usize = 5;

/// The most that is handed over at once.
const PIECE: usize = 16 * 1024;

/// Where what has been decoded goes, in pieces of at most [`PIECE`]; it can say that it wants no
/// more.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> ControlFlow<()>;

/// Decodes a body in the pieces it comes in.
///
/// However much is in a piece, what has been decoded is handed over bit by bit, so a body that
/// grows a thousandfold takes no more memory than another.
pub(super) struct Decoder {
    /// The one applied last comes first.
    layers: Vec<Layer>,
}

struct Layer {
    encoding: &'static str,
    codec: Box<dyn Codec>,
    /// Room for what it decodes; none until it gets something to decode.
    output: Box<[u8]>,
}

/// One way to decode.
trait Codec {
    /// Decodes some of `input` into `output`.
    ///
    /// It stops when it has taken all of `input` and has nothing left to give, or when `output` is
    /// full.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Broken>;

    /// Whether what it has taken so far is whole.
    fn is_whole(&self) -> bool;
}

/// How far a codec has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    /// Bytes of the input.
    taken: usize,
    /// Bytes of the output.
    given: usize,
}

/// What is wrong with the data.
type Broken = String;

/// Why a body cannot be decoded, in words for the user.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct DecodeError(String);

impl Decoder {
    /// What undoes the `content-encoding` in `headers`.
    ///
    /// `None` when there is none to undo, or one that nobody here knows: then the body stays as it
    /// came.
    ///
    /// # Errors
    /// When this build cannot undo it though it could have been made to, and when more than five
    /// are on top of one another.
    pub(super) fn new(headers: &HeaderMap) -> Result<Option<Self>, DecodeError> {
        let mut layers = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            let Ok(value) = value.to_str() else {
                return Ok(None);
            };
            for encoding in value.split(',').map(str::trim) {
                match Layer::undoing(encoding)? {
                    Known::Layer(layer) => layers.push(layer),
                    Known::Nothing => {}
                    Known::Not => return Ok(None),
                }
            }
        }
        if layers.len() > MOST_LAYERS {
            let count = layers.len();
            return Err(DecodeError(format!(
                "the body is encoded {count} times over; at most {MOST_LAYERS} are undone"
            )));
        }
        // They are listed in the order they were applied.
        layers.reverse();
        Ok((!layers.is_empty()).then_some(Self { layers }))
    }

    /// Decodes the next piece of the body into `sink`: all that can be made of what came so far.
    ///
    /// When the sink breaks off, so does this; the decoder is of no use after that, nor after an
    /// error.
    ///
    /// # Errors
    /// When the data is not of its encoding, or goes on after its end.
    pub(super) fn push(
        &mut self,
        wire: &[u8],
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, DecodeError> {
        push(&mut self.layers, wire, sink)
    }

    /// Ends the body.
    ///
    /// A body nothing came of is fine: the answer to a HEAD request has none.
    ///
    /// # Errors
    /// When the data is cut short.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        let cut_short = self.layers.iter().find(|layer| !layer.is_whole());
        cut_short.map_or(Ok(()), |layer| {
            let encoding = layer.encoding;
            Err(DecodeError(format!("the {encoding} data is cut short")))
        })
    }
}

/// Decodes through the first layer, and what comes of it through the others.
fn push(
    layers: &mut [Layer],
    mut input: &[u8],
    sink: Sink<'_>,
) -> Result<ControlFlow<()>, DecodeError> {
    if input.is_empty() {
        return Ok(ControlFlow::Continue(()));
    }
    let Some((layer, others)) = layers.split_first_mut() else {
        return Ok(sink(input));
    };
    if layer.output.is_empty() {
        layer.output = vec![0; PIECE].into();
    }
    loop {
        let Progress { taken, given } = layer.decode(input)?;
        input = input.get(taken..).unwrap_or_default();
        let decoded = layer.output.get(..given).unwrap_or_default();
        if push(others, decoded, sink)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let has_more = given == layer.output.len();
        if input.is_empty() && !has_more {
            return Ok(ControlFlow::Continue(()));
        }
        if taken == 0 && given == 0 {
            return Err(layer.broken("it does not go on"));
        }
    }
}

/// What is known of an encoding.
enum Known {
    Layer(Layer),
    /// It changes nothing.
    Nothing,
    Not,
}

impl Layer {
    /// What undoes an encoding (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
    fn undoing(encoding: &str) -> Result<Known, DecodeError> {
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        if is("") || is("identity") {
            Ok(Known::Nothing)
        } else if is("gzip") || is("x-gzip") {
            Ok(Self::of("gzip", gzip::Gzip::default()))
        } else if is("deflate") {
            Ok(Self::of("deflate", deflate::Deflate::default()))
        } else if is("br") {
            #[cfg(feature = "brotli")]
            return Ok(Self::of("br", brotli::Brotli::new()));
            #[cfg(not(feature = "brotli"))]
            Err(missing("br", "brotli"))
        } else if is("zstd") {
            #[cfg(feature = "zstd")]
            return Ok(Self::of("zstd", zstd::Zstd::new()));
            #[cfg(not(feature = "zstd"))]
            Err(missing("zstd", "zstd"))
        } else {
            Ok(Known::Not)
        }
    }

    fn of(encoding: &'static str, codec: impl Codec + 'static) -> Known {
        Known::Layer(Self {
            encoding,
            codec: Box::new(codec),
            output: Box::default(),
        })
    }

    fn decode(&mut self, input: &[u8]) -> Result<Progress, DecodeError> {
        let outcome = self.codec.decode(input, &mut self.output);
        outcome.map_err(|broken| self.broken(&broken))
    }

    fn broken(&self, how: &str) -> DecodeError {
        DecodeError(format!("the {} data is broken: {how}", self.encoding))
    }

    /// Whether nothing is missing; nothing is where nothing began.
    fn is_whole(&self) -> bool {
        self.output.is_empty() || self.codec.is_whole()
    }
}

#[cfg(not(all(feature = "brotli", feature = "zstd")))]
fn missing(encoding: &str, feature: &str) -> DecodeError {
    DecodeError(format!(
        "the body is encoded as {encoding}, which mite decodes with its feature `{feature}`, and \
         that is not turned on"
    ))
}

impl fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encodings = self.layers.iter().map(|layer| layer.encoding);
        formatter.debug_list().entries(encodings).finish()
    }
}
