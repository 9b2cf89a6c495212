//! The report as JSON, compared with what is promised: key by key, and with the published schema.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use super::{CollectSummary, RecordSummary, Report, TraceSummary, Verdict, fixture};

fn times(count: u64, median: f64) -> Value {
    json!({
        "count": count, "min": median / 2.0, "mean": median * 1.25, "stddev": median / 4.0,
        "p50": median, "p75": median * 1.5, "p90": median * 2.0, "p95": median * 2.5,
        "p99": median * 4.0, "p99_9": median * 6.0, "p99_99": median * 7.0, "max": median * 8.0,
    })
}

fn series_times(median: f64) -> Value {
    json!({"p50": median, "p95": median * 2.5, "p99": median * 4.0, "max": median * 8.0})
}

/// Everything a report may hold.
fn full() -> Report {
    let mut report = fixture::full();
    let mut broken = fixture::threshold("http.max < 30ms", Some(0.032), false);
    broken.broke_at = Some(12.0);
    report.thresholds.push(broken);
    report.traces = Some(TraceSummary {
        sampled: 600,
        exported: 598,
        dropped: 2,
        spans: 4186,
    });
    report.collected = Some(CollectSummary {
        directory: Some("events".to_owned()),
        stream: Some("mite-events".to_owned()),
        events: 9_000,
        missing: 12,
        files: Some(2),
        bytes: 2_700_000,
    });
    report.recorded = vec![RecordSummary {
        name: "users".to_owned(),
        items: 100,
        missing: 1,
    }];
    report
}

fn json_of(report: &Report) -> Value {
    serde_json::to_value(report).unwrap()
}

#[test]
fn every_key_of_a_full_report_is_the_promised_one() {
    let report = json_of(&full());
    let promised = [
        ("/schema", json!(1)),
        ("/scenario", json!("shop::evening")),
        ("/started", json!("2026-11-22T20:00:00Z")),
        ("/duration_seconds", json!(60.0)),
        ("/verdict", json!("passed")),
        ("/reasons", json!([])),
        (
            "/thresholds/0",
            json!({"expression": "http.p99 < 250ms", "value": 0.016, "passed": true}),
        ),
        (
            "/journeys/0",
            json!({
                "journey": "shop::sign_in", "entry": 0, "started": 30_000, "completed": 29_990,
                "failed": 8, "dropped": 1, "interrupted": 2,
                "service_time": times(29_990, 0.008), "response_time": times(29_990, 0.0085),
                "start_delay": times(30_000, 0.000_08),
                "distribution": [{"from": 0.0084, "until": 0.0088, "count": 29_990}],
                "waits": {"worker": 0.5, "room": 1.25, "data": 0.25}, "unmet": 0.0,
            }),
        ),
        (
            "/response_times",
            json!([
                {"response_time": times(200, 0.006)},
                {"journey": "shop::browse", "response_time": times(150, 0.005)},
            ]),
        ),
        (
            "/transactions/1",
            json!({
                "journey": "shop::sign_in", "transaction": "basket", "count": 29_998, "errors": 8,
                "time": times(29_990, 0.004),
            }),
        ),
        (
            "/metrics/1",
            json!({"name": "queue", "kind": "gauge", "labels": {"shop": "north"}, "value": 0.5}),
        ),
        (
            "/metrics/2",
            json!({"name": "payment", "kind": "histogram", "labels": {"shop": "north"},
                   "latency": times(17, 0.2)}),
        ),
        (
            "/metrics/3",
            json!({"name": "items", "kind": "histogram", "labels": {"shop": "north"},
                   "values": times(17, 3.0)}),
        ),
        (
            "/errors/0",
            json!({
                "kind": "error", "journey": "shop::sign_in", "transaction": "basket",
                "location": "src/main.rs:12", "message": "a new user's basket is not empty",
                "count": 8,
            }),
        ),
        (
            "/generator",
            json!({
                "runners": 1, "workers": 2, "max_in_flight": 100_000, "loop_lag": times(120_000, 0.000_05),
                "cpu_seconds": 41.5, "peak_rss_bytes": 48_000_000, "saturated": false,
                "busiest_worker_cpu": 0.43, "machine_cpu": 0.5, "steal_seconds": 0.5,
                "throttled": 0.25, "memory_left_bytes": 2_000_000_000, "open_files": 80,
                "open_files_limit": 1024, "tcp_sockets": 60, "local_ports": 28_232,
                "retransmitted": 0.000_25,
                "own_errors": {"descriptors": 3, "ports": 2, "memory": 1},
                "suspicions": [{
                    "name": "throttling", "value": 0.25, "limit": 0.01, "invalid": false,
                    "cause": "generator",
                    "message": "The CPU limit of the container stopped the generator in 25 % of \
                                its periods.",
                }],
                "starved": ["shop::sign_in"],
                "notes": ["The limit of open files is 1,024."],
                "takeovers": [{"at_seconds": 12.3, "gap_seconds": 4.5}],
                "by_runner": [{
                    "host": "load-2", "workers": 2, "weight": 3, "joined_seconds": 0.5,
                    "left_seconds": 42.0, "lost": true, "cpu_seconds": 31.5, "peak_rss_bytes": 48_000_000,
                    "machine_cpu": 0.4, "steal_seconds": 0.5,
                    "clock_error_seconds": 0.000_25, "clock_drift_seconds": 0.002,
                }],
            }),
        ),
        (
            "/stages/0",
            json!({
                "name": "ramp", "from": 5.0, "until": 15.0, "seconds": 10.0, "users": 1.5,
                "planned_starts": 101, "starts": 100, "errors": 2, "dropped": 1,
                "journeys": [{
                    "journey": "shop::browse", "started": 100, "completed": 98, "failed": 2,
                    "dropped": 1, "interrupted": 0, "service_time": times(98, 0.004),
                    "response_time": times(98, 0.004), "start_delay": times(100, 0.000_08),
                    "waits": {"worker": 0.0, "room": 0.0, "data": 0.0}, "unmet": 0.0,
                }],
                "http": {
                    "requests": 200, "failed": 1, "time": times(199, 0.004),
                    "failed_time": times(1, 0.5),
                },
            }),
        ),
        (
            "/findings/0",
            json!({
                "journey": "shop::browse", "entry": 1, "kind": "capacity", "unit": "per_second",
                "criterion": "http.p99 < 250ms, errors.rate < 1%", "conclusion": "found",
                "found": 842.0, "low": 842.0, "high": 870.0,
                "doubts": ["at 870/s 12 starts were dropped"],
                "steps": [{
                    "at": 30.0, "measured_seconds": 10.0, "volume": 870.0, "throughput": 845.5,
                    "error_rate": 0.001, "p50": 0.125, "p95": 0.25, "p99": 0.261, "good": false,
                    "why": "p99 261ms, not below 250ms",
                }],
            }),
        ),
        ("/findings/1/measured", json!(0.0104)),
        ("/volume_changes/0", json!({"at": 40.5, "factor": 1.1})),
        (
            "/traces",
            json!({"sampled": 600, "exported": 598, "dropped": 2, "spans": 4186}),
        ),
        (
            "/collected",
            json!({"directory": "events", "stream": "mite-events", "events": 9_000,
                   "missing": 12, "files": 2, "bytes": 2_700_000}),
        ),
        (
            "/recorded",
            json!([{"name": "users", "items": 100, "missing": 1}]),
        ),
        (
            "/series",
            json!({
                "interval_seconds": 1, "warm_up_seconds": 5.0, "points": [{
                    "at": 12.0, "stage": "peak", "users": 10, "target_users": 10,
                    "planned_starts": 500, "starts": 499, "requests": 998, "failed_requests": 2,
                    "errors": 1, "dropped": 1,
                    "http": series_times(0.004), "response_time": series_times(0.0085),
                    "service_time": series_times(0.008),
                }],
            }),
        ),
        (
            "/thresholds/2",
            json!({"expression": "http.max < 30ms", "value": 0.032, "passed": false,
                   "broke_at": 12.0}),
        ),
        (
            "/batches",
            json!({
                "seconds": 2, "rows": [{
                    "kind": "request", "journey": "shop::sign_in", "transaction": "basket",
                    "name": "GET /basket", "method": "GET", "count": [10, 0], "errors": [1, 0],
                    "mean": [0.005, null], "p50": [0.004, null], "p95": [0.01, null],
                    "p99": [0.016, null],
                }],
            }),
        ),
        (
            "/webhook",
            json!({"url": "https://***@hooks.test/mite?***", "id": "17"}),
        ),
        ("/config", json!({"base_url": "https://shop.test"})),
        ("/seed", json!(4711)),
    ];
    for (pointer, value) in &promised {
        assert_eq!(report.pointer(pointer), Some(value), "{pointer}");
    }
    let keys: BTreeSet<_> = report.as_object().unwrap().keys().cloned().collect();
    let tops = promised
        .iter()
        .filter_map(|(pointer, _)| pointer.split('/').nth(1))
        .chain(["http"])
        .map(str::to_owned)
        .collect();
    assert_eq!(keys, tops, "the keys at the top");
}

#[test]
fn every_key_of_the_http_part_is_the_promised_one() {
    let report = json_of(&full());
    let promised = json!({
        "requests": 118_998, "failed": 6, "bytes_sent": 12_900_000, "bytes_received": 245_000_000,
        "encoded_body_bytes": 61_000_000, "decoded_body_bytes": 240_000_000,
        "time": times(118_992, 0.004), "failed_time": times(6, 0.5),
        "distribution": [
            {"from": 0.0039, "until": 0.0041, "count": 100_000},
            {"from": 0.016, "until": 0.0161, "count": 18_992},
        ],
        "failed_distribution": [{"from": 0.49, "until": 0.51, "count": 6}],
        "phases": {
            "waiting": times(40, 0.05), "dns": times(12, 0.000_3), "connect": times(12, 0.000_2),
            "tls": times(12, 0.002), "sent": times(118_998, 0.000_02),
            "first_byte": times(118_997, 0.003_5), "body": times(118_997, 0.000_4),
        },
        "errors": {"connect": 3, "timeout": 1},
        "versions": {"HTTP/1.1": 18_998, "HTTP/2.0": 100_000},
        "connections": {
            "opened": 12, "reused": 118_986, "failed": 3, "tls_handshakes": 12, "tls_resumed": 9,
            "fallbacks": 4,
        },
        "requests_by": [{
            "journey": "shop::sign_in", "transaction": "basket", "name": "GET /basket",
            "method": "GET", "status": 200, "count": 89_000, "time": times(89_000, 0.004),
            "failed_time": times(2, 0.008), "waiting": times(40, 0.05),
            "dns": times(12, 0.000_3), "connect": times(12, 0.000_2), "tls": times(12, 0.002),
            "sent": times(89_000, 0.000_02), "first_byte": times(89_000, 0.003_5),
            "body": times(89_000, 0.000_4), "encoded_body_bytes": 45_000_000,
            "decoded_body_bytes": 180_000_000,
        }],
        "requests_by_name": [
            {"name": "GET /basket", "method": "GET", "count": 89_006,
             "failures": {"500": 5, "timeout": 1}, "time": times(89_006, 0.004),
             "failed_time": times(6, 0.5)},
            {"name": "POST /login", "method": "POST", "count": 29_992, "failures": {},
             "time": times(29_992, 0.008), "failed_time": {"count": 0}},
        ],
    });
    assert_eq!(report["http"], promised);
}

#[test]
fn what_is_empty_has_the_promised_shape() {
    let none = json!({"count": 0});
    assert_eq!(
        json_of(&fixture::empty()),
        json!({
            "schema": 1, "scenario": "shop::evening", "started": "2026-11-22T20:00:00Z",
            "duration_seconds": 60.0, "verdict": "passed", "reasons": [], "thresholds": [],
            "journeys": [], "transactions": [],
            "http": {
                "requests": 0, "failed": 0, "bytes_sent": 0, "bytes_received": 0,
                "encoded_body_bytes": 0, "decoded_body_bytes": 0, "time": none,
                "failed_time": none,
                "phases": {
                    "waiting": none, "dns": none, "connect": none, "tls": none, "sent": none,
                    "first_byte": none, "body": none,
                },
                "errors": {}, "versions": {},
                "connections": {
                    "opened": 0, "reused": 0, "failed": 0, "tls_handshakes": 0, "tls_resumed": 0,
                    "fallbacks": 0,
                },
                "requests_by": [], "requests_by_name": [],
            },
            "metrics": [], "errors": [],
            "generator": {
                "runners": 1, "workers": 2, "max_in_flight": 0, "loop_lag": none,
                "cpu_seconds": 0.0, "peak_rss_bytes": 0, "saturated": false, "steal_seconds": 0.0,
                "own_errors": {"descriptors": 0, "ports": 0, "memory": 0}, "suspicions": [],
                "starved": [], "notes": [],
            },
            "stages": [],
            "series": {"interval_seconds": 1, "warm_up_seconds": 0.0, "points": []},
        })
    );
    let row = serde_json::to_value(super::RequestRow::default()).unwrap();
    assert_eq!(row["status"], Value::Null);
    let point = serde_json::to_value(super::SeriesPoint::default()).unwrap();
    assert_eq!(
        (&point["stage"], &point["http"]),
        (&Value::Null, &json!({}))
    );
    let journey = serde_json::to_value(super::JourneySummary::default()).unwrap();
    assert_eq!(journey.get("entry"), None);
}

#[test]
fn a_report_read_back_is_the_same() {
    for report in [full(), fixture::empty()] {
        assert_eq!(
            serde_json::from_str::<Report>(&report.to_json()).unwrap(),
            report
        );
    }
}

#[test]
fn a_report_without_our_additions_can_be_read() {
    let mut report = json_of(&full());
    for (pointer, key) in [
        ("", "config"),
        ("", "seed"),
        ("", "findings"),
        ("", "volume_changes"),
        ("", "traces"),
        ("", "collected"),
        ("", "recorded"),
        ("", "batches"),
        ("", "webhook"),
        ("/thresholds/2", "broke_at"),
        ("/http", "requests_by_name"),
        ("/http", "phases"),
        ("/http", "errors"),
        ("/http", "versions"),
        ("/http", "encoded_body_bytes"),
        ("/http", "decoded_body_bytes"),
        ("/http/connections", "failed"),
        ("/http/connections", "tls_handshakes"),
        ("/http/connections", "tls_resumed"),
        ("/http/connections", "fallbacks"),
        ("/http/requests_by/0", "failed_time"),
        ("/http/requests_by/0", "waiting"),
        ("/http/requests_by/0", "sent"),
        ("/http/requests_by/0", "body"),
        ("/http/requests_by/0", "encoded_body_bytes"),
        ("/http/requests_by/0", "decoded_body_bytes"),
        ("", "stages"),
        ("/journeys/0", "waits"),
        ("/generator", "max_in_flight"),
        ("/http", "distribution"),
        ("/http", "failed_distribution"),
        ("/journeys/0", "distribution"),
        ("/series/points/0", "target_users"),
        ("/series/points/0", "failed_requests"),
        ("/series/points/0", "response_time"),
        ("/series/points/0", "service_time"),
        ("/generator", "starved"),
        ("/generator", "own_errors"),
        ("/generator/suspicions/0", "cause"),
        ("/generator", "suspicions"),
        ("", "response_times"),
        ("/series", "warm_up_seconds"),
    ] {
        let object = report.pointer_mut(pointer).and_then(Value::as_object_mut);
        object.unwrap().remove(key).unwrap();
    }
    assert!(serde_json::from_value::<Report>(report).is_ok());
}

#[test]
fn the_published_schema_allows_what_is_written_and_knows_nothing_else() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/report.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut check = Check {
        root: &schema,
        seen: BTreeSet::new(),
        faults: Vec::new(),
    };
    let full = json_of(&full());
    check.value(&full, &schema, "");
    check.value(&json_of(&fixture::empty()), &schema, "");
    assert_eq!(check.faults, [""; 0]);

    let mut declared = BTreeSet::new();
    properties(&schema, &mut declared);
    let never_written: Vec<_> = declared.difference(&check.seen).collect();
    assert_eq!(never_written, [""; 0], "the schema has keys no report has");

    for (pointer, key) in [
        ("", "verdicts"),
        ("/http", "request"),
        ("/series/points/0", "time"),
    ] {
        let mut wrong = full.clone();
        wrong.pointer_mut(pointer).unwrap()[key] = json!(1);
        check.faults.clear();
        check.value(&wrong, &schema, "");
        assert_eq!(check.faults.len(), 1, "{key} is let through");
    }
    for verdict in [
        Verdict::Running,
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Invalid,
        Verdict::Interrupted,
    ] {
        let verdicts = schema["properties"]["verdict"]["enum"].as_array().unwrap();
        assert!(verdicts.contains(&json!(verdict)), "{verdict}");
    }
}

/// As much of JSON Schema as the published one uses.
struct Check<'a> {
    root: &'a Value,
    seen: BTreeSet<String>,
    faults: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, value: &Value, schema: &Value, place: &str) {
        if let Some(target) = schema["$ref"].as_str() {
            let root = self.root;
            let target = root.pointer(target.trim_start_matches('#')).unwrap();
            return self.value(value, target, place);
        }
        if !is_of_type(value, &schema["type"]) {
            self.faults
                .push(format!("{place}: {value} is no {}", schema["type"]));
        }
        let allowed = schema["enum"].as_array();
        if allowed.is_some_and(|allowed| !allowed.contains(value)) {
            self.faults
                .push(format!("{place}: {value} is not one of those"));
        }
        if let Value::Object(object) = value {
            for (key, value) in object {
                let place = format!("{place}/{key}");
                match (&schema["properties"][key], &schema["additionalProperties"]) {
                    (Value::Null, Value::Bool(false)) => self.faults.push(place),
                    (Value::Null, others) => self.value(value, others, &place),
                    (known, _) => {
                        self.seen.insert(key.clone());
                        self.value(value, known, &place);
                    }
                }
            }
            for key in schema["required"].as_array().into_iter().flatten() {
                if object.get(key.as_str().unwrap()).is_none() {
                    self.faults.push(format!("{place}: no {key}"));
                }
            }
        }
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            self.value(value, &schema["items"], &format!("{place}/{index}"));
        }
    }
}

fn is_of_type(value: &Value, types: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the check does not know the type {other}"),
    };
    match types {
        Value::Array(types) => types.iter().any(is),
        one => is(one),
    }
}

fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(own)) = object.get("properties") {
                found.extend(own.keys().cloned());
            }
            object.values().for_each(|part| properties(part, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| properties(part, found)),
        _ => {}
    }
}
