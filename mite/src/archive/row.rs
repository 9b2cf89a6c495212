//! An event as the record that is written: common keys first, then its own.

use std::borrow::Cow;

use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap, SerializeSeq},
};
use serde_json::Value;
use smallvec::{SmallVec, smallvec};

use crate::{
    config::{MASK, Masker, is_secret_name},
    event::{Event, HttpRequest, What},
};

/// What all records of a runner have in common.
#[derive(Debug)]
pub(super) struct Origin {
    /// The scenario.
    pub(super) test: String,
    /// The number of the runner.
    pub(super) runner: u32,
}

/// The keys that every record may have; an event's own fields of these names are kept apart.
const COMMON: [&str; 7] = [
    "type",
    "time",
    "test",
    "runner_id",
    "journey",
    "transaction",
    "context_id",
];

/// How deep a value may nest inside a record, so that the record can be read again.
const DEPTH: usize = 90;

/// A record of an event, ready to be written in either format.
pub(super) struct Row<'a> {
    fields: SmallVec<[(&'a str, Field<'a>); 32]>,
    masker: &'a Masker,
}

enum Field<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Count(u64),
    Flag(bool),
    Absent,
    Value(&'a Value),
    Labels(&'a [(Cow<'static, str>, Value)]),
}

impl<'a> Row<'a> {
    /// The record of what happened at `time`, in seconds since the epoch, in the run `number` of a
    /// journey.
    pub(super) fn new(
        event: &'a Event<'_>,
        time: f64,
        number: u64,
        origin: &'a Origin,
        masker: &'a Masker,
    ) -> Self {
        let text = |text: &'a str| Field::Text(masker.mask(text));
        let mut row = Self {
            fields: smallvec![
                ("type", text(event.kind())),
                ("time", Field::Number(time)),
                ("test", Field::Text(Cow::Borrowed(&origin.test))),
                ("runner_id", Field::Count(origin.runner.into())),
                ("journey", Field::Text(Cow::Borrowed(event.journey))),
                ("transaction", text(event.transaction)),
                ("context_id", Field::Text(format!("{number:016x}").into())),
            ],
            masker,
        };
        match event.what {
            What::Journey(end) => {
                let outcome = Field::Text(Cow::Borrowed(end.outcome.as_str()));
                row.add("outcome", outcome);
                row.seconds("start_time", time - end.service_time.as_secs_f64());
                row.seconds("service_time", end.service_time.as_secs_f64());
                row.seconds("response_time", end.response_time.as_secs_f64());
                if let Some(delay) = end.start_delay {
                    row.seconds("start_delay", delay.as_secs_f64());
                }
            }
            What::Transaction(end) => {
                let total = end.time.as_secs_f64();
                row.seconds("start_time", time - total);
                row.seconds("end_time", time);
                row.seconds("total", total);
                row.add("had_error", Field::Flag(end.failed));
            }
            What::Http(request) => row.request(request, time),
            What::Failure(failure) => {
                row.add("kind", text(failure.kind));
                row.add("message", text(failure.message));
                row.add("location", Field::Text(Cow::Borrowed(failure.location)));
            }
            What::Custom { value, .. } => row.own(value),
        }
        row
    }

    fn add(&mut self, key: &'a str, field: Field<'a>) {
        self.fields.push((key, field));
    }

    fn seconds(&mut self, key: &'a str, seconds: f64) {
        self.add(key, Field::Number(seconds));
    }

    fn request(&mut self, request: &'a HttpRequest<'a>, time: f64) {
        let timings = request.timings;
        let total = timings.total.as_secs_f64();
        self.seconds("start_time", time - total);
        self.add("name", Field::Text(self.masker.mask(request.name)));
        self.add(
            "method",
            Field::Text(Cow::Borrowed(request.method.as_str())),
        );
        let status = request.status.map(|status| Field::Count(status.into()));
        self.add("status", status.unwrap_or(Field::Absent));
        self.add("failed", Field::Flag(request.failed));
        self.add("written", Field::Flag(request.sent));
        if let Some(error) = request.error {
            self.add("error", Field::Text(Cow::Borrowed(error)));
        }
        self.seconds("total", total);
        for (name, time) in timings.phases() {
            if let Some(time) = time {
                self.seconds(name, time.as_secs_f64());
            }
        }
        self.add("bytes_sent", Field::Count(timings.bytes_sent));
        self.add("bytes_received", Field::Count(timings.bytes_received));
        self.add(
            "encoded_body_bytes",
            Field::Count(timings.encoded_body_bytes),
        );
        self.add(
            "decoded_body_bytes",
            Field::Count(timings.decoded_body_bytes),
        );
        self.add("reused", Field::Flag(timings.reused));
        if let Some(resumed) = timings.tls_resumed {
            self.add("tls_resumed", Field::Flag(resumed));
        }
        if let Some(address) = timings.remote_addr {
            self.add("remote_addr", Field::Text(address.to_string().into()));
        }
        if let Some(version) = timings.version {
            self.add("version", Field::Text(format!("{version:?}").into()));
        }
        if !request.labels.is_empty() {
            self.add("labels", Field::Labels(request.labels));
        }
    }

    /// What a journey sent: its fields, or the whole as `value` when it has none or they would hide
    /// a common key.
    fn own(&mut self, value: &'a Value) {
        match value {
            Value::Object(fields) if !COMMON.iter().any(|key| fields.contains_key(*key)) => {
                for (key, value) in fields {
                    self.add(key, named(key, value));
                }
            }
            value => self.add("value", Field::Value(value)),
        }
    }
}

/// A text that its name says is a secret is not shown.
fn named<'a>(name: &str, value: &'a Value) -> Field<'a> {
    if value.is_string() && is_secret_name(name) {
        Field::Text(Cow::Borrowed(MASK))
    } else {
        Field::Value(value)
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (key, field) in &self.fields {
            let masker = self.masker;
            map.serialize_entry(key, &Shown::new(field, masker, DEPTH))?;
        }
        map.end()
    }
}

/// A field without secrets, which may nest so deep.
struct Shown<'a> {
    field: &'a Field<'a>,
    masker: &'a Masker,
    depth: usize,
}

impl<'a> Shown<'a> {
    fn new(field: &'a Field<'a>, masker: &'a Masker, depth: usize) -> Self {
        Self {
            field,
            masker,
            depth,
        }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (masker, depth) = (self.masker, self.depth);
        match self.field {
            Field::Text(text) => serializer.serialize_str(text),
            Field::Number(number) => serializer.serialize_f64(*number),
            Field::Count(count) => serializer.serialize_u64(*count),
            Field::Flag(flag) => serializer.serialize_bool(*flag),
            Field::Absent => serializer.serialize_unit(),
            Field::Value(value) => {
                let shown = Masked {
                    value,
                    masker,
                    depth,
                };
                shown.serialize(serializer)
            }
            Field::Labels(labels) => {
                // A label that was given again has its last value.
                let last: SmallVec<[_; 8]> = (labels.iter().enumerate())
                    .filter(|(index, (name, _))| {
                        let later = labels.iter().skip(index + 1);
                        !later.into_iter().any(|(other, _)| other == name)
                    })
                    .map(|(_, label)| label)
                    .collect();
                let mut map = serializer.serialize_map(Some(last.len()))?;
                for (name, value) in last {
                    let field = &named(name, value);
                    map.serialize_entry(name, &Shown::new(field, masker, depth))?;
                }
                map.end()
            }
        }
    }
}

/// A value without secrets.
struct Masked<'a> {
    value: &'a Value,
    masker: &'a Masker,
    depth: usize,
}

impl Serialize for Masked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let masker = self.masker;
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| S::Error::custom("it nests too deeply"))?;
        match self.value {
            Value::String(text) => serializer.serialize_str(&masker.mask(text)),
            Value::Array(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    let element = Masked {
                        value,
                        masker,
                        depth,
                    };
                    list.serialize_element(&element)?;
                }
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    let field = &named(key, value);
                    map.serialize_entry(key, &Shown::new(field, masker, depth))?;
                }
                map.end()
            }
            value => value.serialize(serializer),
        }
    }
}
