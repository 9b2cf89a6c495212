//! The numbers of metrics of the user's own, and how events become such numbers.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    capped::{Capped, MORE, Merge, SeriesKey},
    latency::Latency,
    metric::{Metric, MetricKind},
    names::kept,
};
use crate::event::Event;

/// What one metric counted, by its labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserMetric {
    pub(crate) kind: MetricKind,
    pub(crate) series: Capped<Labels, MetricValue>,
}

impl UserMetric {
    /// One without a series yet.
    pub(crate) fn new(kind: MetricKind) -> Self {
        Self {
            kind,
            series: Capped::default(),
        }
    }

    pub(crate) fn merge(&mut self, other: Self, cap: usize) {
        self.series.merge(other.series, cap);
    }
}

/// Labels of a series, name and value, in the order of the metric's definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Labels(pub(crate) Vec<(Arc<str>, Arc<str>)>);

impl Labels {
    /// The value of this label, if the metric has it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(label, _)| label.as_ref() == name)
            .map(|(_, value)| value.as_ref())
    }
}

impl SeriesKey for Labels {
    fn overflow(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|(name, _)| (name.clone(), MORE.into()))
                .collect(),
        )
    }
}

/// The number, or the numbers, of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum MetricValue {
    /// A sum, with the number of events that went into it.
    Counter { sum: Sum, events: u64 },
    /// The value of the latest event, and when that was.
    Gauge { value: f64, at: Duration },
    /// A distribution; plain numbers are held as if they were seconds.
    Histogram(Latency),
}

impl MetricValue {
    fn first(kind: MetricKind, at: Duration, number: f64) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter {
                sum: Sum::of(number),
                events: 1,
            },
            MetricKind::Gauge => Self::Gauge { value: number, at },
            MetricKind::Latency | MetricKind::Values => {
                let mut latency = Latency::default();
                latency.record(amount(number));
                Self::Histogram(latency)
            }
        }
    }

    fn record(&mut self, now: Duration, number: f64) {
        match self {
            Self::Counter { sum, events } => {
                sum.add(Sum::of(number));
                *events += 1;
            }
            Self::Gauge { value, at } => latest((value, at), (number, now)),
            Self::Histogram(latency) => latency.record(amount(number)),
        }
    }
}

impl Merge for MetricValue {
    fn merge(&mut self, other: Self) {
        match (self, other) {
            (
                Self::Counter { sum, events },
                Self::Counter {
                    sum: theirs,
                    events: more,
                },
            ) => {
                sum.add(theirs);
                *events += more;
            }
            (
                Self::Gauge { value, at },
                Self::Gauge {
                    value: theirs,
                    at: then,
                },
            ) => {
                latest((value, at), (theirs, then));
            }
            (Self::Histogram(ours), Self::Histogram(theirs)) => ours.merge(&theirs),
            // Two programs that disagree on what a metric is cannot be added up.
            _ => {}
        }
    }
}

/// Keeps the later number, and the larger of two at the same time.
fn latest((value, at): (&mut f64, &mut Duration), (number, now): (f64, Duration)) {
    if now > *at || (now == *at && number.total_cmp(value).is_gt()) {
        (*value, *at) = (number, now);
    }
}

/// A sum in billionths: unlike floating point, the order of adding does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum(i128);

impl Sum {
    const BILLIONTHS: f64 = 1e9;

    fn of(number: f64) -> Self {
        Self((number * Self::BILLIONTHS).round() as i128)
    }

    fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// The sum as a plain number.
    pub(crate) fn value(self) -> f64 {
        self.0 as f64 / Self::BILLIONTHS
    }
}

/// A number in the form of a histogram's samples; what is out of range counts as the longest.
fn amount(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX)
}

/// A worker's side: which metrics an event concerns, and their series.
#[derive(Debug)]
pub(crate) struct UserMetrics {
    metrics: Vec<Tracked>,
    by_kind: FxHashMap<String, Vec<usize>>,
    cap: usize,
    /// Kept for its memory.
    values: String,
}

#[derive(Debug)]
struct Tracked {
    metric: Metric,
    name: Arc<str>,
    /// By the values of the labels, joined.
    index: FxHashMap<Box<str>, usize>,
    series: Vec<Series>,
    overflow: Option<MetricValue>,
}

#[derive(Debug)]
struct Series {
    labels: Labels,
    value: Option<MetricValue>,
}

impl UserMetrics {
    pub(crate) fn new(metrics: Vec<Metric>, cap: usize) -> Self {
        let mut by_kind = FxHashMap::<String, Vec<usize>>::default();
        for (index, metric) in metrics.iter().enumerate() {
            if let Some(kind) = &metric.on {
                by_kind
                    .entry(kind.clone().into_owned())
                    .or_default()
                    .push(index);
            }
        }
        let metrics = metrics
            .into_iter()
            .map(|metric| Tracked {
                name: metric.name().into(),
                metric,
                index: FxHashMap::default(),
                series: Vec::new(),
                overflow: None,
            })
            .collect();
        Self {
            metrics,
            by_kind,
            cap,
            values: String::new(),
        }
    }

    /// Whether any metric counts events of this kind.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        !self.by_kind.is_empty() && self.by_kind.contains_key(kind)
    }

    /// Whether no metric is made of events at all.
    pub(crate) fn is_idle(&self) -> bool {
        self.by_kind.is_empty()
    }

    pub(crate) fn record(&mut self, event: &Event<'_>) {
        let Some(concerned) = self.by_kind.get(event.kind()) else {
            return;
        };
        for &index in concerned {
            if let Some(tracked) = self.metrics.get_mut(index) {
                tracked.record(event, self.cap, &mut self.values);
            }
        }
    }

    /// What was counted since the last time, by the metric's name.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Arc<str>, UserMetric)> {
        self.metrics.iter_mut().filter_map(|tracked| {
            let mut series = Capped::default();
            for one in &mut tracked.series {
                if let Some(value) = one.value.take() {
                    series.add(one.labels.clone(), value);
                }
            }
            if let Some(value) = tracked.overflow.take() {
                let names = tracked
                    .metric
                    .labels()
                    .map(|name| (name.into(), MORE.into()));
                series.add_overflow(Labels(names.collect()), value);
            }
            let kind = tracked.metric.kind();
            (!series.is_empty()).then(|| (tracked.name.clone(), UserMetric { kind, series }))
        })
    }
}

impl Tracked {
    fn record(&mut self, event: &Event<'_>, cap: usize, values: &mut String) {
        if !self.metric.counts(event) {
            return;
        }
        let Some(number) = self.number(event) else {
            return;
        };
        values.clear();
        for label in &self.metric.labels {
            push_text(values, event, &label.field);
            values.push(SEPARATOR);
        }
        let kind = self.metric.kind();
        let slot = match self.index.get(values.as_str()) {
            Some(&index) => self.series.get_mut(index).map(|series| &mut series.value),
            None if self.series.len() < cap => self.add_series(values),
            None => Some(&mut self.overflow),
        };
        match slot {
            Some(Some(value)) => value.record(event.at, number),
            Some(empty) => *empty = Some(MetricValue::first(kind, event.at, number)),
            None => {}
        }
    }

    fn number(&self, event: &Event<'_>) -> Option<f64> {
        let Some(field) = &self.metric.value else {
            return Some(1.0);
        };
        let number = event.field(field)?.as_f64()?;
        let counts = number >= 0.0 || self.metric.kind() == MetricKind::Gauge;
        counts.then_some(number)
    }

    fn add_series(&mut self, values: &str) -> Option<&mut Option<MetricValue>> {
        let names = self.metric.labels().map(Arc::from);
        let labels = Labels(names.zip(values.split(SEPARATOR).map(Arc::from)).collect());
        self.index.insert(values.into(), self.series.len());
        self.series.push(Series {
            labels,
            value: None,
        });
        self.series.last_mut().map(|series| &mut series.value)
    }
}

/// Between the values of labels; a value that has it itself gets a space instead.
const SEPARATOR: char = '\u{1f}';

fn push_text(text: &mut String, event: &Event<'_>, field: &str) {
    match event.field(field) {
        Some(Value::String(value)) if value.contains(SEPARATOR) => {
            text.push_str(&kept(&value.replace(SEPARATOR, " ")));
        }
        Some(Value::String(value)) => text.push_str(&kept(&value)),
        Some(Value::Null) | None => {}
        // Nothing that could tell series apart.
        Some(Value::Array(_)) => text.push_str("(list)"),
        Some(Value::Object(_)) => text.push_str("(map)"),
        Some(plain) => {
            let _ = write!(text, "{plain}");
        }
    }
}
