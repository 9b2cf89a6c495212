//! From what the controller added up to the report.

mod http;

use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

use super::{
    Settings,
    system::{Usage, peak_rss_bytes},
    verdict::verdict,
};
use crate::{
    clock::RunClock,
    config::Config,
    controller::{EntryOutcome, Outcome, Point},
    report::{
        ErrorSummary, FindingSummary, GeneratorSummary, JourneySummary, MetricKind, MetricSummary,
        MetricValue, Report, Series, SeriesPoint, SeriesTimes, ThresholdSummary,
        TransactionSummary, human,
    },
    stats::{self, Statistics, UserTime, metric},
};

/// The part of a worker's core that may be in use before the generator is a suspect.
const BUSY: f64 = 0.9;
/// And for how long, in seconds; a moment of start-up says nothing.
const BUSY_FOR: f64 = 1.0;

/// The time from one point of the series, told by its end, to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// The report of a run.
pub(super) fn report(
    settings: &Settings,
    clock: RunClock,
    outcome: &Outcome,
    workers: u32,
    usage: &Usage,
) -> Report {
    let (verdict, reasons) = verdict(outcome);
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
            })
            .collect(),
        journeys: journeys(outcome),
        transactions: transactions(totals),
        http: http::summary(totals),
        metrics: metrics(totals),
        errors: errors(totals),
        generator: generator(outcome, workers, usage),
        findings: findings(outcome),
        series: Series {
            interval_seconds: INTERVAL.as_secs(),
            warm_up_seconds: (outcome.duration - outcome.measured).as_secs_f64(),
            points: outcome.points.iter().map(point).collect(),
        },
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
    let texts = (report.reasons.iter_mut())
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

fn journeys(outcome: &Outcome) -> Vec<JourneySummary> {
    let totals = &outcome.totals;
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<_> = totals
        .journeys
        .keys()
        .map(|key| &key.journey)
        .filter(|name| !seen.insert(*name))
        .collect();
    totals
        .journeys
        .iter()
        .map(|(key, journey)| JourneySummary {
            journey: key.journey.to_string(),
            entry: twice.contains(&key.journey).then_some(key.entry.0),
            started: journey.started,
            completed: journey.completed,
            failed: journey.failed,
            dropped: journey.dropped,
            interrupted: journey.interrupted,
            service_time: journey.service_time.summary(),
            response_time: journey.response_time.summary(),
            start_delay: journey.start_delay.summary(),
            unmet: unmet(outcome.entries.get(key.entry.index()), journey.users),
        })
        .collect()
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

/// The part of the volume that did not come about: of the planned starts, or of the user-seconds.
///
/// That the data of an entry was used up is its planned end, and not missing volume.
fn unmet(entry: Option<&EntryOutcome>, users: UserTime) -> f64 {
    if entry.is_some_and(EntryOutcome::is_used_up) {
        return 0.0;
    }
    let starts = entry.map_or(0.0, |entry| {
        let missing = entry.planned.saturating_sub(entry.started);
        missing as f64 / entry.planned.max(1) as f64
    });
    let wanted = users.wanted.as_secs_f64();
    let time = if wanted > 0.0 {
        users.unmet.as_secs_f64() / wanted
    } else {
        0.0
    };
    starts.max(time)
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

fn generator(outcome: &Outcome, workers: u32, usage: &Usage) -> GeneratorSummary {
    let cpu_seconds = usage.cpu_seconds();
    let busy = cpu_seconds / (usage.wall_seconds() * f64::from(workers)).max(f64::MIN_POSITIVE);
    let saturated = busy > BUSY && usage.wall_seconds() > BUSY_FOR;
    let starved: Vec<String> = outcome
        .entries
        .iter()
        .filter(|entry| entry.starved)
        .map(|entry| entry.journey.clone())
        .collect();
    GeneratorSummary {
        runners: 1,
        workers,
        loop_lag: outcome.totals.generator.loop_lag.summary(),
        cpu_seconds,
        peak_rss_bytes: peak_rss_bytes(),
        saturated,
        steal_seconds: usage.steal_seconds(),
        starved,
        notes: Vec::new(),
    }
}

fn point(point: &Point) -> SeriesPoint {
    SeriesPoint {
        at: (point.at + INTERVAL).as_secs_f64(),
        stage: point.stage.clone(),
        users: point.users,
        planned_starts: point.planned_starts,
        starts: point.starts,
        requests: point.requests,
        errors: point.errors,
        dropped: point.dropped,
        http: point
            .http
            .map_or_else(SeriesTimes::default, |times| SeriesTimes {
                p50: Some(times.p50.as_secs_f64()),
                p95: Some(times.p95.as_secs_f64()),
                p99: Some(times.p99.as_secs_f64()),
                max: Some(times.max.as_secs_f64()),
            }),
    }
}
