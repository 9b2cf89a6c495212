//! Metrics as messages of Prometheus' client model (`io/prometheus/client/metrics.proto`), each
//! after its length.
//!
//! The few messages there are need no more of Protocol Buffers than is written here: integers of
//! variable length, doubles, and what has a length.

use super::{buckets::ClassicBuckets, native::Native};
use crate::{
    families::{Family, Kind, Labels, SCHEMA, Value, ZERO},
    protobuf::Message,
    stats::Latency,
};

/// All families, one after the other.
pub(super) fn write(families: &[Family], buckets: &ClassicBuckets) -> Vec<u8> {
    let mut bytes = Vec::new();
    for family in families.iter().filter(|family| !family.series.is_empty()) {
        let message = metric_family(family, buckets);
        message.write_delimited(&mut bytes);
    }
    bytes
}

/// `MetricType` of the protocol.
const COUNTER: u64 = 0;
const GAUGE: u64 = 1;
const HISTOGRAM: u64 = 4;

fn metric_family(family: &Family, buckets: &ClassicBuckets) -> Message {
    let mut message = Message::default();
    message.text(1, &family.name);
    message.text(2, &family.help);
    message.integer(
        3,
        match family.kind {
            Kind::Counter => COUNTER,
            Kind::Gauge | Kind::Info => GAUGE,
            Kind::Times | Kind::Amounts => HISTOGRAM,
        },
    );
    for (labels, value) in &family.series {
        message.message(4, &metric(family.kind, labels, value, buckets));
    }
    message
}

fn metric(kind: Kind, labels: &Labels, value: &Value, buckets: &ClassicBuckets) -> Message {
    let mut message = Message::default();
    for (name, value) in &labels.0 {
        let mut pair = Message::default();
        pair.text(1, name);
        pair.text(2, value);
        message.message(1, &pair);
    }
    match value {
        Value::Number(number) => {
            let mut own = Message::default();
            own.double(1, *number);
            message.message(if kind == Kind::Counter { 3 } else { 2 }, &own);
        }
        Value::Samples(samples) => {
            message.message(7, &histogram(kind == Kind::Times, samples, buckets));
        }
    }
    message
}

fn histogram(times: bool, samples: &Latency, buckets: &ClassicBuckets) -> Message {
    let mut message = Message::default();
    message.integer(1, samples.count());
    message.double(2, samples.sum_seconds());
    let classic = buckets.cumulative(samples, times);
    for (bound, count) in classic
        .into_iter()
        .chain([(f64::INFINITY, samples.count())])
    {
        let mut bucket = Message::default();
        bucket.integer(1, count);
        bucket.double(2, bound);
        message.message(3, &bucket);
    }
    let native = Native::of(samples);
    message.signed(5, SCHEMA.into());
    message.double(6, ZERO);
    message.integer(7, native.zeros);
    for (offset, length) in native.spans {
        let mut span = Message::default();
        span.signed(1, offset.into());
        span.integer(2, length.into());
        message.message(12, &span);
    }
    message.signed_list(13, native.deltas);
    message
}
