//! How many connections to an endpoint there are and may be, and who waits for one.

use std::{cell::Cell, rc::Rc, time::Duration};

use tokio::time::Instant;

use super::queue::Queue;
use crate::http::{
    connections::{Connections, Reuse},
    settings::HttpVersion,
};

/// How many streams a server is taken to allow until it says how many, the least that RFC 9113
/// recommends.
const STREAMS_EXPECTED: usize = 100;

/// Within what time an opening that ends is taken for one that was no longer wanted.
const GIVEN_UP_SOON: Duration = Duration::from_millis(100);

/// The places for connections at one endpoint.
#[derive(Debug)]
pub(in crate::http) struct Seats {
    most: usize,
    /// Whether a connection is used by more than one request.
    shares: bool,
    taken: Cell<usize>,
    /// Of these, for connections that are being opened.
    opening: Cell<usize>,
    speaks: Cell<Speaks>,
    /// How many streams the server allowed on the connection that was last asked for one.
    streams: Cell<usize>,
    /// Whether the last connection that was to be opened could not be.
    troubled: Cell<bool>,
    queue: Queue,
}

/// What is known of the server's version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Unknown,
    Http1,
    Http2,
}

/// The place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Seat {
    seats: Rc<Seats>,
    opening: Cell<bool>,
    since: Instant,
}

impl Seats {
    pub(super) fn new(https: bool, version: HttpVersion, connections: &Connections) -> Rc<Self> {
        let speaks = match version {
            // Where nothing is shared nobody waits for the connection of another.
            _ if connections.reuse == Reuse::Nobody => Speaks::Http1,
            HttpVersion::Http2 => Speaks::Http2,
            HttpVersion::Auto if https => Speaks::Unknown,
            HttpVersion::Auto | HttpVersion::Http1 => Speaks::Http1,
        };
        Rc::new(Self {
            most: connections.max_per_host.unwrap_or(usize::MAX),
            shares: connections.reuse != Reuse::Nobody,
            taken: Cell::new(0),
            opening: Cell::new(0),
            speaks: Cell::new(speaks),
            streams: Cell::new(STREAMS_EXPECTED),
            troubled: Cell::new(false),
            queue: Queue::default(),
        })
    }

    /// A place for a new connection, unless there is none or one that is being opened may do.
    ///
    /// While it is not known whether the server speaks HTTP/2, the first connection tells; where it
    /// does, one is opened for as many requests as it has streams. When opening fails nobody waits
    /// for anybody, so that each request meets the failure by itself.
    pub(super) fn take(self: &Rc<Self>) -> Option<Seat> {
        let needed = self.troubled.get()
            || match self.speaks.get() {
                Speaks::Http1 => true,
                Speaks::Unknown => self.opening.get() == 0,
                Speaks::Http2 => self.queue.len().max(1) > self.opening.get() * self.streams.get(),
            };
        if !needed || self.taken.get() >= self.most {
            return None;
        }
        self.taken.set(self.taken.get() + 1);
        self.opening.set(self.opening.get() + 1);
        Some(Seat {
            seats: Rc::clone(self),
            opening: Cell::new(true),
            since: Instant::now(),
        })
    }

    /// How many streams a new connection is taken to have.
    pub(in crate::http) fn streams(&self) -> usize {
        self.streams.get()
    }

    /// The server allows so many streams, and does so on the next connection, as far as is known.
    pub(in crate::http) fn allow(&self, streams: usize) {
        self.streams.set(streams.max(1));
    }

    /// There may be something for those who wait: a stream or a kept connection.
    pub(in crate::http) fn freed(&self) {
        self.queue.wake_first();
    }

    /// Those who wait for a connection.
    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl Seat {
    /// A place that nobody else wants.
    #[cfg(test)]
    pub(in crate::http) fn lone() -> Self {
        Seats::new(false, HttpVersion::Http1, &Connections::shared())
            .take()
            .unwrap()
    }

    /// The connection has been made, and this is what it speaks.
    pub(super) fn opened(&self, http2: bool) {
        self.seats.troubled.set(false);
        let http2 = http2 && self.seats.shares;
        self.seats
            .speaks
            .set(if http2 { Speaks::Http2 } else { Speaks::Http1 });
        self.end_opening();
        if !http2 {
            // Each of those who wait needs a connection of its own.
            self.seats.freed();
        }
    }

    /// The connection could not be made.
    pub(super) fn failed(&self) {
        self.seats.troubled.set(true);
    }

    /// The places that this one is of.
    pub(in crate::http) fn seats(&self) -> &Rc<Seats> {
        &self.seats
    }

    fn end_opening(&self) {
        if self.opening.replace(false) {
            self.seats.opening.set(self.seats.opening.get() - 1);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // One that is given up at once, since the journey no longer wants it, says nothing about the
        // server.
        if self.opening.get() && self.since.elapsed() >= GIVEN_UP_SOON {
            self.seats.troubled.set(true);
        }
        self.end_opening();
        self.seats.taken.set(self.seats.taken.get() - 1);
        self.seats.freed();
    }
}
