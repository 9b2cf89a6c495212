//! The pools of a run, each on a task of its own, so that a slow one holds up nothing else.

use std::{
    cell::Cell,
    collections::VecDeque,
    hash::{Hash, Hasher},
    rc::Rc,
    time::Duration,
};

use rustc_hash::FxHasher;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, spawn_local},
    time::sleep,
};

use super::happening::Supply;
use crate::{
    datapool::{Block, DataPoolError, ErasedPool},
    error::catching,
    id::{EntryId, ItemId},
};

/// How long a pool that had nothing to give is left alone.
const PAUSE: Duration = Duration::from_millis(50);

/// How long pools may take to take back their items when the run is over.
const FAREWELL: Duration = Duration::from_secs(5);

/// The pools of all entries.
pub(super) struct Pools {
    pools: Vec<(UnboundedSender<Request>, JoinHandle<()>)>,
    answers: UnboundedReceiver<Answer>,
    /// What has been given and not been acted upon, by entry.
    at_hand: Vec<VecDeque<Block>>,
    /// Whether what has happened once happens again, and nothing has to be waited for.
    #[cfg_attr(
        not(feature = "nats"),
        expect(dead_code, reason = "for runners elsewhere")
    )]
    hurries: Rc<Cell<bool>>,
}

/// What a pool gave.
struct Answer {
    entry: EntryId,
    block: Result<Block, DataPoolError>,
}

enum Request {
    Draw(usize),
    CheckIn { items: Vec<ItemId>, used: bool },
}

impl Pools {
    /// Starts a task for each pool.
    pub(super) fn start(pools: Vec<ErasedPool>) -> Self {
        let (answer, answers) = unbounded_channel();
        let hurries = Rc::<Cell<bool>>::default();
        let at_hand = pools.iter().map(|_| VecDeque::new()).collect();
        let pools = (0..).map(EntryId).zip(pools).map(|(entry, pool)| {
            let (sender, requests) = unbounded_channel();
            (
                sender,
                spawn_local(serve(
                    entry,
                    pool,
                    requests,
                    answer.clone(),
                    Rc::clone(&hurries),
                )),
            )
        });
        Self {
            pools: pools.collect(),
            answers,
            at_hand,
            hurries,
        }
    }

    /// Asks a pool for items.
    pub(super) fn draw(&self, entry: EntryId, want: usize) {
        self.ask(entry, Request::Draw(want));
    }

    /// Gives items back to a pool.
    pub(super) fn check_in(&self, entry: EntryId, items: Vec<ItemId>, used: bool) {
        self.ask(entry, Request::CheckIn { items, used });
    }

    /// What the pools give next, which is at hand then; `None` when there are no pools.
    pub(super) async fn answer(&mut self) -> Option<(EntryId, Supply)> {
        let Answer { entry, block } = self.answers.recv().await?;
        let supply = match block {
            Ok(block) => {
                let known_by = digest(&block);
                if let Some(at_hand) = self.at_hand.get_mut(entry.index()) {
                    at_hand.push_back(block);
                }
                Supply::Block(known_by)
            }
            Err(error) => Supply::Broke(error.to_string()),
        };
        Some((entry, supply))
    }

    /// The block that was given first of those at hand.
    pub(super) fn take(&mut self, entry: EntryId) -> Block {
        let at_hand = self.at_hand.get_mut(entry.index());
        at_hand.and_then(VecDeque::pop_front).unwrap_or_default()
    }

    /// Waits until a pool has given as much as it once did; whether it is the same.
    #[cfg(feature = "nats")]
    pub(super) async fn gives_again(&mut self, entry: EntryId, block: u64) -> bool {
        loop {
            let at_hand = self.at_hand.get(entry.index());
            if let Some(first) = at_hand.and_then(VecDeque::front) {
                return digest(first) == block;
            }
            match self.answer().await {
                Some((of, Supply::Broke(_))) if of == entry => return false,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Whether a pool that has nothing to give is left alone for a while.
    #[cfg(feature = "nats")]
    pub(super) fn hurry(&self, hurries: bool) {
        self.hurries.set(hurries);
    }

    /// Lets the pools take back what is still on its way; gives those that broke over it.
    pub(super) async fn close(mut self) -> Vec<(EntryId, DataPoolError)> {
        for (requests, task) in self.pools {
            drop(requests);
            if tokio::time::timeout(FAREWELL, task).await.is_err() {
                tracing::warn!("a datapool takes longer than {FAREWELL:?} to take back its items");
            }
        }
        let mut broken = Vec::new();
        while let Ok(answer) = self.answers.try_recv() {
            broken.extend(answer.block.err().map(|error| (answer.entry, error)));
        }
        broken
    }

    fn ask(&self, entry: EntryId, request: Request) {
        if let Some((pool, _)) = self.pools.get(entry.index()) {
            // A pool that is gone has panicked, which its entry has been told of.
            let _ = pool.send(request);
        }
    }
}

/// A number by which a block is known again.
fn digest(block: &Block) -> u64 {
    let mut hasher = FxHasher::default();
    for item in &block.items {
        (item.id, &item.data).hash(&mut hasher);
    }
    block.exhausted.hash(&mut hasher);
    hasher.finish()
}

async fn serve(
    entry: EntryId,
    mut pool: ErasedPool,
    mut requests: UnboundedReceiver<Request>,
    answers: UnboundedSender<Answer>,
    hurries: Rc<Cell<bool>>,
) {
    while let Some(request) = requests.recv().await {
        match request {
            Request::Draw(want) => {
                let block = catching(pool.checkout(want))
                    .await
                    .unwrap_or_else(|panic| Err(DataPoolError::new(panic.to_string())));
                let is_dry = |block: &Block| block.items.is_empty() && !block.exhausted;
                if block.as_ref().is_ok_and(is_dry) && !hurries.get() {
                    sleep(PAUSE).await;
                }
                let _ = answers.send(Answer { entry, block });
            }
            Request::CheckIn { items, used } => {
                if let Err(panic) = catching(pool.checkin(&items, used)).await {
                    let block = Err(DataPoolError::new(panic.to_string()));
                    let _ = answers.send(Answer { entry, block });
                }
            }
        }
    }
}
