//! What a controller keeps in JetStream, so that another can take its place.
//!
//! The journal is one stream. Each entry is written on the condition that it comes directly after
//! the last one its writer knows of, so there is only one writer: whoever comes back after another
//! has taken over finds that out with the next entry, and stops.

mod find;
mod write;

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::Builder,
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    time::{Instant, sleep, timeout},
};

pub(super) use self::find::left_behind;
use self::{
    find::{Search, find},
    write::Writer,
};
use super::{BusError, Options, subjects::Subjects};

/// A writer that has nothing to write says so often that it is there.
const ALIVE: Duration = Duration::from_millis(500);
/// A writer that has written nothing for so long is not there any more.
const SILENT: Duration = Duration::from_secs(3);
/// A run whose last word is older than this is not gone on with: its runners have given it up.
pub(crate) const ABANDONED: Duration = Duration::from_secs(300);
/// How often it is looked whether the writer is there.
const LOOK: Duration = Duration::from_millis(300);
/// How long the removal may take where NATS does not answer.
const FAREWELL: Duration = Duration::from_secs(5);
/// The largest part of a record that is written at once; a server takes a megabyte unless it is
/// told otherwise.
const PIECE: usize = 256 << 10;

/// An entry of the journal.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// What the clock of the controller showed; absent when it takes over and has yet to find out.
    at: Option<Duration>,
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
enum What {
    /// Somebody is the controller from now on; of a run of its own, or of the one before.
    Claim { anew: bool },
    /// The controller is there.
    Alive,
    /// A part of a record; whether it goes on in the next entry.
    Piece { bytes: Bytes, goes_on: bool },
}

/// What there was of a run whose controller is gone.
#[derive(Debug)]
pub(crate) struct Found {
    /// The records it has written, in order.
    pub(crate) records: Vec<Bytes>,
    /// How long ago it wrote the last, as far as the clocks of this machine and of NATS agree.
    pub(crate) age: Duration,
}

/// Why nothing more is kept.
#[derive(Debug)]
pub(crate) enum Unkept {
    /// Another controller has taken over.
    Superseded,
    /// The server does not take it.
    Refused(String),
}

/// A journal that is looked into and not yet written to.
pub(crate) struct Opened {
    /// What a run has left behind that is not over.
    pub(crate) found: Option<Found>,
    decisions: oneshot::Sender<Decision>,
    claimed: oneshot::Receiver<Result<Claimed, BusError>>,
}

/// What is to become of what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The run goes on.
    GoOn,
    /// It is forgotten.
    BeginAnew,
}

/// What a controller is to do that has asked for the journal.
pub(crate) enum Turn {
    /// It is its turn.
    Lead(Opened),
    /// The run it stood by for has come to its end.
    Over,
}

/// Who has the journal, and what his clock shows.
struct Claimed {
    epoch: Instant,
    last_entry: LastEntry,
    requests: UnboundedSender<Request>,
    kept: UnboundedReceiver<Result<(), Unkept>>,
}

/// When an entry was written last, for whoever has to know whether another may lead by now.
#[derive(Clone, Debug)]
pub(crate) struct LastEntry(Arc<Mutex<Instant>>);

impl LastEntry {
    fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn is_written(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long ago it was written.
    pub(crate) fn age(&self) -> Duration {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.elapsed()
    }
}

/// The journal of the controller that leads.
#[derive(Debug)]
pub(crate) struct Journal {
    /// When the clock of the controller showed nothing, on this machine.
    pub(crate) epoch: Instant,
    pub(crate) last_entry: LastEntry,
    requests: UnboundedSender<Request>,
    kept: UnboundedReceiver<Result<(), Unkept>>,
}

/// The other end of a journal, in a test.
#[cfg(test)]
pub(crate) struct Hand {
    _asked: UnboundedReceiver<Request>,
    keeps: UnboundedSender<Result<(), Unkept>>,
}

#[cfg(test)]
impl Hand {
    /// The next record is kept.
    pub(crate) fn keep(&self) {
        let _ = self.keeps.send(Ok(()));
    }
}

/// What the thread of the journal is asked for.
#[derive(Debug)]
enum Request {
    Keep(Bytes),
    /// The run is over; then all is removed, and the sender is told.
    Remove(oneshot::Sender<()>),
}

/// Looks for the journal of this prefix, and waits until nobody else leads, if `stands_by`.
///
/// # Errors
/// When NATS cannot be reached, has no JetStream, or another controller leads and it is not to be
/// waited for.
pub(crate) async fn open(options: Options, stands_by: bool) -> Result<Turn, BusError> {
    let subjects = Subjects::new(&options.prefix)?;
    let (found, is_found) = oneshot::channel();
    let thread = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(serve(options, subjects, stands_by, found)),
            Err(error) => {
                let _ = found.send(Err(BusError::Thread(error)));
            }
        }
    };
    Builder::new()
        .name("mite-journal".to_owned())
        .spawn(thread)
        .map_err(BusError::Thread)?;
    is_found.await.map_err(|_| gone())?
}

fn gone() -> BusError {
    BusError::Thread(std::io::Error::other("it ended at once"))
}

impl Opened {
    /// Leads from now on.
    ///
    /// # Errors
    /// When somebody else was quicker, or NATS does not take it.
    pub(crate) async fn claim(self, decision: Decision) -> Result<Journal, BusError> {
        let _ = self.decisions.send(decision);
        let claimed = self.claimed.await.map_err(|_| gone())??;
        Ok(Journal {
            epoch: claimed.epoch,
            last_entry: claimed.last_entry,
            requests: claimed.requests,
            kept: claimed.kept,
        })
    }
}

impl Journal {
    /// Writes a record down; [`kept`](Self::kept) says when that is done.
    pub(crate) fn keep(&self, record: Bytes) {
        let _ = self.requests.send(Request::Keep(record));
    }

    /// Waits until the next record is kept, in the order they were given.
    ///
    /// # Errors
    /// When it is not, and nothing will be from now on.
    pub(crate) async fn kept(&mut self) -> Result<(), Unkept> {
        let ended = || Unkept::Refused("its thread has ended".to_owned());
        self.kept.recv().await.ok_or_else(ended)?
    }

    /// Removes the journal: the run is over, and nobody has to go on with it. Where NATS does not
    /// answer it stays.
    pub(crate) async fn remove(self) {
        let (sender, removed) = oneshot::channel();
        let _ = self.requests.send(Request::Remove(sender));
        if timeout(FAREWELL, removed).await.is_err() {
            tracing::warn!(
                "what the run has kept stays on NATS, which does not answer; the next controller \
                 that is started to be replaced would take the run for unfinished"
            );
        }
    }

    /// One whose other end is somebody else's, to be asked and to answer.
    #[cfg(test)]
    pub(crate) fn in_hand() -> (Self, Hand) {
        let (requests, asked) = unbounded_channel();
        let (keeps, kept) = unbounded_channel();
        let journal = Self {
            epoch: Instant::now(),
            last_entry: LastEntry::now(),
            requests,
            kept,
        };
        let hand = Hand {
            _asked: asked,
            keeps,
        };
        (journal, hand)
    }
}

/// The thread of the journal.
async fn serve(
    options: Options,
    subjects: Subjects,
    stands_by: bool,
    found: oneshot::Sender<Result<Turn, BusError>>,
) {
    let search = match find(&options, &subjects, stands_by).await {
        Ok(Some(search)) => search,
        Ok(None) => {
            let _ = found.send(Ok(Turn::Over));
            return;
        }
        Err(error) => {
            let _ = found.send(Err(error));
            return;
        }
    };
    let Search {
        store,
        last,
        zero,
        found: left,
    } = search;
    let (decisions, decided) = oneshot::channel();
    let (claims, claimed) = oneshot::channel();
    let opened = Opened {
        found: left,
        decisions,
        claimed,
    };
    let _ = found.send(Ok(Turn::Lead(opened)));
    // Whoever was to decide may have given up.
    let Ok(decision) = decided.await else { return };
    let zero = zero.filter(|_| decision == Decision::GoOn);
    match Writer::claim(store, last, zero, &options.prefix).await {
        Ok(writer) => {
            let (requests, asked) = unbounded_channel();
            let (keeps, kept) = unbounded_channel();
            let _ = claims.send(Ok(Claimed {
                epoch: writer.epoch(),
                last_entry: writer.last_entry(),
                requests,
                kept,
            }));
            write(writer, asked, &keeps).await;
        }
        Err(error) => {
            let _ = claims.send(Err(error));
        }
    }
}

/// Writes what it is asked to until nobody asks any more.
async fn write(
    mut writer: Writer,
    mut asked: UnboundedReceiver<Request>,
    keeps: &UnboundedSender<Result<(), Unkept>>,
) {
    loop {
        let written = tokio::select! {
            request = asked.recv() => match request {
                Some(Request::Keep(record)) => {
                    let kept = writer.record(record).await;
                    match kept {
                        Ok(()) => { let _ = keeps.send(Ok(())); Ok(()) }
                        Err(error) => Err(error),
                    }
                }
                Some(Request::Remove(done)) => {
                    writer.remove().await;
                    let _ = done.send(());
                    return;
                }
                None => return,
            },
            () = sleep(ALIVE) => writer.alive().await,
        };
        if let Err(why) = written {
            let is_ours = matches!(why, Unkept::Refused(_));
            let _ = keeps.send(Err(why));
            if is_ours {
                // The run goes on without it. Who finds it must not take it for one without a
                // controller, nor for unfinished when it is over.
                writer.remove().await;
            }
            return;
        }
    }
}
