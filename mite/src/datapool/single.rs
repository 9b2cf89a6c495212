//! One value for every journey, and no value at all.

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Checkout, DataPool, DataPoolError, Policy,
    encoding::{decode, encode},
};
use crate::id::ItemId;

/// The same value for every journey, for any number of them at once.
///
/// Each journey gets a value of its own, made anew from the one that was given. The pool never runs
/// out and never makes a journey wait.
///
/// ```
/// use mite::datapool::Single;
///
/// /// The shop everybody visits.
/// fn shop() -> Single<(String, u16)> {
///     Single::new(("shop.test".into(), 8080))
/// }
/// # shop();
/// ```
#[derive(Clone, Debug)]
pub struct Single<T> {
    value: Value<T>,
}

#[derive(Clone, Debug)]
enum Value<T> {
    Given(T),
    Encoded(bytes::Bytes),
}

impl<T> Single<T> {
    /// A pool of this one value.
    pub fn new(value: T) -> Self {
        Self {
            value: Value::Given(value),
        }
    }
}

#[async_trait]
impl<T: Serialize + DeserializeOwned + Send + 'static> DataPool for Single<T> {
    type Item = T;

    fn policy(&self) -> Policy {
        Policy::Shared
    }

    async fn checkout(&mut self, _want: usize) -> Result<Checkout<T>, DataPoolError> {
        let data = match &self.value {
            Value::Given(value) => encode::<Self, _>(0, value)?,
            Value::Encoded(data) => data.clone(),
        };
        let value = decode(&data)?;
        self.value = Value::Encoded(data);
        Ok(Checkout {
            items: vec![(ItemId(0), value)],
            exhausted: false,
        })
    }

    async fn checkin(&mut self, _items: &[ItemId], _used: bool) {}
}

/// No data: for journeys that take nothing but their context.
#[async_trait]
impl DataPool for () {
    type Item = ();

    fn policy(&self) -> Policy {
        Policy::Shared
    }

    async fn checkout(&mut self, _want: usize) -> Result<Checkout<()>, DataPoolError> {
        Ok(Checkout {
            items: vec![(ItemId(0), ())],
            exhausted: false,
        })
    }

    async fn checkin(&mut self, _items: &[ItemId], _used: bool) {}
}
