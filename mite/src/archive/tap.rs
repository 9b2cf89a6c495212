//! What writes down the events of one worker, and passes them on in blocks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    block::{Block, Outlet},
    format::Format,
    gap::Gap,
    row::{Origin, Row},
};
use crate::{
    config::Masker,
    event::{Event, Exchange, Tap},
};

/// A block is passed on when it has so many bytes, or a second is over.
const BLOCK: usize = 64 << 10;

/// Writes down the events of one worker.
pub(super) struct CollectTap {
    origin: Arc<Origin>,
    format: Format,
    masker: Masker,
    /// When the run began, in seconds since the epoch.
    began: f64,
    block: Block,
    /// How many events it has seen, for whoever asks what became of them.
    seen: Arc<AtomicU64>,
    outlet: Outlet,
}

impl CollectTap {
    pub(super) fn new(
        origin: Arc<Origin>,
        format: Format,
        masker: Masker,
        began: SystemTime,
        seen: Arc<AtomicU64>,
        outlet: Outlet,
    ) -> Self {
        Self {
            origin,
            format,
            masker,
            began: began
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |time| time.as_secs_f64()),
            block: Block::default(),
            seen,
            outlet,
        }
    }

    fn pass_on(&mut self) {
        let block = std::mem::take(&mut self.block);
        if block.as_gap().is_empty() {
            return;
        }
        if let Err(gap) = self.outlet.pass(block) {
            self.block = Block::after(gap, self.format, &self.origin);
        }
    }
}

impl Tap for CollectTap {
    fn event(&mut self, event: &Event<'_>, run: u64) {
        // Nobody else writes it, so there is nothing to wait for.
        let seen = self.seen.load(Ordering::Relaxed);
        self.seen.store(seen + 1, Ordering::Relaxed);
        let time = self.began + event.at.as_secs_f64();
        let one = Gap {
            events: 1,
            from: time,
            until: time,
        };
        let row = Row::new(event, time, run, &self.origin, &self.masker);
        let written = self.format.append(&mut self.block.bytes, &row);
        drop(row);
        if written {
            self.block.events = self.block.events.and(one);
            if self.block.bytes.len() >= BLOCK {
                self.pass_on();
            }
        } else {
            // What nests too deeply to be written is missing as well.
            self.pass_on();
            self.block = Block::after(self.block.as_gap().and(one), self.format, &self.origin);
        }
    }

    fn wants_exchanges(&self) -> bool {
        false
    }

    fn exchange(&mut self, _: Exchange) {}

    fn flush(&mut self) {
        self.pass_on();
    }
}
