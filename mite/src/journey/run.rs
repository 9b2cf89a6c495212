//! One run of a journey, from its start to its end, counted.

use std::rc::Rc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Runnable, capture::Captured};
use crate::{
    context::{Context, Scope, User},
    error::Result,
    event::{JourneyEnd, Outcome, What},
    id::EntryId,
};

/// What a run of a journey begins with.
pub(crate) struct Start {
    /// The entry of the scenario it belongs to.
    pub(crate) entry: EntryId,
    /// What its random numbers come from.
    pub(crate) seed: u64,
    /// Who runs it.
    pub(crate) user: Rc<User>,
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

/// Runs `journey` once and takes note of its start and its end, also when this future is dropped.
pub(crate) async fn run_once(
    scope: &Rc<Scope>,
    journey: &Runnable,
    data: &Bytes,
    start: Start,
) -> Run {
    let delay = start
        .intended
        .map(|intended| start.at.saturating_duration_since(intended));
    scope.recorder().journey_started(start.entry, delay);
    let ctx = Context::new(Rc::clone(scope), start.entry, start.seed, start.user);
    let mut ending = Ending {
        ctx: &ctx,
        started: start.at,
        intended: start.intended,
        noted: false,
    };
    let result = Captured::new(&ctx, journey.run(&ctx, data)).await;
    let closed = ctx.close();
    let result = result.and(closed);
    let ended = ending.note(if result.is_ok() {
        Outcome::Completed
    } else {
        Outcome::Failed
    });
    Run { result, ended }
}

/// Takes note of the end of a journey, at the latest when it is dropped.
struct Ending<'a> {
    ctx: &'a Context,
    started: Instant,
    intended: Option<Instant>,
    noted: bool,
}

impl Ending<'_> {
    /// The journey ends now.
    fn note(&mut self, outcome: Outcome) -> Instant {
        self.noted = true;
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
        self.ctx.record(&What::Journey(&end));
        now
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.noted {
            self.note(Outcome::Interrupted);
            // A journey that was cut still holds its extensions; what they do as they go, it cannot
            // say.
            let _ = self.ctx.close();
        }
    }
}
