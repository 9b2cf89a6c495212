//! What a webhook is told.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;
use serde_json::Value;

use crate::{
    clock::RunClock,
    config::BASE_URL,
    engine::Settings,
    report::{Report, ThresholdSummary, human},
    stats::LatencySummary,
};

/// The version of these messages.
const SCHEMA: u32 = 1;

/// A run has begun.
#[derive(Clone, Debug, Serialize)]
pub(in crate::engine) struct Start {
    schema: u32,
    event: &'static str,
    /// The scenario under the name that a receiver for the Python mite reads.
    testname: String,
    scenario: String,
    /// The same in all that is told of one run, and in nothing else.
    run: String,
    started: String,
    /// Absent from the plan of a model that does not say.
    planned_seconds: Option<f64>,
    base_url: Option<String>,
    thresholds: Vec<String>,
    reports: Vec<PathBuf>,
    mite: &'static str,
}

/// A run is over.
#[derive(Clone, Debug, Serialize)]
pub(in crate::engine) struct End {
    schema: u32,
    event: &'static str,
    /// What the receiver calls the run, if it has said so.
    pub(super) id: Option<Value>,
    testname: String,
    scenario: String,
    run: String,
    started: String,
    verdict: &'static str,
    reasons: Vec<String>,
    duration_seconds: Option<f64>,
    thresholds: Vec<ThresholdSummary>,
    totals: Option<Totals>,
    reports: Vec<PathBuf>,
    /// Why reports could not be written, a sentence each.
    unwritten: Vec<String>,
    mite: &'static str,
}

/// What a run came to, in few numbers: the sums of the rows of its report.
#[derive(Clone, Debug, Serialize)]
struct Totals {
    journeys: JourneyTotals,
    http: HttpTotals,
    errors: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
struct JourneyTotals {
    started: u64,
    completed: u64,
    failed: u64,
    dropped: u64,
    interrupted: u64,
}

#[derive(Clone, Debug, Serialize)]
struct HttpTotals {
    requests: u64,
    failed: u64,
    bytes_sent: u64,
    bytes_received: u64,
    time: LatencySummary,
}

impl Start {
    /// What is known of a run that begins.
    pub(in crate::engine) fn new(
        settings: &Settings,
        clock: RunClock,
        planned: Option<Duration>,
        thresholds: &[String],
    ) -> Self {
        let base_url = settings
            .config
            .iter_masked()
            .find(|(key, _)| *key == BASE_URL);
        Self {
            schema: SCHEMA,
            event: "start",
            testname: settings.name.clone(),
            scenario: settings.name.clone(),
            run: settings.run.clone(),
            started: human::utc(clock.started_at()),
            planned_seconds: planned.map(|planned| planned.as_secs_f64()),
            base_url: base_url.map(|(_, url)| url.into_owned()),
            thresholds: (thresholds.iter())
                .map(|threshold| settings.config.mask(threshold))
                .collect(),
            reports: settings.report_paths(),
            mite: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl End {
    /// The end of a run that has been judged.
    pub(super) fn judged(
        self,
        report: &Report,
        reports: Vec<PathBuf>,
        unwritten: Vec<String>,
    ) -> Self {
        Self {
            verdict: report.verdict.as_str(),
            reasons: report.reasons.clone(),
            duration_seconds: Some(report.duration_seconds),
            thresholds: report.thresholds.clone(),
            totals: Some(Totals::of(report)),
            reports,
            unwritten,
            ..self
        }
    }

    /// The end of a run that never came to its report.
    pub(super) fn without_report(start: &Start) -> Self {
        Self {
            schema: SCHEMA,
            event: "end",
            id: None,
            testname: start.testname.clone(),
            scenario: start.scenario.clone(),
            run: start.run.clone(),
            started: start.started.clone(),
            verdict: "error",
            reasons: vec!["the run ended by an error before it could be judged".to_owned()],
            duration_seconds: None,
            thresholds: Vec::new(),
            totals: None,
            reports: Vec::new(),
            unwritten: Vec::new(),
            mite: start.mite,
        }
    }
}

impl Totals {
    fn of(report: &Report) -> Self {
        let mut journeys = JourneyTotals::default();
        for row in &report.journeys {
            journeys.started += row.started;
            journeys.completed += row.completed;
            journeys.failed += row.failed;
            journeys.dropped += row.dropped;
            journeys.interrupted += row.interrupted;
        }
        let http = &report.http;
        Self {
            journeys,
            http: HttpTotals {
                requests: http.requests,
                failed: http.failed,
                bytes_sent: http.bytes_sent,
                bytes_received: http.bytes_received,
                time: http.time.clone(),
            },
            errors: report.errors.iter().map(|row| row.count).sum(),
        }
    }
}
