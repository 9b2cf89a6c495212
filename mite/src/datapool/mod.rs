//! With what data: datapools, and who holds which item.

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use crate::{config::Config, id::ItemId};

/// Where the data of a journey comes from.
///
/// The controller checks items out in blocks and hands them to runners. What happens to an item
/// after its journey is the pool's [`policy`](DataPool::policy).
#[async_trait]
pub trait DataPool: Send + 'static {
    /// What one journey gets.
    type Item: Serialize + DeserializeOwned + Send + 'static;

    /// Whether items go round or are used one time.
    fn policy(&self) -> Policy;

    /// Opens files and connections and checks what is in them; called once, before anything starts.
    ///
    /// # Errors
    /// When the pool cannot be used; the run then does not start.
    async fn open(&mut self, config: &Config) -> Result<(), DataPoolError> {
        let _ = config;
        Ok(())
    }

    /// Up to `want` items that nobody holds.
    ///
    /// # Errors
    /// When the pool broke; the entry's volume then ends and the run fails, naming the pool.
    async fn checkout(&mut self, want: usize) -> Result<Checkout<Self::Item>, DataPoolError>;

    /// Takes back items that were checked out; `used` says whether a journey had them.
    async fn checkin(&mut self, items: &[ItemId], used: bool);
}

/// What a pool gives out.
#[derive(Clone, Debug)]
pub struct Checkout<T> {
    /// The items, each under the number it is to come back as.
    pub items: Vec<(ItemId, T)>,
    /// Whether there is nothing more to come, ever, unless something is checked in unused.
    pub exhausted: bool,
}

/// What becomes of an item when its journey is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It is used again by a later journey.
    Recycle,
    /// It is spent, however the journey ended.
    Once,
}

/// A pool that cannot give what it promised, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DataPoolError {
    message: String,
}

impl DataPoolError {
    /// An error with a message for the user.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}
