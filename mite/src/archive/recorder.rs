//! The recorder: what journeys record for a later run, in one file a name.

mod notebook;
#[cfg(feature = "nats")]
mod outbox;
#[cfg(feature = "nats")]
mod reception;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::Builder,
    time::Duration,
};

use notebook::Notebook;
#[cfg(feature = "nats")]
pub(crate) use outbox::{Note, Notes, Outbox, Outgoing};
#[cfg(feature = "nats")]
pub(crate) use reception::{Received, Reception};

use super::{ArchiveError, room::Room};
use crate::event::Keep;

/// So many bytes may wait for the disk; what comes then is refused.
const WAITING: usize = 64 << 20;
/// So long the end of a run waits for an item to be written before it leaves the files alone.
const PATIENCE: Duration = Duration::from_secs(10);

enum Message {
    Item(String, Vec<u8>),
    Purge(String),
    Close,
}

/// Keeps what journeys record.
pub(crate) struct Recorder {
    messages: Sender<Message>,
    room: Arc<Room>,
    state: Arc<State>,
    over: Mutex<Receiver<()>>,
}

/// What is known on both sides.
#[derive(Default)]
struct State {
    /// Items taken and items written, by name.
    names: Mutex<BTreeMap<String, Count>>,
    /// Why nothing is taken any more, if so.
    trouble: Mutex<Option<String>>,
    /// What else is to be told.
    notes: Mutex<Vec<String>>,
    steps: AtomicU64,
}

#[derive(Clone, Copy, Default)]
struct Count {
    taken: u64,
    written: u64,
}

/// What became of what was recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// By name.
    pub(crate) names: Vec<KeptName>,
    /// What went wrong.
    pub(crate) failures: Vec<String>,
}

/// What became of what was recorded under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptName {
    /// The name.
    pub(crate) name: String,
    /// Items written by this run, whether or not they were purged later.
    pub(crate) items: u64,
    /// Items that journeys recorded and that are not in the file.
    pub(crate) missing: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Starts to record in this directory, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made or written to, or the thread that writes cannot be started.
    pub(crate) fn start(directory: &Path) -> Result<Self, ArchiveError> {
        try_out(directory)
            .map_err(|error| ArchiveError::at("what is recorded", directory, &error))?;
        let (messages, heard) = channel();
        let (done, over) = channel::<()>();
        let room = Arc::new(Room::new(WAITING));
        let state = Arc::<State>::default();
        let scribe = Scribe {
            directory: directory.to_owned(),
            notebooks: BTreeMap::new(),
            room: Arc::clone(&room),
            state: Arc::clone(&state),
        };
        Builder::new()
            .name("mite-keeper".to_owned())
            .spawn(move || {
                // It is dropped, and says so, when all is written.
                let _done = done;
                scribe.run(&heard);
            })
            .map_err(|error| ArchiveError(format!("cannot start a thread to record: {error}")))?;
        Ok(Self {
            messages,
            room,
            state,
            over: Mutex::new(over),
        })
    }

    /// What is to be told since this was asked last.
    pub(crate) fn news(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state.notes))
    }

    /// Waits until all is written, unless the disk takes nothing any more.
    pub(crate) fn finish(&self) -> Kept {
        let _ = self.messages.send(Message::Close);
        let over = lock(&self.over);
        let mut steps = self.state.steps.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        while over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let now = self.state.steps.load(Ordering::Relaxed);
            if std::mem::replace(&mut steps, now) == now {
                let seconds = PATIENCE.as_secs();
                failures.push(format!(
                    "for {seconds} s nothing more of what journeys recorded could be written"
                ));
                break;
            }
        }
        failures.splice(..0, lock(&self.state.trouble).clone());
        let names = lock(&self.state.names).clone();
        let names = names.into_iter().map(|(name, count)| KeptName {
            name,
            items: count.written,
            missing: count.taken.saturating_sub(count.written),
        });
        Kept {
            names: names.collect(),
            failures,
        }
    }

    fn pass(&self, message: Message) -> Result<(), String> {
        if let Some(trouble) = &*lock(&self.state.trouble) {
            return Err(format!("nothing more is recorded: {trouble}"));
        }
        self.messages
            .send(message)
            .map_err(|_| "nothing more is recorded: the run is over".to_owned())
    }
}

impl Keep for Recorder {
    fn keep(&self, name: &str, item: Vec<u8>) -> Result<(), String> {
        let bytes = item.len();
        if !self.room.take(bytes) {
            return Err(format!(
                "{name:?} cannot be recorded: {} MiB wait to be written already, since the disk is \
                 too slow for what journeys record",
                WAITING >> 20
            ));
        }
        self.pass(Message::Item(name.to_owned(), item))
            .inspect_err(|_| self.room.give_back(bytes))?;
        let mut names = lock(&self.state.names);
        if !names.contains_key(name) {
            names.insert(name.to_owned(), Count::default());
        }
        if let Some(count) = names.get_mut(name) {
            count.taken += 1;
        }
        Ok(())
    }

    fn purge(&self, name: &str) -> Result<(), String> {
        self.pass(Message::Purge(name.to_owned()))
    }
}

/// Finds out whether files can be made in the directory.
fn try_out(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let path = directory.join(format!(".mite-{:016x}", fastrand::u64(..)));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(path)
}

/// The thread that writes.
struct Scribe {
    directory: PathBuf,
    notebooks: BTreeMap<String, Notebook>,
    room: Arc<Room>,
    state: Arc<State>,
}

impl Scribe {
    fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            match message {
                Message::Item(name, item) => {
                    self.item(&name, &item);
                    self.room.give_back(item.len());
                }
                Message::Purge(name) => self.purge(&name),
                Message::Close => return,
            }
            self.state.steps.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn item(&mut self, name: &str, item: &[u8]) {
        // A file without holes is worth more than one with whatever the disk took in the end.
        if lock(&self.state.trouble).is_some() {
            return;
        }
        if let Err(error) = self.append(name, item) {
            let path = self.path(name);
            self.trouble(format!("cannot record into {}: {error}", path.display()));
            return;
        }
        let mut names = lock(&self.state.names);
        names.entry(name.to_owned()).or_default().written += 1;
    }

    fn append(&mut self, name: &str, item: &[u8]) -> Result<(), String> {
        if let Some(notebook) = self.notebooks.get_mut(name) {
            return notebook.append(item).map_err(|error| error.to_string());
        }
        let (mut notebook, mended) = Notebook::open(&self.path(name))?;
        lock(&self.state.notes).extend(mended);
        let appended = notebook.append(item).map_err(|error| error.to_string());
        self.notebooks.insert(name.to_owned(), notebook);
        appended
    }

    fn purge(&mut self, name: &str) {
        let path = self.path(name);
        let purged = match self.notebooks.remove(name) {
            Some(notebook) => notebook.remove(&path),
            None => Notebook::purge(&path),
        };
        if let Err(error) = purged {
            self.trouble(format!("cannot purge {}: {error}", path.display()));
        }
    }

    fn trouble(&self, what: String) {
        lock(&self.state.notes).push(what.clone());
        *lock(&self.state.trouble) = Some(what);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.msgpack"))
    }
}
