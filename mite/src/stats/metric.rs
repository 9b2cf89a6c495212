//! Metrics of your own: what to count of the events of a run.
//!
//! A metric is bound to a kind of event (`journey`, `transaction`, `http`, `error`, or the type
//! given to `Context::send`) and makes a number of its fields; [`Event::field`] lists them. Register
//! it with [`metrics!`](crate::metrics); it then appears in every report, is exported to Prometheus,
//! and can be the subject of a threshold.
//!
//! ```
//! use mite::metric::{Counter, Gauge, Histogram};
//!
//! mite::metrics! {
//!     // How many items were sold, by shop.
//!     Counter::new("items_sold").on("basket").value("items").label("shop");
//!     // How many answers came from the server's cache.
//!     Counter::new("cached").on("http").filter(|event| {
//!         event.field("first_byte").and_then(|time| time.as_f64()).is_some_and(|time| time < 0.001)
//!     });
//!     // How long the server says that it worked on a request.
//!     Histogram::new("server_time").on("basket").seconds("server_seconds");
//!     // What the last basket was worth.
//!     Gauge::new("last_basket").on("basket").value("total");
//! }
//! # fn main() {}
//! ```
//!
//! An event that lacks the field, or has something other than a number there, is not counted. A
//! metric has at most 1000 series, told apart by their labels; the rest share one whose labels all
//! say `(more)`.

use std::{borrow::Cow, collections::BTreeMap, fmt, panic::Location};

use crate::{error::catch, event::Event};

/// Adds up: 1 an event, or the number in a field of it.
///
/// What is added must not be negative; an event where it is does not count. Sums are kept in
/// billionths, so that they are the same in whatever order workers report.
///
/// ```
/// use mite::metric::Counter;
///
/// mite::metrics! {
///     Counter::new("bytes_by_status").on("http").value("bytes_received").label("status");
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use = "a metric counts nothing until it is registered"]
pub struct Counter(Metric);

/// Keeps the last number seen, by the time of the event.
///
/// Over several workers and machines it is the one of the latest event; of two at the same time, the
/// larger.
///
/// ```
/// use mite::metric::Gauge;
///
/// mite::metrics! {
///     Gauge::new("queue_length").on("queue").value("length");
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use = "a metric counts nothing until it is registered"]
pub struct Gauge(Metric);

/// Keeps how numbers are distributed, to three significant digits.
///
/// Numbers from a millionth to some 9,000,000,000,000 are told apart; an event with a negative one
/// does not count.
///
/// ```
/// use mite::metric::Histogram;
///
/// mite::metrics! {
///     Histogram::new("time_in_queue").on("order").seconds("queued");
///     Histogram::new("basket_size").on("order").value("items");
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
#[must_use = "a metric counts nothing until it is registered"]
pub struct Histogram(Metric);

/// The definition of a [`Counter`], a [`Gauge`] or a [`Histogram`].
#[derive(Clone, Debug)]
pub struct Metric {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: MetricKind,
    pub(crate) on: Option<Cow<'static, str>>,
    pub(crate) value: Option<Cow<'static, str>>,
    pub(crate) filter: Option<fn(&Event<'_>) -> bool>,
    pub(crate) labels: Vec<MetricLabel>,
    place: &'static Location<'static>,
}

/// What a metric does with the numbers it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum MetricKind {
    /// Adds them up.
    Counter,
    /// Keeps the last.
    Gauge,
    /// Keeps the distribution of times in seconds.
    Latency,
    /// Keeps the distribution of plain numbers.
    Values,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetricLabel {
    pub(crate) name: Cow<'static, str>,
    pub(crate) field: Cow<'static, str>,
}

impl Metric {
    /// The name it is reported under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does with its numbers.
    pub fn kind(&self) -> MetricKind {
        self.kind
    }

    /// Whether it counts this event; not when its filter panics, which is no failure of the journey.
    pub(crate) fn counts(&self, event: &Event<'_>) -> bool {
        self.filter
            .is_none_or(|filter| catch(|| filter(event)).unwrap_or(false))
    }

    /// The names of its labels, in their order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.name.as_ref())
    }

    #[track_caller]
    fn new(name: impl Into<Cow<'static, str>>, kind: MetricKind) -> Self {
        Self {
            name: name.into(),
            kind,
            on: None,
            value: None,
            filter: None,
            labels: Vec::new(),
            place: Location::caller(),
        }
    }

    fn label(&mut self, name: Cow<'static, str>, field: Cow<'static, str>) {
        self.labels.push(MetricLabel { name, field });
    }

    fn check(&self) -> Result<(), MetricError> {
        let name = &self.name;
        if !is_legal_name(name) {
            return Err(self.error(format_args!("its name must be {LEGAL_NAME}")));
        }
        if RESERVED.contains(&name.as_ref()) {
            return Err(self.error(format_args!(
                "that name is taken by the metrics every run has ({}); choose another",
                RESERVED.join(", ")
            )));
        }
        if self.on.as_ref().is_none_or(|kind| kind.is_empty()) {
            return Err(self.error(format_args!(
                "it does not say which events it counts; add .on(\"http\"), or \"journey\", \
                 \"transaction\", \"error\" or the type given to send"
            )));
        }
        if self.value.is_none() && self.kind != MetricKind::Counter {
            let how = match self.kind {
                MetricKind::Gauge => ".value(\"field\")",
                _ => ".seconds(\"field\") for times or .value(\"field\") for plain numbers",
            };
            return Err(self.error(format_args!(
                "it does not say which field has its number; add {how}"
            )));
        }
        for (index, label) in self.labels.iter().enumerate() {
            if !is_legal_name(&label.name) {
                return Err(self.error(format_args!(
                    "the name of its label \"{}\" must be {LEGAL_NAME}; label_as(\"name\", \"{}\") \
                     gives it one",
                    label.name, label.field
                )));
            }
            if self
                .labels
                .iter()
                .take(index)
                .any(|other| other.name == label.name)
            {
                return Err(self.error(format_args!("it has the label \"{}\" twice", label.name)));
            }
        }
        Ok(())
    }

    fn error(&self, why: fmt::Arguments<'_>) -> MetricError {
        MetricError(format!(
            "the metric \"{}\" ({}): {why}",
            self.name, self.place
        ))
    }
}

/// Subjects of thresholds that are there without being registered.
const RESERVED: [&str; 6] = [
    "http",
    "journey",
    "transaction",
    "errors",
    "start_delay",
    "dropped",
];

const LEGAL_NAME: &str =
    "letters, digits and underscores, beginning with a letter or an underscore";

fn is_legal_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

macro_rules! common_methods {
    ($type:ident) => {
        impl $type {
            /// The kind of event that is counted: `journey`, `transaction`, `http`, `error`, or the
            /// type given to `Context::send`. Every metric must say one.
            pub fn on(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
                self.0.on = Some(kind.into());
                self
            }

            /// Counts only the events for which this is true; all of them unless said otherwise. One at
            /// which it panics does not count.
            pub fn filter(mut self, filter: fn(&Event<'_>) -> bool) -> Self {
                self.0.filter = Some(filter);
                self
            }

            /// Keeps a series for each value that this field has; empty where it is missing.
            ///
            /// Only for fields with few values: a metric has at most 1000 series.
            pub fn label(mut self, field: impl Into<Cow<'static, str>>) -> Self {
                let field = field.into();
                self.0.label(field.clone(), field);
                self
            }

            /// As [`label`](Self::label), under a name other than the field's.
            pub fn label_as(
                mut self,
                name: impl Into<Cow<'static, str>>,
                field: impl Into<Cow<'static, str>>,
            ) -> Self {
                self.0.label(name.into(), field.into());
                self
            }
        }

        impl From<$type> for Metric {
            fn from(metric: $type) -> Self {
                metric.0
            }
        }
    };
}

common_methods!(Counter);
common_methods!(Gauge);
common_methods!(Histogram);

impl Counter {
    /// A counter of this name: letters, digits and underscores, as Prometheus has them.
    #[track_caller]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Metric::new(name, MetricKind::Counter))
    }

    /// Adds the number in this field; 1 an event unless said otherwise.
    pub fn value(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.value = Some(field.into());
        self
    }
}

impl Gauge {
    /// A gauge of this name: letters, digits and underscores, as Prometheus has them.
    #[track_caller]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Metric::new(name, MetricKind::Gauge))
    }

    /// Keeps the number in this field; a gauge must say one.
    pub fn value(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.value = Some(field.into());
        self
    }
}

impl Histogram {
    /// A histogram of this name: letters, digits and underscores, as Prometheus has them.
    #[track_caller]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Metric::new(name, MetricKind::Values))
    }

    /// The field with the time to be counted, in seconds. Reports then carry it as `latency`, and
    /// thresholds compare it with a time.
    pub fn seconds(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.kind = MetricKind::Latency;
        self.0.value = Some(field.into());
        self
    }

    /// The field with the number to be counted. Reports then carry it as `values`, and thresholds
    /// compare it with a plain number.
    pub fn value(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.0.kind = MetricKind::Values;
        self.0.value = Some(field.into());
        self
    }
}

/// Registers metrics: [`Counter`](crate::metric::Counter), [`Gauge`](crate::metric::Gauge) and
/// [`Histogram`](crate::metric::Histogram), each followed by a semicolon.
///
/// It stands outside of functions, in any crate that is linked into the program.
///
/// ```
/// use mite::metric::{Counter, Histogram};
///
/// mite::metrics! {
///     Counter::new("orders").on("order").label("country");
///     Histogram::new("order_value").on("order").value("total");
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! metrics {
    ($($metric:expr);+ $(;)?) => {
        $(
            $crate::inventory::submit! {
                $crate::metric::MetricRegistration::new(|| {
                    $crate::metric::Metric::from($metric)
                })
            }
        )+
    };
}

/// What [`metrics!`](crate::metrics) leaves for the start of a run to find.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct MetricRegistration(fn() -> Metric);

impl MetricRegistration {
    #[doc(hidden)]
    pub const fn new(metric: fn() -> Metric) -> Self {
        Self(metric)
    }
}

inventory::collect!(MetricRegistration);

/// A metric that cannot be registered, where it is defined and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MetricError(String);

/// All metrics that the program registered, in order of name.
///
/// # Errors
/// When one of them makes no sense or two have the same name; the message says where they are.
pub(crate) fn all_registered() -> Result<Vec<Metric>, MetricError> {
    checked(
        inventory::iter::<MetricRegistration>
            .into_iter()
            .map(|registration| (registration.0)()),
    )
}

fn checked(metrics: impl Iterator<Item = Metric>) -> Result<Vec<Metric>, MetricError> {
    let mut by_name = BTreeMap::<String, Metric>::new();
    for metric in metrics {
        metric.check()?;
        if let Some(other) = by_name.get(metric.name()) {
            return Err(MetricError(format!(
                "there are two metrics named \"{}\", one at {} and one at {}; rename one of them",
                metric.name, other.place, metric.place
            )));
        }
        by_name.insert(metric.name().to_owned(), metric);
    }
    Ok(by_name.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::metrics! {
        Counter::new("mite_test_orders").on("mite_test_order").value("items").label("shop");
        Histogram::new("mite_test_order_time")
            .on("mite_test_order")
            .filter(|event| event.field("shop").is_some())
            .seconds("took")
    }

    fn refusal(metrics: impl IntoIterator<Item = Metric>) -> String {
        checked(metrics.into_iter()).unwrap_err().to_string()
    }

    #[test]
    fn what_the_macro_registers_is_found_in_order_of_name() {
        let metrics = all_registered().unwrap();
        let names: Vec<_> = metrics.iter().map(Metric::name).collect();
        assert!(names.is_sorted());
        let orders = metrics
            .iter()
            .find(|metric| metric.name() == "mite_test_orders")
            .unwrap();
        assert_eq!(orders.kind(), MetricKind::Counter);
        assert_eq!(orders.labels().collect::<Vec<_>>(), ["shop"]);
        assert!(names.contains(&"mite_test_order_time"));
    }

    #[test]
    fn two_of_one_name_are_refused_with_both_places() {
        let message = refusal([
            Counter::new("sold").on("http").into(),
            Gauge::new("sold").on("http").value("status").into(),
        ]);
        let line = line!() - 3;
        let (first, second) = (line, line + 1);
        assert_eq!(
            message,
            format!(
                "there are two metrics named \"sold\", one at {file}:{first}:13 and one at \
                 {file}:{second}:13; rename one of them",
                file = file!()
            )
        );
    }

    #[test]
    fn a_metric_without_events_is_refused() {
        let message = refusal([Counter::new("sold").into()]);
        assert!(
            message.starts_with("the metric \"sold\" (mite/src/stats/metric.rs:"),
            "{message}"
        );
        assert!(message.contains("add .on(\"http\")"), "{message}");
    }

    #[test]
    fn names_that_prometheus_cannot_carry_are_refused() {
        for name in ["", "9lives", "items-sold", "größe"] {
            let message = refusal([Counter::new(name).on("http").into()]);
            assert!(message.contains("its name must be letters"), "{message}");
        }
        let message = refusal([Counter::new("sold").on("http").label("shop-id").into()]);
        assert!(
            message.contains("label_as(\"name\", \"shop-id\")"),
            "{message}"
        );
        let message = refusal([Counter::new("http").on("http").into()]);
        assert!(
            message.contains("taken by the metrics every run has"),
            "{message}"
        );
    }

    #[test]
    fn a_label_given_twice_is_refused() {
        let message = refusal([Counter::new("sold")
            .on("x")
            .label("shop")
            .label_as("shop", "s")
            .into()]);
        assert!(message.contains("label \"shop\" twice"), "{message}");
    }

    #[test]
    fn a_histogram_and_a_gauge_must_name_their_field() {
        assert!(refusal([Histogram::new("h").on("http").into()]).contains(".seconds(\"field\")"));
        assert!(refusal([Gauge::new("g").on("http").into()]).contains(".value(\"field\")"));
    }
}
