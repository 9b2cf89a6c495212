//! What one run of a journey did.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    error::Error,
    event::{Event, Exchange, Keep, Tap},
};

/// Everything one run of a journey did, in order, and how it ended.
#[derive(Debug, Default)]
pub struct Recorded {
    events: Vec<RecordedEvent>,
    exchanges: Vec<Exchange>,
    items: Vec<(String, Vec<u8>)>,
    error: Option<Error>,
}

/// An [`Event`] to keep.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedEvent {
    /// The kind: `journey`, `transaction`, `http`, `error`, or the journey's own.
    pub kind: String,
    /// The transaction it happened in; empty outside any.
    pub transaction: String,
    /// Time since the journey began.
    pub at: Duration,
    fields: Map<String, Value>,
}

impl RecordedEvent {
    /// The field of this name; [`Event::field`] has the list.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}

impl Recorded {
    /// How the journey ended.
    ///
    /// # Errors
    /// The failure that ended it, if one did.
    pub fn result(&self) -> Result<(), &Error> {
        self.error.as_ref().map_or(Ok(()), Err)
    }

    /// The events of one kind, in order.
    pub fn events(&self, kind: &str) -> Vec<&RecordedEvent> {
        self.events
            .iter()
            .filter(|event| event.kind == kind)
            .collect()
    }

    /// All events, in order.
    pub fn all_events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// The names of the transactions that came to an end, in the order of their ends.
    pub fn transactions(&self) -> Vec<&str> {
        self.events("transaction")
            .into_iter()
            .map(|event| event.transaction.as_str())
            .collect()
    }

    /// The HTTP requests with their answers, in the order of their ends.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// What the journey [recorded](crate::Context::record) under this name and did not purge, in
    /// order, read back as a later run's pool reads it.
    ///
    /// # Errors
    /// When an item is no `T`.
    pub fn items<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, Error> {
        let items = self.items.iter().filter(|(kept, _)| kept == name);
        items
            .map(|(_, item)| Ok(rmp_serde::from_slice(item)?))
            .collect()
    }
}

/// Writes down what it sees.
#[derive(Clone)]
pub(super) struct Recording(Arc<Mutex<Recorded>>);

impl Recording {
    pub(super) fn new(recorded: Arc<Mutex<Recorded>>) -> Self {
        Self(recorded)
    }
}

impl Tap for Recording {
    fn event(&mut self, event: &Event<'_>, _run: u64) {
        let fields = event.fields();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .events
            .push(RecordedEvent {
                kind: event.kind().to_owned(),
                transaction: event.transaction.to_owned(),
                at: event.at,
                fields,
            });
    }

    fn exchange(&mut self, exchange: Exchange) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .exchanges
            .push(exchange);
    }
}

impl Keep for Recording {
    fn keep(&self, name: &str, item: Vec<u8>) -> Result<(), String> {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.items.push((name.to_owned(), item));
        Ok(())
    }

    fn purge(&self, name: &str) -> Result<(), String> {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.items.retain(|(kept, _)| kept != name);
        Ok(())
    }
}

/// Takes what has been recorded, with how the journey ended.
pub(super) fn finish(recorded: &Mutex<Recorded>, result: Result<(), Error>) -> Recorded {
    let mut recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
    Recorded {
        error: result.err(),
        ..std::mem::take(&mut *recorded)
    }
}
