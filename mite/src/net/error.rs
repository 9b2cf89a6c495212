//! Why there is no connection.

/// A connection that could not be made, in words for the user.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    kind: Kind,
    message: String,
}

/// The phase that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Looking up the name.
    Dns,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
}

impl Error {
    pub(super) fn dns(message: String) -> Self {
        Self {
            kind: Kind::Dns,
            message,
        }
    }

    pub(super) fn connect(message: String) -> Self {
        Self {
            kind: Kind::Connect,
            message,
        }
    }

    pub(super) fn tls(message: String) -> Self {
        Self {
            kind: Kind::Tls,
            message,
        }
    }

    /// The phase that failed.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}
