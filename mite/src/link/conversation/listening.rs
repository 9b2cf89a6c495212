//! What one side hears: in order, once, and whole.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::Piece;

/// How many pieces that came too early are kept; the other side repeats the rest.
const EARLY: usize = 256;

/// What has come.
#[derive(Debug, Default)]
pub(super) struct Listening {
    /// How many pieces have come without a gap.
    heard: u64,
    /// Those that came before others that go before them.
    early: BTreeMap<u64, Piece>,
    /// The beginning of something that is not whole yet.
    begun: BytesMut,
    /// Whether the other side is to be told what was heard.
    owes_word: bool,
}

impl Listening {
    /// Takes a piece, and gives what is whole with it.
    pub(super) fn hear(&mut self, piece: Piece) -> Vec<Bytes> {
        // Also for one that came before: the word that it was heard may have been lost.
        self.owes_word = true;
        if piece.number >= self.heard && self.early.len() < EARLY {
            self.early.insert(piece.number, piece);
        }
        let mut whole = Vec::new();
        while let Some(piece) = self.early.remove(&self.heard) {
            self.heard += 1;
            match (self.begun.is_empty(), piece.goes_on) {
                (true, false) => whole.push(piece.bytes),
                (_, goes_on) => {
                    self.begun.extend_from_slice(&piece.bytes);
                    if !goes_on {
                        whole.push(self.begun.split().freeze());
                    }
                }
            }
        }
        whole
    }

    pub(super) fn heard(&self) -> u64 {
        self.heard
    }

    /// Whether the other side is to be told what was heard; it is only owed once.
    pub(super) fn take_debt(&mut self) -> bool {
        std::mem::take(&mut self.owes_word)
    }
}
