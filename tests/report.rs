//! The report the quickstart writes, against the contract: every key, of the right type, and sums
//! that agree.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::process::{Command, Output};

use serde_json::{Value, json};

/// What each key holds: the name of a type, several with `|`; a list describes its items. `times`
/// is a distribution.
fn contract() -> Value {
    json!({
        "schema": "integer", "scenario": "string", "started": "string",
        "duration_seconds": "number", "verdict": "string", "reasons": ["string"],
        "thresholds": [{"expression": "string", "value": "number|null", "passed": "boolean"}],
        "journeys": [{
            "journey": "string", "started": "integer", "completed": "integer", "failed": "integer",
            "dropped": "integer", "interrupted": "integer", "service_time": "times",
            "response_time": "times", "start_delay": "times",
        }],
        "transactions": [{
            "journey": "string", "transaction": "string", "count": "integer", "errors": "integer",
            "time": "times",
        }],
        "http": http_contract(),
        "metrics": [{"name": "string", "kind": "string", "labels": "object"}],
        "errors": [{
            "kind": "string", "journey": "string", "transaction": "string", "location": "string",
            "message": "string", "count": "integer",
        }],
        "generator": {
            "runners": "integer", "workers": "integer", "loop_lag": "times",
            "cpu_seconds": "number", "peak_rss_bytes": "integer", "saturated": "boolean",
        },
        "series": {
            "interval_seconds": "integer",
            "points": [{
                "at": "number", "stage": "string|null", "users": "integer",
                "planned_starts": "integer", "starts": "integer", "requests": "integer",
                "errors": "integer", "dropped": "integer", "http": "object",
            }],
        },
    })
}

/// The part of it on requests and connections.
fn http_contract() -> Value {
    json!({
        "requests": "integer", "failed": "integer", "bytes_sent": "integer",
        "bytes_received": "integer", "encoded_body_bytes": "integer",
        "decoded_body_bytes": "integer", "time": "times", "failed_time": "times",
        "phases": {
            "waiting": "times", "dns": "times", "connect": "times", "tls": "times",
            "sent": "times", "first_byte": "times", "body": "times",
        },
        "errors": "object", "versions": "object",
        "connections": {
            "opened": "integer", "reused": "integer", "failed": "integer",
            "tls_handshakes": "integer", "tls_resumed": "integer", "fallbacks": "integer",
        },
        "requests_by": [{
            "journey": "string", "transaction": "string", "name": "string",
            "method": "string", "status": "integer|null", "count": "integer",
            "time": "times", "failed_time": "times", "waiting": "times", "dns": "times",
            "connect": "times", "tls": "times", "sent": "times", "first_byte": "times",
            "body": "times", "encoded_body_bytes": "integer",
            "decoded_body_bytes": "integer",
        }],
    })
}

const TIMES: [&str; 11] = [
    "min", "mean", "stddev", "p50", "p75", "p90", "p95", "p99", "p99_9", "p99_99", "max",
];

fn check(value: &Value, wanted: &Value, place: &str) {
    match wanted {
        Value::Object(keys) => {
            for (key, wanted) in keys {
                let found = value
                    .get(key)
                    .unwrap_or_else(|| panic!("{place} has no {key}"));
                check(found, wanted, &format!("{place}.{key}"));
            }
        }
        Value::Array(items) => {
            let list = value
                .as_array()
                .unwrap_or_else(|| panic!("{place} is no list"));
            for (index, item) in list.iter().enumerate() {
                check(item, &items[0], &format!("{place}[{index}]"));
            }
        }
        Value::String(kinds) if kinds == "times" => check_times(value, place),
        kinds => {
            let mut kinds = kinds.as_str().unwrap().split('|');
            assert!(kinds.any(|kind| is(value, kind)), "{place} is {value}");
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("no such type: {other}"),
    }
}

fn check_times(times: &Value, place: &str) {
    if count(times) == 0 {
        assert_eq!(*times, json!({"count": 0}), "{place}");
        return;
    }
    assert_eq!(
        times.as_object().unwrap().len(),
        1 + TIMES.len(),
        "{place}: {times}"
    );
    let seconds = |key: &str| {
        times[key]
            .as_f64()
            .unwrap_or_else(|| panic!("{place}: no {key}"))
    };
    for key in TIMES {
        assert!(
            (0.0..60.0).contains(&seconds(key)),
            "{place}.{key}: {times}"
        );
    }
    let rising = [
        "min", "p50", "p75", "p90", "p95", "p99", "p99_9", "p99_99", "max",
    ]
    .map(seconds);
    assert!(rising.is_sorted(), "{place}: {times}");
}

fn count(times: &Value) -> u64 {
    times["count"].as_u64().unwrap()
}

fn sum(rows: &Value, key: &str) -> u64 {
    let rows = rows.as_array().unwrap();
    rows.iter().map(|row| row[key].as_u64().unwrap()).sum()
}

fn quickstart(arguments: &[&str]) -> (Output, Value) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.json");
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .args(["scenario", "test", "quickstart", "--report"])
        .arg(&path)
        .args(arguments)
        .output()
        .unwrap();
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("no report ({error}): {output:?}"));
    (output, serde_json::from_str(&text).unwrap())
}

#[test]
fn the_report_of_the_quickstart_agrees_with_the_contract() {
    let (output, report) = quickstart(&["--duration", "3s", "--seed", "7"]);
    check(&report, &contract(), "report");

    assert_eq!(report["schema"], 1);
    assert_eq!(report["scenario"], "quickstart::quickstart");
    let duration = report["duration_seconds"].as_f64().unwrap();
    assert!((3.0..10.0).contains(&duration), "{duration}");
    let started = report["started"].as_str().unwrap();
    assert!(started.ends_with('Z') && started.len() == "2026-11-22T20:00:00Z".len());
    // Too busy a machine makes it invalid, and the exit code says so.
    let codes = [("passed", 0), ("failed", 1), ("invalid", 3)];
    let verdict = report["verdict"].as_str().unwrap();
    let (_, code) = codes.iter().find(|(name, _)| *name == verdict).unwrap();
    assert_eq!(output.status.code(), Some(*code), "{output:?}");
    assert_eq!(report["thresholds"].as_array().unwrap().len(), 2);
    assert_eq!(report["errors"], json!([]));

    let journey = |name: &str| -> &Value {
        let mut rows = report["journeys"].as_array().unwrap().iter();
        rows.find(|row| row["journey"] == name).unwrap()
    };
    let hello = journey("quickstart::hello");
    assert_eq!(
        hello["start_delay"],
        json!({"count": 0}),
        "users have no start delay"
    );
    assert!(hello["completed"].as_u64().unwrap() >= 30, "{hello}");
    let browse = journey("quickstart::browse");
    // The ramp gains 40 starts a second each second, so three seconds are 180 of them.
    let begun = browse["started"].as_u64().unwrap() + browse["dropped"].as_u64().unwrap();
    assert_eq!(begun, 180, "{browse}");
    assert_eq!(count(&browse["start_delay"]), browse["started"]);
}

#[test]
fn the_numbers_of_a_report_agree_with_each_other() {
    let (_, report) = quickstart(&["--duration", "2s", "--workers", "3"]);
    for row in report["journeys"].as_array().unwrap() {
        let of = |key: &str| row[key].as_u64().unwrap();
        assert_eq!(
            of("started"),
            of("completed") + of("failed") + of("interrupted"),
            "{row}"
        );
        for key in ["service_time", "response_time"] {
            assert_eq!(count(&row[key]), of("completed"), "{row}");
        }
    }
    let http = &report["http"];
    let requests = http["requests"].as_u64().unwrap();
    assert_eq!(requests, sum(&http["requests_by"], "count"));
    assert_eq!(requests, sum(&http["requests_by_name"], "count"));
    assert_eq!(requests, count(&http["time"]) + count(&http["failed_time"]));
    assert_eq!(
        requests,
        sum(&report["transactions"], "count") - sum_of_hello(&report)
    );
    let connections = &http["connections"];
    let carried = connections["opened"].as_u64().unwrap() + connections["reused"].as_u64().unwrap();
    assert_eq!(
        requests, carried,
        "each request opened a connection or reused one"
    );

    let points = &report["series"]["points"];
    assert_eq!(requests, sum(points, "requests"));
    assert_eq!(sum(&report["journeys"], "started"), sum(points, "starts"));
    assert_eq!(sum(&report["journeys"], "failed"), sum(points, "errors"));
    assert_eq!(
        sum(points, "planned_starts"),
        80,
        "two seconds of a ramp by 40 a second"
    );
    for (index, point) in (1_u32..).zip(points.as_array().unwrap()) {
        assert_eq!(
            point["at"].as_f64(),
            Some(f64::from(index)),
            "the end of its second"
        );
        assert_eq!(
            point["stage"],
            if index <= 2 {
                json!("ramp")
            } else {
                Value::Null
            }
        );
    }
    let names: Vec<_> = http["requests_by_name"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert!(names.is_sorted_by_key(|row| std::cmp::Reverse(row["count"].as_u64())));
}

#[test]
fn the_phases_of_requests_add_up_to_their_time() {
    let (_, report) = quickstart(&["--duration", "2s", "--workers", "2"]);
    let http = &report["http"];
    let rows = http["requests_by"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert_adds_up(row, total(&row["time"]), &row["count"]);
    }
    let all = total(&http["time"]) + total(&http["failed_time"]);
    assert_adds_up(&http["phases"], all, &http["requests"]);

    for phase in PHASES {
        let in_rows: u64 = rows.iter().map(|row| count(&row[phase])).sum();
        assert_eq!(count(&http["phases"][phase]), in_rows, "{phase}");
    }
    assert_eq!(
        json!(count(&http["phases"]["connect"])),
        http["connections"]["opened"]
    );
    assert_eq!(http["connections"]["tls_handshakes"], 0);
    assert_eq!(http["errors"], json!({}));
    assert_eq!(http["versions"], json!({"HTTP/1.1": http["requests"]}));
    for bytes in ["encoded_body_bytes", "decoded_body_bytes"] {
        let bytes = (
            sum(&http["requests_by"], bytes),
            http[bytes].as_u64().unwrap(),
        );
        assert_eq!(bytes.0, bytes.1);
        assert!(bytes.0 > 0 && bytes.0 < http["bytes_received"].as_u64().unwrap());
    }
}

const PHASES: [&str; 7] = [
    "waiting",
    "dns",
    "connect",
    "tls",
    "sent",
    "first_byte",
    "body",
];

/// Phases explain `seconds` to a microsecond a request.
fn assert_adds_up(phases: &Value, seconds: f64, requests: &Value) {
    let explained: f64 = PHASES.iter().map(|phase| total(&phases[phase])).sum();
    let allowed = requests.as_f64().unwrap() * 1e-6;
    assert!(
        (explained - seconds).abs() <= allowed,
        "{explained} of {seconds} seconds: {phases}"
    );
}

/// The seconds of all samples together.
fn total(times: &Value) -> f64 {
    match count(times) {
        0 => 0.0,
        count => count as f64 * times["mean"].as_f64().unwrap(),
    }
}

/// The transactions that make no request.
fn sum_of_hello(report: &Value) -> u64 {
    let rows = report["transactions"].as_array().unwrap().iter();
    rows.filter(|row| row["journey"] == "quickstart::hello")
        .map(|row| row["count"].as_u64().unwrap())
        .sum()
}
