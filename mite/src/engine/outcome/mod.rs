//! From what the controller added up to the report.

mod generator;
mod http;
mod journeys;

use std::{cmp::Reverse, time::Duration};

use super::{
    Settings, suspect,
    verdict::{against, verdict},
};
use crate::{
    clock::RunClock,
    config::Config,
    controller::{Outcome, Point, PointTimes},
    report::{
        ErrorSummary, FindingSummary, MetricKind, MetricSummary, MetricValue, Report, Series,
        SeriesPoint, SeriesTimes, Suspicion, ThresholdSummary, TransactionSummary, Verdict,
        VolumeChange, human,
    },
    stats::{self, MachineFigures, Statistics, metric},
};

/// The time from one point of the series, told by its end, to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// The report of a run.
pub(super) fn report(
    settings: &Settings,
    clock: RunClock,
    outcome: &Outcome,
    figures: &MachineFigures,
) -> Report {
    made(settings, clock, outcome, figures, verdict)
}

/// The report so far of a run that goes on; its reasons are what speaks against it by now.
pub(super) fn report_so_far(
    settings: &Settings,
    clock: RunClock,
    outcome: &Outcome,
    figures: &MachineFigures,
) -> Report {
    made(settings, clock, outcome, figures, |outcome, held| {
        (Verdict::Running, against(outcome, held))
    })
}

fn made(
    settings: &Settings,
    clock: RunClock,
    outcome: &Outcome,
    figures: &MachineFigures,
    judge: impl FnOnce(&Outcome, &[Suspicion]) -> (Verdict, Vec<String>),
) -> Report {
    let suspicions = suspect::suspicions(outcome, figures);
    let (verdict, reasons) = judge(outcome, &suspicions);
    let totals = &outcome.totals;
    let report = Report {
        schema: 1,
        scenario: settings.name.clone(),
        started: human::utc(clock.started_at()),
        duration_seconds: outcome.duration.as_secs_f64(),
        verdict,
        reasons,
        thresholds: outcome
            .thresholds
            .iter()
            .map(|threshold| ThresholdSummary {
                expression: threshold.expression.clone(),
                value: threshold.value,
                passed: threshold.passed,
                broke_at: threshold.broke_at.map(|at| at.as_secs_f64()),
            })
            .collect(),
        journeys: journeys::totals(outcome),
        response_times: journeys::together(&outcome.totals.journeys),
        transactions: transactions(totals),
        http: http::summary(totals),
        metrics: metrics(totals),
        errors: errors(totals),
        generator: generator::summary(outcome, figures, suspicions),
        stages: journeys::stages(outcome),
        findings: findings(outcome),
        volume_changes: outcome.volume_changes.iter().map(volume_change).collect(),
        traces: None,
        collected: None,
        recorded: Vec::new(),
        series: Series {
            interval_seconds: INTERVAL.as_secs(),
            warm_up_seconds: (outcome.duration - outcome.measured).as_secs_f64(),
            points: outcome.points.iter().map(point).collect(),
        },
        batches: None,
        webhook: None,
        config: settings
            .config
            .iter_masked()
            .map(|(key, value)| (key.to_owned(), value.into_owned()))
            .collect(),
        seed: Some(settings.seed),
    };
    masked(report, &settings.config)
}

/// The same without the secrets of the config, wherever a journey has put them.
fn masked(mut report: Report, config: &Config) -> Report {
    let http = &mut report.http;
    let suspicions = report.generator.suspicions.iter_mut();
    let texts = (report.reasons.iter_mut())
        .chain(suspicions.map(|suspicion| &mut suspicion.message))
        .chain(report.thresholds.iter_mut().map(|row| &mut row.expression))
        .chain(
            report
                .transactions
                .iter_mut()
                .map(|row| &mut row.transaction),
        )
        .chain(
            http.requests_by
                .iter_mut()
                .flat_map(|row| [&mut row.transaction, &mut row.name]),
        )
        .chain(report.findings.iter_mut().flat_map(|row| {
            let told = row.steps.iter_mut().filter_map(|step| step.why.as_mut());
            told.chain(&mut row.doubts).chain([&mut row.criterion])
        }))
        .chain(http.requests_by_name.iter_mut().map(|row| &mut row.name))
        .chain(
            report
                .metrics
                .iter_mut()
                .flat_map(|row| row.labels.values_mut()),
        )
        .chain(
            report
                .errors
                .iter_mut()
                .flat_map(|row| [&mut row.kind, &mut row.transaction, &mut row.message]),
        );
    for text in texts {
        *text = config.mask(text);
    }
    report
}

/// What the volume models have found out, in the order of the entries.
fn findings(outcome: &Outcome) -> Vec<FindingSummary> {
    let entries = &outcome.entries;
    let several = |name: &str| entries.iter().filter(|entry| entry.journey == name).count() > 1;
    let of_entry = (0..).zip(entries).flat_map(|(number, entry)| {
        let number = several(&entry.journey).then_some(number);
        let summary = move |finding| FindingSummary::of(finding, entry.journey.clone(), number);
        entry.findings.iter().map(summary)
    });
    of_entry.collect()
}

fn transactions(totals: &Statistics) -> Vec<TransactionSummary> {
    totals
        .transactions
        .iter()
        .map(|(key, transaction)| TransactionSummary {
            journey: key.journey.to_string(),
            transaction: key.transaction.to_string(),
            count: transaction.count,
            errors: transaction.errors,
            time: transaction.time.summary(),
        })
        .collect()
}

fn metrics(totals: &Statistics) -> Vec<MetricSummary> {
    let mut rows = Vec::new();
    for (name, metric) in &totals.metrics {
        for (labels, value) in metric.series.iter() {
            rows.push(MetricSummary {
                name: name.to_string(),
                kind: match metric.kind {
                    metric::MetricKind::Counter => MetricKind::Counter,
                    metric::MetricKind::Gauge => MetricKind::Gauge,
                    _ => MetricKind::Histogram,
                },
                labels: labels
                    .0
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect(),
                value: match value {
                    stats::MetricValue::Counter { sum, .. } => MetricValue::Value(sum.value()),
                    stats::MetricValue::Gauge { value, .. } => MetricValue::Value(*value),
                    stats::MetricValue::Histogram(times) => {
                        if metric.kind == metric::MetricKind::Latency {
                            MetricValue::Latency(times.summary())
                        } else {
                            MetricValue::Values(times.summary())
                        }
                    }
                },
            });
        }
    }
    rows
}

fn errors(totals: &Statistics) -> Vec<ErrorSummary> {
    let mut errors: Vec<_> = totals
        .errors
        .iter()
        .map(|(key, count)| ErrorSummary {
            kind: key.kind.to_string(),
            journey: key.journey.to_string(),
            transaction: key.transaction.to_string(),
            location: key.location.to_string(),
            message: key.message.to_string(),
            count: *count,
        })
        .collect();
    errors.sort_by_key(|row| Reverse(row.count));
    errors
}

fn volume_change(change: &(Duration, f64)) -> VolumeChange {
    let (at, factor) = *change;
    VolumeChange {
        at: at.as_secs_f64(),
        factor,
    }
}

/// A second as the report has it.
pub(super) fn point(point: Point) -> SeriesPoint {
    SeriesPoint {
        at: (point.at + INTERVAL).as_secs_f64(),
        stage: point.stage,
        users: point.users,
        target_users: point.target_users,
        planned_starts: point.planned_starts,
        starts: point.starts,
        requests: point.requests,
        failed_requests: point.failed_requests,
        errors: point.errors,
        dropped: point.dropped,
        http: times(point.http),
        response_time: times(point.response_time),
        service_time: times(point.service_time),
    }
}

fn times(times: Option<PointTimes>) -> SeriesTimes {
    times.map_or_else(SeriesTimes::default, |times| SeriesTimes {
        p50: Some(times.p50.as_secs_f64()),
        p95: Some(times.p95.as_secs_f64()),
        p99: Some(times.p99.as_secs_f64()),
        max: Some(times.max.as_secs_f64()),
    })
}
