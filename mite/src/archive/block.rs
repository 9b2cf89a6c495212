//! Records on their way from a worker to the disk, and the way itself: bounded, and never waited
//! for.

use std::sync::Arc;

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

    /// One block in the place of two.
    #[cfg(feature = "nats")]
    pub(super) fn and(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.events = self.events.and(other.events);
        self.gap = self.gap.and(other.gap);
    }

    /// What is missing when this is.
    pub(super) fn as_gap(&self) -> Gap {
        self.gap.and(self.events)
    }
}

/// What the thread that writes or passes on is told.
pub(super) enum Message {
    /// Here is one.
    Block(Block),
    /// There is no more.
    Close,
}

/// The way to whoever writes, or passes on.
#[derive(Clone)]
pub(super) struct Outlet {
    room: Arc<Room>,
    way: Arc<dyn Fn(Message) -> bool + Send + Sync>,
}

impl Outlet {
    /// A way that says whether anybody is still there, with this much room in front of it.
    pub(super) fn new(
        room: Arc<Room>,
        way: impl Fn(Message) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            room,
            way: Arc::new(way),
        }
    }

    /// Passes a block on, or says at once what is missing because of it.
    pub(super) fn pass(&self, block: Block) -> Result<(), Gap> {
        let (bytes, gap) = (block.bytes.len(), block.as_gap());
        if !self.room.take(bytes) {
            return Err(gap);
        }
        // Nobody writes any more when the run is over.
        let passed = (self.way)(Message::Block(block));
        if passed { Ok(()) } else { Err(gap) }
    }

    /// Says that there is no more.
    pub(super) fn close(&self) {
        (self.way)(Message::Close);
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.room.taken()
    }
}
