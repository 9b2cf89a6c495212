//! The pools of a run, each on a task of its own, so that a slow one holds up nothing else.

use std::time::Duration;

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, spawn_local},
    time::sleep,
};

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
}

/// What a pool gave.
pub(super) struct Answer {
    pub(super) entry: EntryId,
    pub(super) block: Result<Block, DataPoolError>,
}

enum Request {
    Draw(usize),
    CheckIn { items: Vec<ItemId>, used: bool },
}

impl Pools {
    /// Starts a task for each pool.
    pub(super) fn start(pools: Vec<ErasedPool>) -> Self {
        let (answer, answers) = unbounded_channel();
        let pools = (0..).map(EntryId).zip(pools).map(|(entry, pool)| {
            let (sender, requests) = unbounded_channel();
            (
                sender,
                spawn_local(serve(entry, pool, requests, answer.clone())),
            )
        });
        Self {
            pools: pools.collect(),
            answers,
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

    /// What the pools give next; `None` when there are no pools.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        self.answers.recv().await
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

async fn serve(
    entry: EntryId,
    mut pool: ErasedPool,
    mut requests: UnboundedReceiver<Request>,
    answers: UnboundedSender<Answer>,
) {
    while let Some(request) = requests.recv().await {
        match request {
            Request::Draw(want) => {
                let block = catching(pool.checkout(want))
                    .await
                    .unwrap_or_else(|panic| Err(DataPoolError::new(panic.to_string())));
                if block
                    .as_ref()
                    .is_ok_and(|block| block.items.is_empty() && !block.exhausted)
                {
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
