//! Connections to servers: name, proxy, TCP and TLS, each phase timed.

mod connector;
mod dial;
mod error;
mod lack;
mod network;
mod overrides;
mod phases;
mod proxy;
mod resolver;
mod route;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

pub use network::{AddressFamily, Network};
pub use proxy::Proxy;
pub use tls::{Tls, TlsVersion};

pub(crate) use connector::Connector;
pub(crate) use error::{Error, Kind};
pub(crate) use lack::Lack;
pub(crate) use overrides::resolve_entry;
pub(crate) use phases::Phases;
pub(crate) use resolver::Resolver;
pub(crate) use route::Route;
pub(crate) use stream::{Stream, Wire};
pub(crate) use tls::{explain_alert, prepare as prepare_tls};

/// How connections are made: two with equal settings may share theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Settings {
    pub(crate) network: Network,
    pub(crate) tls: Tls,
    pub(crate) proxy: Proxy,
    pub(crate) alpn: Alpn,
}

/// The protocols offered in a TLS handshake (ALPN, RFC 7301).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Alpn {
    /// `http/1.1`.
    #[default]
    Http1,
    /// `h2`.
    Http2,
    /// `h2`, or else `http/1.1`.
    Any,
}

/// Where to connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer<'a> {
    /// With TLS.
    pub(crate) https: bool,
    /// A name in lower case or an address, IPv6 without brackets.
    pub(crate) host: &'a str,
    /// The TCP port.
    pub(crate) port: u16,
}

impl Settings {
    /// What is wrong with the settings, found without connecting to anything.
    ///
    /// Files and environment variables are looked at, so it is the machine that will connect which
    /// should ask.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.network.check()?;
        self.tls.check()?;
        self.proxy.check()
    }
}
