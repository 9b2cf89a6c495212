//! Metrics of the user's own, under names that Prometheus takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    family::{Family, Kind, Labels},
    source::Source,
};
use crate::stats::{MetricValue, UserMetric, metric::MetricKind};

/// What a series says of itself in any case, so that no label of the user's can be called so.
const TAKEN: [&str; 3] = ["le", "quantile", "test"];

/// What stands before the name of a label that is taken.
const LABEL: &str = "label_";

/// A family for each.
pub(super) fn families(
    metrics: &BTreeMap<Arc<str>, UserMetric>,
    test: &Labels,
    source: &dyn Source,
) -> Vec<Family> {
    let mut taken = BTreeSet::new();
    let mut families = Vec::new();
    for (name, metric) in metrics {
        let (kind, ending) = match metric.kind {
            MetricKind::Counter => (Kind::Counter, "_total"),
            MetricKind::Gauge => (Kind::Gauge, ""),
            MetricKind::Latency => (Kind::Times, "_seconds"),
            MetricKind::Values => (Kind::Amounts, ""),
        };
        let mut shown = named(name, ending);
        // Two of which one has the ending in its name already, or a histogram's.
        while claimed(&shown, kind).any(|name| taken.contains(&name)) {
            shown = named(&format!("more_{shown}"), ending);
        }
        taken.extend(claimed(&shown, kind));
        let help = format!("The metric {name} of the test's own.");
        let mut family = Family::new(shown, kind, help);
        for (labels, value) in metric.series.iter() {
            let labels = labels.0.iter().fold(test.clone(), |labels, (name, value)| {
                labels.with(&label(name), source.masked(value))
            });
            match value {
                MetricValue::Counter { sum, .. } => family.number(labels, sum.value()),
                MetricValue::Gauge { value, .. } => family.number(labels, *value),
                MetricValue::Histogram(samples) => family.samples(labels, samples),
            }
        }
        families.push(family);
    }
    families
}

/// A name with its ending, outside those of mite's own.
fn named(name: &str, ending: &str) -> String {
    let own = if name.starts_with("mite_") {
        "user_"
    } else {
        ""
    };
    let ending = if name.ends_with(ending) { "" } else { ending };
    format!("{own}{name}{ending}")
}

/// Every name that a family writes in one of the forms, its own among them.
fn claimed(name: &str, kind: Kind) -> impl Iterator<Item = String> {
    let (stem, endings): (_, &[&str]) = match kind {
        // OpenMetrics heads a counter without its ending.
        Kind::Counter => (
            name.strip_suffix("_total").unwrap_or(name),
            &["", "_total", "_created"],
        ),
        Kind::Gauge | Kind::Info => (name, &[""]),
        Kind::Times | Kind::Amounts => (name, &["", "_bucket", "_sum", "_count", "_created"]),
    };
    endings.iter().map(move |ending| format!("{stem}{ending}"))
}

/// A name that no other label of the series gets: what would become another's gets one more of the
/// same before it.
fn label(name: &str) -> String {
    let mut meant = name;
    while let Some(rest) = meant.strip_prefix(LABEL) {
        meant = rest;
    }
    if TAKEN.contains(&meant) || meant.starts_with("__") {
        format!("{LABEL}{name}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are_and_take_none_of_ours() {
        assert_eq!(named("items_sold", "_total"), "items_sold_total");
        assert_eq!(named("items_total", "_total"), "items_total");
        assert_eq!(
            named("mite_http_response", "_total"),
            "user_mite_http_response_total"
        );
        assert_eq!(label("le"), "label_le");
        assert_eq!(label("__name__"), "label___name__");
        assert_eq!(label("shop"), "shop");
        assert_eq!(label("label_shop"), "label_shop");
        assert_eq!(label("label_le"), "label_label_le");
        assert_eq!(label("label_label_le"), "label_label_label_le");
    }
}
