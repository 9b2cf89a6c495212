//! Traces and metrics for OpenTelemetry, by OTLP over HTTP.
//!
//! What workers have written down of the journeys that are traced comes here when each has ended, and
//! what the controller has added up comes now and then. All that is made of it is made on a thread of
//! its own, and nobody waits for the collector before the run is over.

mod attributes;
mod delivery;
mod environment;
mod error;
mod exporter;
mod metrics;
mod settings;
mod spans;

#[cfg(test)]
mod tests;

pub(crate) use error::OtelError;
pub(crate) use exporter::{Exporter, Start};
pub(crate) use settings::{Options, Settings};
