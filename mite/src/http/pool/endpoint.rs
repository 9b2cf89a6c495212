//! The connections to one server.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use http::HeaderValue;
use tokio::time::Instant;

use super::{Origin, Seat, seats::Seats};
use crate::{
    http::{
        connection::{Connection, Http1, Http2},
        connections::Connections,
        settings::HttpVersion,
    },
    net::Route,
};

/// How long a connection may have been idle and be taken for open without asking the kernel.
const GLANCE: Duration = Duration::from_millis(1);

/// How many kept connections in a row must have been open for this. A server that closes connections
/// without a word is found out sooner.
const TRUSTED: u32 = 100;

/// One server with the connections to it, of HTTP/1.1 those without a request.
#[derive(Debug)]
pub(in crate::http) struct Endpoint {
    origin: Rc<Origin>,
    route: Result<Route, String>,
    /// The one used last at the back.
    idle: RefCell<VecDeque<Box<Http1>>>,
    shared: RefCell<Vec<Rc<Http2>>>,
    seats: Rc<Seats>,
    idle_timeout: Duration,
    max_lifetime: Option<Duration>,
    /// How many kept connections in a row were open when the kernel was asked.
    trust: Cell<u32>,
}

/// What a request may go over.
pub(in crate::http) enum Offer {
    /// A connection that has carried a request before.
    Kept(Connection),
    /// One that is yet to be opened.
    New(Seat),
}

impl Endpoint {
    pub(super) fn new(
        origin: Rc<Origin>,
        route: Result<Route, String>,
        version: HttpVersion,
        connections: &Connections,
    ) -> Self {
        Self {
            seats: Seats::new(origin.https, version, connections),
            origin,
            route,
            idle: RefCell::default(),
            shared: RefCell::default(),
            idle_timeout: connections.idle_timeout,
            max_lifetime: connections.max_lifetime,
            trust: Cell::new(0),
        }
    }

    pub(in crate::http) fn origin(&self) -> &Rc<Origin> {
        &self.origin
    }

    /// How connections get there, or why they cannot.
    pub(in crate::http) fn route(&self) -> Result<&Route, String> {
        self.route.as_ref().map_err(Clone::clone)
    }

    /// Whether requests go to a proxy that forwards them, and the `proxy-authorization` it wants.
    pub(in crate::http) fn forwarding(&self) -> Option<Option<HeaderValue>> {
        self.route.as_ref().ok()?.forwarding()
    }

    /// Something to send on at once, if there is any and nobody waits for it.
    pub(in crate::http) fn offer(&self, now: Instant) -> Option<Offer> {
        if self.seats.queue().is_empty() {
            self.find(now)
        } else {
            None
        }
    }

    /// Waits for something to send on.
    pub(in crate::http) async fn turn(&self) -> Offer {
        let look = || self.find(Instant::now());
        self.seats.queue().turn(look).await
    }

    /// A kept connection was not as it should be: the next ones are looked at twice.
    pub(in crate::http) fn distrust(&self) {
        self.trust.set(0);
    }

    fn find(&self, now: Instant) -> Option<Offer> {
        self.take(now)
            .or_else(|| self.stream(now))
            .map(Offer::Kept)
            .or_else(|| self.seats.take().map(Offer::New))
    }

    /// The connection that was used last, of those that still work.
    fn take(&self, now: Instant) -> Option<Connection> {
        loop {
            let connection = self.idle.borrow_mut().pop_back()?;
            let since = connection.idle_since();
            let idle = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            if idle > self.idle_timeout || self.is_outdated(connection.born(), now) {
                continue;
            }
            let sure = since.is_none() || idle > GLANCE || self.trust.get() < TRUSTED;
            if connection.is_fit(sure) {
                let trust = self.trust.get() + u32::from(sure);
                self.trust.set(trust.min(TRUSTED));
                return Some(Connection::Http1(connection));
            }
            self.distrust();
        }
    }

    /// A stream on a connection that has one left.
    fn stream(&self, now: Instant) -> Option<Connection> {
        let mut shared = self.shared.borrow_mut();
        if shared.is_empty() {
            return None;
        }
        shared.retain(|connection| self.is_fit(connection, now));
        let connection = shared.iter().find(|connection| connection.has_room())?;
        Some(Connection::Http2(connection.stream()))
    }

    /// Lets others use a connection at the same time.
    pub(super) fn share(&self, connection: Rc<Http2>) {
        self.shared.borrow_mut().push(connection);
        self.seats.freed();
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(&self, connection: Box<Http1>) {
        self.idle.borrow_mut().push_back(connection);
        self.seats.freed();
    }

    /// Lets go of what is closed or outdated; says whether anything is left.
    pub(super) fn sweep(&self, now: Instant) -> bool {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|connection| {
            let since = connection.idle_since();
            since.is_none_or(|since| !self.is_idle_too_long(since, now)) && !connection.has_spoken()
        });
        let mut shared = self.shared.borrow_mut();
        shared.retain(|connection| self.is_fit(connection, now));
        !idle.is_empty() || !shared.is_empty()
    }

    /// Whether more requests may begin on a connection that is shared.
    fn is_fit(&self, connection: &Http2, now: Instant) -> bool {
        let unused = connection.unused_since();
        connection.is_open()
            && !self.is_outdated(connection.born(), now)
            && unused.is_none_or(|since| !self.is_idle_too_long(since, now))
    }

    fn is_idle_too_long(&self, since: Instant, now: Instant) -> bool {
        now.saturating_duration_since(since) > self.idle_timeout
    }

    fn is_outdated(&self, born: Instant, now: Instant) -> bool {
        self.max_lifetime
            .is_some_and(|lifetime| now.saturating_duration_since(born) >= lifetime)
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(in crate::http) fn idle(&self) -> usize {
        self.idle.borrow().len()
    }
}
