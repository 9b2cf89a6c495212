//! Connections kept alive, one pool a worker.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::connection::Connection;
use crate::net::{self, Connector, Peer, Phases, Resolver, Settings, Tls};

/// How long a connection is kept without a request.
const IDLE_LIMIT: Duration = Duration::from_secs(90);

/// How often the connections to servers that are no longer asked are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// The kept connections of one worker, and how new ones are made.
///
/// There is no limit on their number: as many as there are requests in flight.
#[derive(Debug)]
pub(super) struct Pool {
    endpoints: RefCell<FxHashMap<Origin, Rc<Endpoint>>>,
    verifying: Connector,
    accepting: Connector,
    swept: Cell<Instant>,
}

/// Which connections are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) https: bool,
    /// A name or an address, IPv6 without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) accept_invalid_certs: bool,
}

/// One origin with its idle connections, the one used last at the back.
#[derive(Debug)]
pub(super) struct Endpoint {
    origin: Origin,
    idle: RefCell<VecDeque<Box<Connection>>>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    Net(net::Error),
    Http(hyper::Error),
}

impl Pool {
    /// A pool that makes its TLS connections with these settings.
    pub(super) fn new(tls: &Tls) -> Self {
        let resolver = Rc::new(Resolver::new());
        let connector = |tls| {
            let settings = Settings {
                tls,
                ..Settings::default()
            };
            Connector::new(&settings, Rc::clone(&resolver))
        };
        Self {
            endpoints: RefCell::default(),
            verifying: connector(tls.clone()),
            accepting: connector(tls.clone().danger_accept_invalid_certs(true)),
            swept: Cell::new(Instant::now()),
        }
    }

    /// The endpoint of an origin.
    pub(super) fn endpoint(&self, origin: Origin) -> Rc<Endpoint> {
        let mut endpoints = self.endpoints.borrow_mut();
        if let Some(endpoint) = endpoints.get(&origin) {
            return Rc::clone(endpoint);
        }
        let endpoint = Rc::new(Endpoint {
            origin: origin.clone(),
            idle: RefCell::default(),
        });
        endpoints.insert(origin, Rc::clone(&endpoint));
        endpoint
    }

    /// A new connection.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        phases: &Cell<Phases>,
    ) -> Result<Box<Connection>, ConnectError> {
        let origin = &endpoint.origin;
        let connector = if origin.accept_invalid_certs {
            &self.accepting
        } else {
            &self.verifying
        };
        let peer = Peer {
            https: origin.https,
            host: &origin.host,
            port: origin.port,
        };
        let stream = connector
            .connect(peer, &net::Route::direct(), phases)
            .await
            .map_err(ConnectError::Net)?;
        let connection = Connection::new(stream).await.map_err(ConnectError::Http)?;
        Ok(Box::new(connection))
    }

    /// Keeps a connection whose request ended `now`.
    pub(super) fn keep(&self, endpoint: &Endpoint, mut connection: Box<Connection>, now: Instant) {
        connection.set_idle_since(now);
        endpoint.idle.borrow_mut().push_back(connection);
        endpoint.drop_outdated(now);
        if now.saturating_duration_since(self.swept.get()) >= SWEEP_EVERY {
            self.swept.set(now);
            self.sweep(now);
        }
    }

    /// Lets go of what the servers have closed and what nobody has needed for long.
    fn sweep(&self, now: Instant) {
        self.endpoints.borrow_mut().retain(|_, endpoint| {
            endpoint.drop_outdated(now);
            let mut idle = endpoint.idle.borrow_mut();
            idle.retain_mut(|connection| !connection.has_stirred() || connection.is_fit());
            !idle.is_empty() || Rc::strong_count(endpoint) > 1
        });
    }
}

impl Endpoint {
    /// The connection that was used last, of those that still work.
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.idle.borrow_mut().pop_back()?;
            if connection.is_fit() {
                return Some(connection);
            }
        }
    }

    /// Whether its servers' certificates are accepted unseen.
    pub(super) fn accepts_invalid_certs(&self) -> bool {
        self.origin.https && self.origin.accept_invalid_certs
    }

    fn drop_outdated(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        while idle
            .front()
            .and_then(|connection| connection.idle_since())
            .is_some_and(|since| now.saturating_duration_since(since) > IDLE_LIMIT)
        {
            idle.pop_front();
        }
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.idle.borrow().len()
    }
}
