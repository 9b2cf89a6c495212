//! Values made once a runner and seen by the journeys of all its workers.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use crate::error::{Error, Result};

type Cell = Arc<OnceCell<Arc<dyn Any + Send + Sync>>>;

/// The values shared in one runner.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<HashMap<(String, TypeId), Cell>>);

impl Shared {
    /// The value under `key`, made by `init` if nobody has made it yet.
    pub(crate) async fn get_or_init<T, F>(&self, key: &str, init: F) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                cells
                    .entry((key.to_owned(), TypeId::of::<T>()))
                    .or_default(),
            )
        };
        let value = cell
            .get_or_try_init(|| async {
                Ok::<_, Error>(Arc::new(init.await?) as Arc<dyn Any + Send + Sync>)
            })
            .await?;
        Arc::clone(value)
            .downcast()
            .map_err(|_| Error::error(format!("the shared value \"{key}\" is of another type")))
    }
}
