//! A journey that is traced: its spans are kept in step with its transactions.
//!
//! Of one that is not, each of these looks at an `Option` and does nothing.

use std::sync::Arc;

use tokio::time::Instant;

use super::Context;
use crate::{
    error::Error,
    event::{Failure, Outcome},
    id::TransactionId,
    trace::{Request, Span, Trace},
};

impl Context {
    /// The identity of this journey's trace in OpenTelemetry, 32 hexadecimal digits, or `None` when
    /// the journey is not one of those that are traced. Write it into a log to find the trace by.
    ///
    /// Journeys are traced with the feature `otel` and the option `--otlp`, a part of them.
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) {
    /// if let Some(trace_id) = ctx.trace_id() {
    ///     println!("the journey is traced as {trace_id}");
    /// }
    /// # }
    /// ```
    pub fn trace_id(&self) -> Option<String> {
        self.trace().map(|trace| trace.id().to_string())
    }

    /// What the `traceparent` header of a request says that is sent now, in the current transaction,
    /// by a client that is not [`ctx.http()`](Context::http), which sends its own; `None` when the
    /// journey is not traced (W3C Trace Context, section 3.2).
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) {
    /// # let mut headers: Vec<(&str, String)> = Vec::new();
    /// if let Some(traceparent) = ctx.traceparent() {
    ///     headers.push(("traceparent", traceparent));
    /// }
    /// # }
    /// ```
    pub fn traceparent(&self) -> Option<String> {
        let trace = self.trace()?;
        trace.traceparent(trace.current())
    }

    /// The trace of the journey, if it is traced.
    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.run.trace.as_ref()
    }

    /// A request of the journey begins.
    pub(crate) fn begin_request_span(&self, at: Instant) -> Span {
        self.trace().map_or(Span::ROOT, |trace| trace.request(at))
    }

    /// A request of the journey is over.
    pub(crate) fn end_request_span(&self, span: Span, request: impl FnOnce() -> Request) {
        if let Some(trace) = self.trace() {
            trace.end_request(span, request());
        }
    }

    /// The journey is over.
    pub(crate) fn finish_trace(&self, at: Instant, outcome: Outcome, error: Option<&Error>) {
        if let Some(trace) = self.trace() {
            with_failure(error, |failure| trace.finish(at, outcome, failure));
        }
    }

    pub(super) fn begin_span(&self, name: &str, id: TransactionId, at: Instant) -> Span {
        self.trace().map_or(Span::ROOT, |trace| {
            let path = Arc::clone(self.run.scope.recorder().path(id));
            trace.transaction(name, path, at)
        })
    }

    pub(super) fn enter_span(&self, span: Span) -> Span {
        self.trace().map_or(Span::ROOT, |trace| trace.enter(span))
    }

    pub(super) fn end_span(&self, span: Span, error: Option<&Error>) {
        if let Some(trace) = self.trace() {
            with_failure(error, |failure| trace.end(span, failure));
        }
    }

    pub(super) fn abandon_span(&self, span: Span) {
        if let Some(trace) = self.trace() {
            trace.abandon(span);
        }
    }

    pub(super) fn panicked_span(&self, span: Span) {
        if let Some(trace) = self.trace() {
            trace.panicked(span);
        }
    }

    pub(super) fn trace_exception(&self, error: &Error) {
        if let Some(trace) = self.trace() {
            with_failure(Some(error), |failure| {
                failure
                    .into_iter()
                    .for_each(|failure| trace.exception(failure));
            });
        }
    }
}

/// Calls `tell` with the failure that the error is.
#[cold]
fn with_failure(error: Option<&Error>, tell: impl FnOnce(Option<&Failure<'_>>)) {
    let Some(error) = error else {
        return tell(None);
    };
    tell(Some(&Failure {
        kind: error.kind(),
        message: &error.to_string(),
        location: &error.location(),
    }));
}
