//! A body while it is being sent.

use std::{
    cell::{Cell, RefCell},
    error::Error,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::LocalBoxStream};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::{
    continued::{Continue, Gate},
    source::Source,
};

/// Up to how many bytes a body is written together with the head.
const WRITTEN_TOGETHER: usize = 64 * 1024;

/// A body while it is being sent, as connections ask for it.
pub(in crate::http) enum Sending {
    /// In one piece, at once; empty once it has been taken.
    // No `Option`, which would make every request larger than it need be.
    Full(Bytes),
    /// All others.
    Streaming(Box<Streaming>),
}

impl Default for Sending {
    fn default() -> Self {
        Self::Full(Bytes::new())
    }
}

/// A body that comes in pieces, later, or with somebody watching it go.
pub(in crate::http) struct Streaming {
    pieces: Pieces,
    gate: Option<Gate>,
    handed_over: Option<Rc<HandedOver>>,
}

enum Pieces {
    One(Option<Bytes>),
    Many {
        /// How many bytes are still to come, where that is known.
        left: Option<u64>,
        stream: LocalBoxStream<'static, Result<Bytes, SendError>>,
    },
    /// The end has been told.
    Ended,
}

/// When the last of a body was handed over to be sent, or why it never will be.
///
/// For where nobody else tells: the streams of an HTTP/2 connection share its socket, and an error
/// of a body there reaches the request as a reset stream.
#[derive(Debug, Default)]
pub(in crate::http) struct HandedOver {
    at: Cell<Option<Instant>>,
    failure: RefCell<Option<SendError>>,
}

/// Why a body cannot be sent, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::http) struct SendError(Box<str>);

impl Sending {
    pub(super) fn full(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }

    pub(super) fn streaming(source: Source) -> Self {
        Self::Streaming(Box::new(Streaming {
            pieces: Pieces::Many {
                left: source.length,
                stream: source.pieces,
            },
            gate: None,
            handed_over: None,
        }))
    }

    /// Takes note in `handed_over` of the moment the last of it is handed over.
    pub(in crate::http) fn with_finish(self, handed_over: Rc<HandedOver>) -> Self {
        if self.is_end_stream() {
            // Nobody will ask for it.
            handed_over.at.set(Some(Instant::now()));
            return self;
        }
        let mut streaming = self.into_streaming();
        streaming.handed_over = Some(handed_over);
        Self::Streaming(streaming)
    }

    /// Holds it back until the server says to go on (RFC 9110, section 10.1.1), but no longer than
    /// `patience` after it is first asked for.
    ///
    /// Nothing is held back of a body that is empty.
    pub(in crate::http) fn after(self, go_on: Continue, patience: Duration) -> Self {
        if self.is_end_stream() {
            return self;
        }
        let mut streaming = self.into_streaming();
        streaming.gate = Some(Gate::new(go_on, patience));
        Self::Streaming(streaming)
    }

    /// Moves a body that is bytes behind others, if it is not so long that this is not worth it.
    pub(in crate::http) fn append_to(&mut self, bytes: &mut Vec<u8>) {
        if let Self::Full(body) = self
            && body.len() <= WRITTEN_TOGETHER
        {
            bytes.extend_from_slice(&std::mem::take(body));
        }
    }

    /// Whether nothing more will come of it.
    pub(in crate::http) fn is_done(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Streaming(_) => false,
        }
    }

    /// Whether it waits for the server's word.
    pub(in crate::http) fn is_held(&self) -> bool {
        match self {
            Self::Full(_) => false,
            Self::Streaming(streaming) => streaming.gate.is_some(),
        }
    }

    /// The same with nobody watching it go, for another connection.
    pub(in crate::http) fn unwatched(mut self) -> Self {
        if let Self::Streaming(streaming) = &mut self {
            streaming.gate = None;
            streaming.handed_over = None;
        }
        self
    }

    fn into_streaming(self) -> Box<Streaming> {
        match self {
            Self::Streaming(streaming) => streaming,
            Self::Full(bytes) => Box::new(Streaming {
                pieces: Pieces::One((!bytes.is_empty()).then_some(bytes)),
                gate: None,
                handed_over: None,
            }),
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        match self.get_mut() {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Streaming(streaming) => streaming.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Streaming(streaming) => streaming.pieces.left() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match self {
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Streaming(streaming) => streaming.pieces.left(),
        };
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Streaming {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        if let Some(gate) = &mut self.gate {
            ready!(gate.poll_open(cx));
            self.gate = None;
        }
        let piece = ready!(self.pieces.poll_next(cx));
        if let Some(handed_over) = &self.handed_over {
            match &piece {
                Some(Err(error)) => drop(handed_over.failure.replace(Some(error.clone()))),
                _ if self.pieces.left() == Some(0) && handed_over.at().is_none() => {
                    handed_over.at.set(Some(Instant::now()));
                }
                _ => {}
            }
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }
}

impl Pieces {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SendError>>> {
        let next = match self {
            Self::One(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Self::Ended => Poll::Ready(None),
            Self::Many { left, stream } => {
                let piece = loop {
                    match ready!(stream.poll_next_unpin(cx)) {
                        // It would say to HTTP/1.1 that there is no more.
                        Some(Ok(piece)) if piece.is_empty() => {}
                        piece => break piece,
                    }
                };
                if let (Some(Ok(piece)), Some(left)) = (&piece, left) {
                    *left = left.saturating_sub(piece.len() as u64);
                }
                Poll::Ready(piece)
            }
        };
        if !matches!(next, Poll::Ready(Some(Ok(_)))) {
            *self = Self::Ended;
        }
        next
    }

    /// How many bytes are still to come, where that is known.
    fn left(&self) -> Option<u64> {
        match self {
            Self::One(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Many { left, .. } => *left,
            Self::Ended => Some(0),
        }
    }
}

impl HandedOver {
    /// When the last of the body was handed over; `None` until then.
    pub(in crate::http) fn at(&self) -> Option<Instant> {
        self.at.get()
    }

    /// Why the body could not be sent to its end.
    pub(in crate::http) fn failure(&self) -> Option<SendError> {
        self.failure.borrow().clone()
    }
}

impl SendError {
    pub(in crate::http) fn new(words: impl Into<Box<str>>) -> Self {
        Self(words.into())
    }

    /// The one among an error and its causes, if it came of a body.
    pub(in crate::http) fn of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sending")
            .field("left", &self.size_hint().exact())
            .finish_non_exhaustive()
    }
}
