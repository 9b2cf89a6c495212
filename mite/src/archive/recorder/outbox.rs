//! What journeys of a runner record, on its way to a recorder elsewhere: in order, and refused
//! rather than lost.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Count, KeptName, lock};
use crate::{archive::room::Room, event::Keep};

/// No item is larger, since a NATS server takes no message of more than a megabyte unless it is told
/// otherwise.
const LARGEST: usize = 960 << 10;

/// What journeys did, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// What they did.
    pub(crate) notes: Vec<Note>,
}

/// Something a journey did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// It recorded an item under a name.
    Item(String, Bytes),
    /// It purged a name.
    Purge(String),
}

/// Keeps what journeys record by sending it elsewhere.
pub(crate) struct Outbox {
    notes: Mutex<Option<UnboundedSender<Note>>>,
    room: Arc<Room>,
    limit: usize,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    names: Mutex<BTreeMap<String, Count>>,
    /// Why nothing is taken any more, if so.
    trouble: Mutex<Option<String>>,
}

/// What is to be sent.
pub(crate) struct Outgoing {
    notes: UnboundedReceiver<Note>,
    room: Arc<Room>,
    state: Arc<State>,
    number: u64,
    left: Option<Note>,
    sent: Vec<Note>,
}

impl Outbox {
    /// Prepares to send what is recorded, of which so many bytes may wait.
    pub(crate) fn new(waiting: usize) -> (Self, Outgoing) {
        let room = Arc::new(Room::new(waiting));
        let state = Arc::<State>::default();
        let (notes, heard) = unbounded_channel();
        let outgoing = Outgoing {
            notes: heard,
            room: Arc::clone(&room),
            state: Arc::clone(&state),
            number: 0,
            left: None,
            sent: Vec::new(),
        };
        let outbox = Self {
            notes: Mutex::new(Some(notes)),
            room,
            limit: waiting,
            state,
        };
        (outbox, outgoing)
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        lock(&self.notes).take();
    }

    /// What became of what was recorded, by name, and why something was not sent.
    pub(crate) fn sent(&self) -> (Vec<KeptName>, Option<String>) {
        let names = lock(&self.state.names).clone();
        let names = names.into_iter().map(|(name, count)| KeptName {
            name,
            items: count.written,
            missing: count.taken.saturating_sub(count.written),
        });
        (names.collect(), lock(&self.state.trouble).clone())
    }

    fn pass(&self, note: Note) -> Result<(), String> {
        if let Some(trouble) = &*lock(&self.state.trouble) {
            return Err(format!("nothing more is recorded: {trouble}"));
        }
        let notes = lock(&self.notes);
        let passed = notes.as_ref().map(|notes| notes.send(note));
        match passed {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err("nothing more is recorded: the run is over".to_owned()),
        }
    }
}

impl Keep for Outbox {
    fn keep(&self, name: &str, item: Vec<u8>) -> Result<(), String> {
        let bytes = item.len();
        if bytes > LARGEST {
            return Err(format!(
                "{name:?} cannot be recorded: the item has {bytes} bytes, and over NATS it can have \
                 {LARGEST}"
            ));
        }
        if !self.room.take(bytes) {
            return Err(format!(
                "{name:?} cannot be recorded: {} wait to be sent already, since the stream takes \
                 it too slowly or not at all",
                human_bytes(self.limit)
            ));
        }
        // Counted before, so that it cannot be written before it was taken.
        self.count(name, 1);
        self.pass(Note::Item(name.to_owned(), item.into()))
            .inspect_err(|_| {
                self.room.give_back(bytes);
                self.count(name, -1);
            })
    }

    fn purge(&self, name: &str) -> Result<(), String> {
        self.pass(Note::Purge(name.to_owned()))
    }
}

impl Outbox {
    fn count(&self, name: &str, by: i64) {
        let mut names = lock(&self.state.names);
        if !names.contains_key(name) {
            names.insert(name.to_owned(), Count::default());
        }
        if let Some(count) = names.get_mut(name) {
            count.taken = count.taken.saturating_add_signed(by);
        }
    }
}

fn human_bytes(bytes: usize) -> String {
    if bytes < 1 << 20 {
        format!("{} KiB", bytes >> 10)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

impl Outgoing {
    /// What is to be sent next, of about so many bytes at most, and its number; `None` when there is
    /// no more.
    pub(crate) async fn next(&mut self, most: usize) -> Option<(u64, Notes)> {
        let first = match self.left.take() {
            Some(left) => left,
            None => self.notes.recv().await?,
        };
        let mut size = first.size();
        self.sent = vec![first];
        while let Ok(more) = self.notes.try_recv() {
            size += more.size();
            if size > most {
                self.left = Some(more);
                break;
            }
            self.sent.push(more);
        }
        let number = self.number;
        self.number += 1;
        let notes = self.sent.clone();
        Some((number, Notes { notes }))
    }

    /// The last has arrived.
    pub(crate) fn arrived(&mut self) {
        for note in std::mem::take(&mut self.sent) {
            if let Note::Item(name, item) = note {
                self.room.give_back(item.len());
                let mut names = lock(&self.state.names);
                names.entry(name).or_default().written += 1;
            }
        }
    }

    /// The last will not arrive, and neither will what comes after it.
    pub(crate) fn lost(&mut self, why: &str) {
        for note in std::mem::take(&mut self.sent) {
            if let Note::Item(_, item) = note {
                self.room.give_back(item.len());
            }
        }
        let mut trouble = lock(&self.state.trouble);
        trouble.get_or_insert_with(|| {
            format!("what journeys record could not be sent to the recorder: {why}")
        });
    }
}

impl Note {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        /// Beside name and item.
        const FRAME: usize = 32;
        match self {
            Self::Item(name, item) => name.len() + item.len() + FRAME,
            Self::Purge(name) => name.len() + FRAME,
        }
    }
}
