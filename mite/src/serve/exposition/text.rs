//! Metrics as text: Prometheus' format 0.0.4, and `OpenMetrics` 1.0.0, which differ in little.

use std::fmt::Write as _;

use super::buckets::ClassicBuckets;
use crate::{
    families::{Family, Kind, Labels, Value},
    stats::Latency,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Prometheus,
    OpenMetrics,
}

/// All families, one after the other.
pub(super) fn write(families: &[Family], buckets: &ClassicBuckets, dialect: Dialect) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.series.is_empty()) {
        head(&mut text, family, dialect);
        for (labels, value) in &family.series {
            match value {
                Value::Number(number) => line(&mut text, &family.name, labels, *number),
                Value::Samples(samples) => {
                    histogram(&mut text, family, labels, samples, buckets);
                }
            }
        }
    }
    if dialect == Dialect::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn head(text: &mut String, family: &Family, dialect: Dialect) {
    let strict = dialect == Dialect::OpenMetrics;
    let (ending, kind) = match family.kind {
        Kind::Counter => ("_total", "counter"),
        Kind::Info if strict => ("_info", "info"),
        Kind::Gauge | Kind::Info => ("", "gauge"),
        Kind::Times | Kind::Amounts => ("", "histogram"),
    };
    let name = match family.name.strip_suffix(ending) {
        Some(stem) if strict => stem,
        _ => &family.name,
    };
    let _ = write!(text, "# HELP {name} ");
    escape(text, &family.help, strict);
    let _ = write!(text, "\n# TYPE {name} {kind}\n");
    if strict && name.ends_with("_seconds") {
        let _ = writeln!(text, "# UNIT {name} seconds");
    }
}

fn histogram(
    text: &mut String,
    family: &Family,
    labels: &Labels,
    samples: &Latency,
    buckets: &ClassicBuckets,
) {
    let bucket = format!("{}_bucket", family.name);
    let times = family.kind == Kind::Times;
    for (bound, count) in buckets.cumulative(samples, times) {
        line(
            text,
            &bucket,
            &labels.with("le", bound_text(bound)),
            count as f64,
        );
    }
    let all = samples.count() as f64;
    line(text, &bucket, &labels.with("le", "+Inf"), all);
    line(
        text,
        &format!("{}_sum", family.name),
        labels,
        samples.sum_seconds(),
    );
    line(text, &format!("{}_count", family.name), labels, all);
}

/// As `OpenMetrics` wants it, in both: a series shall not change its name with the form it came in.
fn bound_text(bound: f64) -> String {
    format!("{bound:?}")
}

fn line(text: &mut String, name: &str, labels: &Labels, number: f64) {
    text.push_str(name);
    if !labels.0.is_empty() {
        text.push('{');
        for (index, (name, value)) in labels.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{name}=\"");
            escape(text, value, true);
            text.push('"');
        }
        text.push('}');
    }
    let _ = match number {
        f64::INFINITY => writeln!(text, " +Inf"),
        f64::NEG_INFINITY => writeln!(text, " -Inf"),
        number => writeln!(text, " {number}"),
    };
}

fn escape(text: &mut String, value: &str, quotes: bool) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            letter => text.push(letter),
        }
    }
}
