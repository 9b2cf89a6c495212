//! Items that go round.

use std::{collections::VecDeque, fmt, path::PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Checkout, DataPool, DataPoolError, Policy,
    encoding::{decode, encode},
    file::Source,
};
use crate::{config::Config, id::ItemId};

/// Items that are used again and again, each by one journey at a time, in turn.
///
/// The item that has rested longest goes out next. When all are in use, starts wait for one to come
/// back; that is shown in the report, since a load that waits for data is not the load that was
/// asked for.
///
/// All items are kept in memory, encoded, for the whole run.
///
/// ```
/// use mite::datapool::Recyclable;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct User {
///     name: String,
///     password: String,
/// }
///
/// /// From a file with the columns `name` and `password`.
/// fn users() -> Recyclable<User> {
///     Recyclable::from_csv("users.csv")
/// }
///
/// /// Or made here.
/// fn numbered_users() -> Recyclable<(u32, String)> {
///     (0..100).map(|n| (n, format!("user-{n}"))).collect()
/// }
/// # users();
/// # numbered_users();
/// ```
pub struct Recyclable<T> {
    source: Option<Source<T>>,
    items: Vec<Place>,
    idle: VecDeque<usize>,
}

struct Place {
    data: Bytes,
    out: bool,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Recyclable<T> {
    /// A pool of these items, which must be at least one and must come to an end.
    ///
    /// They are gone through when the run starts, not before.
    pub fn new<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self::over(Source::program(items))
    }

    /// A pool of the rows of a CSV file.
    ///
    /// The first line names the columns; a row becomes a `T` by these names, or by position when
    /// `T` is a tuple. Values are separated by commas, may be quoted, and are trimmed. An
    /// `Option` is `None` when its value is empty. Columns that `T` does not have are ignored.
    ///
    /// A relative path starts from the current directory. The file is read, and every row of it
    /// checked, when the run is about to start: a missing file, a bad row and a file without rows
    /// stop it with a message that names file, line and field.
    pub fn from_csv(path: impl Into<PathBuf>) -> Self {
        Self::over(Source::Csv(path.into()))
    }

    /// A pool of the lines of a file, each a JSON value.
    ///
    /// Blank lines are skipped. Path and checks are as for [`from_csv`](Self::from_csv).
    pub fn from_json_lines(path: impl Into<PathBuf>) -> Self {
        Self::over(Source::JsonLines(path.into()))
    }

    /// A pool of the values of a MessagePack file, one after the other, as
    /// [`Context::record`](crate::Context::record) writes them.
    ///
    /// Path and checks are as for [`from_csv`](Self::from_csv); a message names the item by its
    /// number in place of the line. An item that is cut off at the end of the file is an error.
    pub fn from_msgpack(path: impl Into<PathBuf>) -> Self {
        Self::over(Source::MessagePack(path.into()))
    }

    fn over(source: Source<T>) -> Self {
        Self {
            source: Some(source),
            items: Vec::new(),
            idle: VecDeque::new(),
        }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> FromIterator<T> for Recyclable<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::new(items.into_iter().collect::<Vec<_>>())
    }
}

impl<T> fmt::Debug for Recyclable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Recyclable")
            .field("source", &self.source)
            .field("items", &self.items.len())
            .field("idle", &self.idle.len())
            .finish()
    }
}

#[async_trait]
impl<T: Serialize + DeserializeOwned + Send + 'static> DataPool for Recyclable<T> {
    type Item = T;

    fn policy(&self) -> Policy {
        Policy::Recycle
    }

    async fn open(&mut self, _config: &Config) -> Result<(), DataPoolError> {
        let Some(source) = self.source.take() else {
            return Ok(());
        };
        let empty = source.empty_message();
        for (number, item) in source.items()?.enumerate() {
            self.items.push(Place {
                data: encode::<Self, _>(number as u64, &item?)?,
                out: false,
            });
        }
        if self.items.is_empty() {
            return Err(DataPoolError::new(empty));
        }
        self.idle.extend(0..self.items.len());
        Ok(())
    }

    async fn checkout(&mut self, want: usize) -> Result<Checkout<T>, DataPoolError> {
        if self.source.is_some() {
            return Err(DataPoolError::new("this Recyclable has not been opened"));
        }
        let mut items = Vec::new();
        for _ in 0..want.min(self.idle.len()) {
            let Some(index) = self.idle.pop_front() else {
                break;
            };
            if let Some(place) = self.items.get_mut(index) {
                place.out = true;
                items.push((ItemId(index as u64), decode(&place.data)?));
            }
        }
        Ok(Checkout {
            items,
            exhausted: self.idle.is_empty(),
        })
    }

    async fn checkin(&mut self, items: &[ItemId], _used: bool) {
        for index in items.iter().filter_map(|id| usize::try_from(id.0).ok()) {
            if let Some(place) = self.items.get_mut(index)
                && std::mem::take(&mut place.out)
            {
                self.idle.push_back(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(pool: &mut Recyclable<String>, want: usize) -> Vec<(u64, String)> {
        let items = pool.checkout(want).await.unwrap().items;
        items.into_iter().map(|(id, item)| (id.0, item)).collect()
    }

    #[tokio::test]
    async fn the_item_that_rested_longest_goes_out_next() {
        let mut pool: Recyclable<String> = ["a", "b", "c"].map(str::to_owned).into_iter().collect();
        pool.open(&Config::default()).await.unwrap();
        assert_eq!(
            take(&mut pool, 2).await,
            [(0, "a".to_owned()), (1, "b".to_owned())]
        );
        pool.checkin(&[ItemId(1), ItemId(0)], true).await;
        let rest = [(2, "c"), (1, "b"), (0, "a")].map(|(id, name)| (id, name.to_owned()));
        assert_eq!(take(&mut pool, 10).await, rest);
        let checkout = pool.checkout(1).await.unwrap();
        assert!(checkout.items.is_empty() && checkout.exhausted);
    }

    #[tokio::test]
    async fn an_item_that_is_not_out_cannot_come_back() {
        let mut pool = Recyclable::new(["a".to_owned()]);
        pool.open(&Config::default()).await.unwrap();
        pool.checkin(&[ItemId(0), ItemId(9)], true).await;
        assert_eq!(take(&mut pool, 5).await.len(), 1);
        pool.checkin(&[ItemId(0), ItemId(0)], true).await;
        assert_eq!(take(&mut pool, 5).await.len(), 1);
    }

    #[tokio::test]
    async fn a_pool_without_items_does_not_open() {
        let error = Recyclable::<u8>::new([])
            .open(&Config::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a datapool was made of an iterator without items"
        );
    }
}
