//! Metrics as OTLP has them (`opentelemetry/proto/metrics/v1`), of the families that Prometheus is
//! shown.

use std::time::{SystemTime, UNIX_EPOCH};

use super::attributes;
use crate::{
    families::{self, Exponential, Family, Kind, Labels, SCHEMA, Source, Value, ZERO},
    protobuf::Message,
    stats::Latency,
};

/// `AggregationTemporality`: since the run began.
const CUMULATIVE: u64 = 2;

/// The parts that names of mite's own have before the last; what stands behind them says what is
/// measured.
const NAMESPACES: [&str; 8] = [
    "generator",
    "http",
    "journey",
    "run",
    "runner",
    "threshold",
    "transaction",
    "worker",
];

/// What is the same for all points of a push.
struct Frame {
    started: u64,
    now: u64,
}

/// An `ExportMetricsServiceRequest` with all that has been counted.
pub(super) fn write(source: &dyn Source, resource: &Message, at: SystemTime) -> Vec<u8> {
    let frame = Frame {
        started: nanos(source.now().started_at),
        now: nanos(at),
    };
    let mut scope_metrics = Message::default();
    scope_metrics.message(1, &attributes::scope());
    for family in families::of(source) {
        // What it tells is said of the resource.
        if family.kind != Kind::Info && !family.series.is_empty() {
            scope_metrics.message(2, &metric(&family, &frame));
        }
    }
    let mut resource_metrics = Message::default();
    resource_metrics.message(1, resource);
    resource_metrics.message(2, &scope_metrics);
    let mut request = Message::default();
    request.message(1, &resource_metrics);
    request.into_bytes()
}

fn metric(family: &Family, frame: &Frame) -> Message {
    let (name, unit) = name(family);
    let mut metric = Message::default();
    metric.text(1, &name);
    metric.text(2, &family.help);
    metric.text(3, unit);
    let mut data = Message::default();
    for (labels, value) in &family.series {
        data.message(1, &point(family.kind, labels, value, frame));
    }
    let field = match family.kind {
        Kind::Counter => {
            data.integer(2, CUMULATIVE);
            data.integer(3, true.into());
            7
        }
        Kind::Gauge | Kind::Info => 5,
        Kind::Times | Kind::Amounts => {
            data.integer(2, CUMULATIVE);
            10
        }
    };
    metric.message(field, &data);
    metric
}

fn point(kind: Kind, labels: &Labels, value: &Value, frame: &Frame) -> Message {
    let mut point = Message::default();
    let attributes = match value {
        Value::Number(_) => 7,
        Value::Samples(_) => 1,
    };
    for (name, value) in &labels.0 {
        attributes::add(&mut point, attributes, name, value.into());
    }
    if kind != Kind::Gauge {
        point.fixed(2, frame.started);
    }
    point.fixed(3, frame.now);
    match value {
        Value::Number(number) => point.double(4, *number),
        Value::Samples(samples) => distribution(&mut point, samples),
    }
    point
}

/// The fields of an `ExponentialHistogramDataPoint`.
fn distribution(point: &mut Message, samples: &Latency) {
    let Exponential { zeros, counts } = Exponential::of(samples);
    point.fixed(4, samples.count());
    point.double(5, samples.sum_seconds());
    point.signed(6, SCHEMA.into());
    point.fixed(7, zeros);
    if let (Some((first, _)), Some((last, _))) = (counts.first_key_value(), counts.last_key_value())
    {
        let mut buckets = Message::default();
        // Its buckets are numbered from their lower bounds, Prometheus' from their upper ones.
        buckets.signed(1, i64::from(first - 1));
        let each = (*first..=*last).map(|index| counts.get(&index).copied().unwrap_or(0));
        buckets.integers(2, each);
        point.message(8, &buckets);
    }
    if let (Some(min), Some(max)) = (samples.min(), samples.max()) {
        point.double(12, min.as_secs_f64());
        point.double(13, max.as_secs_f64());
    }
    point.double(14, ZERO);
}

/// The name with dots and without what the unit and the kind say, as OpenTelemetry has it.
///
/// Prometheus makes its own name of it again.
fn name(family: &Family) -> (String, &'static str) {
    let name = match family.kind {
        Kind::Counter => family.name.strip_suffix("_total").unwrap_or(&family.name),
        _ => &family.name,
    };
    let (name, unit) = if let Some(name) = name.strip_suffix("_seconds") {
        (name, "s")
    } else if let Some(name) = name.strip_suffix("_bytes") {
        (name, "By")
    } else if family.kind == Kind::Times {
        (name, "s")
    } else {
        (name, "")
    };
    let Some(own) = name.strip_prefix("mite_") else {
        return (name.to_owned(), unit);
    };
    let name = match own.split_once('_') {
        Some((space, rest)) if NAMESPACES.contains(&space) => format!("mite.{space}.{rest}"),
        _ => format!("mite.{own}"),
    };
    (name, unit)
}

/// Nanoseconds of Unix time.
fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_dots_and_units_of_their_own() {
        for (name_there, kind, name_here, unit_here) in [
            (
                "mite_http_response_time_seconds",
                Kind::Times,
                "mite.http.response_time",
                "s",
            ),
            (
                "mite_http_sent_bytes_total",
                Kind::Counter,
                "mite.http.sent",
                "By",
            ),
            (
                "mite_journey_started_total",
                Kind::Counter,
                "mite.journey.started",
                "",
            ),
            (
                "mite_generator_cpu_seconds_total",
                Kind::Counter,
                "mite.generator.cpu",
                "s",
            ),
            ("mite_actual_count", Kind::Gauge, "mite.actual_count", ""),
            (
                "mite_run_elapsed_seconds",
                Kind::Gauge,
                "mite.run.elapsed",
                "s",
            ),
            ("basket_items_total", Kind::Counter, "basket_items", ""),
        ] {
            let family = Family {
                name: name_there.to_owned(),
                help: String::new(),
                kind,
                series: Default::default(),
            };
            assert_eq!(name(&family), (name_here.to_owned(), unit_here));
        }
    }
}
