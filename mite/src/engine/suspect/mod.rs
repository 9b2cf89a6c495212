//! The load generator as a suspect: what is watched of it, and what is held against it.

mod cause;
mod cgroup;
mod figures;
mod files;
mod judge;
mod load;
mod machines;
mod sample;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};

use cause::Circumstances;
use figures::Gathering;
pub(super) use machines::Machines;

use crate::{
    controller::{Outcome, StopCause},
    report::Suspicion,
    stats::MachineFigures,
};

/// How often process and machine are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at process and machine while a run goes on, on a thread of its own.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Sender<()>,
    thread: Option<JoinHandle<MachineFigures>>,
    latest: Arc<Mutex<MachineFigures>>,
}

impl Watch {
    /// Looks on from now.
    pub(super) fn start() -> Self {
        let (stop, stopped) = channel();
        let latest = Arc::<Mutex<MachineFigures>>::default();
        let shown = Arc::clone(&latest);
        let look = move || {
            let mut gathering = Gathering::start();
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                gathering.look();
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = gathering.so_far();
            }
            gathering.finish()
        };
        let thread = Builder::new().name("mite-watch".to_owned()).spawn(look);
        if let Err(error) = &thread {
            tracing::warn!("the load generator is not watched: {error}");
        }
        Self {
            stop,
            thread: thread.ok(),
            latest,
        }
    }

    /// What was seen up to the last look.
    pub(super) fn so_far(&self) -> MachineFigures {
        let latest = self.latest.lock();
        latest.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was seen.
    pub(super) fn finish(self) -> MachineFigures {
        drop(self.stop);
        let figures = self.thread.and_then(|thread| thread.join().ok());
        figures.unwrap_or_default()
    }
}

/// Everything that makes the numbers doubtful, what makes the run invalid first.
pub(super) fn suspicions(outcome: &Outcome, figures: &MachineFigures) -> Vec<Suspicion> {
    let judged = judge::suspicions(&judge::Evidence::new(outcome, figures));
    let strained = judged.iter().any(judge::is_strain);
    let circumstances = Circumstances::new(outcome, strained);
    let mut suspicions = load::suspicions(outcome, circumstances);
    suspicions.extend(judged);
    // A run that was to stop at its first failure is no measurement.
    if outcome.ending.cause == StopCause::FirstFailure {
        suspicions.retain(|suspicion| !suspicion.invalid);
    }
    suspicions.sort_by_key(|suspicion| !suspicion.invalid);
    suspicions
}
