//! The numbers of a run for Prometheus: text, `OpenMetrics`, or protobuf with native histograms.

mod accept;
mod buckets;
mod native;
mod protobuf;
mod text;

pub(crate) use buckets::ClassicBuckets;

pub(super) use accept::Format;

use crate::families::{self, Source};

/// All metrics of a run in this form.
pub(super) fn expose(source: &dyn Source, buckets: &ClassicBuckets, format: Format) -> Vec<u8> {
    let families = families::of(source);
    match format {
        Format::Text => text::write(&families, buckets, text::Dialect::Prometheus).into(),
        Format::OpenMetrics => text::write(&families, buckets, text::Dialect::OpenMetrics).into(),
        Format::Protobuf => protobuf::write(&families, buckets),
    }
}

#[cfg(test)]
mod tests;
