//! The words of a threshold: subjects, their labels and stats, and what each is compared with.

use crate::stats::metric::MetricKind;

/// What a threshold is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Http,
    Journey,
    Transaction,
    Errors,
    ServiceTime,
    StartDelay,
    Dropped,
    /// The kind is known once the threshold was validated.
    Custom {
        name: String,
        kind: Option<MetricKind>,
    },
}

/// The subjects every run has.
pub(super) const SUBJECTS: [&str; 7] = [
    "http",
    "journey",
    "transaction",
    "errors",
    "service_time",
    "start_delay",
    "dropped",
];

/// The label of all of them that says when, and not of what.
pub(super) const STAGE: &str = "stage";

impl Subject {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "http" => Self::Http,
            "journey" => Self::Journey,
            "transaction" => Self::Transaction,
            "errors" => Self::Errors,
            "service_time" => Self::ServiceTime,
            "start_delay" => Self::StartDelay,
            "dropped" => Self::Dropped,
            custom => Self::Custom {
                name: custom.to_owned(),
                kind: None,
            },
        }
    }

    /// The labels it can be narrowed by; a metric's own are known when it is validated.
    pub(super) fn labels(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Http => Some(&[
                "journey",
                "transaction",
                "name",
                "method",
                "status",
                "outcome",
                "phase",
                "error",
                STAGE,
            ]),
            Self::Journey => Some(&["journey", "outcome", STAGE]),
            Self::Transaction => Some(&["journey", "transaction", "name", "outcome", STAGE]),
            Self::Errors => Some(&["kind", "journey", "transaction", "location", STAGE]),
            Self::ServiceTime | Self::StartDelay | Self::Dropped => Some(&["journey", STAGE]),
            Self::Custom { .. } => None,
        }
    }

    /// What a stat of it is compared with; `None` if it has no such stat.
    pub(super) fn unit(&self, stat: Stat) -> Option<Unit> {
        match (self, stat) {
            (Self::Errors, Stat::Rate) => Some(Unit::Percentage),
            (Self::Custom { kind: None, .. }, _) => Some(Unit::Unknown),
            (
                Self::Custom {
                    kind: Some(kind), ..
                },
                stat,
            ) => unit_of_metric(*kind, stat),
            (_, Stat::Count) => Some(Unit::Number),
            (_, Stat::Rate) => Some(Unit::PerSecond),
            (Self::Errors | Self::Dropped, _) | (_, Stat::Value) => None,
            _ => Some(Unit::Time),
        }
    }

    /// The stats it has, in words.
    pub(super) fn stats(&self) -> &'static str {
        match self {
            Self::Errors | Self::Dropped => "count and rate",
            Self::Custom {
                kind: Some(kind), ..
            } => stats_of_metric(*kind),
            Self::Custom { kind: None, .. } => {
                "value for a counter or a gauge; count, rate, min, mean, stddev, max and \
                 percentiles such as p99.9 for a histogram"
            }
            _ => DISTRIBUTION,
        }
    }
}

const DISTRIBUTION: &str = "count, rate, min, mean, stddev, max and percentiles such as p99.9";

pub(super) fn stats_of_metric(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "count, rate and value",
        MetricKind::Gauge => "value",
        MetricKind::Latency | MetricKind::Values => DISTRIBUTION,
    }
}

pub(super) fn unit_of_metric(kind: MetricKind, stat: Stat) -> Option<Unit> {
    match (kind, stat) {
        (MetricKind::Counter | MetricKind::Gauge, Stat::Value) => Some(Unit::Number),
        (MetricKind::Gauge, _) | (_, Stat::Value) => None,
        (_, Stat::Count) => Some(Unit::Number),
        (_, Stat::Rate) => Some(Unit::PerSecond),
        (MetricKind::Counter, _) => None,
        (MetricKind::Latency, _) => Some(Unit::Time),
        (MetricKind::Values, _) => Some(Unit::Number),
    }
}

/// The figure of a subject that is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stat {
    Count,
    Rate,
    Min,
    Mean,
    Stddev,
    Max,
    Value,
    Quantile(f64),
}

/// The stats, with percentiles to guess from.
pub(super) const STATS: [&str; 14] = [
    "count", "rate", "min", "mean", "stddev", "max", "value", "p50", "p75", "p90", "p95", "p99",
    "p99.9", "p99.99",
];

impl Stat {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "rate" => Self::Rate,
            "min" => Self::Min,
            "mean" => Self::Mean,
            "stddev" => Self::Stddev,
            "max" => Self::Max,
            "value" => Self::Value,
            percentile => {
                let digits = percentile.strip_prefix('p')?;
                if !digits.starts_with(|first: char| first.is_ascii_digit()) {
                    return None;
                }
                let percent: f64 = digits.parse().ok()?;
                (0.0..=100.0)
                    .contains(&percent)
                    .then_some(Self::Quantile(percent / 100.0))?
            }
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Operator {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            _ => return None,
        })
    }

    pub(super) fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
            Self::Equal => value == limit,
            Self::NotEqual => value != limit,
        }
    }

    /// Whether more is worse, and nothing is well.
    pub(super) fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    /// Whether one value is further on the wrong side of a limit than another.
    pub(super) fn is_worse(self, value: f64, than: f64, limit: f64) -> bool {
        match self {
            Self::Less | Self::LessOrEqual => value > than,
            Self::Greater | Self::GreaterOrEqual => value < than,
            Self::Equal => (value - limit).abs() > (than - limit).abs(),
            Self::NotEqual => (value - limit).abs() < (than - limit).abs(),
        }
    }
}

/// What a stat is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Time,
    Percentage,
    PerSecond,
    Number,
    /// Of a metric of the user's own, before it was looked up.
    Unknown,
}

impl Unit {
    pub(super) fn takes(self, written: Unit) -> bool {
        match self {
            Self::Unknown => written != Self::Percentage,
            Self::PerSecond => matches!(written, Self::PerSecond | Self::Number),
            unit => unit == written,
        }
    }
}

/// The value to compare with, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    pub(super) value: f64,
    pub(super) unit: Unit,
    pub(super) text: String,
}

impl Limit {
    /// Why it cannot be what a stat of this unit is compared with, and what could.
    pub(super) fn misfit(&self, wanted: Unit) -> String {
        let text = &self.text;
        let number = text.trim_end_matches(|last: char| !last.is_ascii_digit());
        let number = if number.parse::<f64>().is_ok() {
            number
        } else {
            "10"
        };
        match wanted {
            Unit::Time => format!(
                "this stat is a time and cannot be compared with \"{text}\"; write a time, such as \
                 {number}ms or {number}s"
            ),
            Unit::Percentage => format!(
                "this rate is the part of journeys that failed and cannot be compared with \
                 \"{text}\"; write a percentage, such as {number}%"
            ),
            Unit::PerSecond => format!(
                "this rate is per second and cannot be compared with \"{text}\"; write a number \
                 such as {number}/s"
            ),
            Unit::Number => format!(
                "this stat is a plain number and cannot be compared with \"{text}\"; write a \
                 number without a unit, such as {number}"
            ),
            Unit::Unknown => format!(
                "a metric of your own cannot be compared with \"{text}\"; write a time or a number, \
                 such as {number}ms or {number}"
            ),
        }
    }
}

/// ` (did you mean "…"?)` for the most similar word, or nothing.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| format!(" (did you mean \"{candidate}\"?)"))
        .unwrap_or_default()
}

pub(super) fn no_such_subject<'a>(
    name: &str,
    metrics: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let hint = did_you_mean(name, SUBJECTS.into_iter().chain(metrics.clone()));
    let own: Vec<_> = metrics.collect();
    let own = if own.is_empty() {
        "no metric of your own is registered".to_owned()
    } else {
        format!("your own metrics are {}", own.join(", "))
    };
    format!(
        "there is no subject or metric \"{name}\"{hint}; the subjects are {}, and {own}",
        SUBJECTS.join(", ")
    )
}

pub(super) fn no_such_label(subject: &str, label: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("\"{subject}\" has no labels, so not \"{label}\" either");
    }
    let hint = did_you_mean(label, known.iter().copied());
    format!(
        "\"{subject}\" has no label \"{label}\"{hint}; its labels are {}",
        known.join(", ")
    )
}

/// Whether a full name is this one or ends in it after a `::`.
pub(super) fn is_suffix(name: &str, ending: &str) -> bool {
    name.strip_suffix(ending)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}
