//! With what data: datapools, and who holds which item.
//!
//! A pool hands each journey that starts one item: a user to sign in as, a basket to buy. Which
//! pool to take depends on what happens to an item after its journey:
//!
//! | Pool | An item is used | When it has no more |
//! |---|---|---|
//! | [`Recyclable`] | again and again, by one journey at a time, in turn | starts wait for one to come back |
//! | [`Once`] | by one journey, ever | the volume of that scenario entry ends |
//! | [`Single`] | by every journey, by any number at once | never |
//! | `()` | there is none: the journey takes no data | never |
//!
//! Anything else that can be looked up, made or bought is an implementation of [`DataPool`].
//!
//! # What an item may be
//! Any type that is `Serialize + DeserializeOwned`, since an item may be used on another machine.
//! It travels as `MessagePack` with named fields, and each journey gets a value of its own made from
//! that. Structs, tuples, enums of every tagging, options, maps with any keys, `i128` and strings
//! and bytes of any content come out as they went in. These do not:
//!
//! - `Some(None)` and `Some(())` come out as `None`;
//! - a field that is left out in writing (`skip`, `skip_serializing_if`) needs a
//!   `#[serde(default)]` for reading, and comes out as that default;
//! - an `untagged` or `flatten`ed part cannot hold an `i128` or `u128`.
//!
//! A pool whose first item cannot be read back stops the run with a message saying so.

pub(crate) mod broker;
mod encoding;
mod erased;
mod file;
pub(crate) mod lease;
mod once;
mod recyclable;
#[cfg(test)]
mod simulation;
mod single;
mod stash;

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{config::Config, id::ItemId};

pub(crate) use encoding::{decode, encode};
pub(crate) use erased::Block;
#[doc(hidden)]
pub use erased::ErasedPool;
pub(crate) use lease::Item;
pub use once::Once;
pub use recyclable::Recyclable;
pub use single::Single;
pub(crate) use stash::Stash;

/// Where the data of a journey comes from.
///
/// The controller checks items out in blocks and hands them to runners. What happens to an item
/// after its journey is the pool's [`policy`](DataPool::policy).
///
/// ```
/// use mite::{Config, ItemId, datapool::{Checkout, DataPool, DataPoolError, Policy}};
///
/// /// Order numbers, each used one time, from a number that the config gives.
/// struct Orders {
///     next: u64,
/// }
///
/// #[async_trait::async_trait]
/// impl DataPool for Orders {
///     type Item = String;
///
///     fn policy(&self) -> Policy {
///         Policy::Once
///     }
///
///     async fn open(&mut self, config: &Config) -> Result<(), DataPoolError> {
///         self.next = config
///             .get_or("first_order", 1)
///             .map_err(|error| DataPoolError::new(error.to_string()))?;
///         Ok(())
///     }
///
///     async fn checkout(&mut self, want: usize) -> Result<Checkout<String>, DataPoolError> {
///         let numbers = (self.next..).take(want);
///         self.next += want as u64;
///         Ok(Checkout {
///             items: numbers.map(|n| (ItemId(n), format!("order-{n}"))).collect(),
///             exhausted: false,
///         })
///     }
///
///     async fn checkin(&mut self, _items: &[ItemId], _used: bool) {}
/// }
/// ```
#[async_trait]
pub trait DataPool: Send + 'static {
    /// What one journey gets.
    type Item: Serialize + DeserializeOwned + Send + 'static;

    /// What becomes of an item when its journey is over; the same for the whole run.
    fn policy(&self) -> Policy;

    /// Opens files and connections and checks what is in them; called once, before anything starts.
    ///
    /// The default has nothing to open.
    ///
    /// # Errors
    /// When the pool cannot be used; the run then does not start.
    async fn open(&mut self, config: &Config) -> Result<(), DataPoolError> {
        let _ = config;
        Ok(())
    }

    /// Up to `want` items that nobody holds.
    ///
    /// Fewer are fine, also none: the pool is asked again while journeys wait for data, at once
    /// when it gave something and after a pause when it did not. No two items that are out at the
    /// same time may have one number, and under [`Policy::Once`] no two items ever.
    ///
    /// # Errors
    /// When the pool broke; the entry's volume then ends and the run fails, naming the pool.
    async fn checkout(&mut self, want: usize) -> Result<Checkout<Self::Item>, DataPoolError>;

    /// Takes back items that were checked out; `used` says whether a journey may have had them.
    ///
    /// Under [`Policy::Once`] used items come back soon after their journeys, those of a runner
    /// that died as used, and the unused when their runner leaves or the run is over. Under [`Policy::Recycle`] an item
    /// comes back when its runner died or the run is over, always as used. Under
    /// [`Policy::Shared`] nothing comes back.
    async fn checkin(&mut self, items: &[ItemId], used: bool);
}

/// What a pool gives out.
#[derive(Clone, Debug)]
pub struct Checkout<T> {
    /// The items, each under the number it is to come back as.
    pub items: Vec<(ItemId, T)>,
    /// Whether there is nothing more to come, ever, unless something is checked in that can be
    /// given out again.
    pub exhausted: bool,
}

/// What becomes of an item when its journey is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// It is used again by a later journey.
    Recycle,
    /// It is spent, however the journey ended.
    Once,
    /// It was never taken: one item serves all journeys at the same time, so the pool is asked for
    /// it once and never again.
    Shared,
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
