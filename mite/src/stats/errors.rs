//! A worker's failures by kind, place and message.

use std::{fmt::Write as _, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    capped::{Capped, MORE},
    names::Names,
    statistics::ErrorKey,
};
use crate::id::TransactionId;

/// How many kinds of failure are told apart; more than that are no kinds.
const KINDS: usize = 200;

/// How many characters of a message are kept.
const MESSAGE_LENGTH: usize = 500;

/// One row a kind, journey, transaction, place and message. A message beyond the cap counts in a row
/// that has all but the message.
#[derive(Debug)]
pub(crate) struct ErrorTable {
    kinds: Names,
    index: FxHashMap<Box<str>, usize>,
    rows: Vec<Row>,
    /// Rows with a message of their own.
    messages: usize,
    cap: usize,
    /// Kept for its memory.
    text: String,
}

#[derive(Debug)]
struct Row {
    journey: u32,
    transaction: TransactionId,
    kind: Arc<str>,
    location: Arc<str>,
    /// `None` is the overflow.
    message: Option<Arc<str>>,
    count: u64,
}

impl ErrorTable {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            kinds: Names::new(KINDS),
            index: FxHashMap::default(),
            rows: Vec::new(),
            messages: 0,
            cap,
            text: String::new(),
        }
    }

    /// Counts one failure; the message is in parts so that nobody need join them.
    pub(crate) fn record(
        &mut self,
        journey: u32,
        transaction: TransactionId,
        kind: &str,
        location: &str,
        message: &[&str],
    ) {
        let kind = match self
            .kinds
            .number(kind)
            .and_then(|kind| self.kinds.text(kind))
        {
            Some(kind) => kind.clone(),
            None => MORE.into(),
        };
        let text = &mut self.text;
        text.clear();
        let _ = write!(
            text,
            "{journey} {} {kind}\u{1f}{location}\u{1f}",
            transaction.0
        );
        let prefix = text.len();
        text.extend(
            message
                .iter()
                .flat_map(|part| part.chars())
                .take(MESSAGE_LENGTH),
        );
        if let Some(&index) = self.index.get(text.as_str()) {
            self.count(index);
            return;
        }
        let own = self.messages < self.cap;
        if own {
            self.messages += 1;
        } else {
            // No message can be taken for this: a separator ends it.
            text.truncate(prefix);
            text.push('\u{1f}');
            if let Some(&index) = self.index.get(text.as_str()) {
                self.count(index);
                return;
            }
        }
        self.index.insert(text.as_str().into(), self.rows.len());
        self.rows.push(Row {
            journey,
            transaction,
            kind,
            location: location.into(),
            message: own.then(|| text.get(prefix..).unwrap_or_default().into()),
            count: 1,
        });
    }

    fn count(&mut self, index: usize) {
        if let Some(row) = self.rows.get_mut(index) {
            row.count += 1;
        }
    }

    /// What was counted since the last time.
    pub(crate) fn take(
        &mut self,
        journeys: &[Arc<str>],
        path: impl Fn(TransactionId) -> Arc<str>,
    ) -> Capped<ErrorKey, u64> {
        let mut taken = Capped::default();
        for row in &mut self.rows {
            let count = std::mem::take(&mut row.count);
            let Some(journey) = journeys.get(row.journey as usize) else {
                continue;
            };
            if count == 0 {
                continue;
            }
            let key = |message| ErrorKey {
                kind: row.kind.clone(),
                journey: journey.clone(),
                transaction: path(row.transaction),
                location: row.location.clone(),
                message,
            };
            match &row.message {
                Some(message) => taken.add(key(message.clone()), count),
                None => taken.add_overflow(key(MORE.into()), count),
            }
        }
        taken
    }
}
