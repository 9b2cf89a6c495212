//! What one side hears: in order, once, and whole.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::{Piece, Said};

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
    /// How many pieces it may be told were heard, if that is not for us to say.
    confirmed: Option<u64>,
}

impl Listening {
    /// Takes a piece, and gives what is whole with it.
    pub(super) fn hear(&mut self, piece: Piece) -> Vec<Said> {
        // Also for one that came before: the word that it was heard may have been lost.
        self.owes_word = true;
        if piece.number >= self.heard && self.early.len() < EARLY {
            self.early.insert(piece.number, piece);
        }
        let mut whole = Vec::new();
        while let Some(piece) = self.early.remove(&self.heard) {
            self.heard += 1;
            match (self.begun.is_empty(), piece.goes_on) {
                (true, false) => whole.push(self.said(piece.bytes)),
                (_, goes_on) => {
                    self.begun.extend_from_slice(&piece.bytes);
                    if !goes_on {
                        let bytes = self.begun.split().freeze();
                        whole.push(self.said(bytes));
                    }
                }
            }
        }
        whole
    }

    fn said(&self, bytes: Bytes) -> Said {
        Said {
            bytes,
            heard: self.heard,
        }
    }

    pub(super) fn confirm_by_hand(&mut self) {
        self.confirmed.get_or_insert(self.heard);
    }

    pub(super) fn confirm_all(&mut self) {
        self.owes_word |= self.confirmed.take().is_some();
    }

    pub(super) fn confirm(&mut self, heard: u64) {
        if let Some(confirmed) = &mut self.confirmed {
            self.owes_word |= heard > *confirmed;
            *confirmed = heard.max(*confirmed);
            self.heard = self.heard.max(heard);
        }
    }

    /// How many pieces the other side may be told were heard.
    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed.unwrap_or(self.heard)
    }

    pub(super) fn heard(&self) -> u64 {
        self.heard
    }

    /// Whether the other side is to be told what was heard; it is only owed once.
    pub(super) fn take_debt(&mut self) -> bool {
        std::mem::take(&mut self.owes_word)
    }
}
