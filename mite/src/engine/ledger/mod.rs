//! What happens is written down before anything is done about it, so that another controller can do
//! what this one did and go on from there.
//!
//! The controller is a state machine, so whoever is told the same comes to the same. What it wants
//! done is done when what it was told is kept, and only then do runners learn that they were heard:
//! what is not kept will be said again.

mod succession;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    future::pending,
    hash::{Hash, Hasher},
    time::{Duration, SystemTime},
};

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

pub(super) use self::succession::{Past, Succession, succession};
use super::{
    RunError,
    happening::{Happening, What},
};
use crate::{
    config::Config,
    datapool::lease,
    id::RunnerId,
    link::{
        Mark, Order, Recruit, encode,
        nats::{
            Keeping,
            journal::{Journal, Unkept},
        },
    },
};

/// How long what nobody waits for is gathered before it is written down.
const GATHER: Duration = Duration::from_millis(200);
/// How long somebody who stops the run waits for it to be kept that he does.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is written down.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Record {
    /// The first of a run.
    Begin(Box<Beginning>),
    /// What came after.
    Batch(Batch),
}

/// What has to be known of a run to begin it in the same way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Beginning {
    /// What it was made of, by name, so that it is not gone on with as something else.
    pub(super) plan: Vec<(String, String)>,
    pub(super) config: Config,
    pub(super) seed: u64,
    /// What the run is called where others are told of it.
    pub(super) run: String,
    /// What the clock of the controller showed when the run began.
    pub(super) begin: Duration,
    /// The time of day at which it began.
    pub(super) started_at: SystemTime,
    pub(super) runners: Vec<(RunnerId, Recruit)>,
    pub(super) marks: BTreeMap<RunnerId, Mark>,
    /// What is kept of it elsewhere.
    pub(super) keeping: Keeping,
}

/// Some of what happened, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) happenings: Vec<Happening>,
    /// How far the conversations with runners are.
    pub(super) marks: BTreeMap<RunnerId, Mark>,
    /// What runners had been told before, in a number.
    pub(super) said: u64,
}

/// Writes down what happens, if there is somewhere to write it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    journal: Option<Journal>,
    /// What is to be written down next.
    waiting: Batch,
    /// When it is written down at the latest.
    due: Option<Instant>,
    /// What is being written down.
    under_way: Option<Batch>,
    /// Until when an answer is waited for, if somebody waits for the run to stop.
    gives_up: Option<Instant>,
    /// Where nothing is written any more.
    given_up: Option<Journal>,
    said: u64,
}

/// What has become of something that was to be kept.
pub(super) struct Kept {
    pub(super) batch: Batch,
    /// Why nothing is kept any more, if that is so.
    pub(super) trouble: Option<String>,
}

impl Ledger {
    /// A ledger that writes here.
    pub(super) fn new(journal: Option<Journal>) -> Self {
        Self {
            journal,
            ..Self::default()
        }
    }

    /// Takes something that happened; gives it back if it is to be acted upon at once.
    pub(super) fn take(&mut self, happening: Happening) -> Option<Happening> {
        if self.journal.is_none() {
            return Some(happening);
        }
        let now = Instant::now();
        let due = match happening.what.is_urgent() {
            true => now,
            false => now + GATHER,
        };
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        if let What::Stop(_) = happening.what {
            self.gives_up.get_or_insert(now + PATIENCE);
        }
        self.gather(happening);
        None
    }

    /// Adds to what waits; what runners counted in one second is added up, or it would be as much to
    /// write as there are runners. What one runner said stays in order.
    fn gather(&mut self, happening: Happening) {
        let Happening { at, what } = happening;
        let What::Reported(reported) = what else {
            self.waiting.happenings.push(Happening { at, what });
            return;
        };
        let has_to_stay_behind = |one: &Happening| match &one.what {
            What::Reported(one) => {
                one.until != reported.until && one.shares_a_runner_with(&reported)
            }
            _ => false,
        };
        let latest = self.waiting.happenings.iter_mut().rev();
        let same = latest
            .take_while(|one| !has_to_stay_behind(one))
            .find_map(|one| match &mut one.what {
                What::Reported(one) if one.until == reported.until => Some(one),
                _ => None,
            });
        match same {
            Some(same) => same.gather(*reported),
            None => self.waiting.happenings.push(Happening {
                at,
                what: What::Reported(reported),
            }),
        }
    }

    /// The conversation with a runner is so far.
    pub(super) fn mark(&mut self, runner: RunnerId, mark: Mark) {
        if self.journal.is_some() {
            self.waiting.marks.insert(runner, mark);
        }
    }

    /// A runner is told something.
    pub(super) fn said(&mut self, runner: RunnerId, order: &Order) {
        let mut hasher = FxHasher::default();
        (self.said, runner).hash(&mut hasher);
        match order {
            Order::Data {
                entry,
                order: lease::Order::Give(items),
            } => {
                entry.hash(&mut hasher);
                items.iter().for_each(|item| item.id.hash(&mut hasher));
            }
            order => format!("{order:?}").hash(&mut hasher),
        }
        self.said = hasher.finish();
    }

    /// All that was said so far, in a number.
    pub(super) fn all_said(&self) -> u64 {
        self.said
    }

    /// Waits until some of what happened is kept; then it is to be acted upon.
    ///
    /// # Errors
    /// When another controller has taken over.
    pub(super) async fn kept(&mut self) -> Result<Kept, RunError> {
        loop {
            let Some(journal) = &mut self.journal else {
                return pending().await;
            };
            if self.under_way.is_some() {
                let gives_up = self.gives_up;
                let kept = tokio::select! {
                    kept = journal.kept() => kept,
                    () = sleep_until(gives_up.unwrap_or_else(Instant::now)), if gives_up.is_some() => {
                        Err(Unkept::Refused("it is to stop, and NATS does not answer".to_owned()))
                    }
                };
                let trouble = match kept {
                    Ok(()) => None,
                    Err(Unkept::Superseded) => return Err(RunError::TakenOver),
                    Err(Unkept::Refused(why)) => Some(why),
                };
                let mut batch = self.under_way.take().unwrap_or_default();
                self.gives_up = self.is_to_stop().then(|| Instant::now() + PATIENCE);
                if trouble.is_some() {
                    // Nobody can take over any more, so nothing has to wait.
                    self.given_up = self.journal.take();
                    let more = std::mem::take(&mut self.waiting);
                    batch.happenings.extend(more.happenings);
                    batch.marks.extend(more.marks);
                }
                return Ok(Kept { batch, trouble });
            }
            match self.due {
                Some(due) => sleep_until(due).await,
                None => return pending().await,
            }
            self.write();
        }
    }

    fn write(&mut self) {
        self.due = None;
        let mut batch = std::mem::take(&mut self.waiting);
        batch.said = self.said;
        let record = Record::Batch(batch);
        if let Some(journal) = &self.journal {
            journal.keep(encode(&record));
        }
        if let Record::Batch(batch) = record {
            self.under_way = Some(batch);
        }
    }

    /// Whether what waits has somebody in it who stops the run.
    fn is_to_stop(&self) -> bool {
        let mut waiting = self.waiting.happenings.iter();
        waiting.any(|one| matches!(one.what, What::Stop(_)))
    }

    /// The run is over: nobody has to go on with it.
    pub(super) async fn close(self) {
        if let Some(journal) = self.journal.or(self.given_up) {
            journal.remove().await;
        }
    }
}
