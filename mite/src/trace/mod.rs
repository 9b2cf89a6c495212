//! What is written down of a journey that is traced: its spans, and which journeys that is done for.
//!
//! Most journeys are not traced. All there is of it then is an `Option` that is `None`; and without
//! the feature `otel` it can be nothing else, so that the compiler leaves out what follows.

#![cfg_attr(
    not(feature = "otel"),
    allow(
        dead_code,
        unused_imports,
        reason = "without the feature no trace is ever begun"
    )
)]

mod ids;
mod journal;
mod outbox;
mod sampling;
mod span;
mod tracer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::time::Instant;

pub(crate) use ids::{RunKey, TraceId};
pub(crate) use outbox::{Outbox, Tally, outbox};
pub(crate) use sampling::Sampling;
pub(crate) use span::{Failed, Finished, Request, Span, SpanRecord, Subject};
pub(crate) use tracer::{Beginning, TraceSettings, Tracer};

use crate::event::{Failure, Outcome};

/// The trace of one run of a journey.
#[derive(Clone)]
pub(crate) struct Trace(Handle);

#[cfg(feature = "otel")]
type Handle = std::rc::Rc<journal::Journal>;

#[cfg(not(feature = "otel"))]
type Handle = std::convert::Infallible;

impl Trace {
    /// The identity of the trace.
    pub(crate) fn id(&self) -> TraceId {
        self.journal().id()
    }

    /// The span of the transaction that is current.
    pub(crate) fn current(&self) -> Span {
        self.journal().current()
    }

    /// Makes a transaction's span the current one, and gives the one that was.
    pub(crate) fn enter(&self, span: Span) -> Span {
        self.journal().enter(span)
    }

    /// A transaction begins inside the current one. `path` is its name behind those around it.
    #[cold]
    pub(crate) fn transaction(&self, name: &str, path: Arc<str>, at: Instant) -> Span {
        let name = name.into();
        let abandoned = false;
        self.journal().open(
            at,
            Subject::Transaction {
                name,
                path,
                abandoned,
            },
        )
    }

    /// A transaction comes to its end, by a failure or without one.
    #[cold]
    pub(crate) fn end(&self, span: Span, failure: Option<&Failure<'_>>) {
        self.journal().end(span, failure);
    }

    /// A transaction is dropped, unless it had come to its end before.
    #[cold]
    pub(crate) fn abandon(&self, span: Span) {
        self.journal().abandon(span);
    }

    /// A panic goes through a transaction.
    #[cold]
    pub(crate) fn panicked(&self, span: Span) {
        self.journal().panicked(span);
    }

    /// A failure is reported, in the innermost transaction it passes.
    #[cold]
    pub(crate) fn exception(&self, failure: &Failure<'_>) {
        self.journal().exception(failure);
    }

    /// A request begins in the current transaction.
    #[cold]
    pub(crate) fn request(&self, at: Instant) -> Span {
        self.journal().open(at, Subject::Request(None))
    }

    /// It was answered, or has failed.
    #[cold]
    pub(crate) fn end_request(&self, span: Span, request: Request) {
        self.journal().end_request(span, request);
    }

    /// What the `traceparent` header says of a span (W3C Trace Context, section 3.2); nothing of
    /// one that there was no room for.
    #[cold]
    pub(crate) fn traceparent(&self, span: Span) -> Option<String> {
        self.journal().traceparent(span)
    }

    /// The journey comes to its end: hands everything over in one piece.
    #[cold]
    pub(crate) fn finish(&self, at: Instant, outcome: Outcome, failure: Option<&Failure<'_>>) {
        self.journal().finish(at, outcome, failure);
    }

    #[cfg(feature = "otel")]
    fn journal(&self) -> &journal::Journal {
        &self.0
    }

    #[cfg(not(feature = "otel"))]
    fn journal(&self) -> &journal::Journal {
        match self.0 {}
    }
}
