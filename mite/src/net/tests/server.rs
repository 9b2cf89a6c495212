//! Servers that say back what they hear.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy, split},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Says back what it hears, and remembers who spoke.
pub(super) struct EchoServer {
    pub(super) address: SocketAddr,
    peers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl EchoServer {
    pub(super) async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    pub(super) async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let peers = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&peers);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                seen.lock().unwrap().push(peer);
                tokio::spawn(repeat(stream));
            }
        });
        Self { address, peers }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn peers(&self) -> Vec<SocketAddr> {
        self.peers.lock().unwrap().clone()
    }
}

pub(super) async fn repeat(stream: impl AsyncRead + AsyncWrite) {
    let (mut reader, mut writer) = split(stream);
    let _ = copy(&mut reader, &mut writer).await;
}

/// Issues certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
    der: CertificateDer<'static>,
}

/// A certificate and its key, in PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            pem: certificate.pem(),
            der: certificate.der().clone(),
        }
    }

    pub(super) fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
            key_der: key.serialize_der(),
        }
    }
}

/// What a [`TlsServer`] is like.
pub(super) struct TlsServer {
    pub(super) name: &'static str,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) protocols: Vec<&'static str>,
    /// Only for clients whose certificate this authority has issued.
    pub(super) wants_certificate: bool,
}

impl Default for TlsServer {
    fn default() -> Self {
        Self {
            name: "shop.test",
            versions: vec![&TLS13, &TLS12],
            protocols: Vec::new(),
            wants_certificate: false,
        }
    }
}

impl TlsServer {
    /// The port, and the names that clients asked for.
    pub(super) async fn start(self, authority: &Authority) -> (u16, Arc<Mutex<Vec<String>>>) {
        let acceptor = self.acceptor(authority);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let names = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&names);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, asked) = (acceptor.clone(), Arc::clone(&asked));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let name = stream.get_ref().1.server_name().map(str::to_owned);
                        asked.lock().unwrap().push(name.unwrap_or_default());
                        repeat(stream).await;
                    }
                });
            }
        });
        (port, names)
    }

    pub(super) fn acceptor(self, authority: &Authority) -> TlsAcceptor {
        let issued = authority.issue(self.name);
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .unwrap();
        let builder = if self.wants_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(issued.key_der).unwrap();
        let mut config = builder.with_single_cert(vec![issued.der], key).unwrap();
        config.alpn_protocols = self
            .protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
