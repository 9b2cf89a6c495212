//! Connections kept alive: one pool a worker and kind of client, or one a run of a journey.

mod endpoint;
pub(super) mod queue;
mod seats;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use rustc_hash::FxHashMap;
use tokio::time::Instant;

pub(super) use endpoint::{Endpoint, Offer};
pub(super) use seats::{Seat, Seats};

use super::{
    connection::{self, Buffers, Connection, Http1, Http2},
    connections::{Connections, Reuse},
    settings::HttpVersion,
};
use crate::net::{self, Connector, Peer, Phases};

/// How often, at least, kept connections are looked at: whether anybody still needs them.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// Why HTTP/2 by prior knowledge does not go where requests are handed on one by one.
const NO_HTTP2_BY_PROXY: &str = "HTTP/2 without TLS cannot go through an HTTP proxy: speak \
                                 HTTP/1.1, or take a SOCKS proxy or none";

/// Connections, those that are kept and how new ones are made.
#[derive(Debug)]
pub(super) struct Pool {
    endpoints: RefCell<FxHashMap<Rc<Origin>, Rc<Endpoint>>>,
    connector: Connector,
    version: HttpVersion,
    connections: Connections,
    buffers: Rc<Buffers>,
    swept: Cell<Instant>,
    sweep_every: Duration,
}

/// Which server: scheme, host and port, as RFC 6454 has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) https: bool,
    /// A name or an address, IPv6 without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// The request can never be sent as the settings are.
    Refused(String),
    Net(net::Error),
    Http(connection::Error),
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        version: HttpVersion,
        connections: Connections,
        buffers: Rc<Buffers>,
    ) -> Self {
        Self {
            endpoints: RefCell::default(),
            connector,
            version,
            sweep_every: connections.idle_timeout.min(SWEEP_EVERY),
            connections,
            buffers,
            swept: Cell::new(Instant::now()),
        }
    }

    /// A pool of the same kind with nothing in it, which knows of no TLS session either.
    pub(super) fn fresh(&self) -> Self {
        Self::new(
            self.connector.with_fresh_sessions(),
            self.version,
            self.connections.clone(),
            Rc::clone(&self.buffers),
        )
    }

    /// The endpoint of an origin.
    pub(super) fn endpoint(&self, origin: &Rc<Origin>) -> Rc<Endpoint> {
        if let Some(endpoint) = self.endpoints.borrow().get(origin) {
            return Rc::clone(endpoint);
        }
        let route = self
            .connector
            .route(origin.https, &origin.host, origin.port);
        let route = route.and_then(|route| {
            if self.version == HttpVersion::Http2 && route.forwarding().is_some() {
                return Err(NO_HTTP2_BY_PROXY.to_owned());
            }
            Ok(route)
        });
        let endpoint = Rc::new(Endpoint::new(
            Rc::clone(origin),
            route,
            self.version,
            &self.connections,
        ));
        self.endpoints
            .borrow_mut()
            .insert(Rc::clone(origin), Rc::clone(&endpoint));
        endpoint
    }

    /// A new connection, with the place it takes up at its endpoint.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        seat: Seat,
        phases: &Cell<Phases>,
    ) -> Result<Connection, ConnectError> {
        let origin = endpoint.origin();
        let peer = Peer {
            https: origin.https,
            host: &origin.host,
            port: origin.port,
        };
        let route = endpoint.route().map_err(ConnectError::Refused)?;
        let stream = self
            .connector
            .connect(peer, route, phases)
            .await
            .inspect_err(|_| seat.failed())
            .map_err(ConnectError::Net)?;
        let http2 = match self.version {
            HttpVersion::Auto => stream.wire().is_http2(),
            HttpVersion::Http1 => false,
            HttpVersion::Http2 => true,
        };
        seat.opened(http2);
        if http2 {
            let connection = Rc::new(Http2::new(stream, seat).await.map_err(ConnectError::Http)?);
            let stream = connection.stream();
            if self.reuses() {
                endpoint.share(connection);
            }
            Ok(Connection::Http2(stream))
        } else {
            let connection = Http1::new(&stream, Rc::clone(&self.buffers), seat);
            Ok(Connection::Http1(Box::new(connection)))
        }
    }

    /// Keeps a connection whose request ended `now`, if it can take another.
    pub(super) fn keep(&self, endpoint: &Endpoint, connection: Connection, now: Instant) {
        match connection {
            Connection::Http1(mut connection) if self.reuses() && connection.is_reusable() => {
                connection.set_idle_since(now);
                endpoint.keep(connection);
            }
            // A stream gives its place back by itself.
            Connection::Http1(_) | Connection::Http2(_) => {}
        }
        if now.saturating_duration_since(self.swept.get()) >= self.sweep_every {
            self.swept.set(now);
            self.sweep(now);
        }
    }

    /// Whether connections are kept after a request.
    pub(super) fn reuses(&self) -> bool {
        self.connections.reuse != Reuse::Nobody
    }

    /// Lets go of what the servers have closed and what nobody has needed for long.
    fn sweep(&self, now: Instant) {
        self.endpoints
            .borrow_mut()
            .retain(|_, endpoint| endpoint.sweep(now) || Rc::strong_count(endpoint) > 1);
    }
}
