//! What cannot be served, and what would be right.

use std::{io, net::SocketAddr};

/// Why the dashboard cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// It is no address.
    #[error(
        "cannot serve the dashboard at \"{0}\": an address is written 127.0.0.1:9301, [::1]:9301 or, \
         for this machine only, 9301"
    )]
    Address(String),
    /// The port cannot be had.
    #[error(
        "cannot serve the dashboard at {address}: {source}; give another address or port with \
         --metrics, or end the program that has this one (port 0 is any that is free)"
    )]
    Taken {
        address: SocketAddr,
        source: io::Error,
    },
    /// The token is none.
    #[error(
        "the token of the dashboard will not do: it has to be 16 to 256 letters, digits or any of \
         -._~+/= (leave it out, and one is made where it is needed)"
    )]
    Token,
    /// The buckets are none.
    #[error("the buckets of histograms will not do: {0}")]
    Buckets(String),
    /// There can be no thread.
    #[error("cannot start the thread of the dashboard: {0}")]
    Thread(io::Error),
}
