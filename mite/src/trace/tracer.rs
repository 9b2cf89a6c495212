//! What a worker knows of tracing: which journeys are traced, and where their traces go.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Outbox, RunKey, Sampling, Trace, sampling::Sampler};

/// How a run is traced.
#[derive(Clone, Debug)]
pub(crate) struct TraceSettings {
    pub(crate) sampling: Sampling,
    pub(crate) key: RunKey,
    pub(crate) outbox: Outbox,
}

/// Begins the traces of one worker.
pub(crate) struct Tracer {
    sampler: Sampler,
    key: RunKey,
    outbox: Outbox,
    /// Without the feature there is none.
    #[cfg(not(feature = "otel"))]
    never: std::convert::Infallible,
}

/// How a journey begins.
pub(crate) struct Beginning {
    /// Which entry of the scenario it belongs to.
    pub(crate) entry: u32,
    pub(crate) seed: u64,
    /// When it was to start: in the open model.
    pub(crate) intended: Option<Instant>,
    pub(crate) at: Instant,
    /// How old the run is when it was to start, or does.
    pub(crate) age: Duration,
}

#[cfg(feature = "otel")]
impl Tracer {
    /// The tracer of the worker of this index, of so many.
    pub(crate) fn new(
        settings: TraceSettings,
        seed: u64,
        workers: usize,
        index: usize,
    ) -> Option<Self> {
        let TraceSettings {
            sampling,
            key,
            outbox,
        } = settings;
        (!sampling.is_never()).then(|| Self {
            sampler: Sampler::new(sampling, seed, workers, index),
            key,
            outbox,
        })
    }

    /// The trace of a journey, if it is one of those to be traced. `name` is asked for its name.
    pub(crate) fn begin(
        &self,
        beginning: &Beginning,
        name: impl FnOnce() -> Arc<str>,
    ) -> Option<Trace> {
        let takes = self.sampler.takes(beginning.seed, beginning.age);
        takes.then(|| {
            let id = self.key.trace(beginning.seed);
            let journal = super::journal::Journal::new(id, beginning, name(), self.outbox.clone());
            Trace(std::rc::Rc::new(journal))
        })
    }
}

#[cfg(not(feature = "otel"))]
impl Tracer {
    /// There is none.
    pub(crate) fn new(_: TraceSettings, _: u64, _: usize, _: usize) -> Option<Self> {
        None
    }

    /// There is none.
    pub(crate) fn begin(&self, _: &Beginning, _: impl FnOnce() -> Arc<str>) -> Option<Trace> {
        match self.never {}
    }
}
