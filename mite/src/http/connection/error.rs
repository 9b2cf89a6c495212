//! What can go wrong on a connection.

use std::io;

use crate::http::body::SendError;

/// Why there is no answer, or not all of it.
#[derive(Debug)]
pub(in crate::http) enum Error {
    Io(io::Error),
    /// The server closed the connection before the head of its answer was complete.
    Closed,
    /// The server closed the connection before the end of the body.
    CutShort,
    /// What came is no HTTP/1.1, and why.
    NotHttp(String),
    /// The chunks of a body are not as they should be, and why.
    Malformed(&'static str),
    /// The body of the request cannot be sent.
    Body(SendError),
    /// What hyper says of an HTTP/2 connection.
    Hyper(hyper::Error),
}

impl Error {
    /// Whether the request itself is to blame.
    pub(in crate::http) fn is_users(&self) -> bool {
        match self {
            Error::Body(_) => true,
            Error::Hyper(error) => error.is_user(),
            _ => false,
        }
    }
}

/// What HTTP/2 itself says was wrong, if it was that.
pub(in crate::http) fn h2_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a h2::Error> {
    let mut error = Some(error);
    while let Some(cause) = error {
        if let Some(cause) = cause.downcast_ref() {
            return Some(cause);
        }
        error = cause.source();
    }
    None
}
