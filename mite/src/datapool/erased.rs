//! A pool of any type, its items as they travel.

use std::collections::HashSet;

use async_trait::async_trait;

use super::{
    DataPool, DataPoolError, Item, Policy,
    encoding::{decode, encode, short_type_name},
};
use crate::{config::Config, id::ItemId};

/// A pool whose type is forgotten.
///
/// It checks what a pool written by a user may get wrong: that its items survive the journey and
/// that none is given out twice.
pub struct ErasedPool(Box<dyn Erased>);

/// What a pool gave.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The items.
    pub(crate) items: Vec<Item>,
    /// Whether there is nothing more to come unless something is checked in.
    pub(crate) exhausted: bool,
}

impl ErasedPool {
    /// Forgets the type of a pool.
    pub(crate) fn new<P: DataPool>(pool: P) -> Self {
        Self(Box::new(Typed {
            pool,
            out: HashSet::new(),
            checked: false,
        }))
    }

    /// What becomes of an item when its journey is over.
    pub(crate) fn policy(&self) -> Policy {
        self.0.policy()
    }

    /// The type of the pool in words, such as `Recyclable<User>`.
    pub(crate) fn type_name(&self) -> String {
        self.0.type_name()
    }

    /// Opens the pool, once, before anything starts.
    pub(crate) async fn open(&mut self, config: &Config) -> Result<(), DataPoolError> {
        self.0.open(config).await
    }

    /// Up to `want` items that nobody holds.
    pub(crate) async fn checkout(&mut self, want: usize) -> Result<Block, DataPoolError> {
        self.0.checkout(want).await
    }

    /// Gives items back.
    pub(crate) async fn checkin(&mut self, items: &[ItemId], used: bool) {
        self.0.checkin(items, used).await;
    }
}

impl std::fmt::Debug for ErasedPool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("ErasedPool")
            .field(&self.type_name())
            .finish()
    }
}

#[async_trait]
trait Erased: Send {
    fn policy(&self) -> Policy;
    fn type_name(&self) -> String;
    async fn open(&mut self, config: &Config) -> Result<(), DataPoolError>;
    async fn checkout(&mut self, want: usize) -> Result<Block, DataPoolError>;
    async fn checkin(&mut self, items: &[ItemId], used: bool);
}

struct Typed<P> {
    pool: P,
    out: HashSet<ItemId>,
    checked: bool,
}

#[async_trait]
impl<P: DataPool> Erased for Typed<P> {
    fn policy(&self) -> Policy {
        self.pool.policy()
    }

    fn type_name(&self) -> String {
        short_type_name::<P>()
    }

    async fn open(&mut self, config: &Config) -> Result<(), DataPoolError> {
        self.pool.open(config).await
    }

    async fn checkout(&mut self, want: usize) -> Result<Block, DataPoolError> {
        let checkout = self.pool.checkout(want).await?;
        let mut items = Vec::with_capacity(checkout.items.len());
        for (id, value) in checkout.items {
            if self.policy() != Policy::Shared && !self.out.insert(id) {
                return Err(DataPoolError::new(format!(
                    "{} gave out item {} while it was out already; its items need numbers of \
                     their own",
                    self.type_name(),
                    id.0
                )));
            }
            let data = encode::<P, _>(id.0, &value)?;
            if !self.checked {
                decode::<P::Item>(&data)?;
                self.checked = true;
            }
            items.push(Item { id, data });
        }
        Ok(Block {
            items,
            exhausted: checkout.exhausted,
        })
    }

    async fn checkin(&mut self, items: &[ItemId], used: bool) {
        for id in items {
            self.out.remove(id);
        }
        self.pool.checkin(items, used).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::{Arc, Mutex},
    };

    use serde::{Deserialize, Serialize};

    use super::{
        super::{Checkout, Once, Recyclable, Single},
        *,
    };

    type Checkins = Arc<Mutex<Vec<(Vec<ItemId>, bool)>>>;

    /// Gives item 7 each time it is asked.
    struct Seven<T>(T, Checkins);

    #[async_trait]
    impl<T> DataPool for Seven<T>
    where
        T: Clone + Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
    {
        type Item = T;

        fn policy(&self) -> Policy {
            Policy::Recycle
        }

        async fn checkout(&mut self, _: usize) -> Result<Checkout<T>, DataPoolError> {
            Ok(Checkout {
                items: vec![(ItemId(7), self.0.clone())],
                exhausted: false,
            })
        }

        async fn checkin(&mut self, items: &[ItemId], used: bool) {
            self.1.lock().unwrap().push((items.to_vec(), used));
        }
    }

    #[derive(Clone)]
    struct Grumpy;

    impl Serialize for Grumpy {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }

    impl<'de> Deserialize<'de> for Grumpy {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Grumpy)
        }
    }

    #[tokio::test]
    async fn items_of_any_pool_can_be_decoded_by_who_knows_their_type() {
        let mut pool = ErasedPool::new(Once::new((0_u8..).map(|n| (n, format!("user {n}")))));
        pool.open(&Config::default()).await.unwrap();
        let block = pool.checkout(2).await.unwrap();
        let values: Vec<(u8, String)> = block
            .items
            .iter()
            .map(|item| decode(&item.data).unwrap())
            .collect();
        assert_eq!(values, [(0, "user 0".into()), (1, "user 1".into())]);
        assert!(!block.exhausted);
        assert_eq!(pool.policy(), Policy::Once);
        assert_eq!(pool.type_name(), "Once<(u8, String)>");
    }

    #[tokio::test]
    async fn pools_that_are_never_empty_say_so_by_their_policy() {
        for mut pool in [ErasedPool::new(()), ErasedPool::new(Single::new(()))] {
            assert_eq!(pool.policy(), Policy::Shared);
            for _ in 0..2 {
                let block = pool.checkout(5).await.unwrap();
                assert_eq!(block.items.len(), 1);
                assert_eq!(decode::<()>(&block.items[0].data), Ok(()));
            }
        }
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_encoded_is_named_by_its_number() {
        let mut pool = ErasedPool::new(Seven(Grumpy, Checkins::default()));
        let error = pool.checkout(1).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "item 7 of Seven<Grumpy> cannot be encoded: not today"
        );
        let mut pool = ErasedPool::new(Recyclable::new([Grumpy]));
        let error = pool.open(&Config::default()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "item 0 of Recyclable<Grumpy> cannot be encoded: not today"
        );
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_read_back_stops_the_first_checkout() {
        #[derive(Clone, Serialize, Deserialize)]
        struct Lossy {
            #[serde(skip_serializing)]
            _name: Cell<u8>,
        }
        let mut pool = ErasedPool::new(Once::new([Lossy {
            _name: Cell::new(1),
        }]));
        pool.open(&Config::default()).await.unwrap();
        let error = pool.checkout(1).await.unwrap_err().to_string();
        assert!(error.starts_with("a Lossy cannot be read back"), "{error}");
    }

    #[tokio::test]
    async fn a_pool_that_gives_an_item_out_twice_is_found_out() {
        let checkins = Checkins::default();
        let mut pool = ErasedPool::new(Seven(1_u8, Arc::clone(&checkins)));
        pool.checkout(1).await.unwrap();
        pool.checkin(&[ItemId(7)], true).await;
        pool.checkout(1).await.unwrap();
        let error = pool.checkout(1).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Seven<u8> gave out item 7 while it was out already; its items need numbers of \
             their own"
        );
        assert_eq!(*checkins.lock().unwrap(), [(vec![ItemId(7)], true)]);
    }
}
