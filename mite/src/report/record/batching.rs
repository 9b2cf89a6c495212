//! A run that is cut up by one thread, and looked at by another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{RecordedSecond, batches::BatchLog};
use crate::{config::Config, report::batches::Batches};

/// A run that is being cut up; clones are of the same run.
#[derive(Clone)]
pub(crate) struct Batching(Arc<Mutex<BatchLog>>);

impl Batching {
    /// Nothing yet; nothing shows the secrets of `config`.
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(Mutex::new(BatchLog::new(config))))
    }

    /// Counts a second in.
    pub(crate) fn second(&self, second: &RecordedSecond) {
        self.log().second(second);
    }

    /// All stretches, when no more seconds come.
    pub(crate) fn finish(&self) -> Batches {
        self.log().finish()
    }

    /// The stretches that are over.
    pub(crate) fn so_far(&self) -> Batches {
        self.log().so_far()
    }

    fn log(&self) -> MutexGuard<'_, BatchLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
