//! What of a request could not be written at once.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes, BytesMut};
use hyper::body::Body as _;

use super::Error;
use crate::{
    http::body::{SendError, Sending},
    net::Wire,
};

/// What is still to be written.
pub(super) struct Outgoing {
    bytes: Bytes,
    body: Sending,
    /// How much of the body is still to come, unless it is sent in chunks.
    left: Option<u64>,
    /// Whether the body has given all it has.
    ended: bool,
}

impl Outgoing {
    /// Some bytes, and what the body gives after them.
    ///
    /// The body has been announced to be `length` bytes; without one it is sent in chunks.
    pub(super) fn new(bytes: Bytes, body: Sending, length: Option<u64>) -> Self {
        Self {
            ended: body.is_done() && length.is_some(),
            bytes,
            body,
            left: length,
        }
    }

    /// Whether the body waits for the server's word.
    pub(super) fn is_held(&self) -> bool {
        self.body.is_held()
    }

    pub(super) fn into_body(self) -> Sending {
        self.body
    }

    /// Writes to the end.
    pub(super) fn poll_write(
        &mut self,
        wire: &Wire,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        loop {
            while !self.bytes.is_empty() {
                match ready!(wire.poll_write(cx, &self.bytes)).map_err(Error::Io)? {
                    0 => return Poll::Ready(Err(Error::Io(io::ErrorKind::WriteZero.into()))),
                    count => self.bytes.advance(count),
                }
            }
            if self.ended {
                return wire.poll_flush(cx).map_err(Error::Io);
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => {
                    // The server may wait for what there is.
                    ready!(wire.poll_flush(cx)).map_err(Error::Io)?;
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(piece) = frame.into_data() {
                        self.bytes = self.framed(piece)?;
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Error::Body(error))),
                Poll::Ready(None) => {
                    self.ended = true;
                    match self.left {
                        None => self.bytes = Bytes::from_static(b"0\r\n\r\n"),
                        Some(0) => {}
                        Some(left) => {
                            let words = format!("its body is {left} bytes shorter than was said");
                            return Poll::Ready(Err(Error::Body(SendError::new(words))));
                        }
                    }
                }
            }
        }
    }

    /// A piece as it goes over the wire. What is longer than was announced would be taken for the
    /// next request.
    fn framed(&mut self, piece: Bytes) -> Result<Bytes, Error> {
        let Some(left) = &mut self.left else {
            return Ok(chunk(&piece));
        };
        *left = left.checked_sub(piece.len() as u64).ok_or_else(|| {
            Error::Body(SendError::new("its body is longer than its content-length"))
        })?;
        Ok(piece)
    }
}

/// A piece as a chunk (RFC 9112, section 7.1). An empty one would be taken for the end.
fn chunk(piece: &Bytes) -> Bytes {
    if piece.is_empty() {
        return Bytes::new();
    }
    let size = format!("{:x}\r\n", piece.len());
    let mut chunk = BytesMut::with_capacity(size.len() + piece.len() + 2);
    chunk.extend_from_slice(size.as_bytes());
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk.freeze()
}
