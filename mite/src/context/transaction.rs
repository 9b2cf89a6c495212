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
}

/// A transaction that has been polled.
#[derive(Clone, Copy)]
struct Begun {
    id: TransactionId,
    at: Instant,
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
        let begun = *this.begun.get_or_insert_with(|| Begun {
            id: this.ctx.intern(this.name.as_ref()),
            at: Instant::now(),
        });
        let current = Current::enter(this.ctx, begun);
        let mut result = ready!(this.future.poll(task));
        if let Err(error) = &mut result {
            this.ctx.report(error);
        }
        current.end(result.is_err());
        Poll::Ready(result)
    }
}

/// Makes a transaction the current one until it is dropped.
struct Current<'a> {
    ctx: &'a Context,
    begun: Begun,
    outer: TransactionId,
}

impl<'a> Current<'a> {
    fn enter(ctx: &'a Context, begun: Begun) -> Self {
        Self {
            ctx,
            begun,
            outer: ctx.run.current.replace(begun.id),
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
        self.ctx.record_at(place, &What::Transaction(&end));
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let broken = &self.ctx.run.panicked_in;
            broken.set(broken.get().or(Some(self.begun.id)));
            self.end(true);
        }
        self.ctx.run.current.set(self.outer);
    }
}

impl Context {
    fn intern(&self, name: &str) -> TransactionId {
        let run = &self.run;
        run.scope
            .recorder()
            .transaction(run.entry, run.current.get(), name)
    }
}
