//! What one side says: numbered, in pieces, and again until it was heard.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::Piece;

/// How large a piece is at most; a NATS server takes a megabyte unless it is told otherwise.
const PIECE: usize = 256 << 10;
/// How many pieces may be on the way at once.
const WINDOW: usize = 128;
/// How long to wait for the word that a piece was heard before it is said again.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The wait doubles each time up to this: the network is gone rather than slow.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// What was said and not heard yet.
#[derive(Debug)]
pub(super) struct Speaking {
    /// In order, without a gap.
    unheard: VecDeque<Piece>,
    /// How many of them are on the way.
    on_the_way: usize,
    /// The number of the next piece to be said.
    next: u64,
    wait: Duration,
    /// When the wait is over.
    repeats_at: Option<Duration>,
}

impl Default for Speaking {
    fn default() -> Self {
        Self {
            unheard: VecDeque::new(),
            on_the_way: 0,
            next: 0,
            wait: FIRST_WAIT,
            repeats_at: None,
        }
    }
}

impl Speaking {
    pub(super) fn say(&mut self, mut what: Bytes) {
        loop {
            let bytes = what.split_to(what.len().min(PIECE));
            let goes_on = !what.is_empty();
            self.unheard.push_back(Piece {
                number: self.next,
                goes_on,
                bytes,
            });
            self.next += 1;
            if !goes_on {
                return;
            }
        }
    }

    /// The number of the first piece that is not known to have been heard.
    pub(super) fn first(&self) -> u64 {
        self.next - self.unheard.len() as u64
    }

    /// The other side has the first `heard` pieces.
    pub(super) fn was_heard(&mut self, now: Duration, heard: u64) {
        let mut news = false;
        // A number that was never given cannot have been heard.
        while heard <= self.next
            && let Some(piece) = self.unheard.front()
            && piece.number < heard
        {
            self.unheard.pop_front();
            self.on_the_way = self.on_the_way.saturating_sub(1);
            news = true;
        }
        if news {
            self.wait = FIRST_WAIT;
            self.repeats_at = (self.on_the_way > 0).then(|| now + self.wait);
        }
    }

    /// The pieces to be sent now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Piece> {
        if self.repeats_at.is_some_and(|at| at <= now) {
            self.on_the_way = 0;
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
            self.repeats_at = None;
        }
        let due: Vec<_> = self
            .unheard
            .iter()
            .take(WINDOW)
            .skip(self.on_the_way)
            .cloned()
            .collect();
        if !due.is_empty() {
            self.on_the_way += due.len();
            self.repeats_at.get_or_insert(now + self.wait);
        }
        due
    }

    #[cfg(test)]
    pub(super) fn repeats_at(&self) -> Option<Duration> {
        self.repeats_at
    }

    #[cfg(test)]
    pub(super) fn unheard_bytes(&self) -> usize {
        self.unheard.iter().map(|piece| piece.bytes.len()).sum()
    }

    pub(super) fn is_heard(&self) -> bool {
        self.unheard.is_empty()
    }
}
