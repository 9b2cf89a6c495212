//! Without the feature `otel` a run tells OpenTelemetry nothing.

use tokio::sync::mpsc::UnboundedReceiver;

use super::{RunError, Settings, Stop};
use crate::{clock::RunClock, families::Source, report::Report, trace::TraceSettings};

/// Nothing.
pub(super) struct Telemetry;

/// Nothing to be made sure of.
pub(super) struct Ready;

impl Ready {
    pub(super) fn check(_: &Settings) -> Result<Self, RunError> {
        Ok(Self)
    }

    pub(super) fn start(self, _: RunClock, _: &Settings) -> Result<Telemetry, RunError> {
        Ok(Telemetry)
    }
}

impl Telemetry {
    pub(super) fn is_told(&self) -> bool {
        false
    }

    pub(super) fn traces(&self) -> Option<TraceSettings> {
        None
    }

    pub(super) fn second(&mut self, _: impl FnOnce() -> Box<dyn Source>) -> Vec<String> {
        Vec::new()
    }

    pub(super) async fn finish(
        self,
        _: &mut Report,
        _: impl FnOnce(Report) -> Box<dyn Source>,
        _: &mut UnboundedReceiver<Stop>,
    ) {
    }
}
