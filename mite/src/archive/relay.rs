//! A runner's events on their way to a collector elsewhere: blocks, numbered, with a bounded room in
//! front of the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    block::{Block, Message, Outlet},
    format::Format,
    gap::Gap,
    room::Room,
    row::Origin,
    taps::Taps,
};
use crate::{config::Config, event::Tap};

/// Events of one runner that were sent in one piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parcel {
    /// The run they are of.
    pub(crate) run: u64,
    /// The full name of what is run.
    pub(crate) test: String,
    /// The number of the runner.
    pub(crate) runner: u32,
    /// What tells this runner from others that had the same number.
    pub(crate) sender: u64,
    /// Counted from 0 over all that the runner sends.
    pub(crate) number: u64,
    /// The form of the records.
    pub(crate) format: String,
    /// How many events there are, without those that a gap tells of.
    pub(crate) events: u64,
    /// The records.
    pub(crate) records: Bytes,
}

/// Whose events they are.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// The run.
    pub(crate) run: u64,
    /// The full name of what is run.
    pub(crate) test: String,
    /// The number of the runner.
    pub(crate) runner: u32,
    /// What tells this runner from others that had the same number.
    pub(crate) name: u64,
}

/// Sees all events of a runner.
pub(crate) struct Relay {
    taps: Taps,
    tally: Arc<Tally>,
}

/// What has become of them.
#[derive(Debug, Default)]
struct Tally {
    arrived: AtomicU64,
    bytes: AtomicU64,
}

/// What was seen and what of it arrived, when all is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) events: u64,
    pub(crate) missing: u64,
    pub(crate) bytes: u64,
}

/// What is to be sent.
pub(crate) struct Shipment {
    blocks: UnboundedReceiver<Message>,
    room: Arc<Room>,
    sender: Sender,
    format: Format,
    origin: Arc<Origin>,
    tally: Arc<Tally>,
    number: u64,
    /// What was taken and did not fit any more.
    left: Option<Block>,
    /// What is on the way.
    sent: Block,
    /// How much of the room that takes.
    held: usize,
    /// What is missing and has not been told yet.
    gap: Gap,
    is_closed: bool,
}

impl Relay {
    /// Prepares to send the events of a runner, of which so many bytes may wait.
    ///
    /// # Errors
    /// When nobody knows such a form.
    pub(crate) fn new(
        sender: Sender,
        format: &str,
        waiting: usize,
    ) -> Result<(Self, Shipment), String> {
        let format = format.parse()?;
        let room = Arc::new(Room::new(waiting));
        let (blocks, heard) = unbounded_channel();
        let outlet = Outlet::new(Arc::clone(&room), move |block| blocks.send(block).is_ok());
        let origin = Arc::new(Origin {
            test: sender.test.clone(),
            runner: sender.runner,
        });
        let tally = Arc::<Tally>::default();
        let shipment = Shipment {
            blocks: heard,
            room,
            sender,
            format,
            origin: Arc::clone(&origin),
            tally: Arc::clone(&tally),
            number: 0,
            left: None,
            sent: Block::default(),
            held: 0,
            gap: Gap::default(),
            is_closed: false,
        };
        let taps = Taps::new(outlet, origin, format);
        Ok((Self { taps, tally }, shipment))
    }

    /// What makes the tap of a worker, for a run that began then.
    pub(crate) fn taps(
        &self,
    ) -> impl Fn(&Config, SystemTime) -> Box<dyn Tap> + Send + Sync + use<> {
        self.taps.factory()
    }

    /// Says that the workers are gone.
    pub(crate) fn close(&self) {
        self.taps.close();
    }

    /// What has become of all.
    pub(crate) fn relayed(&self) -> Relayed {
        let events = self.tally.arrived.load(Ordering::Acquire);
        Relayed {
            events,
            missing: self.taps.seen().saturating_sub(events),
            bytes: self.tally.bytes.load(Ordering::Acquire),
        }
    }
}

impl Shipment {
    /// What is to be sent next, of about so many bytes at most; `None` when there is no more.
    pub(crate) async fn next(&mut self, most: usize) -> Option<Parcel> {
        let mut block = Block::after(self.gap, self.format, &self.origin);
        match self.take().await {
            Some(first) => self.load(&mut block, &first),
            // What is missing at the very end is told as well.
            None if block.bytes.is_empty() => return None,
            None => {}
        }
        while let Some(more) = self.take_at_once() {
            if block.bytes.len() + more.bytes.len() > most {
                self.left = Some(more);
                break;
            }
            self.load(&mut block, &more);
        }
        self.gap = Gap::default();
        self.sent = block;
        let parcel = Parcel {
            run: self.sender.run,
            test: self.sender.test.clone(),
            runner: self.sender.runner,
            sender: self.sender.name,
            number: self.number,
            format: self.format.ending().to_owned(),
            events: self.sent.events.events,
            records: Bytes::copy_from_slice(&self.sent.bytes),
        };
        self.number += 1;
        Some(parcel)
    }

    /// The last one has arrived.
    pub(crate) fn arrived(&mut self) {
        let sent = self.give_room();
        let (arrived, bytes) = (&self.tally.arrived, &self.tally.bytes);
        arrived.fetch_add(sent.events.events, Ordering::AcqRel);
        bytes.fetch_add(sent.bytes.len() as u64, Ordering::AcqRel);
    }

    /// The last one will not arrive.
    pub(crate) fn lost(&mut self) {
        let sent = self.give_room();
        // A gap that was to be told at the very end, and could not be, is not told again.
        if !(self.is_closed && self.left.is_none() && sent.events.is_empty()) {
            self.gap = sent.as_gap();
        }
    }

    fn give_room(&mut self) -> Block {
        self.room.give_back(std::mem::take(&mut self.held));
        std::mem::take(&mut self.sent)
    }

    fn load(&mut self, onto: &mut Block, block: &Block) {
        self.held += block.bytes.len();
        onto.and(block);
    }

    async fn take(&mut self) -> Option<Block> {
        if let Some(left) = self.left.take() {
            return Some(left);
        }
        if self.is_closed {
            return None;
        }
        let message = self.blocks.recv().await;
        self.block(message)
    }

    fn take_at_once(&mut self) -> Option<Block> {
        if self.is_closed {
            return None;
        }
        let message = self.blocks.try_recv().ok()?;
        self.block(Some(message))
    }

    fn block(&mut self, message: Option<Message>) -> Option<Block> {
        match message {
            Some(Message::Block(block)) => Some(block),
            Some(Message::Close) | None => {
                self.is_closed = true;
                None
            }
        }
    }
}
