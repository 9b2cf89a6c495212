//! What a run tells OpenTelemetry: opened before anything begins, told each second, and waited for at
//! the end, for a limited time.

use tokio::sync::mpsc::UnboundedReceiver;

use super::{RunError, Settings, Stop};
use crate::{
    clock::RunClock,
    families::Source,
    otel::{Exporter, OtelError, Start},
    report::{Report, TraceSummary},
    trace::TraceSettings,
};

/// Where a run tells what it does, if anywhere.
pub(super) struct Telemetry(Option<Exporter>);

/// What has been found to make sense before the run begins.
pub(super) struct Ready(Option<crate::otel::Settings>);

impl Ready {
    /// Finds out whether anything is to be told, and where.
    pub(super) fn check(settings: &Settings) -> Result<Self, RunError> {
        Ok(Self(settings.otel.check()?))
    }

    /// From now on the run tells what it does.
    pub(super) fn start(self, clock: RunClock, settings: &Settings) -> Result<Telemetry, RunError> {
        let start = |ready| {
            Exporter::start(Start {
                settings: ready,
                clock,
                config: &settings.config,
                scenario: &settings.name,
                seed: settings.seed,
                run: &settings.run,
            })
        };
        Ok(Telemetry(self.0.map(start).transpose()?))
    }
}

impl Telemetry {
    /// Whether anybody is told.
    pub(super) fn is_told(&self) -> bool {
        self.0.is_some()
    }

    /// How journeys are traced, if they are.
    pub(super) fn traces(&self) -> Option<TraceSettings> {
        self.0.as_ref()?.traces()
    }

    /// A second is over. `count` is asked what has been counted if that is to be told; gives what
    /// there is to say.
    pub(super) fn second(&mut self, count: impl FnOnce() -> Box<dyn Source>) -> Vec<String> {
        let exporter = self.0.as_mut();
        exporter.map_or_else(Vec::new, |exporter| exporter.second(count))
    }

    /// The run is over: tells the rest, and writes down in the report what became of it. A cut ends
    /// the waiting.
    pub(super) async fn finish(
        self,
        report: &mut Report,
        last: impl FnOnce(Report) -> Box<dyn Source>,
        stops: &mut UnboundedReceiver<Stop>,
    ) {
        let Some(exporter) = self.0 else { return };
        let cut = async { while !matches!(stops.recv().await, Some(Stop::Now) | None) {} };
        let ending = exporter.finish(last(report.clone()), cut).await;
        report.traces = ending.sampled.map(|sampled| TraceSummary {
            sampled,
            exported: ending.exported,
            dropped: sampled.saturating_sub(ending.exported),
            spans: ending.spans,
        });
        report.generator.notes.extend(ending.said);
    }
}

impl From<OtelError> for RunError {
    fn from(error: OtelError) -> Self {
        RunError::Option(error.to_string())
    }
}
