//! By which way an origin is reached.

use std::{fmt, path::Path, rc::Rc};

use http::HeaderValue;

use super::proxy::ProxyServer;

/// The way to an origin, decided once.
#[derive(Clone, Debug)]
pub(crate) struct Route(pub(super) Way);

#[derive(Clone, Debug)]
pub(super) enum Way {
    /// To the host itself.
    Direct,
    /// To a Unix socket, whatever the host.
    Unix(Rc<Path>),
    /// To an HTTP proxy that is given each request.
    Forward(Rc<ProxyServer>),
    /// Through an HTTP proxy by `CONNECT`.
    Tunnel(Rc<ProxyServer>),
    /// Through a SOCKS proxy.
    Socks(Rc<ProxyServer>),
}

impl Route {
    /// Whether requests go to a proxy that forwards them, which makes their targets absolute URLs
    /// (RFC 9112, 3.2.2), and what `proxy-authorization` it wants to see then.
    pub(crate) fn forwarding(&self) -> Option<Option<HeaderValue>> {
        match &self.0 {
            Way::Forward(proxy) => Some(proxy.authorization()),
            _ => None,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Direct => formatter.write_str("directly"),
            Way::Unix(path) => write!(formatter, "through the Unix socket {}", path.display()),
            Way::Forward(proxy) | Way::Tunnel(proxy) | Way::Socks(proxy) => {
                write!(formatter, "through the proxy {proxy}")
            }
        }
    }
}
