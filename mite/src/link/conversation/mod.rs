//! A conversation over a network that loses, repeats, delays and swaps what it carries: whatever one
//! side says, the other hears once and in order.
//!
//! Each side numbers the pieces of what it says and repeats them until the other has said that it
//! has them. It is a state machine without I/O and without a clock, so a test can send it through
//! any weather in no time.

mod listening;
mod speaking;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use self::{listening::Listening, speaking::Speaking};

/// What goes over the network in one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Which conversation it belongs to; what is left over from another is not heard.
    pub(crate) conversation: u64,
    /// How many pieces the sender has of the other side, all before without a gap.
    pub(crate) heard: u64,
    /// The first piece that the sender can still say again; what came before it was heard.
    pub(crate) first: u64,
    /// Something said; without it the frame only says what was heard.
    pub(crate) piece: Option<Piece>,
}

/// A part of something said that fits into one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// Counted from 0 over the whole conversation.
    pub(crate) number: u64,
    /// Whether what is said goes on in the next piece.
    pub(crate) goes_on: bool,
    /// What is said.
    pub(crate) bytes: Bytes,
}

/// Something that was said, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) bytes: Bytes,
    /// How many pieces of the other side were heard with it.
    pub(crate) heard: u64,
}

/// One side of a conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    id: u64,
    speaking: Speaking,
    listening: Listening,
}

impl Conversation {
    /// Both sides begin it under the same number.
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            speaking: Speaking::default(),
            listening: Listening::default(),
        }
    }

    /// From now on the other side is told of no more than was [confirmed](Self::confirm), so that it
    /// can say the rest again to somebody who takes this side's place.
    pub(crate) fn confirm_by_hand(&mut self) {
        self.listening.confirm_by_hand();
    }

    /// From now on the other side is told of all that was heard.
    pub(crate) fn confirm_all(&mut self) {
        self.listening.confirm_all();
    }

    /// The other side may forget its first `heard` pieces. A side that has not heard them itself, as
    /// it takes the place of another, goes on from there.
    pub(crate) fn confirm(&mut self, heard: u64) {
        self.listening.confirm(heard);
    }

    /// The other side has heard the first `heard` pieces.
    pub(crate) fn was_heard(&mut self, now: Duration, heard: u64) {
        self.speaking.was_heard(now, heard);
    }

    /// How many pieces the other side has heard.
    pub(crate) fn heard_there(&self) -> u64 {
        self.speaking.first()
    }

    /// Whether the frame is of a side that cannot say again what was not heard here: then nothing
    /// that it says will ever be heard.
    pub(crate) fn is_beyond(&self, frame: &Frame) -> bool {
        frame.first > self.listening.heard()
    }

    /// Says something, which [`due`](Self::due) passes on.
    pub(crate) fn say(&mut self, what: Bytes) {
        self.speaking.say(what);
    }

    /// Takes a frame of the other side, and gives what can be heard now, in the order it was said.
    pub(crate) fn hear(&mut self, now: Duration, frame: Frame) -> Vec<Said> {
        if frame.conversation != self.id {
            return Vec::new();
        }
        self.speaking.was_heard(now, frame.heard);
        frame
            .piece
            .map(|piece| self.listening.hear(piece))
            .unwrap_or_default()
    }

    /// What is to be sent now: what is new, what was not heard in time, and what has been heard.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Frame> {
        let pieces = self.speaking.due(now);
        let owes_word = self.listening.take_debt();
        let word = self.word();
        let frame = |piece| Frame { piece, ..word };
        if pieces.is_empty() && owes_word {
            return vec![frame(None)];
        }
        pieces.into_iter().map(|piece| frame(Some(piece))).collect()
    }

    /// What is to be sent to a side of which it is not known how much it has heard: only how much it
    /// need not say again, if that is news.
    pub(crate) fn due_unmet(&mut self) -> Vec<Frame> {
        let owes_word = self.listening.take_debt();
        owes_word.then(|| self.word()).into_iter().collect()
    }

    /// What was heard so far, to show that this side is still there.
    pub(crate) fn word(&self) -> Frame {
        Frame {
            conversation: self.id,
            heard: self.listening.confirmed(),
            first: self.speaking.first(),
            piece: None,
        }
    }

    /// When something is to be repeated, if nothing is heard until then.
    #[cfg(test)]
    pub(crate) fn repeats_at(&self) -> Option<Duration> {
        self.speaking.repeats_at()
    }

    /// How many bytes the other side has not heard yet.
    #[cfg(test)]
    pub(crate) fn unheard_bytes(&self) -> usize {
        self.speaking.unheard_bytes()
    }

    /// Whether the other side has heard everything.
    pub(crate) fn is_heard(&self) -> bool {
        self.speaking.is_heard()
    }
}
