//! One run of a journey, from its start to its end, counted.

use std::{cell::Cell, future::Future, rc::Rc};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Runnable, capture::Captured};
use crate::{
    context::{Context, Scope, User},
    error::{Error, Result},
    event::{JourneyEnd, Outcome, What},
    id::EntryId,
};

/// What a run of a journey begins with.
pub(crate) struct Start {
    /// The entry of the scenario it belongs to.
    pub(crate) entry: EntryId,
    /// What its random numbers come from.
    pub(crate) seed: u64,
    /// Who runs it, if that is somebody who will run it again: the closed model.
    pub(crate) user: Option<Rc<User>>,
    /// When it was to start, if the volume said so: the open model.
    pub(crate) intended: Option<Instant>,
    /// When it starts.
    pub(crate) at: Instant,
}

/// How a run of a journey went.
pub(crate) struct Run {
    /// What the journey returned; it has been counted.
    pub(crate) result: Result,
    /// When it ended.
    pub(crate) ended: Instant,
}

/// Runs `journey` once and takes note of its start, at `start.at`, and of its end, also when the
/// future is dropped.
///
/// It is a function that makes a future, since an async function would keep its arguments twice.
pub(crate) fn run_once<'a>(
    scope: &Rc<Scope>,
    journey: &'a Runnable,
    data: &'a Bytes,
    start: Start,
) -> impl Future<Output = Run> + use<'a> {
    let delay = start
        .intended
        .map(|intended| start.at.saturating_duration_since(intended));
    scope.recorder().journey_started(start.entry, delay);
    let trace = scope.trace(start.entry, start.seed, start.intended, start.at);
    let record = Record {
        ctx: Context::new(Rc::clone(scope), start.entry, start.seed, start.user, trace),
        started: start.at,
        intended: start.intended,
        complete: Cell::new(false),
    };
    async move {
        let ctx = &record.ctx;
        let result = Captured::new(ctx, journey.run(ctx, data)).await;
        let result = result.and(ctx.close());
        let outcome = if result.is_ok() {
            Outcome::Completed
        } else {
            Outcome::Failed
        };
        let ended = record.end(outcome, result.as_ref().err());
        Run { result, ended }
    }
}

/// A run of a journey, to be told of at its end; that is when it is dropped, if not earlier.
struct Record {
    ctx: Context,
    started: Instant,
    intended: Option<Instant>,
    complete: Cell<bool>,
}

impl Record {
    /// The journey ends now.
    fn end(&self, outcome: Outcome, error: Option<&Error>) -> Instant {
        self.complete.set(true);
        let now = Instant::now();
        let service_time = now.saturating_duration_since(self.started);
        let intended = self.intended;
        let end = JourneyEnd {
            outcome,
            service_time,
            response_time: intended.map_or(service_time, |intended| {
                now.saturating_duration_since(intended)
            }),
            start_delay: intended.map(|intended| self.started.saturating_duration_since(intended)),
        };
        self.ctx.tell(&What::Journey(&end));
        self.ctx.finish_trace(now, outcome, error);
        now
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.complete.get() {
            self.end(Outcome::Interrupted, None);
            // A journey that was cut still holds its extensions; what they do as they go, it cannot
            // say.
            let _ = self.ctx.close();
        }
    }
}
