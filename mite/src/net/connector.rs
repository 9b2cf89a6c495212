//! The whole way from a host's name to a stream that requests can be written to.

use std::{
    cell::{Cell, OnceCell},
    fmt,
    future::Future,
    net::IpAddr,
    path::Path,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Alpn, Error, Kind, Lack, Peer, Phases, Resolver, Route, Settings, Stream,
    dial::{Candidates, Dialler, advice},
    network::Network,
    overrides::Overrides,
    phases::{Progress, Stage},
    proxy::{self, Proxies, ProxyServer, Scheme},
    route::Way,
    tls::{self, Tls},
};

/// Makes connections, all with the same settings.
pub(crate) struct Connector {
    shared: Rc<Shared>,
    /// Whether TLS sessions are resumed only from connections of this connector.
    fresh: bool,
    tls: OnceCell<TlsConnector>,
}

/// What connectors have in common that differ in their TLS sessions only.
struct Shared {
    network: Network,
    tls: Tls,
    alpn: Alpn,
    overrides: Result<Overrides, String>,
    proxies: Result<Proxies, String>,
    unix_socket: Option<Rc<Path>>,
    dialler: Dialler,
    resolver: Rc<Resolver>,
    /// Made when TLS is first needed.
    tls_config: OnceCell<Arc<ClientConfig>>,
}

impl Connector {
    /// One whose names are looked up by this resolver.
    ///
    /// Settings that make no sense are an error of [`route`](Connector::route).
    pub(crate) fn new(settings: &Settings, resolver: Rc<Resolver>) -> Self {
        let network = settings.network.clone();
        Self::with(Rc::new(Shared {
            overrides: network.overrides(),
            proxies: settings.proxy.servers(),
            unix_socket: network.socket_path().map(Rc::from),
            dialler: Dialler::new(&network),
            network,
            tls: settings.tls.clone(),
            alpn: settings.alpn,
            resolver,
            tls_config: OnceCell::new(),
        }))
    }

    fn with(shared: Rc<Shared>) -> Self {
        Self {
            shared,
            fresh: false,
            tls: OnceCell::new(),
        }
    }

    /// The same, but that it has met no server: no TLS session can be resumed yet.
    pub(crate) fn with_fresh_sessions(&self) -> Self {
        Self {
            fresh: true,
            ..Self::with(Rc::clone(&self.shared))
        }
    }

    /// The way to an origin.
    pub(crate) fn route(&self, https: bool, host: &str, port: u16) -> Result<Route, String> {
        let shared = &self.shared;
        shared.overrides.as_ref().map_err(String::clone)?;
        if let Some(path) = &shared.unix_socket {
            return Ok(Route(Way::Unix(Rc::clone(path))));
        }
        let proxies = shared.proxies.as_ref().map_err(String::clone)?;
        let Some(server) = proxies.choose(https, host) else {
            return Ok(Route(Way::Direct));
        };
        Ok(Route(match server.scheme() {
            Scheme::Http if https => Way::Tunnel(server),
            Scheme::Http => Way::Forward(server),
            Scheme::Socks5 | Scheme::Socks5h => {
                if host.len() > proxy::LONGEST_NAME {
                    return Err(format!(
                        "the name {host}:{port} is too long for a SOCKS proxy"
                    ));
                }
                Way::Socks(server)
            }
        }))
    }

    /// Opens a connection by a way that [`route`](Connector::route) has found.
    pub(crate) async fn connect(
        &self,
        peer: Peer<'_>,
        route: &Route,
        phases: &Cell<Phases>,
    ) -> Result<Stream, Error> {
        // Made before the clock runs: reading certificates is no part of any connection.
        let tls = if peer.https { Some(self.tls()?) } else { None };
        let progress = Progress::begin(phases);
        let connecting = self.open(peer, route, tls, &progress);
        let Some(limit) = self.shared.network.time_limit() else {
            return connecting.await;
        };
        match timeout(limit, connecting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(too_late(peer, route, limit, progress.stage())),
        }
    }

    async fn open(
        &self,
        peer: Peer<'_>,
        route: &Route,
        tls: Option<TlsConnector>,
        progress: &Progress<'_>,
    ) -> Result<Stream, Error> {
        let Peer { host, port, .. } = peer;
        let tcp = match &route.0 {
            Way::Unix(path) => {
                let socket = self.unix(path, progress).await?;
                return Ok(match tls {
                    None => Stream::unix(socket),
                    Some(tls) => {
                        Stream::unix_tls(self.handshake(peer, tls, socket, progress).await?)
                    }
                });
            }
            Way::Direct => self.direct(host, port, progress).await?,
            Way::Forward(server) => self.to_proxy(server, false, progress).await?,
            Way::Tunnel(server) => {
                let mut tcp = self.to_proxy(server, false, progress).await?;
                proxy::tunnel(&mut tcp, server, host, port).await?;
                tcp
            }
            Way::Socks(server) => self.through_socks(server, host, port, progress).await?,
        };
        progress.connected();
        Ok(match tls {
            None => Stream::plain(tcp),
            Some(tls) => Stream::tls(self.handshake(peer, tls, tcp, progress).await?),
        })
    }

    async fn direct(
        &self,
        host: &str,
        port: u16,
        progress: &Progress<'_>,
    ) -> Result<TcpStream, Error> {
        let candidates = self.candidates(host, port);
        let (candidates, looked_up) = candidates.await?;
        if looked_up {
            progress.looked_up();
        }
        self.dial(&candidates, progress).await
    }

    async fn through_socks(
        &self,
        server: &ProxyServer,
        host: &str,
        port: u16,
        progress: &Progress<'_>,
    ) -> Result<TcpStream, Error> {
        let (target, looked_up) = if server.scheme() == Scheme::Socks5 {
            let (candidates, looked_up) = self.candidates(host, port).await?;
            (candidates.first(), looked_up)
        } else {
            (
                host.parse()
                    .ok()
                    .map(|address: IpAddr| (address, port).into()),
                false,
            )
        };
        let mut tcp = self.to_proxy(server, looked_up, progress).await?;
        proxy::socks(&mut tcp, server, host, port, target).await?;
        Ok(tcp)
    }

    /// Opens a connection to the proxy; the lookup may have begun with the target's name.
    async fn to_proxy(
        &self,
        server: &ProxyServer,
        target_looked_up: bool,
        progress: &Progress<'_>,
    ) -> Result<TcpStream, Error> {
        let about_proxy = |error: Error| error.of_proxy(server);
        let candidates = self.candidates(server.host(), server.port()).await;
        let (candidates, looked_up) = candidates.map_err(about_proxy)?;
        if looked_up || target_looked_up {
            progress.looked_up();
        }
        let tcp = self
            .dial(&candidates, progress)
            .await
            .map_err(about_proxy)?;
        progress.enter(Stage::Proxy);
        Ok(tcp)
    }

    /// The addresses of a host, and whether they took a lookup.
    async fn candidates<'a>(
        &self,
        host: &'a str,
        port: u16,
    ) -> Result<(Candidates<'a>, bool), Error> {
        let shared = &self.shared;
        let overrides = shared.overrides.as_ref().ok();
        if let Some((addresses, turn)) = overrides.and_then(|known| known.find(host, port)) {
            let candidates = shared.dialler.given(host, port, addresses, turn)?;
            return Ok((candidates, false));
        }
        if let Ok(address) = host.parse() {
            let candidates = shared.dialler.given(host, port, &[address], 0)?;
            return Ok((candidates, false));
        }
        let found = shared.resolver.resolve(host, shared.network.ttl()).await?;
        let candidates = shared
            .dialler
            .candidates(host, port, &found.addresses, found.turn)?;
        Ok((candidates, found.looked_up))
    }

    async fn dial(
        &self,
        candidates: &Candidates<'_>,
        progress: &Progress<'_>,
    ) -> Result<TcpStream, Error> {
        progress.enter(Stage::Connect);
        let network = &self.shared.network;
        let deadline = network
            .time_limit()
            .zip(progress.began())
            .and_then(|(limit, began)| began.checked_add(limit));
        let passed_over = Cell::new(0);
        let dial = || {
            let dialler = &self.shared.dialler;
            dialler.dial(candidates, deadline, &passed_over)
        };
        let opened = self.again(dial).await;
        progress.passed_over(passed_over.get());
        opened
    }

    async fn unix(&self, path: &Path, progress: &Progress<'_>) -> Result<UnixStream, Error> {
        progress.enter(Stage::Connect);
        let connect = || async {
            UnixStream::connect(path).await.map_err(|error| {
                let path = path.display();
                let advice = advice(&error, None);
                let message = format!("cannot connect to the Unix socket {path}: {error}{advice}");
                match Lack::of(&error) {
                    Some(lack) => Error::local(lack, message),
                    None => Error::connect(message),
                }
            })
        };
        let socket = self.again(connect).await?;
        progress.connected();
        Ok(socket)
    }

    /// Tries as often as the settings say.
    async fn again<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut pause = FIRST_PAUSE;
        for _ in 0..self.shared.network.retries() {
            match attempt().await {
                Err(error) if matches!(error.kind(), Kind::Connect | Kind::Local(_)) => {
                    sleep(pause).await;
                }
                outcome => return outcome,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        attempt().await
    }

    async fn handshake<S>(
        &self,
        peer: Peer<'_>,
        tls: TlsConnector,
        socket: S,
        progress: &Progress<'_>,
    ) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        progress.enter(Stage::Tls);
        let host = self.shared.tls.name_for(peer.host);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::tls(format!("{host} is no name a certificate can have")))?;
        let stream = tls
            .connect(name, socket)
            .await
            .map_err(|error| tls::explain(host, &error))?;
        progress.encrypted();
        Ok(stream)
    }

    fn tls(&self) -> Result<TlsConnector, Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls.clone());
        }
        let shared = &self.shared;
        let config = match shared.tls_config.get() {
            Some(config) => Arc::clone(config),
            None => {
                let config = tls::client_config(&shared.tls, shared.alpn).map_err(Error::tls)?;
                Arc::clone(shared.tls_config.get_or_init(|| Arc::new(config)))
            }
        };
        let config = if self.fresh {
            Arc::new(tls::with_fresh_sessions(&config, &shared.tls))
        } else {
            config
        };
        Ok(self.tls.get_or_init(|| TlsConnector::from(config)).clone())
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connector")
            .field("network", &self.shared.network)
            .field("tls", &self.shared.tls)
            .field("alpn", &self.shared.alpn)
            .finish_non_exhaustive()
    }
}

/// The waits between attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

fn too_late(peer: Peer<'_>, route: &Route, limit: Duration, stage: Stage) -> Error {
    let doing = match (stage, &route.0) {
        (Stage::Dns, _) => "the name had not been looked up".to_owned(),
        (Stage::Tls, _) => "the TLS handshake had not ended".to_owned(),
        (_, Way::Unix(path)) => format!("the Unix socket {} did not answer", path.display()),
        (Stage::Connect, Way::Direct) => "no address answered".to_owned(),
        (Stage::Connect, _) => format!("no connection {route}"),
        (Stage::Proxy, _) => format!("no answer {route}"),
    };
    Error::timeout(format!(
        "no connection to {} within the connect_timeout of {}: {doing}",
        peer.host,
        humantime::format_duration(limit)
    ))
}
