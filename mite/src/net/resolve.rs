//! Names to addresses.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use super::{Error, Peer};

/// The addresses of a peer.
pub(super) struct Addresses {
    pub(super) list: Vec<SocketAddr>,
    /// Whether the system's resolver was asked.
    pub(super) looked_up: bool,
}

/// Asks the system's resolver, unless the host is an address already.
pub(super) async fn resolve(peer: Peer<'_>) -> Result<Addresses, Error> {
    if let Ok(address) = peer.host.parse::<IpAddr>() {
        return Ok(Addresses {
            list: vec![SocketAddr::new(address, peer.port)],
            looked_up: false,
        });
    }
    let found = lookup_host((peer.host, peer.port))
        .await
        .map_err(|error| Error::dns(format!("cannot look up {}: {error}", peer.host)))?;
    Ok(Addresses {
        list: found.collect(),
        looked_up: true,
    })
}
