//! The numbers of a run for Prometheus: text, `OpenMetrics`, or protobuf with native histograms.

mod accept;
mod buckets;
mod families;
mod family;
mod native;
mod protobuf;
mod text;
mod user;

pub(crate) use buckets::ClassicBuckets;

pub(super) use accept::Format;

#[cfg(feature = "otel")]
pub(crate) use {
    families::of as families,
    family::{Family, Kind, Labels, Value},
    native::{Exponential, SCHEMA, ZERO},
};

use super::Moment;

/// All metrics of a run in this form.
pub(super) fn expose(moment: &dyn Moment, buckets: &ClassicBuckets, format: Format) -> Vec<u8> {
    let families = families::of(moment);
    match format {
        Format::Text => text::write(&families, buckets, text::Dialect::Prometheus).into(),
        Format::OpenMetrics => text::write(&families, buckets, text::Dialect::OpenMetrics).into(),
        Format::Protobuf => protobuf::write(&families, buckets),
    }
}

#[cfg(test)]
mod tests;
