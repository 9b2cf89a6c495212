//! Records on their way from a worker to the disk, and the way itself: bounded, and never waited
//! for.

use std::sync::{Arc, mpsc::Sender};

use super::{
    format::Format,
    gap::{Gap, GapRecord},
    room::Room,
    row::Origin,
};

/// Records that are written in one piece.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// The events in it, as the gap that they become if it is lost.
    pub(super) events: Gap,
    /// What its first record tells is missing, if it does.
    pub(super) gap: Gap,
}

impl Block {
    /// A block that begins by telling of a gap.
    pub(super) fn after(gap: Gap, format: Format, origin: &Origin) -> Self {
        let mut block = Self::default();
        if !gap.is_empty() {
            format.append(&mut block.bytes, &GapRecord { gap, origin });
            block.gap = gap;
        }
        block
    }

    /// What is missing when this is.
    pub(super) fn as_gap(&self) -> Gap {
        self.gap.and(self.events)
    }
}

/// What the thread that writes is told.
pub(super) enum Message {
    /// Write this.
    Block(Block),
    /// There is no more.
    Close,
}

/// The way to the thread that writes.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) messages: Sender<Message>,
    pub(super) room: Arc<Room>,
}

impl Outlet {
    /// Passes a block on, or says at once what is missing because of it.
    pub(super) fn pass(&self, block: Block) -> Result<(), Gap> {
        let (bytes, gap) = (block.bytes.len(), block.as_gap());
        if !self.room.take(bytes) {
            return Err(gap);
        }
        // Nobody writes any more when the run is over.
        self.messages.send(Message::Block(block)).map_err(|_| gap)
    }
}
