//! Reports and progress for the tests of this module.

use std::{collections::BTreeMap, time::Duration};

use super::{
    BatchKind, BatchRow, Batches, Cause, ConnectionSummary, ErrorSummary, FindingSummary,
    GeneratorSummary, HttpSummary, JourneySummary, LatencySummary, MetricKind, MetricSummary,
    MetricValue, NameNow, OwnErrors, PhaseSummary, Progress, Report, RequestRow, RequestSummary,
    ResponseTimes, RunnerSummary, Series, SeriesPoint, SeriesTimes, Speed, Spread, StageHttp,
    StageSummary, State, StepSummary, Suspicion, TakeoverSummary, ThresholdNow, ThresholdSummary,
    TransactionSummary, Verdict, VolumeChange, WaitSummary, WebhookSummary,
};
use crate::volume::{Conclusion, FindingKind, Unit};

/// Times around this median, in seconds.
pub(crate) fn times(count: u64, median: f64) -> LatencySummary {
    LatencySummary {
        count,
        min: Some(median / 2.0),
        mean: Some(median * 1.25),
        stddev: Some(median / 4.0),
        p50: Some(median),
        p75: Some(median * 1.5),
        p90: Some(median * 2.0),
        p95: Some(median * 2.5),
        p99: Some(median * 4.0),
        p99_9: Some(median * 6.0),
        p99_99: Some(median * 7.0),
        max: Some(median * 8.0),
    }
}

/// A run that did nothing at all.
pub(crate) fn empty() -> Report {
    Report {
        schema: 1,
        scenario: "shop::evening".into(),
        started: "2026-11-22T20:00:00Z".into(),
        duration_seconds: 60.0,
        verdict: Verdict::Passed,
        reasons: Vec::new(),
        thresholds: Vec::new(),
        journeys: Vec::new(),
        response_times: Vec::new(),
        transactions: Vec::new(),
        http: HttpSummary::default(),
        metrics: Vec::new(),
        errors: Vec::new(),
        generator: GeneratorSummary {
            runners: 1,
            workers: 2,
            ..GeneratorSummary::default()
        },
        stages: Vec::new(),
        findings: Vec::new(),
        volume_changes: Vec::new(),
        traces: None,
        collected: None,
        recorded: Vec::new(),
        series: Series {
            interval_seconds: 1,
            ..Series::default()
        },
        batches: None,
        webhook: None,
        config: BTreeMap::new(),
        seed: None,
    }
}

/// A run that passed, with something in every part of it.
pub(crate) fn full() -> Report {
    Report {
        thresholds: vec![
            threshold("http.p99 < 250ms", Some(0.016), true),
            threshold("errors.rate < 1%", Some(0.000_25), true),
        ],
        journeys: vec![
            JourneySummary {
                journey: "shop::sign_in".into(),
                entry: Some(0),
                started: 30_000,
                completed: 29_990,
                failed: 8,
                dropped: 1,
                interrupted: 2,
                service_time: times(29_990, 0.008),
                response_time: times(29_990, 0.0085),
                start_delay: times(30_000, 0.000_08),
                distribution: spread(&[(0.0084, 0.0088, 29_990)]),
                waits: waits(0.5, 1.25, 0.25),
                unmet: 0.0,
            },
            JourneySummary {
                journey: "shop::browse".into(),
                started: 29_000,
                completed: 29_000,
                service_time: times(29_000, 0.004),
                response_time: times(29_000, 0.004),
                ..JourneySummary::default()
            },
        ],
        response_times: vec![
            ResponseTimes {
                journey: None,
                response_time: times(200, 0.006),
            },
            ResponseTimes {
                journey: Some("shop::browse".into()),
                response_time: times(150, 0.005),
            },
        ],
        transactions: vec![
            transaction("shop::sign_in", "sign in", 30_000, 0),
            transaction("shop::sign_in", "basket", 29_998, 8),
        ],
        http: http(),
        metrics: metrics(),
        errors: vec![ErrorSummary {
            kind: "error".into(),
            journey: "shop::sign_in".into(),
            transaction: "basket".into(),
            location: "src/main.rs:12".into(),
            message: "a new user's basket is not empty".into(),
            count: 8,
        }],
        generator: GeneratorSummary {
            runners: 1,
            workers: 2,
            max_in_flight: 100_000,
            loop_lag: times(120_000, 0.000_05),
            cpu_seconds: 41.5,
            peak_rss_bytes: 48_000_000,
            saturated: false,
            busiest_worker_cpu: Some(0.43),
            machine_cpu: Some(0.5),
            steal_seconds: 0.5,
            throttled: Some(0.25),
            memory_left_bytes: Some(2_000_000_000),
            open_files: Some(80),
            open_files_limit: Some(1024),
            tcp_sockets: Some(60),
            local_ports: Some(28_232),
            retransmitted: Some(0.000_25),
            own_errors: OwnErrors {
                descriptors: 3,
                ports: 2,
                memory: 1,
            },
            suspicions: vec![Suspicion {
                name: "throttling".into(),
                value: 0.25,
                limit: 0.01,
                invalid: false,
                cause: Cause::Generator,
                message: "The CPU limit of the container stopped the generator in 25 % of its \
                          periods."
                    .into(),
            }],
            starved: vec!["shop::sign_in".into()],
            takeovers: vec![TakeoverSummary {
                at_seconds: 12.3,
                gap_seconds: 4.5,
            }],
            notes: vec!["The limit of open files is 1,024.".into()],
            by_runner: vec![RunnerSummary {
                host: "load-2".into(),
                workers: 2,
                weight: 3,
                joined_seconds: 0.5,
                left_seconds: Some(42.0),
                lost: true,
                cpu_seconds: Some(31.5),
                peak_rss_bytes: Some(48_000_000),
                machine_cpu: Some(0.4),
                steal_seconds: Some(0.5),
                clock_error_seconds: Some(0.000_25),
                clock_drift_seconds: Some(0.002),
            }],
        },
        stages: vec![stage("ramp", 5.0, 15.0), stage("peak", 15.0, 60.0)],
        findings: vec![capacity(), held()],
        volume_changes: vec![VolumeChange {
            at: 40.5,
            factor: 1.1,
        }],
        traces: None,
        collected: None,
        recorded: Vec::new(),
        series: Series {
            interval_seconds: 1,
            warm_up_seconds: 5.0,
            points: vec![SeriesPoint {
                at: 12.0,
                stage: Some("peak".into()),
                users: 10,
                target_users: Some(10),
                planned_starts: 500,
                starts: 499,
                requests: 998,
                failed_requests: 2,
                errors: 1,
                dropped: 1,
                http: series_times(0.004),
                response_time: series_times(0.0085),
                service_time: series_times(0.008),
            }],
        },
        batches: Some(batches()),
        webhook: Some(WebhookSummary {
            url: "https://***@hooks.test/mite?***".into(),
            id: Some("17".into()),
        }),
        config: BTreeMap::from([("base_url".into(), "https://shop.test".into())]),
        seed: Some(4711),
        ..empty()
    }
}

/// Two stretches of one request.
fn batches() -> Batches {
    let row = BatchRow {
        kind: BatchKind::Request,
        journey: "shop::sign_in".into(),
        transaction: "basket".into(),
        name: "GET /basket".into(),
        method: "GET".into(),
        count: vec![10, 0],
        errors: vec![1, 0],
        mean: vec![Some(0.005), None],
        p50: vec![Some(0.004), None],
        p95: vec![Some(0.01), None],
        p99: vec![Some(0.016), None],
    };
    Batches {
        seconds: 2,
        rows: vec![row],
    }
}

fn series_times(median: f64) -> SeriesTimes {
    SeriesTimes {
        p50: Some(median),
        p95: Some(median * 2.5),
        p99: Some(median * 4.0),
        max: Some(median * 8.0),
    }
}

/// Samples between two times.
fn spread(steps: &[(f64, f64, u64)]) -> Vec<Spread> {
    let steps = steps.iter();
    steps
        .map(|&(from, until, count)| Spread { from, until, count })
        .collect()
}

/// Seconds that starts waited for their worker, for room and for data.
pub(crate) fn waits(worker: f64, room: f64, data: f64) -> WaitSummary {
    WaitSummary { worker, room, data }
}

/// A stage with ten starts a second of one journey.
pub(crate) fn stage(name: &str, from: f64, until: f64) -> StageSummary {
    let count = (until - from) as u64 * 10;
    StageSummary {
        name: name.into(),
        from,
        until,
        seconds: until - from,
        users: 1.5,
        planned_starts: count + 1,
        starts: count,
        errors: 2,
        dropped: 1,
        journeys: vec![JourneySummary {
            journey: "shop::browse".into(),
            started: count,
            completed: count - 2,
            failed: 2,
            dropped: 1,
            service_time: times(count - 2, 0.004),
            response_time: times(count - 2, 0.004),
            start_delay: times(count, 0.000_08),
            ..JourneySummary::default()
        }],
        http: StageHttp {
            requests: 2 * count,
            failed: 1,
            time: times(2 * count - 1, 0.004),
            failed_time: times(1, 0.5),
        },
    }
}

/// A capacity that was found, and why it may not be one.
pub(crate) fn capacity() -> FindingSummary {
    FindingSummary {
        journey: "shop::browse".into(),
        entry: Some(1),
        kind: FindingKind::Capacity,
        unit: Unit::PerSecond,
        criterion: "http.p99 < 250ms, errors.rate < 1%".into(),
        conclusion: Conclusion::Found,
        found: Some(842.0),
        low: Some(842.0),
        high: Some(870.0),
        measured: None,
        doubts: vec!["at 870/s 12 starts were dropped".into()],
        steps: vec![StepSummary {
            at: 30.0,
            measured_seconds: 10.0,
            volume: 870.0,
            throughput: 845.5,
            error_rate: 0.001,
            p50: Some(0.125),
            p95: Some(0.25),
            p99: Some(0.261),
            good: false,
            why: Some("p99 261ms, not below 250ms".into()),
        }],
    }
}

/// A target that was held.
pub(crate) fn held() -> FindingSummary {
    FindingSummary {
        entry: None,
        kind: FindingKind::HeldErrorRate,
        criterion: "errors.rate = 1%".into(),
        low: Some(210.0),
        high: Some(240.0),
        found: Some(226.5),
        measured: Some(0.0104),
        doubts: Vec::new(),
        steps: Vec::new(),
        ..capacity()
    }
}

/// The same run without anything that went wrong.
pub(crate) fn passed() -> Report {
    let mut report = full();
    report.errors.clear();
    report.findings.clear();
    report.volume_changes.clear();
    report.http.failed = 0;
    report.http.failed_time = LatencySummary::default();
    report.http.connections.failed = 0;
    report.http.errors.clear();
    report.generator.notes.clear();
    report.generator.starved.clear();
    report.generator.steal_seconds = 0.0;
    report.generator.suspicions.clear();
    report.generator.own_errors = OwnErrors::default();
    for row in &mut report.journeys {
        row.completed = row.started;
        (row.failed, row.dropped, row.interrupted) = (0, 0, 0);
        row.entry = None;
    }
    for stage in &mut report.stages {
        (stage.errors, stage.dropped, stage.http.failed) = (0, 0, 0);
        for row in &mut stage.journeys {
            (row.completed, row.failed, row.dropped) = (row.started, 0, 0);
        }
    }
    for row in &mut report.transactions {
        row.errors = 0;
    }
    for row in &mut report.http.requests_by_name {
        row.failures.clear();
    }
    report
}

pub(crate) fn threshold(expression: &str, value: Option<f64>, passed: bool) -> ThresholdSummary {
    ThresholdSummary {
        expression: expression.into(),
        value,
        passed,
        broke_at: None,
    }
}

fn transaction(journey: &str, name: &str, count: u64, errors: u64) -> TransactionSummary {
    TransactionSummary {
        journey: journey.into(),
        transaction: name.into(),
        count,
        errors,
        time: times(count - errors, 0.004),
    }
}

pub(crate) fn request(name: &str, method: &str, count: u64, median: f64) -> RequestSummary {
    RequestSummary {
        name: name.into(),
        method: method.into(),
        count,
        failures: BTreeMap::new(),
        time: times(count, median),
        failed_time: LatencySummary::default(),
    }
}

fn http() -> HttpSummary {
    HttpSummary {
        requests: 118_998,
        failed: 6,
        bytes_sent: 12_900_000,
        bytes_received: 245_000_000,
        encoded_body_bytes: 61_000_000,
        decoded_body_bytes: 240_000_000,
        time: times(118_992, 0.004),
        failed_time: times(6, 0.5),
        distribution: spread(&[(0.0039, 0.0041, 100_000), (0.016, 0.0161, 18_992)]),
        failed_distribution: spread(&[(0.49, 0.51, 6)]),
        phases: PhaseSummary {
            waiting: times(40, 0.05),
            dns: times(12, 0.000_3),
            connect: times(12, 0.000_2),
            tls: times(12, 0.002),
            sent: times(118_998, 0.000_02),
            first_byte: times(118_997, 0.003_5),
            body: times(118_997, 0.000_4),
        },
        errors: BTreeMap::from([("connect".into(), 3), ("timeout".into(), 1)]),
        versions: BTreeMap::from([("HTTP/1.1".into(), 18_998), ("HTTP/2.0".into(), 100_000)]),
        connections: ConnectionSummary {
            opened: 12,
            reused: 118_986,
            failed: 3,
            tls_handshakes: 12,
            tls_resumed: 9,
            fallbacks: 4,
        },
        requests_by: vec![RequestRow {
            journey: "shop::sign_in".into(),
            transaction: "basket".into(),
            name: "GET /basket".into(),
            method: "GET".into(),
            status: Some(200),
            count: 89_000,
            time: times(89_000, 0.004),
            failed_time: times(2, 0.008),
            waiting: times(40, 0.05),
            dns: times(12, 0.000_3),
            connect: times(12, 0.000_2),
            tls: times(12, 0.002),
            sent: times(89_000, 0.000_02),
            first_byte: times(89_000, 0.003_5),
            body: times(89_000, 0.000_4),
            encoded_body_bytes: 45_000_000,
            decoded_body_bytes: 180_000_000,
        }],
        requests_by_name: vec![
            RequestSummary {
                failures: BTreeMap::from([("500".into(), 5), ("timeout".into(), 1)]),
                failed_time: times(6, 0.5),
                ..request("GET /basket", "GET", 89_006, 0.004)
            },
            request("POST /login", "POST", 29_992, 0.008),
        ],
    }
}

fn metrics() -> Vec<MetricSummary> {
    let metric = |name: &str, kind, value| MetricSummary {
        name: name.into(),
        kind,
        labels: BTreeMap::from([("shop".into(), "north".into())]),
        value,
    };
    vec![
        metric("orders", MetricKind::Counter, MetricValue::Value(17.0)),
        metric("queue", MetricKind::Gauge, MetricValue::Value(0.5)),
        metric(
            "payment",
            MetricKind::Histogram,
            MetricValue::Latency(times(17, 0.2)),
        ),
        metric(
            "items",
            MetricKind::Histogram,
            MetricValue::Values(times(17, 3.0)),
        ),
    ]
}

/// A run in which all is well.
pub(crate) fn progress() -> Progress {
    Progress {
        elapsed: Duration::from_secs(12),
        planned_end: Some(Duration::from_secs(60)),
        stage: None,
        state: State::Running,
        users: 10,
        target_users: Some(10),
        starts_per_second: 500.0,
        planned_starts_per_second: None,
        stage_end: None,
        warming_up: false,
        now: Speed {
            per_second: 998.0,
            failed_per_second: 0.0,
            p50: Some(Duration::from_micros(1200)),
            p95: Some(Duration::from_micros(3400)),
            p99: Some(Duration::from_millis(8)),
            max: Some(Duration::from_millis(12)),
        },
        overall: Speed {
            per_second: 1002.4,
            failed_per_second: 0.0,
            p50: Some(Duration::from_micros(1100)),
            p95: Some(Duration::from_micros(3100)),
            p99: Some(Duration::from_micros(7_900)),
            max: Some(Duration::from_millis(31)),
        },
        names: Vec::new(),
        workers_busy: Some(0.43),
        loop_lag_p99: Some(Duration::from_micros(1_070)),
        start_delay_p99: None,
        waiting_for_room: 0.0,
        errors: 0,
        errors_last_second: 0,
        dropped: 0,
        starved: Vec::new(),
        thresholds: vec![ThresholdNow {
            expression: "http.p99 < 250ms".into(),
            value: Some(0.0079),
            passing: true,
            broke_at: None,
        }],
    }
}

/// As many as a large shop has, two of them failing.
pub(crate) fn many_names() -> Vec<NameNow> {
    let failing = ["POST /checkout", "POST /login"].map(|text| name(text, 12, 1950, 1210));
    let others = (0..200).map(|number| name(&format!("GET /catalogue/{number}"), 0, 20, 30));
    failing.into_iter().chain(others).collect()
}

fn name(name: &str, failed: u64, now: u64, overall: u64) -> NameNow {
    NameNow {
        name: name.into(),
        per_second: 332.0,
        failed,
        p95_now: Some(Duration::from_millis(now)),
        p95: Some(Duration::from_millis(overall)),
    }
}

/// A run in which much is not.
pub(crate) fn progress_in_trouble() -> Progress {
    let threshold = |expression: &str, value, passing| ThresholdNow {
        expression: expression.into(),
        value,
        passing,
        broke_at: (!passing && value.is_some()).then_some(Duration::from_secs(38)),
    };
    Progress {
        elapsed: Duration::from_secs(41),
        stage: Some("peak".into()),
        users: 1840,
        target_users: Some(2000),
        starts_per_second: 480.0,
        planned_starts_per_second: Some(500.0),
        stage_end: Some(Duration::from_secs(50)),
        now: Speed {
            failed_per_second: 57.0,
            p99: Some(Duration::from_millis(1950)),
            max: Some(Duration::from_millis(2010)),
            ..progress().now
        },
        names: vec![
            name("POST /login", 1234, 1950, 1210),
            name("GET /item/:id", 0, 240, 310),
            name("GET /basket", 0, 3, 4),
        ],
        workers_busy: Some(0.93),
        loop_lag_p99: Some(Duration::from_millis(34)),
        errors: 1234,
        errors_last_second: 57,
        start_delay_p99: Some(Duration::from_millis(940)),
        waiting_for_room: 12.0,
        dropped: 3,
        starved: vec!["sign_in".into(), "browse".into()],
        thresholds: vec![
            threshold("http{name=\"GET /basket\"}.p99.9 < 1s", None, false),
            threshold(
                "http.p99 < 250ms over 10s abort after 30s",
                Some(1.95),
                false,
            ),
            threshold("errors.rate < 5%", Some(0.0121), true),
        ],
        ..progress()
    }
}
