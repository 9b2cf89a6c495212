//! How far a request has come, phase by phase.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use http::Version;
use tokio::time::Instant;

use crate::{
    event::Timings,
    http::{
        body::HandedOver,
        connection::{Connection, Meter},
    },
    net::Phases,
    trace::Span,
};

/// How far a request has come, for whoever ends it: the answer, the deadline or the journey's end.
///
/// The phases chain: each begins where the one before has ended.
#[derive(Debug, Default)]
pub(in crate::http) struct Progress {
    began: Cell<Option<Instant>>,
    /// The span of the request, if its journey is traced.
    span: Cell<Span>,
    /// The end of waiting, if there was any.
    waited: Cell<Option<Instant>>,
    phases: Cell<Phases>,
    /// When there was a connection to write to, unless that was at once.
    ready: Cell<Option<Instant>>,
    /// Tells when the request was written, where the connection does not.
    handed_over: RefCell<Option<Rc<HandedOver>>>,
    /// When the head of the answer came, where the connection does not tell.
    answered: Cell<Option<Instant>>,
    ended: Cell<Option<Instant>>,
    /// When something last came from the server; kept up only where a read timeout asks.
    stirred: Cell<Option<Instant>>,
    connection: RefCell<Option<Met>>,
    /// Bytes written and read on a connection that others use too, as far as they were counted.
    passed: Cell<(u64, u64)>,
    encoded: Cell<u64>,
    decoded: Cell<u64>,
}

/// What is remembered of the connection.
#[derive(Debug)]
struct Met {
    meter: Meter,
    /// Bytes that had come on a shared connection before.
    read_before: u64,
    version: Version,
    reused: bool,
    tls_resumed: Option<bool>,
}

impl Progress {
    pub(super) fn begin(&self, began: Instant, span: Span) {
        self.began.set(Some(began));
        self.span.set(span);
    }

    /// The span of the request; that of no request where its journey is not traced.
    pub(in crate::http) fn span(&self) -> Span {
        self.span.get()
    }

    pub(super) fn began(&self) -> Instant {
        self.began.get().unwrap_or_else(Instant::now)
    }

    /// It had to wait for a connection, or begins anew on another one, and waits no more.
    pub(in crate::http) fn waited(&self) {
        self.connection.replace(None);
        self.phases.set(Phases::default());
        self.unsent();
        self.answered.set(None);
        let now = Instant::now();
        self.waited.set(Some(now));
        self.ready.set(Some(now));
    }

    /// The cells that the phases of a new connection are written to.
    pub(super) fn phases(&self) -> &Cell<Phases> {
        &self.phases
    }

    /// There is a new connection to write to.
    pub(super) fn connected(&self) {
        let now = Instant::now();
        self.ready.set(Some(now));
        let mut phases = self.phases.get();
        let known = [phases.dns, phases.connect, phases.tls];
        let known: Duration = known.into_iter().flatten().sum();
        let all = now - self.waited.get().unwrap_or(self.began());
        // What passes between the phases is part of the connecting.
        if let Some(connect) = &mut phases.connect {
            *connect += all.saturating_sub(known);
        }
        self.phases.set(phases);
    }

    /// The request goes over this connection.
    pub(super) fn follow(&self, connection: &Connection) {
        let reused = connection.is_kept();
        let meter = connection.meter();
        let read_before = match &meter {
            Meter::Http1(_) => 0,
            Meter::Http2(connection) => connection.wire().read(),
        };
        self.connection.replace(Some(Met {
            meter,
            read_before,
            version: connection.version(),
            reused,
            tls_resumed: if reused {
                None
            } else {
                connection.tls_resumed()
            },
        }));
    }

    /// The request has been given to a connection that others use too.
    pub(super) fn hand_over(&self, handed_over: Rc<HandedOver>) {
        self.handed_over.replace(Some(handed_over));
    }

    /// It has come back from there: nothing of it was written.
    pub(super) fn unsent(&self) {
        if self.handed_over.borrow().is_some() {
            self.handed_over.replace(None);
        }
    }

    /// The head of the answer has come on a connection that others use too.
    pub(super) fn answered(&self) {
        self.answered.set(Some(Instant::now()));
    }

    /// So much of the body has come, and it was so much when it was decompressed.
    pub(in crate::http) fn count_body(&self, encoded: u64, decoded: u64) {
        self.encoded.set(encoded);
        self.decoded.set(decoded);
    }

    /// The answer has been read to its end: it ended when its last byte came.
    pub(in crate::http) fn end(&self) -> Instant {
        let connection = self.connection.borrow();
        let last_read = connection.as_ref().and_then(|met| met.meter.last_read());
        let ended = last_read.unwrap_or_else(Instant::now);
        self.ended.set(Some(ended));
        ended
    }

    /// The rest of the answer is not wanted any more.
    pub(in crate::http) fn leave(&self) {
        self.ended.set(Some(Instant::now()));
    }

    /// Something came from the server.
    pub(in crate::http) fn stir(&self) {
        self.stirred.set(Some(Instant::now()));
    }

    /// When the connection last did something for this request, after it was ready.
    pub(super) fn last_stirred(&self) -> Option<Instant> {
        let connection = self.connection.borrow();
        let written = connection.as_ref().and_then(|met| met.meter.last_written());
        let handed_over = self.handed_over.borrow();
        let handed_over = handed_over.as_ref().and_then(|body| body.at());
        self.stirred
            .get()
            .max(written)
            .max(handed_over)
            .max(self.ready.get())
            .max(self.began.get())
    }

    /// The time is over. A shared connection on which nothing has come since is taken for dead, so
    /// that others need not find out; HTTP/1.1 closes its own.
    pub(in crate::http) fn give_up(&self) {
        if let Some(Met {
            meter: Meter::Http2(connection),
            read_before,
            ..
        }) = &*self.connection.borrow()
            && connection.wire().read() == *read_before
        {
            connection.retire();
        }
    }

    /// Whether a connection has been begun to be opened.
    pub(super) fn is_connecting(&self) -> bool {
        self.phases.get().began.is_some()
    }

    /// Whether there has been a connection to write to.
    pub(super) fn has_connection(&self) -> bool {
        self.connection.borrow().is_some()
    }

    pub(in crate::http) fn timings(&self) -> Timings {
        let began = self.began();
        let ended = self.ended.get();
        let phases = self.phases.get();
        let mut timings = Timings {
            waiting: self.waited.get().map(|at| at - began),
            dns: phases.dns,
            connect: phases.connect,
            tls: phases.tls,
            total: ended.unwrap_or_else(Instant::now) - began,
            encoded_body_bytes: self.encoded.get(),
            decoded_body_bytes: self.decoded.get(),
            ..Timings::default()
        };
        let connection = self.connection.borrow();
        let Some(met) = connection.as_ref() else {
            return timings;
        };
        timings.reused = met.reused;
        timings.tls_resumed = met.tls_resumed;
        timings.remote_addr = met.meter.peer();
        timings.version = Some(met.version);
        (timings.bytes_sent, timings.bytes_received) = self.bytes(&met.meter);
        let ready = self.ready.get().unwrap_or(began);
        let first = met.meter.first_byte().or(self.answered.get());
        let handed_over = self.handed_over.borrow().as_ref().map(|body| body.at());
        // Of what was handed over to the last before the answer came, that is the end.
        let written = met
            .meter
            .last_written()
            .or_else(|| handed_over.and_then(|at| at.or(first)));
        // An answer may come before the request has been written in full.
        let written = written.map(|at| first.map_or(at, |first| at.min(first)).max(ready));
        timings.sent = written.map(|at| at - ready);
        timings.first_byte = first
            .zip(written)
            .map(|(first, written)| first.saturating_duration_since(written));
        timings.body = ended
            .zip(first)
            .map(|(ended, first)| ended.saturating_duration_since(first));
        timings
    }

    /// Bytes written and read for it, of a shared connection those since the request before ended.
    fn bytes(&self, meter: &Meter) -> (u64, u64) {
        match meter {
            Meter::Http1(wire) => (wire.written(), wire.read()),
            Meter::Http2(connection) => {
                let (written, read) = connection.take_bytes();
                let passed = self.passed.get();
                self.passed.set((passed.0 + written, passed.1 + read));
                self.passed.get()
            }
        }
    }

    /// Whether at least a byte of the request was written, as far as is known.
    pub(super) fn was_sent(&self, timings: &Timings) -> bool {
        match self.connection.borrow().as_ref().map(|met| &met.meter) {
            Some(Meter::Http1(_)) => timings.bytes_sent > 0,
            Some(Meter::Http2(_)) => self.handed_over.borrow().is_some(),
            None => false,
        }
    }
}
