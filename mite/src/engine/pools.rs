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
    /// What was given while something else was waited for.
    early: VecDeque<(EntryId, Supply)>,
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
            early: VecDeque::new(),
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
        match self.early.pop_front() {
            Some(early) => Some(early),
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Option<(EntryId, Supply)> {
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

    /// Waits until a pool has given as much as it once did; whether it is the same. What others give
    /// meanwhile is answered later: it may be what the former controller never learned of.
    #[cfg(feature = "nats")]
    pub(super) async fn gives_again(&mut self, entry: EntryId, block: u64) -> bool {
        loop {
            let place = self.early.iter().position(|(of, _)| *of == entry);
            if let Some((_, supply)) = place.and_then(|place| self.early.remove(place)) {
                return supply == Supply::Block(block);
            }
            match self.receive().await {
                Some(early) => self.early.push_back(early),
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

#[cfg(test)]
#[cfg(feature = "nats")]
mod tests {
    use tokio::task::LocalSet;

    use super::*;
    use crate::{config::Config, datapool::Once};

    async fn pools() -> Pools {
        let mut pools = Vec::new();
        for first in [0, 100] {
            let mut pool = ErasedPool::new(Once::new(first..first + 10_u32));
            pool.open(&Config::default()).await.unwrap();
            pools.push(pool);
        }
        Pools::start(pools)
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_pool_gives_while_another_gives_again_is_not_forgotten() {
        let test = async {
            let (one, other) = (EntryId(0), EntryId(1));
            let mut first = pools().await;
            first.draw(other, 2);
            let Some((_, Supply::Block(block))) = first.answer().await else {
                panic!("no block");
            };
            // The former controller had asked for this as well, and was gone before it came.
            let mut again = pools().await;
            again.draw(one, 3);
            again.draw(other, 2);
            assert!(again.gives_again(other, block).await);
            assert_eq!(again.take(other).items.len(), 2);
            let answer = tokio::time::timeout(PAUSE, again.answer()).await;
            assert!(matches!(answer, Ok(Some((of, Supply::Block(_)))) if of == one));
            assert_eq!(again.take(one).items.len(), 3);
        };
        LocalSet::new().run_until(test).await;
    }
}
