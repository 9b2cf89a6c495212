//! A collector of OpenTelemetry's for tests, which reads what it gets with the messages that
//! OpenTelemetry itself publishes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::Mutex,
    thread::sleep,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value},
    metrics::v1::Metric,
    trace::v1 as proto,
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::{
    listening::{Heard, Listening, Said},
    process::PATIENCE,
};

/// A running collector.
#[derive(Debug)]
pub struct Collector(Listening);

/// A span, as it is read.
#[derive(Clone, Debug)]
pub struct Span {
    /// 32 digits.
    pub trace: String,
    /// 16 digits.
    pub id: String,
    /// That of the span around it; empty where there is none.
    pub parent: String,
    /// What it is called.
    pub name: String,
    /// Whether it is a request.
    pub is_client: bool,
    /// When it began and ended, in nanoseconds of Unix time.
    pub time: (u64, u64),
    /// By their names.
    pub attributes: BTreeMap<String, Value>,
    /// What its status says of a failure.
    pub failure: Option<String>,
    /// Each with its attributes.
    pub events: Vec<(String, BTreeMap<String, Value>)>,
}

impl Collector {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::answering([])
    }

    /// One that gives these answers first, and then takes everything.
    pub fn answering(first: impl IntoIterator<Item = Said>) -> Self {
        let mut first: Vec<_> = first.into_iter().collect();
        first.reverse();
        let first = Mutex::new(first);
        Self::saying(move |_| {
            let said = first.lock().unwrap().pop();
            Some(said.unwrap_or_else(|| Said::status(200)))
        })
    }

    /// One that answers as it is told to.
    pub fn saying(answer: impl Fn(&Heard) -> Option<Said> + Send + Sync + 'static) -> Self {
        Self(Listening::start(answer))
    }

    /// What `--otlp` takes.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The requests it got.
    pub fn heard(&self) -> Vec<Heard> {
        self.0.heard()
    }

    /// All spans it got.
    pub fn spans(&self) -> Vec<Span> {
        let traces = self.0.heard().into_iter();
        let traces = traces.filter(|heard| heard.path == "/v1/traces");
        traces
            .flat_map(|heard| {
                let request = ExportTraceServiceRequest::decode(&*body(&heard)).unwrap();
                request.resource_spans
            })
            .flat_map(|of_resource| of_resource.scope_spans)
            .flat_map(|of_scope| of_scope.spans)
            .map(Span::read)
            .collect()
    }

    /// What is said of who sent the traces.
    pub fn resource(&self) -> BTreeMap<String, Value> {
        let heard = self.0.heard();
        let heard = heard.iter().find(|heard| heard.path == "/v1/traces");
        let request = ExportTraceServiceRequest::decode(&*body(heard.unwrap())).unwrap();
        attributes(
            &request.resource_spans[0]
                .resource
                .clone()
                .unwrap()
                .attributes,
        )
    }

    /// What those who sent metrics call themselves.
    pub fn instances(&self) -> BTreeSet<String> {
        let pushes = self.0.heard().into_iter();
        let pushes = pushes.filter(|heard| heard.path == "/v1/metrics");
        let requests =
            pushes.map(|heard| ExportMetricsServiceRequest::decode(&*body(&heard)).unwrap());
        let resources = requests.flat_map(|request| request.resource_metrics);
        let named = resources.map(|one| attributes(&one.resource.unwrap().attributes));
        named
            .map(|named| named["service.instance.id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Each push of metrics.
    pub fn pushes(&self) -> Vec<Vec<Metric>> {
        let pushes = self.0.heard().into_iter();
        let pushes = pushes.filter(|heard| heard.path == "/v1/metrics");
        pushes
            .map(|heard| {
                let request = ExportMetricsServiceRequest::decode(&*body(&heard)).unwrap();
                let resources = request.resource_metrics.into_iter();
                resources
                    .flat_map(|of_resource| of_resource.scope_metrics)
                    .flat_map(|of_scope| of_scope.metrics)
                    .collect()
            })
            .collect()
    }

    /// Waits until it got metrics.
    pub fn wait_for_metrics(&self) -> Vec<Vec<Metric>> {
        let began = Instant::now();
        loop {
            let pushes = self.pushes();
            if !pushes.is_empty() {
                return pushes;
            }
            assert!(began.elapsed() < PATIENCE, "no metrics");
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits until it got so many spans.
    pub fn wait_for_spans(&self, count: usize) -> Vec<Span> {
        let began = Instant::now();
        loop {
            let spans = self.spans();
            if spans.len() >= count {
                return spans;
            }
            assert!(began.elapsed() < PATIENCE, "{} spans", spans.len());
            sleep(Duration::from_millis(50));
        }
    }
}

impl Span {
    fn read(span: proto::Span) -> Self {
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        let status = span.status.unwrap_or_default();
        let failed = status.code == proto::status::StatusCode::Error as i32;
        Self {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
            is_client: span.kind == proto::span::SpanKind::Client as i32,
            time: (span.start_time_unix_nano, span.end_time_unix_nano),
            attributes: attributes(&span.attributes),
            failure: failed.then_some(status.message),
            events: span
                .events
                .into_iter()
                .map(|event| (event.name, attributes(&event.attributes)))
                .collect(),
        }
    }

    /// What an attribute says; null where there is none.
    pub fn get(&self, name: &str) -> Value {
        self.attributes.get(name).cloned().unwrap_or_default()
    }
}

/// The body without its compression.
fn body(heard: &Heard) -> Vec<u8> {
    assert_eq!(heard.method, "POST");
    assert_eq!(heard.headers["content-type"], "application/x-protobuf");
    if heard
        .headers
        .get("content-encoding")
        .is_none_or(|encoding| encoding != "gzip")
    {
        return heard.body.clone();
    }
    let mut body = Vec::new();
    GzDecoder::new(&*heard.body).read_to_end(&mut body).unwrap();
    body
}

/// Attributes by their names; none is there twice.
pub fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let read = |pair: &KeyValue| {
        let value = pair.value.clone().unwrap().value.unwrap();
        let value = match value {
            any_value::Value::StringValue(text) => json!(text),
            any_value::Value::BoolValue(flag) => json!(flag),
            any_value::Value::IntValue(number) => json!(number),
            any_value::Value::DoubleValue(number) => json!(number),
            other => panic!("{other:?}"),
        };
        (pair.key.clone(), value)
    };
    let by_name: BTreeMap<_, _> = pairs.iter().map(read).collect();
    assert_eq!(by_name.len(), pairs.len(), "{pairs:?}");
    by_name
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
