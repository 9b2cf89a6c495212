//! Items that are used one time.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    path::PathBuf,
};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Checkout, DataPool, DataPoolError, Policy,
    encoding::{decode, encode},
    file::{Items, Source},
};
use crate::{config::Config, id::ItemId};

/// Items that are used by one journey each, and then never again.
///
/// When all have been used, the volume of the scenario entry ends as planned; other entries go on.
/// An item whose journey failed is spent too, and so is one that was with a runner that died.
///
/// Items are taken from the iterator or the file as they are needed, so the iterator may have no
/// end and the file may be larger than the memory: only what runners hold is kept.
///
/// ```
/// use mite::datapool::Once;
///
/// /// A new name for each journey, for as long as the run lasts.
/// fn names() -> Once<String> {
///     Once::new((1_u64..).map(|n| format!("visitor-{n}")))
/// }
///
/// fn vouchers() -> Once<(String, u32)> {
///     Once::from_csv("vouchers.csv")
/// }
/// # names();
/// # vouchers();
/// ```
pub struct Once<T> {
    state: State<T>,
    next: u64,
    out: HashMap<ItemId, Bytes>,
    unused: VecDeque<ItemId>,
}

enum State<T> {
    New(Source<T>),
    /// The first item, which proved that there is one, and those after it.
    Open(Option<T>, Items<T>),
    /// All were given out, or opening failed.
    Over,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Once<T> {
    /// A pool of these items, which must be at least one and may go on for ever.
    ///
    /// They are taken as they are needed; only the first is taken before the run starts.
    pub fn new<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self::over(Source::program(items))
    }

    /// A pool of the rows of a CSV file.
    ///
    /// The file is as for [`Recyclable::from_csv`](super::Recyclable::from_csv). It is read through
    /// and checked before the run starts, and read a second time during the run, so it must not
    /// change while it lasts.
    pub fn from_csv(path: impl Into<PathBuf>) -> Self {
        Self::over(Source::Csv(path.into()))
    }

    /// A pool of the lines of a file, each a JSON value.
    ///
    /// Blank lines are skipped. The file is read twice, as by [`from_csv`](Self::from_csv).
    pub fn from_json_lines(path: impl Into<PathBuf>) -> Self {
        Self::over(Source::JsonLines(path.into()))
    }

    /// A pool of the values of a MessagePack file, one after the other, as
    /// [`Context::record`](crate::Context::record) writes them.
    ///
    /// The file is read twice, as by [`from_csv`](Self::from_csv).
    pub fn from_msgpack(path: impl Into<PathBuf>) -> Self {
        Self::over(Source::MessagePack(path.into()))
    }

    fn over(source: Source<T>) -> Self {
        Self {
            state: State::New(source),
            next: 0,
            out: HashMap::new(),
            unused: VecDeque::new(),
        }
    }

    /// The next item that was never out.
    fn fresh(&mut self) -> Result<Option<(ItemId, T)>, DataPoolError> {
        let State::Open(first, rest) = &mut self.state else {
            return Ok(None);
        };
        let Some(item) = first.take().map(Ok).or_else(|| rest.next()) else {
            self.state = State::Over;
            return Ok(None);
        };
        let (id, item) = (ItemId(self.next), item?);
        self.next += 1;
        self.out.insert(id, encode::<Self, _>(id.0, &item)?);
        Ok(Some((id, item)))
    }
}

/// Collects the items first; use [`Once::new`] for an iterator without end.
impl<T: Serialize + DeserializeOwned + Send + 'static> FromIterator<T> for Once<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::new(items.into_iter().collect::<Vec<_>>())
    }
}

impl<T> fmt::Debug for Once<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Once")
            .field("given", &self.next)
            .field("out", &self.out.len())
            .field("unused", &self.unused.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<T: Serialize + DeserializeOwned + Send + 'static> DataPool for Once<T> {
    type Item = T;

    fn policy(&self) -> Policy {
        Policy::Once
    }

    async fn open(&mut self, _config: &Config) -> Result<(), DataPoolError> {
        let source = match std::mem::replace(&mut self.state, State::Over) {
            State::New(source) => source,
            opened => {
                self.state = opened;
                return Ok(());
            }
        };
        source.check()?;
        let empty = source.empty_message();
        let mut items = source.items()?;
        let first = items.next().ok_or_else(|| DataPoolError::new(empty))??;
        self.state = State::Open(Some(first), items);
        Ok(())
    }

    async fn checkout(&mut self, want: usize) -> Result<Checkout<T>, DataPoolError> {
        if matches!(self.state, State::New(_)) {
            return Err(DataPoolError::new("this Once has not been opened"));
        }
        let mut items = Vec::new();
        while items.len() < want {
            if let Some(id) = self.unused.pop_front() {
                if let Some(data) = self.out.get(&id) {
                    items.push((id, decode(data)?));
                }
            } else if let Some(item) = self.fresh()? {
                items.push(item);
            } else {
                break;
            }
        }
        Ok(Checkout {
            exhausted: matches!(self.state, State::Over) && self.unused.is_empty(),
            items,
        })
    }

    async fn checkin(&mut self, items: &[ItemId], used: bool) {
        if used {
            for id in items {
                self.out.remove(id);
            }
        } else {
            let known = items.iter().filter(|id| self.out.contains_key(id));
            self.unused.extend(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    async fn take(pool: &mut Once<u64>, want: usize) -> (Vec<u64>, bool) {
        let checkout = pool.checkout(want).await.unwrap();
        let items = checkout.items.into_iter().map(|(_, item)| item).collect();
        (items, checkout.exhausted)
    }

    #[tokio::test]
    async fn every_item_goes_out_one_time() {
        let mut pool: Once<u64> = (10..13).collect();
        pool.open(&Config::default()).await.unwrap();
        assert_eq!(take(&mut pool, 2).await, (vec![10, 11], false));
        pool.checkin(&[ItemId(0), ItemId(1)], true).await;
        assert_eq!(take(&mut pool, 2).await, (vec![12], true));
        assert_eq!(take(&mut pool, 2).await, (vec![], true));
    }

    #[tokio::test]
    async fn an_item_that_comes_back_unused_goes_out_again() {
        let mut pool = Once::new([10_u64, 11]);
        pool.open(&Config::default()).await.unwrap();
        take(&mut pool, 5).await;
        pool.checkin(&[ItemId(1)], false).await;
        pool.checkin(&[ItemId(0)], true).await;
        pool.checkin(&[ItemId(0), ItemId(7)], false).await;
        assert_eq!(take(&mut pool, 5).await, (vec![11], true));
    }

    #[tokio::test]
    async fn an_endless_iterator_is_taken_from_as_needed() {
        let made = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&made);
        let mut pool = Once::new((0..).inspect(move |_: &u64| {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        assert_eq!(made.load(Ordering::Relaxed), 0);
        pool.open(&Config::default()).await.unwrap();
        assert_eq!(take(&mut pool, 3).await, (vec![0, 1, 2], false));
        assert_eq!(made.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_pool_without_items_does_not_open() {
        assert_eq!(
            Once::<u64>::new([])
                .open(&Config::default())
                .await
                .unwrap_err()
                .to_string(),
            "a datapool was made of an iterator without items"
        );
    }
}
