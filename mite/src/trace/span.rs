//! A span, as it is written down where it happens and read where it is exported.

use std::sync::Arc;

use tokio::time::Instant;

use super::TraceId;
use crate::event::{Failure, Outcome, Timings};

/// A span of a trace, by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span(pub(super) u32);

impl Span {
    /// The journey itself. Outside a trace it stands for no span at all.
    pub(crate) const ROOT: Self = Self(0);

    /// One that there was no room for.
    pub(super) const OMITTED: Self = Self(u32::MAX);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a journey was about, from its start to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id: TraceId,
    /// The full name of the journey.
    pub(crate) journey: Arc<str>,
    /// Which entry of the scenario it belongs to.
    pub(crate) entry: u32,
    /// What its random numbers came from.
    pub(crate) seed: u64,
    /// When it was to start: in the open model.
    pub(crate) intended: Option<Instant>,
    pub(crate) outcome: Outcome,
    /// The journey first, each other one behind the one around it.
    pub(crate) spans: Vec<SpanRecord>,
    /// Spans that there was no room for.
    pub(crate) omitted: u64,
}

impl Finished {
    /// Its spans with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (Span, &SpanRecord)> {
        (0..).map(Span).zip(&self.spans)
    }
}

/// All that is known of a span.
#[derive(Debug)]
pub(crate) struct SpanRecord {
    /// The one around it, by its place; the journey has none.
    pub(crate) parent: Option<Span>,
    pub(crate) began: Instant,
    /// Absent as long as it lasts; there in all that are handed over.
    pub(crate) ended: Option<Instant>,
    pub(crate) subject: Subject,
    /// The failure that ended it.
    pub(crate) failed: Option<Failed>,
    /// Failures that were reported in it, and when.
    pub(crate) exceptions: Vec<(Instant, Failed)>,
}

/// What a span is of.
#[derive(Debug)]
pub(crate) enum Subject {
    Journey,
    Transaction {
        name: Box<str>,
        /// The name behind those of the transactions around it.
        path: Arc<str>,
        /// Whether it was dropped before its end.
        abandoned: bool,
    },
    /// Filled in when it is over.
    Request(Option<Box<Request>>),
}

/// A request as its span tells it. Nothing is masked yet.
#[derive(Debug)]
pub(crate) struct Request {
    /// The name it is grouped under.
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) status: Option<u16>,
    /// Whether the reports count it as a failure.
    pub(crate) failed: bool,
    /// The kind of transport error and its message.
    pub(crate) error: Option<(&'static str, String)>,
    /// How many requests led to this one: redirects, and challenges of the server.
    pub(crate) resends: u32,
    pub(crate) timings: Timings,
}

/// A failure that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) kind: Box<str>,
    pub(crate) message: Box<str>,
    pub(crate) location: Box<str>,
}

impl From<&Failure<'_>> for Failed {
    fn from(failure: &Failure<'_>) -> Self {
        Self {
            kind: failure.kind.into(),
            message: failure.message.into(),
            location: failure.location.into(),
        }
    }
}
