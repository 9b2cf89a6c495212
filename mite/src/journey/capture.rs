//! Running a journey so that nothing it does can take the worker down.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as Task, Poll},
};

use crate::{
    context::Context,
    error::{Result, catch, panicked},
};

/// A journey's future whose failure has been reported and whose panic has become an error.
pub(crate) struct Captured<'a> {
    ctx: &'a Context,
    journey: Pin<Box<dyn Future<Output = Result> + 'a>>,
}

impl<'a> Captured<'a> {
    /// Watches over `journey`, which runs in `ctx`.
    pub(crate) fn new(
        ctx: &'a Context,
        journey: Pin<Box<dyn Future<Output = Result> + 'a>>,
    ) -> Self {
        Self { ctx, journey }
    }
}

impl Future for Captured<'_> {
    type Output = Result;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Result> {
        // What the journey leaves behind when it unwinds is dropped with it; the context, which
        // stays, only holds cells.
        let mut result = match catch(|| self.journey.as_mut().poll(task)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(panic) => Err(panicked(panic)),
        };
        if let Err(error) = &mut result {
            self.ctx.report(error);
        }
        Poll::Ready(result)
    }
}
