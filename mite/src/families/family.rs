//! A metric with its series, whatever form it is to be written in.

use std::collections::BTreeMap;

use crate::stats::Latency;

/// A metric: one name, one kind, a series for each set of labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    /// As it is queried; that of a counter ends in `_total`.
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: Kind,
    pub(crate) series: BTreeMap<Labels, Value>,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// A gauge that is always 1, and tells by its labels.
    Info,
    /// Of times in seconds.
    Times,
    /// Of anything else.
    Amounts,
}

/// Names and values, in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Labels(pub(crate) Vec<(String, String)>);

/// What a series has come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Samples(Box<Latency>),
}

/// Longer values of labels are cut; a name is no place for a document.
const LONGEST_VALUE: usize = 500;

impl Family {
    pub(super) fn new(name: impl Into<String>, kind: Kind, help: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            help: help.into(),
            kind,
            series: BTreeMap::new(),
        }
    }

    /// Adds a number to the series of these labels; one that goes up and down takes its place.
    pub(super) fn number(&mut self, labels: Labels, number: f64) {
        let counts = self.kind == Kind::Counter;
        match self.series.entry(labels).or_insert(Value::Number(0.0)) {
            Value::Number(sum) if counts => *sum += number,
            Value::Number(latest) => *latest = number,
            Value::Samples(_) => {}
        }
    }

    /// Adds samples to the series of these labels.
    pub(super) fn samples(&mut self, labels: Labels, samples: &Latency) {
        use std::collections::btree_map::Entry;
        match self.series.entry(labels) {
            Entry::Vacant(series) => {
                series.insert(Value::Samples(Box::new(samples.clone())));
            }
            Entry::Occupied(mut series) => {
                if let Value::Samples(known) = series.get_mut() {
                    known.merge(samples);
                }
            }
        }
    }
}

impl Labels {
    /// The same with one more.
    pub(crate) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut labels = self.clone();
        labels.0.push((name.to_owned(), cut(value.into())));
        labels
    }
}

fn cut(value: String) -> String {
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value,
    }
}
