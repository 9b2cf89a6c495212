//! The server that misbehaves, over HTTP/2.

mod frames;
mod goaway;
mod streams;
mod watched;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::{net::TcpStream, sync::mpsc};

use self::{
    streams::{Order, Request},
    watched::{Watch, Watched},
};
use super::{
    listener::{Listener, Stream},
    seen::Seen,
    tls,
};
use crate::certificates::Identity;

pub use goaway::GoAway;

/// A server that misbehaves over HTTP/2; dropping it ends all it is at.
///
/// A `{reason}` is the name of an error code of RFC 9113 in small letters, such as
/// `refused-stream`, `internal-error`, `enhance-your-calm`, `no-error`.
///
/// | Path | What happens |
/// |---|---|
/// | `/ok` | 200 `fine` |
/// | `/slow/{ms}` | the same after so many milliseconds |
/// | `/reset/{reason}` | RST_STREAM instead of an answer |
/// | `/reset-after-head/{reason}`, `/reset-in-body/{reason}` | RST_STREAM then |
/// | `/refuse-first/{n}` | RST_STREAM with REFUSED_STREAM to the first n requests, then as `/ok` |
/// | `/goaway/{reason}` | answers; GOAWAY comes right after, and the end of the connection |
/// | `/lost/before-head`, `/lost/in-body` | the connection is reset |
/// | `/stall/before-head`, `/stall/in-body` | says no more on this stream, for ever |
/// | `/stall/upload` | never reads the body, nor gives room for more of it |
/// | `/length/too-long`, `/length/too-short` | announces another length than it sends |
/// | `/large/{mib}` | a body of so many MiB: valid |
/// | `/head/many/{n}` | so many header fields: valid |
/// | anything else | 404 |
#[derive(Debug)]
pub struct Http2 {
    listener: Listener,
    seen: Arc<Seen>,
    most_streams: Arc<AtomicU64>,
    scheme: &'static str,
}

/// How a hostile server of HTTP/2 is to be spoken to.
#[derive(Clone, Debug, Default)]
#[must_use = "a server has to be started"]
pub struct Http2Config {
    identity: Option<Identity>,
    max_streams: Option<u32>,
}

impl Http2Config {
    /// In the clear, by prior knowledge.
    pub fn plain() -> Self {
        Self::default()
    }

    /// Behind TLS, chosen by ALPN.
    pub fn tls(identity: &Identity) -> Self {
        Self {
            identity: Some(identity.clone()),
            ..Self::default()
        }
    }

    /// Announces that no connection may have more streams at once; says nothing of it unless set.
    ///
    /// A stream beyond it is refused; [`Http2::most_streams`] tells whether there was one.
    pub fn max_streams(mut self, max: u32) -> Self {
        self.max_streams = Some(max);
        self
    }

    /// Starts it.
    pub fn start(self) -> Http2 {
        Http2::launch(&self)
    }
}

impl Http2 {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The URL of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.listener.accepted()
    }

    /// How many requests there were of this path, whatever their query.
    pub fn hits(&self, path: &str) -> u64 {
        self.seen.hits(path)
    }

    /// How many requests there were, without those that the announced limit of streams refused.
    pub fn requests(&self) -> u64 {
        self.seen.requests()
    }

    /// The bytes of the bodies of requests of this path that have been read.
    pub fn body_bytes(&self, path: &str) -> u64 {
        self.seen.body_bytes(path)
    }

    /// The most streams that a connection has had open at once, as its frames say, refused ones
    /// included.
    pub fn most_streams(&self) -> u64 {
        self.most_streams.load(Ordering::SeqCst)
    }

    fn launch(config: &Http2Config) -> Self {
        let seen = Arc::new(Seen::default());
        let most_streams = Arc::new(AtomicU64::new(0));
        let acceptor = config
            .identity
            .as_ref()
            .map(|identity| tls::acceptor(identity, &["h2"]));
        let server = Server {
            seen: Arc::clone(&seen),
            most_streams: Arc::clone(&most_streams),
            max_streams: config.max_streams,
        };
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let listener = Listener::start(move |stream: TcpStream| {
            let (server, acceptor) = (server.clone(), acceptor.clone());
            async move {
                match acceptor {
                    Some(acceptor) => server.converse(acceptor.accept(stream).await?).await,
                    None => server.converse(stream).await,
                }
            }
        });
        Self {
            listener,
            seen,
            most_streams,
            scheme,
        }
    }
}

/// What each connection knows of its server.
#[derive(Clone)]
struct Server {
    seen: Arc<Seen>,
    most_streams: Arc<AtomicU64>,
    max_streams: Option<u32>,
}

impl Server {
    /// Answers what comes on one connection until one of both has had enough.
    async fn converse(self, stream: impl Stream) -> io::Result<()> {
        let watch = Watch::new(self.most_streams);
        let mut builder = h2::server::Builder::new();
        if let Some(max) = self.max_streams {
            builder.max_concurrent_streams(max);
        }
        let watched = Watched::new(stream, watch.clone());
        let mut connection = builder
            .handshake::<_, Bytes>(watched)
            .await
            .map_err(io::Error::other)?;
        let (orders, mut ordered) = mpsc::unbounded_channel();
        loop {
            // To accept is to do all the work of the connection.
            tokio::select! {
                next = connection.accept() => {
                    let Some(next) = next else { return Ok(()) };
                    let (request, respond) = next.map_err(io::Error::other)?;
                    let request = Request::new(request, respond, &self.seen, orders.clone());
                    tokio::spawn(request.answer());
                }
                Some(order) = ordered.recv() => match order {
                    Order::GoAway(h2::Reason::NO_ERROR) => connection.graceful_shutdown(),
                    Order::GoAway(reason) => connection.abrupt_shutdown(reason),
                    Order::Lose => {
                        watch.reset_when_dropped();
                        return Ok(());
                    }
                }
            }
        }
    }
}
