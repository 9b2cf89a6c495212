//! A transaction: a name, a time and a failure around a future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as Task, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::{Context, Place};
use crate::{
    error::Result,
    event::{TransactionEnd, What},
    id::TransactionId,
    trace::Span,
};

pin_project! {
    /// The future of `Context::transaction`.
    pub(super) struct Transaction<'a, N, F> {
        ctx: &'a Context,
        name: N,
        begun: Option<Begun>,
        #[pin]
        future: F,
    }

    impl<N, F> PinnedDrop for Transaction<'_, N, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(begun) = this.begun {
                this.ctx.abandon_span(begun.span);
            }
        }
    }
}

/// A transaction that has been polled.
#[derive(Clone, Copy)]
struct Begun {
    id: TransactionId,
    at: Instant,
    span: Span,
}

impl<'a, N: AsRef<str>, F> Transaction<'a, N, F> {
    pub(super) fn new(ctx: &'a Context, name: N, future: F) -> Self {
        Self {
            ctx,
            name,
            begun: None,
            future,
        }
    }
}

impl<N: AsRef<str>, T, F: Future<Output = Result<T>>> Future for Transaction<'_, N, F> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // The parent is whatever is current at the first poll, which is where the future runs;
        // where it was made may be elsewhere.
        let begun = *this
            .begun
            .get_or_insert_with(|| this.ctx.begin(this.name.as_ref()));
        let current = Current::enter(this.ctx, begun);
        let mut result = ready!(this.future.poll(task));
        if let Err(error) = &mut result {
            this.ctx.report(error);
        }
        this.ctx.end_span(begun.span, result.as_ref().err());
        current.end(result.is_err());
        Poll::Ready(result)
    }
}

/// Makes a transaction the current one until it is dropped.
struct Current<'a> {
    ctx: &'a Context,
    begun: Begun,
    outer: TransactionId,
    outer_span: Span,
}

impl<'a> Current<'a> {
    fn enter(ctx: &'a Context, begun: Begun) -> Self {
        Self {
            ctx,
            begun,
            outer: ctx.run.current.replace(begun.id),
            outer_span: ctx.enter_span(begun.span),
        }
    }

    fn end(&self, failed: bool) {
        let end = TransactionEnd {
            time: self.begun.at.elapsed(),
            failed,
        };
        let place = Place {
            entry: self.ctx.run.entry,
            transaction: self.begun.id,
        };
        self.ctx.tell_at(place, &What::Transaction(&end));
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let broken = &self.ctx.run.panicked_in;
            broken.set(broken.get().or(Some(self.begun.id)));
            self.ctx.panicked_span(self.begun.span);
            self.end(true);
        }
        self.ctx.run.current.set(self.outer);
        self.ctx.enter_span(self.outer_span);
    }
}

impl Context {
    fn begin(&self, name: &str) -> Begun {
        let run = &self.run;
        let (entry, outer) = (run.entry, run.current.get());
        let id = run.scope.recorder().transaction(entry, outer, name);
        let at = Instant::now();
        Begun {
            id,
            at,
            span: self.begin_span(name, id, at),
        }
    }
}
