//! Connections that speak HTTP, driven by whoever has a request on them.

mod http1;
mod http2;

use std::{
    net::SocketAddr,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Version};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

pub(super) use http1::Http1;
pub(super) use http2::{Http2, Stream, h2_error};

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
    pub(super) error: hyper::Error,
    /// What becomes of the request.
    pub(super) fate: Fate,
}

/// What is known of a request that got no answer.
#[derive(Debug)]
pub(super) enum Fate {
    /// Not a byte of it was written; it may be given back.
    Unsent(Option<Box<Request<Sending>>>),
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

impl Connection {
    /// The next piece of the body; `None` at its end.
    pub(super) fn poll_piece(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        match self {
            Connection::Http1(connection) => connection.poll_piece(body, cx),
            Connection::Http2(_) => poll_data(body, cx),
        }
    }

    /// Takes note that the answer has been read to its end.
    pub(super) fn finish(&mut self) {
        if let Connection::Http1(connection) = self {
            connection.rest();
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

    /// When the first byte of the answer came, as far as the connection itself knows.
    pub(super) fn first_byte(&self) -> Option<Instant> {
        match self {
            Meter::Http1(wire) => wire.first_byte(),
            Meter::Http2(_) => None,
        }
    }
}

/// The next piece of a body's data; trailers are passed over.
fn poll_data(
    body: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, hyper::Error>>> {
    loop {
        match std::task::ready!(std::pin::Pin::new(&mut *body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Poll::Ready(Some(Ok(piece)));
                }
            }
        }
    }
}
