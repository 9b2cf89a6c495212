//! What makes the taps of a runner's workers, and knows what they have seen.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use super::{block::Outlet, format::Format, row::Origin, tap::CollectTap};
use crate::{config::Config, event::Tap};

/// The taps of a runner: each has a count of its own, and all have one outlet.
pub(super) struct Taps {
    outlet: Outlet,
    origin: Arc<Origin>,
    format: Format,
    /// What each worker has seen.
    seen: Arc<Mutex<Vec<Arc<AtomicU64>>>>,
}

impl Taps {
    pub(super) fn new(outlet: Outlet, origin: Arc<Origin>, format: Format) -> Self {
        Self {
            outlet,
            origin,
            format,
            seen: Arc::default(),
        }
    }

    /// What makes the tap of a worker, for a run that began then.
    pub(super) fn factory(
        &self,
    ) -> impl Fn(&Config, SystemTime) -> Box<dyn Tap> + Send + Sync + use<> {
        let (outlet, origin) = (self.outlet.clone(), Arc::clone(&self.origin));
        let (format, seen) = (self.format, Arc::clone(&self.seen));
        move |config, began| {
            let count = Arc::<AtomicU64>::default();
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(Arc::clone(&count));
            Box::new(CollectTap::new(
                Arc::clone(&origin),
                format,
                config.masker(),
                began,
                count,
                outlet.clone(),
            ))
        }
    }

    /// Says that nothing more will be seen.
    pub(super) fn close(&self) {
        self.outlet.close();
    }

    /// How many events all have seen.
    pub(super) fn seen(&self) -> u64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|seen| seen.load(Ordering::Relaxed)).sum()
    }

    /// Bytes that wait to be written.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.outlet.taken()
    }
}
