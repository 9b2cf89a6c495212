//! Why nobody answered.

use std::io;

/// Why there was no answer, in words that hold no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    message: String,
    may_pass: bool,
}

impl Error {
    /// Something that may be otherwise the next time.
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            may_pass: true,
        }
    }

    /// Something that will be the same the next time.
    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            may_pass: false,
        }
    }

    /// Whether it may go better the next time. The other side may have acted all the same.
    pub(crate) fn may_pass(&self) -> bool {
        self.may_pass
    }
}

impl From<crate::net::Error> for Error {
    fn from(error: crate::net::Error) -> Self {
        match error.kind() {
            // A certificate does not mend itself within seconds.
            crate::net::Kind::Tls => Self::lasting(error.to_string()),
            _ => Self::passing(error.to_string()),
        }
    }
}

impl From<hyper::Error> for Error {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() || error.is_parse_too_large() {
            return Self::lasting("what answers there does not speak HTTP/1.1");
        }
        let source = std::error::Error::source(&error);
        let is_cut = source
            .and_then(|source| source.downcast_ref::<io::Error>())
            .is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof);
        if is_cut || error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            return Self::passing("the connection was closed before the answer was complete");
        }
        let why = source.map_or_else(|| error.to_string(), ToString::to_string);
        Self::passing(format!("the connection broke: {why}"))
    }
}
