//! Why there is no connection.

use std::fmt;

use super::Lack;

/// A connection that could not be made, in words for the user.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    kind: Kind,
    message: String,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Looking up the name.
    Dns,
    /// Opening the connection to the server.
    Connect,
    /// The proxy: it could not be reached, or did not do as it was asked.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// All of it together took longer than it may.
    Timeout,
    /// Any of it, for want of something of this machine's own.
    Local(Lack),
}

impl Error {
    pub(super) fn dns(message: String) -> Self {
        Self::new(Kind::Dns, message)
    }

    pub(super) fn connect(message: String) -> Self {
        Self::new(Kind::Connect, message)
    }

    pub(super) fn proxy(message: String) -> Self {
        Self::new(Kind::Proxy, message)
    }

    pub(super) fn tls(message: String) -> Self {
        Self::new(Kind::Tls, message)
    }

    pub(super) fn timeout(message: String) -> Self {
        Self::new(Kind::Timeout, message)
    }

    pub(super) fn local(lack: Lack, message: String) -> Self {
        Self::new(Kind::Local(lack), message)
    }

    fn new(kind: Kind, message: String) -> Self {
        Self { kind, message }
    }

    /// The same failure, which happened on the way to a proxy.
    pub(super) fn of_proxy(self, proxy: impl fmt::Display) -> Self {
        let message = format!("the proxy {proxy} cannot be reached: {}", self.message);
        match self.kind {
            // The proxy was not even asked.
            Kind::Local(lack) => Self::local(lack, message),
            _ => Self::proxy(message),
        }
    }

    /// What failed.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What this machine lacked, if that is why.
    pub(crate) fn lack(&self) -> Option<Lack> {
        match self.kind {
            Kind::Local(lack) => Some(lack),
            _ => None,
        }
    }
}
