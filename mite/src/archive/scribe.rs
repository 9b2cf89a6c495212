//! The thread that writes collected events into files.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use super::{
    block::{Block, Message},
    format::Format,
    gap::{Gap, GapRecord},
    rolling::Rolling,
    room::Room,
    row::Origin,
};

/// How long the thread waits for a block at a time, when no file is open.
const IDLE: Duration = Duration::from_secs(3600);

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Events in the files.
    pub(super) events: AtomicU64,
    /// Files with something in them.
    pub(super) files: AtomicU64,
    /// Bytes in them.
    pub(super) bytes: AtomicU64,
    /// Messages dealt with, so that one can tell slow from stuck.
    pub(super) steps: AtomicU64,
    /// What the disk has refused, once each.
    failures: Mutex<Vec<String>>,
}

impl Tally {
    /// What the disk has refused.
    pub(super) fn failures(&self) -> Vec<String> {
        let failures = self.failures.lock();
        failures.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, failure: String) {
        let failures = self.failures.lock();
        let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
        if !failures.contains(&failure) {
            failures.push(failure);
        }
    }
}

/// Writes blocks into files.
pub(super) struct Scribe {
    pub(super) messages: Receiver<Message>,
    pub(super) room: Arc<Room>,
    pub(super) files: Rolling,
    pub(super) format: Format,
    pub(super) origin: Arc<Origin>,
    pub(super) tally: Arc<Tally>,
    /// What is missing and has not been told yet.
    pub(super) gap: Gap,
}

impl Scribe {
    /// Writes what comes until there is no more.
    pub(super) fn run(mut self) {
        loop {
            match self.messages.recv_timeout(self.patience()) {
                Ok(Message::Block(block)) => self.block(&block),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tally.steps.fetch_add(1, Ordering::Relaxed);
            if self.patience().is_zero() {
                self.finish_file();
            }
        }
        self.close();
    }

    fn patience(&self) -> Duration {
        self.files.patience().unwrap_or(IDLE)
    }

    fn block(&mut self, block: &Block) {
        let lost = block.as_gap();
        match self.write(&block.bytes) {
            Ok(()) => {
                let events = &self.tally.events;
                events.fetch_add(block.events.events, Ordering::Relaxed);
            }
            Err(error) => {
                self.gap = self.gap.and(lost);
                self.failed("write", &error);
            }
        }
        self.room.give_back(block.bytes.len());
    }

    /// Writes what is missing, if anything is, and then these records; or neither.
    fn write(&mut self, records: &[u8]) -> io::Result<()> {
        let mut before = Vec::new();
        if !self.gap.is_empty() {
            let (gap, origin) = (self.gap, &*self.origin);
            self.format.append(&mut before, &GapRecord { gap, origin });
        }
        let written = match self.files.write(&[&before, records]) {
            Ok(written) => written,
            Err((error, finishes)) => {
                if finishes {
                    self.finish_file();
                }
                return Err(error);
            }
        };
        if written.begins {
            self.tally.files.fetch_add(1, Ordering::Relaxed);
        }
        self.tally.bytes.fetch_add(written.bytes, Ordering::Relaxed);
        self.gap = Gap::default();
        if self.files.is_full() {
            self.finish_file();
        }
        Ok(())
    }

    fn finish_file(&mut self) {
        if let Err(error) = self.files.finish() {
            self.failed("finish", &error);
        }
    }

    /// Tells what is still missing, and finishes the last file.
    fn close(&mut self) {
        for _ in 0..2 {
            if self.gap.is_empty() {
                break;
            }
            // The second time it is another file. When neither has room, the report tells.
            let _ = self.write(&[]);
        }
        self.finish_file();
    }

    fn failed(&self, what: &str, error: &io::Error) {
        self.tally.failed(format!(
            "cannot {what} a file with collected events in {}: {error}",
            self.files.name()
        ));
    }
}
