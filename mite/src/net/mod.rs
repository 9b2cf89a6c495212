//! Connections to servers: name, TCP and TLS, each phase timed.

mod error;
mod resolve;
mod stream;
mod tls;

use std::{cell::Cell, io, net::SocketAddr, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::TlsConnector;

pub(crate) use error::{Error, Kind};
pub(crate) use stream::{Stream, Wire};
pub(crate) use tls::{Tls, prepare as prepare_tls};

/// How long each phase of a new connection took; `None` for one that was not needed or did not
/// come to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Phases {
    /// Looking up the name.
    pub(crate) dns: Option<Duration>,
    /// Opening the TCP connection, over all addresses tried.
    pub(crate) connect: Option<Duration>,
    /// The TLS handshake.
    pub(crate) tls: Option<Duration>,
}

/// Where to connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer<'a> {
    /// A name or an address, IPv6 without brackets.
    pub(crate) host: &'a str,
    /// The TCP port.
    pub(crate) port: u16,
}

/// Opens a connection, with TLS when there is a connector.
///
/// Each phase is written to `phases` as it ends, so that one cut short still tells of those before.
pub(crate) async fn connect(
    peer: Peer<'_>,
    tls: Option<TlsConnector>,
    phases: &Cell<Phases>,
) -> Result<Stream, Error> {
    let mut done = Phases::default();
    let began = Instant::now();
    let addresses = resolve::resolve(peer).await?;
    let resolved = if addresses.looked_up {
        let now = Instant::now();
        done.dns = Some(now - began);
        phases.set(done);
        now
    } else {
        began
    };

    let tcp = open(peer, &addresses.list).await?;
    let connected = Instant::now();
    done.connect = Some(connected - resolved);
    phases.set(done);

    let Some(connector) = tls else {
        return Ok(Stream::plain(tcp));
    };
    let name = ServerName::try_from(peer.host.to_owned())
        .map_err(|_| Error::tls(format!("{} is no name a certificate can have", peer.host)))?;
    let stream = connector
        .connect(name, tcp)
        .await
        .map_err(|error| tls::explain(peer.host, &error))?;
    done.tls = Some(connected.elapsed());
    phases.set(done);
    Ok(Stream::tls(stream))
}

/// Tries one address after the other and tells of the last failure.
async fn open(peer: Peer<'_>, addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut failure = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Without it a request of two writes waits for the server's delayed acknowledgement.
                stream
                    .set_nodelay(true)
                    .map_err(|error| cannot_connect(*address, &error))?;
                return Ok(stream);
            }
            Err(error) => failure = Some(cannot_connect(*address, &error)),
        }
    }
    Err(failure.unwrap_or_else(|| Error::dns(format!("{} has no address", peer.host))))
}

fn cannot_connect(address: SocketAddr, error: &io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::ConnectionRefused => "; is the server running?",
        io::ErrorKind::AddrNotAvailable => {
            "; this machine has run out of local ports: keep connections alive, use more runners, \
             or widen net.ipv4.ip_local_port_range"
        }
        _ if error.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => {
            "; raise the limit of open files (ulimit -n)"
        }
        _ => "",
    };
    Error::connect(format!("cannot connect to {address}: {error}{advice}"))
}

/// `EMFILE`, which has no stable [`io::ErrorKind`].
const TOO_MANY_OPEN_FILES: i32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    async fn port_of_nobody() -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn an_address_needs_no_lookup_and_a_name_does() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for (host, looked_up) in [("127.0.0.1", false), ("localhost", true)] {
            let phases = Cell::default();
            connect(Peer { host, port }, None, &phases).await.unwrap();
            assert_eq!(phases.get().dns.is_some(), looked_up, "{host}");
            assert!(phases.get().connect.is_some());
            assert_eq!(phases.get().tls, None);
        }
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_followed_by_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refusing = SocketAddr::from(([127, 0, 0, 1], port_of_nobody().await));
        let peer = Peer {
            host: "shop.test",
            port: 1,
        };
        let stream = open(peer, &[refusing, listener.local_addr().unwrap()])
            .await
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_refused_connection_and_an_unknown_name_are_different_failures() {
        let port = port_of_nobody().await;
        let phases = Cell::default();
        let refused = Peer {
            host: "127.0.0.1",
            port,
        };
        let error = connect(refused, None, &phases).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Connect);
        assert!(
            error.to_string().contains("is the server running?"),
            "{error}"
        );
        assert_eq!(phases.get(), Phases::default());

        let unknown = Peer {
            host: "does-not-exist.invalid",
            port,
        };
        let error = connect(unknown, None, &phases).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Dns);
        assert!(
            error.to_string().contains("does-not-exist.invalid"),
            "{error}"
        );
    }
}
