//! Connections that speak HTTP, driven by whoever has a request on them.

mod error;
mod http1;
mod http2;

use std::{
    net::SocketAddr,
    ops::Deref,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Version;
use tokio::time::Instant;

pub(super) use error::{Error, h2_error};
pub(super) use http1::{Announced, Buffers, Http1, LastHead, Outbound};
pub(super) use http2::{Http2, Stream};

use super::body::Sending;
use crate::net::Wire;

/// A connection, or the part of one that a request has.
#[derive(Debug)]
pub(super) enum Connection {
    Http1(Box<Http1>),
    Http2(Stream),
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// What becomes of the request.
    pub(super) fate: Fate,
}

/// What is known of a request that got no answer.
#[derive(Debug)]
pub(super) enum Fate {
    /// Not a byte of it was written; its body may be given back.
    Unsent(Option<Sending>),
    /// The server said that it has not looked at it (RFC 9113, section 8.7).
    Refused,
    /// The server may have acted on it.
    Sent,
}

/// What a connection counts of the request on it.
#[derive(Debug)]
pub(super) enum Meter {
    Http1(Rc<Wire>),
    Http2(Rc<Http2>),
}

/// A piece of a body, which is copied only if somebody keeps it.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Shared(Bytes),
    Lent(&'a [u8]),
}

impl Piece<'_> {
    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Piece::Shared(bytes) => bytes,
            Piece::Lent(bytes) => Bytes::copy_from_slice(bytes),
        }
    }
}

impl Deref for Piece<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Piece::Shared(bytes) => bytes,
            Piece::Lent(bytes) => bytes,
        }
    }
}

impl Connection {
    /// Hands on the next piece of the body; `None` at its end.
    pub(super) fn poll_piece<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(Piece<'_>) -> T,
    ) -> Poll<Option<Result<T, Error>>> {
        match self {
            Connection::Http1(connection) => connection.poll_piece(cx, take),
            Connection::Http2(stream) => {
                let piece = std::task::ready!(stream.poll_piece(cx));
                Poll::Ready(piece.map(|piece| piece.map(|piece| take(Piece::Shared(piece)))))
            }
        }
    }

    /// How many bytes of the body are still to come, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Connection::Http1(connection) => connection.left(),
            Connection::Http2(stream) => stream.left(),
        }
    }

    /// Whether it has carried, or carries, another request.
    pub(super) fn is_kept(&self) -> bool {
        match self {
            Connection::Http1(connection) => connection.idle_since().is_some(),
            Connection::Http2(stream) => stream.is_kept(),
        }
    }

    pub(super) fn version(&self) -> Version {
        match self {
            Connection::Http1(_) => Version::HTTP_11,
            Connection::Http2(_) => Version::HTTP_2,
        }
    }

    pub(super) fn meter(&self) -> Meter {
        match self {
            Connection::Http1(connection) => Meter::Http1(Rc::clone(connection.wire())),
            Connection::Http2(stream) => Meter::Http2(Rc::clone(stream.connection())),
        }
    }

    /// Whether its TLS session was resumed; `None` without TLS.
    pub(super) fn tls_resumed(&self) -> Option<bool> {
        match self {
            Connection::Http1(connection) => connection.wire().tls_resumed(),
            Connection::Http2(stream) => stream.connection().wire().tls_resumed(),
        }
    }
}

impl Meter {
    /// Who is at the other end.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Meter::Http1(wire) => wire.peer(),
            Meter::Http2(connection) => connection.wire().peer(),
        }
    }

    /// When the last byte of the request was written, as far as the connection itself knows.
    pub(super) fn last_written(&self) -> Option<Instant> {
        match self {
            Meter::Http1(wire) => wire.last_written(),
            Meter::Http2(_) => None,
        }
    }

    /// When the last byte came, as far as the connection itself knows.
    pub(super) fn last_read(&self) -> Option<Instant> {
        match self {
            Meter::Http1(wire) => wire.last_read(),
            Meter::Http2(_) => None,
        }
    }

    /// When the first byte of the answer came, as far as the connection itself knows.
    pub(super) fn first_byte(&self) -> Option<Instant> {
        match self {
            Meter::Http1(wire) => wire.first_byte(),
            Meter::Http2(_) => None,
        }
    }
}
