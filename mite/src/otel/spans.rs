//! Spans as OTLP has them (`opentelemetry/proto/trace/v1`), named after the semantic conventions for
//! HTTP clients and for exceptions where these have a name.

use std::time::UNIX_EPOCH;

use http::Version;
use tokio::time::Instant;

use super::attributes::{self, Value};
use crate::{
    clock::RunClock,
    config::Config,
    http::mask::masked_url,
    protobuf::Message,
    trace::{Failed, Finished, Request, Span, SpanRecord, Subject, TraceId},
};

/// The `SpanKind` of a journey or a transaction, and that of a request.
const INTERNAL: u64 = 1;
const CLIENT: u64 = 3;

/// The `StatusCode` of what has failed; it stays unset otherwise.
const ERROR: u64 = 2;

/// The flag that says that a trace is sampled (W3C Trace Context).
const SAMPLED: u32 = 1;

/// The version of the semantic conventions that names are from.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// The methods that a span may name; any other would be a value that nobody can foresee.
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// Fields of a `Span` and of its `Event`.
const ATTRIBUTES: u64 = 9;
const EVENT: u64 = 11;
const EVENT_ATTRIBUTES: u64 = 3;

/// Makes messages of traces.
pub(super) struct Writer {
    clock: RunClock,
    /// What no span may show.
    config: Config,
    resource: Message,
}

/// The span of a trace that is being written.
struct Place<'a> {
    trace: &'a Finished,
    number: Span,
}

impl Writer {
    pub(super) fn new(clock: RunClock, config: Config, resource: Message) -> Self {
        Self {
            clock,
            config,
            resource,
        }
    }

    /// An `ExportTraceServiceRequest` with all the spans of these traces.
    pub(super) fn write(&self, traces: &[Finished]) -> Vec<u8> {
        let mut scope_spans = Message::default();
        scope_spans.message(1, &attributes::scope());
        for trace in traces {
            for (number, record) in trace.numbered() {
                let place = Place { trace, number };
                scope_spans.message(2, &self.span(&place, record));
            }
        }
        let mut resource_spans = Message::default();
        resource_spans.message(1, &self.resource);
        resource_spans.message(2, &scope_spans);
        resource_spans.text(3, SCHEMA_URL);
        let mut request = Message::default();
        request.message(1, &resource_spans);
        request.into_bytes()
    }

    fn span(&self, place: &Place<'_>, record: &SpanRecord) -> Message {
        let id: TraceId = place.trace.id;
        let mut span = Message::default();
        span.bytes(1, &id.to_bytes());
        span.bytes(2, &id.span(place.number));
        if let Some(parent) = record.parent {
            span.bytes(4, &id.span(parent));
        }
        let is_request = matches!(record.subject, Subject::Request(_));
        span.text(5, &self.config.mask(&name(place, record)));
        span.integer(6, if is_request { CLIENT } else { INTERNAL });
        span.fixed(7, self.time(record.began));
        span.fixed(8, self.time(record.ended.unwrap_or(record.began)));
        match &record.subject {
            Subject::Journey => self.journey(&mut span, place.trace, record),
            Subject::Transaction {
                path, abandoned, ..
            } => {
                self.text(&mut span, "mite.journey", &place.trace.journey);
                self.text(&mut span, "mite.transaction", path);
                if *abandoned {
                    add(&mut span, "mite.abandoned", true);
                }
            }
            Subject::Request(Some(request)) => self.request(&mut span, request),
            Subject::Request(None) => {}
        }
        for (at, failed) in &record.exceptions {
            span.message(EVENT, &self.exception(*at, failed));
        }
        if let Some(failed) = &record.failed {
            self.text(&mut span, "error.type", &failed.kind);
            span.message(15, &error(&self.config.mask(&failed.message)));
        }
        span.short_fixed(16, SAMPLED);
        span
    }

    fn journey(&self, span: &mut Message, trace: &Finished, record: &SpanRecord) {
        self.text(span, "mite.journey", &trace.journey);
        add(span, "mite.entry", trace.entry);
        add(span, "mite.outcome", trace.outcome.as_str());
        // It may be more than a signed number can hold.
        add(span, "mite.journey.seed", &trace.seed.to_string());
        if let Some(intended) = trace.intended {
            let delay = record.began.saturating_duration_since(intended);
            add(span, "mite.start_delay", delay.as_secs_f64());
            let key = "mite.intended_start_time_unix_nano";
            add(span, key, self.time(intended));
        }
        if trace.omitted > 0 {
            add(span, "mite.omitted_spans", trace.omitted);
        }
    }

    fn request(&self, span: &mut Message, request: &Request) {
        if is_known(&request.method) {
            add(span, "http.request.method", &request.method);
        } else {
            add(span, "http.request.method", "_OTHER");
            let key = "http.request.method_original";
            self.text(span, key, &request.method);
        }
        let url = masked_url(&request.url, &self.config);
        add(span, "url.full", &url);
        self.text(span, "server.address", &request.host);
        add(span, "server.port", request.port);
        self.text(span, "mite.request", &request.name);
        if let Some(status) = request.status {
            add(span, "http.response.status_code", status);
        }
        if request.resends > 0 {
            add(span, "http.request.resend_count", request.resends);
        }
        let timings = &request.timings;
        if let Some(version) = timings.version.and_then(version) {
            add(span, "network.protocol.version", version);
        }
        if let Some(peer) = timings.remote_addr {
            add(span, "network.peer.address", &peer.ip().to_string());
            add(span, "network.peer.port", peer.port());
        }
        if timings.version.is_some() {
            add(span, "mite.connection.reused", timings.reused);
        }
        for (phase, time) in timings.phases() {
            if let Some(time) = time {
                let key = format!("mite.phase.{phase}");
                add(span, &key, time.as_secs_f64());
            }
        }
        match (&request.error, request.status) {
            (Some((kind, message)), _) => {
                add(span, "error.type", *kind);
                span.message(15, &error(&self.config.mask(message)));
            }
            // What the status says already needs no further words.
            (None, Some(status)) if request.failed => {
                add(span, "error.type", &status.to_string());
                span.message(15, &error(""));
            }
            _ => {}
        }
    }

    /// The event that the semantic conventions have for an exception.
    fn exception(&self, at: Instant, failed: &Failed) -> Message {
        let mut event = Message::default();
        event.fixed(1, self.time(at));
        event.text(2, "exception");
        let mut tell = |key: &str, value: Value<'_>| {
            attributes::add(&mut event, EVENT_ATTRIBUTES, key, value);
        };
        tell("exception.type", (&self.config.mask(&failed.kind)).into());
        let message = self.config.mask(&failed.message);
        tell("exception.message", (&message).into());
        if let Some((file, line)) = failed.location.rsplit_once(':')
            && let Ok(line) = line.parse::<u32>()
        {
            tell("code.file.path", file.into());
            tell("code.line.number", line.into());
        }
        event
    }

    /// Adds a text of the user's.
    fn text(&self, span: &mut Message, key: &str, text: &str) {
        add(span, key, &self.config.mask(text));
    }

    /// Nanoseconds of Unix time.
    fn time(&self, at: Instant) -> u64 {
        let since = self.clock.started_at().duration_since(UNIX_EPOCH);
        let time = since.unwrap_or_default() + self.clock.at(at);
        u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
    }
}

fn add<'a>(span: &mut Message, key: &str, value: impl Into<Value<'a>>) {
    attributes::add(span, ATTRIBUTES, key, value.into());
}

/// A `Status` that says that something failed.
fn error(message: &str) -> Message {
    let mut status = Message::default();
    if !message.is_empty() {
        status.text(2, message);
    }
    status.integer(3, ERROR);
    status
}

/// What a span is called: few different names, each of many.
fn name(place: &Place<'_>, record: &SpanRecord) -> String {
    match &record.subject {
        Subject::Journey => place.trace.journey.to_string(),
        Subject::Transaction { name, .. } => name.to_string(),
        Subject::Request(Some(request)) => {
            let method = if is_known(&request.method) {
                &request.method
            } else {
                "HTTP"
            };
            match request.name.split_once(' ') {
                Some((first, _)) if first == request.method => request.name.clone(),
                _ => format!("{method} {}", request.name),
            }
        }
        Subject::Request(None) => "HTTP".to_owned(),
    }
}

fn is_known(method: &str) -> bool {
    METHODS.contains(&method)
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}
