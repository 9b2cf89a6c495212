//! TLS, and handshakes that come to nothing.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::listener::Listener;
use crate::certificates::Identity;

/// A server with which no TLS handshake succeeds.
#[derive(Debug)]
pub struct NoTls(Listener);

/// What becomes of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// The connection is accepted, and nothing is ever said.
    Stalls,
    /// The connection is closed when the client has said something.
    Closes,
    /// It is reset then.
    Resets,
    /// The answer is HTTP in the clear.
    IsPlain,
    /// The answer is the beginning of a record that never ends.
    StallsInRecord,
}

impl NoTls {
    /// Starts one.
    pub fn start(handshake: Handshake) -> Self {
        Self(Listener::start(move |stream| refuse(stream, handshake)))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}", self.address())
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.0.accepted()
    }
}

async fn refuse(mut stream: TcpStream, handshake: Handshake) -> io::Result<()> {
    if stream.read(&mut [0; 16 << 10]).await? == 0 {
        return Ok(());
    }
    match handshake {
        Handshake::Stalls => {}
        Handshake::Closes => return stream.shutdown().await,
        Handshake::Resets => return stream.set_zero_linger(),
        Handshake::IsPlain => {
            let answer = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
                           content-length: 0\r\n\r\n";
            stream.write_all(answer).await?;
            return stream.shutdown().await;
        }
        // A handshake record of 100 bytes, with its first two.
        Handshake::StallsInRecord => stream.write_all(&[22, 3, 3, 0, 100, 2, 0]).await?,
    }
    ignore(stream).await
}

/// Whether the first byte is that of a TLS handshake, and not of a request.
pub(super) async fn greets(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first == [22])
}

/// Reads for ever and says nothing.
pub(super) async fn ignore(mut stream: TcpStream) -> io::Result<()> {
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

/// Accepts TLS with this certificate, and these protocols by ALPN.
pub(super) fn acceptor(identity: &Identity, protocols: &[&str]) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().into())
        .collect();
    TlsAcceptor::from(Arc::new(config))
}
