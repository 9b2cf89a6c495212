//! Connections to servers and through proxies on real sockets.

mod network;
mod proxies;
mod secured;
mod server;

use std::{cell::Cell, io, rc::Rc, time::Duration};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::server::{Authority, EchoServer, TlsServer};
use super::*;

fn connector(settings: &Settings) -> Connector {
    Connector::new(settings, Rc::new(Resolver::new()))
}

fn on(network: Network) -> Settings {
    Settings {
        network,
        ..Settings::default()
    }
}

fn by(proxy: Proxy) -> Settings {
    Settings {
        proxy,
        ..Settings::default()
    }
}

fn trusting(tls: Tls) -> Settings {
    Settings {
        tls,
        ..Settings::default()
    }
}

/// Connects by the way the settings say; what became of it, and the phases.
async fn connect(
    connector: &Connector,
    https: bool,
    host: &str,
    port: u16,
) -> (Result<Stream, Error>, Phases) {
    let route = connector.route(https, host, port).unwrap();
    let phases = Cell::default();
    let peer = Peer { https, host, port };
    let outcome = connector.connect(peer, &route, &phases).await;
    (outcome, phases.get())
}

/// Sends a line and reads the answer, the same line.
async fn echo(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(b"hello\n").await?;
    stream.flush().await?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"hello\n");
    Ok(())
}

fn port_of_nobody() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether the phases follow one another without a gap.
fn assert_chained(phases: Phases) {
    let sum = [phases.dns, phases.connect, phases.tls]
        .into_iter()
        .flatten()
        .sum::<Duration>();
    assert_eq!(phases.began.unwrap() + sum, phases.ended.unwrap());
}
