//! Data that journeys of runners elsewhere record: one run makes it, the next uses it.

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    nats::Nats,
    running::{Ended, PATIENCE, Running, program},
};

const TWO_STEPS: &str = env!("CARGO_BIN_EXE_two_steps");

fn two_steps(arguments: &[&str]) -> Running {
    Running::start(&mut program(TWO_STEPS, arguments))
}

fn recorder(nats: &Nats, into: &Path, arguments: &[&str]) -> Running {
    let (url, into) = (nats.url(), into.to_str().unwrap());
    let first = ["recorder", "--nats", &url, "--record", into];
    let mut recorder = two_steps(&[&first, arguments].concat());
    recorder.wait_for("recording from the stream mite-recorded");
    recorder
}

fn runner(nats: &Nats) -> Running {
    two_steps(&["runner", "--once", "--workers", "1", "--nats", &nats.url()])
}

/// A run of this scenario on two runners, and its report.
fn run(nats: &Nats, scenario: &str, arguments: &[&str]) -> (Ended, Value) {
    let directory = TempDir::new().unwrap();
    let report = directory.path().join("report.json");
    let (url, path) = (nats.url(), report.to_str().unwrap());
    let first = [
        "controller",
        scenario,
        "--nats",
        &url,
        "--wait-for-runners",
        "2",
    ];
    let second = ["--report", path];
    let runners = [runner(nats), runner(nats)];
    let ended = two_steps(&[&first[..], &second, arguments].concat()).end();
    for runner in runners {
        let told = runner.end();
        assert_eq!(told.code, Some(0), "{told}");
    }
    let text = fs::read(&report).unwrap_or_else(|_| panic!("no report: {ended}"));
    (ended, serde_json::from_slice(&text).unwrap())
}

/// The names of the customers in a file, in order of name.
fn customers(file: &Path) -> Vec<String> {
    let shown = two_steps(&["cat", file.to_str().unwrap()]).end();
    assert_eq!(shown.code, Some(0), "{shown}");
    let lines = shown.stdout.lines();
    let mut names: Vec<_> = lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|customer| customer["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Waits until so many customers are in a file.
fn wait_for_customers(number: u64, file: &Path) {
    let began = Instant::now();
    while (customers(file).len() as u64) < number {
        assert!(began.elapsed() < PATIENCE, "{:?}", customers(file));
        sleep(Duration::from_millis(100));
    }
}

/// Waits until something has been said so often.
fn wait_for_the(times: usize, running: &Running, text: &str) {
    let began = Instant::now();
    while running.so_far().matches(text).count() < times {
        assert!(began.elapsed() < PATIENCE, "{}", running.so_far());
        sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn took_place(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
}

#[test]
fn what_runners_record_in_one_run_the_next_one_uses() {
    let (nats, directory) = (Nats::keeping(), TempDir::new().unwrap());
    let recorder = recorder(&nats, directory.path(), &[]);
    let file = directory.path().join("customers.msgpack");
    // The second time, the purge deletes what the first has recorded.
    for turn in 1..=2 {
        let (ended, report) = run(&nats, "create", &[]);
        took_place(&ended);
        let told = json!([{"name": "customers", "items": 100, "missing": 0}]);
        assert_eq!(report["recorded"], told, "{ended}");
        wait_for_the(turn, &recorder, "customers.msgpack: 100 items recorded");
        let mut names = customers(&file);
        assert_eq!(names.len(), 100);
        names.dedup();
        assert_eq!(names.len(), 100);
    }
    let config = format!("customers={}", file.display());
    let (ended, report) = run(&nats, "sign_in", &["--config", &config]);
    took_place(&ended);
    assert_eq!(report["journeys"][0]["completed"], 200, "{ended}");
    recorder.signal("TERM");
    assert_eq!(recorder.end().code, Some(130));
}

#[test]
fn a_recorder_that_is_killed_loses_nothing_and_writes_nothing_twice() {
    let (nats, directory) = (Nats::keeping(), TempDir::new().unwrap());
    let first = recorder(&nats, directory.path(), &[]);
    let url = nats.url();
    let controller = [
        "controller",
        "create",
        "--nats",
        &url,
        "--wait-for-runners",
        "2",
    ];
    let runners = [runner(&nats), runner(&nats)];
    let mut controller = two_steps(&controller);
    controller.wait_for_second(1);
    first.signal("KILL");
    drop(first);
    let ended = controller.end();
    took_place(&ended);
    assert!(ended.stdout.contains("100 items of customers"), "{ended}");
    drop(runners);
    let file = directory.path().join("customers.msgpack");
    let mut second = recorder(&nats, directory.path(), &[]);
    second.wait_for("customers.msgpack: ");
    wait_for_customers(100, &file);
    second.signal("INT");
    assert_eq!(second.end().code, Some(130));
    let mut names = customers(&file);
    let all = names.len();
    names.dedup();
    assert_eq!((all, names.len()), (100, 100));
}

#[test]
fn what_nobody_records_and_a_second_recorder_are_refused() {
    let (nats, directory) = (Nats::keeping(), TempDir::new().unwrap());
    let (ended, report) = run(&nats, "create", &["--duration", "3s"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let errors = report["errors"].to_string();
    assert!(errors.contains("there was no recorder"), "{errors}");
    assert_eq!(report["recorded"], Value::Null);

    let (one, other) = (directory.path().join("one"), directory.path().join("other"));
    let recorder = recorder(&nats, &one, &[]);
    let url = nats.url();
    let second = [
        "recorder",
        "--nats",
        &url,
        "--record",
        other.to_str().unwrap(),
    ];
    let ended = two_steps(&second).end();
    ended.refused(&["there is a recorder already", "\"mite\"", "--nats-prefix"]);
    let path = one.to_str().unwrap();
    let elsewhere = [
        "recorder",
        "--nats",
        &url,
        "--nats-prefix",
        "other",
        "--record",
        path,
    ];
    let ended = two_steps(&elsewhere).end();
    ended.refused(&["another recorder records into", path]);
    drop(recorder);
}

#[test]
fn what_finds_no_room_is_refused_and_the_rest_is_there() {
    let (nats, directory) = (Nats::keeping(), TempDir::new().unwrap());
    let small = ["--stream-size", "1KiB", "--runner-buffer", "200"];
    let recorder = recorder(&nats, directory.path(), &small);
    let url = nats.url();
    let report = directory.path().join("report.json");
    let controller = [
        "controller",
        "create",
        "--nats",
        &url,
        "--wait-for-runners",
        "2",
        "--report",
        report.to_str().unwrap(),
    ];
    let runners = [runner(&nats), runner(&nats)];
    let mut controller = two_steps(&controller);
    // What is recorded is recorded from two to four.
    controller.wait_for_second(0);
    recorder.signal("STOP");
    controller.wait_for_second(4);
    recorder.signal("CONT");
    let ended = controller.end();
    drop(runners);
    let report: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    let errors = report["errors"].to_string();
    assert!(errors.contains("wait to be sent already"), "{errors}");
    let items = report["recorded"][0]["items"].as_u64().unwrap();
    let missing = report["recorded"][0]["missing"].as_u64().unwrap();
    let failed = report["journeys"][1]["failed"].as_u64().unwrap();
    assert_eq!((items + missing + failed, missing), (100, 0), "{ended}");
    assert!((1..100).contains(&items), "{ended}");
    wait_for_customers(items, &directory.path().join("customers.msgpack"));
    recorder.signal("INT");
    assert_eq!(recorder.end().code, Some(130));
    let names = customers(&directory.path().join("customers.msgpack"));
    assert_eq!(names.len() as u64, items);
}
