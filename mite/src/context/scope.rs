//! What all journeys of one worker thread have in common.

use std::{
    cell::{Cell, RefCell, RefMut},
    fmt,
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{extension::Slots, shared::Shared};
use crate::{
    clock::RunClock,
    config::Config,
    error::Error,
    event::{Event, Exchange, Failure, Keep, Tap, What},
    id::{EntryId, TransactionId},
    stats::{Recorder, metric::Metric},
    trace::{Beginning, Trace, Tracer},
};

/// A worker thread as its journeys see it: where events go, and what is shared.
pub(crate) struct Scope {
    clock: RunClock,
    recorder: RefCell<Recorder>,
    tap: Option<RefCell<Box<dyn Tap>>>,
    /// Whether the tap looks at exchanges too.
    exchanges: bool,
    keep: Option<Arc<dyn Keep>>,
    /// Whether anybody wants to know when an event happened; reading the clock costs.
    stamped: bool,
    config: Config,
    shared: Arc<Shared>,
    extensions: Slots,
    stopping: Cell<bool>,
    tracer: Option<Tracer>,
}

/// What a [`Scope`] is made of.
pub(crate) struct ScopeSettings {
    /// The time of the run.
    pub(crate) clock: RunClock,
    /// The names of the journeys, by entry.
    pub(crate) journeys: Vec<Arc<str>>,
    /// The user's metrics.
    pub(crate) metrics: Vec<Metric>,
    /// How many series a metric may have before the rest shares one.
    pub(crate) series_cap: usize,
    /// The settings of the run.
    pub(crate) config: Config,
    /// What the workers of the runner share.
    pub(crate) shared: Arc<Shared>,
    /// Who looks at every event and exchange, if anybody.
    pub(crate) tap: Option<Box<dyn Tap>>,
    /// Who keeps what journeys record, if anybody.
    pub(crate) keep: Option<Arc<dyn Keep>>,
    /// What begins traces, if any journey is to be traced.
    pub(crate) tracer: Option<Tracer>,
}

impl Scope {
    /// The scope of a new worker.
    pub(crate) fn new(settings: ScopeSettings) -> Self {
        let exchanges = settings
            .tap
            .as_ref()
            .is_some_and(|tap| tap.wants_exchanges());
        let stamped = settings.tap.is_some() || !settings.metrics.is_empty();
        Self {
            clock: settings.clock,
            recorder: RefCell::new(Recorder::new(
                settings.journeys,
                settings.series_cap,
                settings.metrics,
            )),
            tap: settings.tap.map(RefCell::new),
            exchanges,
            keep: settings.keep,
            stamped,
            config: settings.config,
            shared: settings.shared,
            extensions: Slots::default(),
            stopping: Cell::new(false),
            tracer: settings.tracer,
        }
    }

    /// Folds an event of the journey's run `number` into the statistics and shows it to the tap.
    pub(crate) fn record(
        &self,
        number: u64,
        entry: EntryId,
        transaction: TransactionId,
        what: &What<'_>,
    ) {
        let at = if self.stamped {
            self.clock.elapsed()
        } else {
            Duration::ZERO
        };
        self.recorder().record(at, entry, transaction, what);
        if let Some(tap) = &self.tap {
            let (journey, transaction) = {
                let recorder = self.recorder();
                (
                    Arc::clone(recorder.journey(entry)),
                    Arc::clone(recorder.path(transaction)),
                )
            };
            let event = Event {
                at,
                journey: &journey,
                transaction: &transaction,
                what: *what,
            };
            tap.borrow_mut().event(&event, number);
        }
    }

    /// Takes note of a failure.
    pub(crate) fn report(
        &self,
        number: u64,
        entry: EntryId,
        transaction: TransactionId,
        error: &Error,
    ) {
        let failure = Failure {
            kind: error.kind(),
            message: &error.to_string(),
            location: &error.location(),
        };
        self.record(number, entry, transaction, &What::Failure(&failure));
    }

    /// Shows an exchange to the tap.
    pub(crate) fn exchange(&self, exchange: Exchange) {
        if let Some(tap) = &self.tap {
            tap.borrow_mut().exchange(exchange);
        }
    }

    /// The statistics of this worker. Nothing may be awaited while they are borrowed.
    pub(crate) fn recorder(&self) -> RefMut<'_, Recorder> {
        self.recorder.borrow_mut()
    }

    /// The trace of a journey that starts at `at`, if it is to be traced.
    pub(crate) fn trace(
        &self,
        entry: EntryId,
        seed: u64,
        intended: Option<Instant>,
        at: Instant,
    ) -> Option<Trace> {
        let tracer = self.tracer.as_ref()?;
        let beginning = Beginning {
            entry: entry.0,
            seed,
            intended,
            at,
            // What was planned is the same in each run with the same seed.
            age: self.clock.at(intended.unwrap_or(at)),
        };
        tracer.begin(&beginning, || Arc::clone(self.recorder().journey(entry)))
    }

    /// Whether somebody looks at every event.
    pub(crate) fn tapped(&self) -> bool {
        self.tap.is_some()
    }

    /// Whether somebody looks at every exchange.
    pub(crate) fn wants_exchanges(&self) -> bool {
        self.exchanges
    }

    /// Has the tap pass on what waits.
    pub(crate) fn flush(&self) {
        if let Some(tap) = &self.tap {
            tap.borrow_mut().flush();
        }
    }

    /// Who keeps what journeys record, if anybody.
    pub(crate) fn keep(&self) -> Option<&dyn Keep> {
        self.keep.as_deref()
    }

    /// The settings of the run.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The time of the run.
    pub(crate) fn clock(&self) -> RunClock {
        self.clock
    }

    /// What the workers of the runner share.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The extensions that live as long as the worker.
    pub(crate) fn extensions(&self) -> &Slots {
        &self.extensions
    }

    /// Lets every journey know, through `should_stop`, that the run is stopping.
    pub(crate) fn stop(&self) {
        self.stopping.set(true);
    }

    /// Whether the run is stopping.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scope")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
