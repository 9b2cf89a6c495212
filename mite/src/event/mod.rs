//! What happened in a journey: typed events and their fields.
//!
//! An [`Event`] is what the statistics fold in, what a metric of your own counts and what a test
//! looks at. It borrows everything, so that telling of it costs nothing when nobody asks.

mod exchange;
mod keep;
mod timings;

use std::{borrow::Cow, time::Duration};

use http::Method;
use serde_json::{Map, Value, json};

pub use exchange::{Exchange, Head};
pub(crate) use keep::{Keep, check_name};
pub(crate) use timings::PHASES;
pub use timings::Timings;

/// Something that happened, when, and where.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Time since the run began.
    pub at: Duration,
    /// The full name of the journey.
    pub journey: &'a str,
    /// The transaction it happened in, outer names first, joined with ` :: `; empty outside any.
    pub transaction: &'a str,
    /// What it was.
    pub what: What<'a>,
}

/// The kinds of [`Event`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum What<'a> {
    /// A journey came to its end: kind `journey`.
    Journey(&'a JourneyEnd),
    /// A transaction came to its end: kind `transaction`.
    Transaction(&'a TransactionEnd),
    /// A request was answered, failed or was given up: kind `http`.
    Http(&'a HttpRequest<'a>),
    /// A journey failed: kind `error`.
    Failure(&'a Failure<'a>),
    /// The journey sent an event of its own: the kind is the type it gave.
    Custom {
        /// The type given to `Context::send`.
        kind: &'a str,
        /// What was sent.
        value: &'a Value,
    },
}

/// How a journey ended, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct JourneyEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// From the actual start to the end.
    pub service_time: Duration,
    /// From the *intended* start to the end; equal to the service time in the closed model.
    pub response_time: Duration,
    /// From the intended start to the actual one; absent in the closed model.
    pub start_delay: Option<Duration>,
}

/// The ways a journey can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned `Ok`.
    Completed,
    /// It returned an error or panicked.
    Failed,
    /// The run was over before it was.
    Interrupted,
}

impl Outcome {
    /// The outcome in lower case, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Failed => "failed",
            Outcome::Interrupted => "interrupted",
        }
    }
}

/// How a transaction ended, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct TransactionEnd {
    /// From the first poll of its future to the end.
    pub time: Duration,
    /// Whether a failure ended it, its own or that of a transaction inside.
    pub failed: bool,
}

/// One request of the HTTP client, with its phases.
#[derive(Clone, Copy, Debug)]
pub struct HttpRequest<'a> {
    /// The name it is grouped under, `GET /item/:id`.
    pub name: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The status of the answer; absent when there was none.
    pub status: Option<u16>,
    /// A transport error, or a status of 400 and above that the request did not allow.
    pub failed: bool,
    /// Whether at least one byte of it was written; one that was not is no request to the reports.
    pub sent: bool,
    /// The kind of transport error, such as `timeout`.
    ///
    /// One of `dns`, `connect`, `proxy`, `tls`, `timeout`, `reset`, `closed`, `goaway`, `protocol`,
    /// `body`, `decode`, `redirect`, `request`, `interrupted` and `local`.
    pub error: Option<&'a str>,
    /// How long it took, and what passed.
    pub timings: &'a Timings,
    /// What a callback of the journey added: labels are texts, numbers are numbers.
    pub labels: &'a [(Cow<'static, str>, Value)],
}

/// The kinds of transport error a request can end in.
pub(crate) const TRANSPORT_ERRORS: [&str; 15] = [
    "dns",
    "connect",
    "proxy",
    "tls",
    "timeout",
    "reset",
    "closed",
    "goaway",
    "protocol",
    "body",
    "decode",
    "redirect",
    "request",
    "interrupted",
    "local",
];

/// A failure, reported once, at the innermost transaction it passed.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// `error`, `exception`, `panic`, or a more telling word such as `timeout`.
    pub kind: &'a str,
    /// What went wrong.
    pub message: &'a str,
    /// `file:line` in the journey's source.
    pub location: &'a str,
}

impl Event<'_> {
    /// The word a metric is bound to: `journey`, `transaction`, `http`, `error`, or the type the
    /// journey gave when it sent an event of its own.
    pub fn kind(&self) -> &str {
        match self.what {
            What::Journey(_) => "journey",
            What::Transaction(_) => "transaction",
            What::Http(_) => "http",
            What::Failure(_) => "error",
            What::Custom { kind, .. } => kind,
        }
    }

    /// The field of this name, times in seconds; `None` if this kind of event has no such field.
    ///
    /// Every event has `journey` and `transaction`. Further,
    ///
    /// | kind | fields |
    /// |---|---|
    /// | `journey` | `outcome`, `service_time`, `response_time`, `start_delay` |
    /// | `transaction` | `time`, `failed` |
    /// | `http` | `name`, `method`, `status`, `failed`, `error`, those of [`Timings`], and the labels and numbers a callback of the journey added |
    /// | `error` | `kind`, `message`, `location` |
    /// | your own | the fields of what was sent, or `value` when that was not a map |
    pub fn field(&self, name: &str) -> Option<Value> {
        let own = match self.what {
            What::Journey(end) => end.field(name),
            What::Transaction(end) => match name {
                "time" => Some(json!(end.time.as_secs_f64())),
                "failed" => Some(json!(end.failed)),
                _ => None,
            },
            What::Http(request) => request.field(name),
            What::Failure(failure) => match name {
                "kind" => Some(json!(failure.kind)),
                "message" => Some(json!(failure.message)),
                "location" => Some(json!(failure.location)),
                _ => None,
            },
            What::Custom {
                value: Value::Object(fields),
                ..
            } => fields.get(name).cloned(),
            What::Custom { value, .. } => (name == "value").then(|| value.clone()),
        };
        own.or_else(|| match name {
            "journey" => Some(json!(self.journey)),
            "transaction" => Some(json!(self.transaction)),
            _ => None,
        })
    }
}

impl Event<'_> {
    /// Every field the event has, by name.
    pub fn fields(&self) -> Map<String, Value> {
        let own: Vec<&str> = match self.what {
            What::Journey(_) => vec!["outcome", "service_time", "response_time", "start_delay"],
            What::Transaction(_) => vec!["time", "failed"],
            What::Http(request) => request.names(),
            What::Failure(_) => vec!["kind", "message", "location"],
            What::Custom {
                value: Value::Object(fields),
                ..
            } => fields.keys().map(String::as_str).collect(),
            What::Custom { .. } => vec!["value"],
        };
        ["journey", "transaction"]
            .into_iter()
            .chain(own)
            .filter_map(|name| Some((name.to_owned(), self.field(name)?)))
            .collect()
    }
}

impl JourneyEnd {
    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "outcome" => Some(json!(self.outcome.as_str())),
            "service_time" => Some(json!(self.service_time.as_secs_f64())),
            "response_time" => Some(json!(self.response_time.as_secs_f64())),
            "start_delay" => self.start_delay.map(|delay| json!(delay.as_secs_f64())),
            _ => None,
        }
    }
}

impl HttpRequest<'_> {
    const OWN: [&'static str; 5] = ["name", "method", "status", "failed", "error"];

    fn names(&self) -> Vec<&str> {
        let labels = self.labels.iter().map(|(name, _)| name.as_ref());
        Self::OWN
            .into_iter()
            .chain(timings::FIELDS)
            .chain(PHASES)
            .chain(labels)
            .collect()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "name" => Some(json!(self.name)),
            "method" => Some(json!(self.method.as_str())),
            "status" => self.status.map(|status| json!(status)),
            "failed" => Some(json!(self.failed)),
            "error" => self.error.map(|error| json!(error)),
            _ => self.timings.field(name).or_else(|| {
                let label = self.labels.iter().rev().find(|(label, _)| label == name);
                label.map(|(_, value)| value.clone())
            }),
        }
    }
}

/// Something that looks at everything as it happens, where it happens.
///
/// A worker has at most one; without one, no event is put together at all.
pub(crate) trait Tap {
    /// An event has happened in the run of a journey that has this number.
    fn event(&mut self, event: &Event<'_>, run: u64);

    /// Whether it looks at exchanges, which cost something to put together.
    fn wants_exchanges(&self) -> bool {
        true
    }

    /// A request is over, with its heads and bodies.
    fn exchange(&mut self, exchange: Exchange);

    /// A second is over, or the time of the worker: what waits to be passed on should be.
    fn flush(&mut self) {}
}
