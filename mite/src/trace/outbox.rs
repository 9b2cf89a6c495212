//! The way of finished traces from the workers to who exports them: bounded, and never waited for.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Finished;

/// So many spans may wait. With what they tell that is some ten megabytes.
const WAITING: usize = 16_384;

/// A worker's end of the way.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    traces: UnboundedSender<Finished>,
    tally: Arc<Tally>,
}

/// How many traces there were, and how many of their spans wait.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sampled: AtomicU64,
    waiting: AtomicUsize,
}

/// A way, with both its ends.
pub(crate) fn outbox() -> (Outbox, UnboundedReceiver<Finished>, Arc<Tally>) {
    let (traces, received) = unbounded_channel();
    let tally = Arc::new(Tally::default());
    let outbox = Outbox {
        traces,
        tally: Arc::clone(&tally),
    };
    (outbox, received, tally)
}

impl Outbox {
    /// Hands a trace over, or drops it when too many wait.
    pub(super) fn send(&self, trace: Finished) {
        let tally = &self.tally;
        tally.sampled.fetch_add(1, Relaxed);
        let spans = trace.spans.len();
        let waiting = tally.waiting.fetch_add(spans, Relaxed);
        if waiting + spans > WAITING || self.traces.send(trace).is_err() {
            tally.waiting.fetch_sub(spans, Relaxed);
        }
    }
}

impl Tally {
    /// Journeys that were traced and have ended.
    pub(crate) fn sampled(&self) -> u64 {
        self.sampled.load(Relaxed)
    }

    /// So many spans are no longer kept.
    pub(crate) fn let_go(&self, spans: usize) {
        self.waiting.fetch_sub(spans, Relaxed);
    }
}
