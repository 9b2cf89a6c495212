//! Events of runners elsewhere, written by collectors: each once, or told to be missing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tests::{
    nats::Nats,
    nginx::Nginx,
    running::{Ended, Running, program},
};

use crate::over_nats::crew::{Controller, Told, runner, runner_with};

const VISITS: &str = env!("CARGO_BIN_EXE_visits");

/// A collector that writes into this directory, with more arguments, and takes from the stream.
fn collector(nats: &Nats, into: &Path, arguments: &[&str]) -> Running {
    let (url, into) = (nats.url(), into.to_str().unwrap());
    let first = ["collector", "--nats", &url, "--collect", into];
    let mut collector = Running::start(&mut program(VISITS, &[&first, arguments].concat()));
    collector.wait_for("collecting from the stream mite-events");
    collector
}

/// A run of so long, a hundred visits a second, with collectors there.
fn steady(nats: &Nats, nginx: &Nginx, runners: usize, seconds: u32) -> Controller {
    let duration = format!("{seconds}s");
    let arguments = ["--duration", &duration, "--wait-for-collectors", "1"];
    Controller::start(nats, nginx, "steady_visits", runners, &arguments)
}

/// The files in a directory, all of which have to be finished.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let ending = file.extension().unwrap();
        assert!(ending == "msgpack" || ending == "jsonl", "{file:?}");
    }
    files
}

/// All records in the files of a directory.
fn records(directory: &Path) -> Vec<Value> {
    let files = files(directory);
    let (binary, text): (Vec<_>, Vec<_>) = (files.iter())
        .map(|file| file.to_str().unwrap())
        .partition(|file| file.ends_with(".msgpack"));
    let mut lines: String = (text.iter())
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    if !binary.is_empty() {
        let shown = Running::start(&mut program(VISITS, &[&["cat"], &binary[..]].concat())).end();
        assert_eq!(shown.code, Some(0), "{shown}");
        lines.push_str(&shown.stdout);
    }
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn by_type(records: &[Value]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for record in records {
        *counts.entry(record["type"].as_str().unwrap()).or_default() += 1;
    }
    counts
}

fn sum(records: &[Value], kind: &str, field: &str) -> u64 {
    let of_kind = records.iter().filter(|record| record["type"] == kind);
    of_kind.map(|record| record[field].as_u64().unwrap()).sum()
}

/// Every journey and every request stands there, and once.
#[track_caller]
fn assert_each_once(records: &[Value], visits: u64) {
    let counts = by_type(records);
    assert_eq!(counts.get("http"), Some(&visits), "{counts:?}");
    assert_eq!(counts.get("journey"), Some(&visits), "{counts:?}");
    assert_eq!(sum(records, "block", "events"), 2 * visits);
    let mut ends: Vec<_> = (records.iter())
        .filter(|record| record["type"] == "journey")
        .map(|record| record["context_id"].as_str().unwrap())
        .collect();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len() as u64, visits);
}

#[track_caller]
fn assert_collected(told: &Told, events: u64, missing: u64) {
    let collected = &told.report["collected"];
    assert_eq!(collected["stream"], "mite-events", "{collected}");
    assert_eq!(
        (collected["events"].as_u64(), collected["missing"].as_u64()),
        (Some(events), Some(missing)),
        "{}",
        told.ended
    );
}

/// It took place, on a machine that may have made it late.
#[track_caller]
fn took_place(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
}

#[test]
fn collectors_share_the_events_of_all_runners_and_have_each_once() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let arguments = [
        "--once",
        "--collect-format",
        "jsonl",
        "--collect-roll-size",
        "20KiB",
    ];
    let collectors = [&one, &other].map(|into| collector(&nats, into.path(), &arguments));
    let runners = [runner(&nats.url()), runner(&nats.url())];
    let controller = Controller::start(
        &nats,
        &nginx,
        "steady_visits",
        2,
        &["--duration", "3s", "--wait-for-collectors", "2"],
    );
    let told = controller.end();
    took_place(&told.ended);
    assert_eq!((told.requests(), nginx.finish().len()), (300, 300));
    assert_collected(&told, 600, 0);
    assert!(
        told.ended.stdout.contains("by way of mite-events"),
        "{}",
        told.ended
    );
    for part in runners.into_iter().chain(collectors) {
        let ended = part.end();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
    let shares = [records(one.path()), records(other.path())];
    for share in &shares {
        assert!(!share.is_empty(), "one has written everything");
    }
    assert!(files(one.path()).len() + files(other.path()).len() > 4);
    let all = shares.concat();
    assert_each_once(&all, 300);
    for runner in [0, 1] {
        assert!(all.iter().any(|record| record["runner_id"] == runner));
    }
    assert!(
        all.iter()
            .all(|record| record["test"] == "visits::steady_visits")
    );
}

#[test]
fn a_collector_that_stands_still_changes_no_load_and_loses_nothing() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let into = TempDir::new().unwrap();
    let collector = collector(&nats, into.path(), &["--once"]);
    let runner = runner(&nats.url());
    let mut controller = steady(&nats, &nginx, 1, 5);
    controller.wait_for_second(1);
    collector.signal("STOP");
    let told = controller.end();
    took_place(&told.ended);
    assert_eq!((told.requests(), nginx.finish().len()), (500, 500));
    assert!(
        told.starts()
            .iter()
            .all(|starts| (99..=101).contains(starts))
    );
    assert_collected(&told, 1000, 0);
    assert_eq!(runner.end().code, Some(0));
    collector.signal("CONT");
    let ended = collector.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended
            .stderr
            .contains("visits::steady_visits: 1,000 events in 1 file"),
        "{ended}"
    );
    assert_each_once(&records(into.path()), 500);
}

#[test]
fn what_a_killed_collector_had_written_is_not_written_again_by_the_next() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let into = TempDir::new().unwrap();
    let runner = runner(&nats.url());
    let mut first = collector(&nats, into.path(), &[]);
    let mut controller = steady(&nats, &nginx, 1, 5);
    controller.wait_for_second(2);
    first.wait_for("collecting");
    first.signal("KILL");
    drop(first);
    let second = collector(&nats, into.path(), &["--once"]);
    let told = controller.end();
    took_place(&told.ended);
    assert_collected(&told, 1000, 0);
    assert_eq!((told.requests(), nginx.finish().len()), (500, 500));
    assert_eq!(runner.end().code, Some(0));
    let ended = second.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended
            .stderr
            .contains("was left by a collector that was killed"),
        "{ended}"
    );
    assert_each_once(&records(into.path()), 500);
}

#[test]
fn what_finds_no_room_is_told_by_records_report_and_exit_code_exactly() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let into = TempDir::new().unwrap();
    let small = [
        "--once",
        "--stream-size",
        "100KiB",
        "--runner-buffer",
        "100KiB",
    ];
    let collector = collector(&nats, into.path(), &small);
    let runner = runner(&nats.url());
    let mut controller = steady(&nats, &nginx, 1, 7);
    controller.wait_for_second(1);
    collector.signal("STOP");
    controller.wait_for_second(5);
    collector.signal("CONT");
    let told = controller.end();
    assert_eq!(told.ended.code, Some(2), "{}", told.ended);
    assert_eq!((told.requests(), nginx.finish().len()), (700, 700));
    let missing = told.report["collected"]["missing"].as_u64().unwrap();
    assert!(missing > 0, "{}", told.ended);
    assert_collected(&told, 1400 - missing, missing);
    let suspicions = told.report["generator"]["suspicions"].to_string();
    assert!(suspicions.contains("collect_gap") && suspicions.contains("--stream-size"));
    assert_eq!(runner.end().code, Some(0));
    let ended = collector.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended
            .stderr
            .contains("of this run never were in the stream"),
        "{ended}"
    );
    let records = records(into.path());
    assert_eq!(sum(&records, "gap", "events"), missing);
    let counts = by_type(&records);
    assert_eq!(counts["http"] + counts["journey"], 1400 - missing);
}

#[test]
fn a_collector_that_is_told_to_end_leaves_finished_files_and_the_rest_to_the_next() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let into = TempDir::new().unwrap();
    let first = collector(&nats, into.path(), &[]);
    let runner = runner(&nats.url());
    let mut controller = steady(&nats, &nginx, 1, 4);
    controller.wait_for_second(2);
    first.signal("TERM");
    let ended = first.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(ended.stderr.contains("visits::steady_visits: "), "{ended}");
    assert!(by_type(&records(into.path())).contains_key("journey"));
    let told = controller.end();
    assert_collected(&told, 800, 0);
    assert_eq!(runner.end().code, Some(0));
    // Nobody says any more that the run is over; that there is no controller says it.
    let mut second = collector(&nats, into.path(), &[]);
    second.wait_for("visits::steady_visits: ");
    second.signal("INT");
    assert_eq!(second.end().code, Some(130));
    assert_each_once(&records(into.path()), 400);
}

#[test]
fn a_runner_that_is_killed_leaves_what_it_had_sent() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let into = TempDir::new().unwrap();
    let collector = collector(&nats, into.path(), &["--once"]);
    let [kept, killed] = [(); 2].map(|()| Running::start(&mut runner_with(&nats.url(), &[])));
    let mut controller = steady(&nats, &nginx, 2, 6);
    controller.wait_for_second(3);
    killed.signal("KILL");
    let told = controller.end();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    drop(killed);
    assert_eq!(kept.end().code, Some(0));
    assert_eq!(collector.end().code, Some(0));
    let visits = nginx.finish().len();
    let records = records(into.path());
    let written = by_type(&records)["http"];
    // What it had in hand, a second or two of its half of a hundred, is gone with it.
    assert!(
        written <= visits && written + 150 >= visits,
        "{written} of {visits}"
    );
    for runner in [0, 1] {
        assert!(records.iter().any(|record| record["runner_id"] == runner));
    }
}

#[test]
fn what_cannot_be_collected_is_refused_with_what_would_be_right() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let into = TempDir::new().unwrap();
    let (url, path) = (nats.url(), into.path().to_str().unwrap());
    let first = ["collector", "--nats", &url, "--collect", path];
    let without = Running::start(&mut program(VISITS, &first)).end();
    without.refused(&[
        "has no JetStream",
        "nats-server -js -sd DIRECTORY",
        "jetstream {",
    ]);

    for (option, command) in [("--collect", "collector"), ("--record", "recorder")] {
        let arguments = [option, path];
        let controller = Controller::start(&nats, &nginx, "steady_visits", 1, &arguments);
        let ended = controller.end_if_begun().err().unwrap();
        ended.refused(&[option, command, "--nats"]);
    }

    let nats = Nats::keeping();
    let url = nats.url();
    let nowhere = ["collector", "--nats", &url, "--collect", "/proc/nowhere"];
    let ended = Running::start(&mut program(VISITS, &nowhere)).end();
    ended.refused(&["cannot write collected events to /proc/nowhere"]);

    let _one = collector(&nats, into.path(), &[]);
    let _other = collector(&nats, into.path(), &["--collect-format", "jsonl"]);
    let controller = steady(&nats, &nginx, 1, 2);
    let ended = controller.end_if_begun().err().unwrap();
    ended.refused(&["msgpack", "jsonl", "--collect-format"]);
}

#[test]
fn a_nats_server_that_is_killed_and_comes_back_costs_no_event() {
    let (mut nats, nginx) = (Nats::keeping(), Nginx::start());
    let into = TempDir::new().unwrap();
    let collector = collector(&nats, into.path(), &["--once"]);
    let runner = runner(&nats.url());
    let mut controller = steady(&nats, &nginx, 1, 6);
    controller.wait_for_second(2);
    nats.kill_for(Duration::from_secs(1));
    let told = controller.end();
    took_place(&told.ended);
    assert_eq!((told.requests(), nginx.finish().len()), (600, 600));
    assert_collected(&told, 1200, 0);
    assert_eq!(runner.end().code, Some(0));
    assert_eq!(collector.end().code, Some(0));
    assert_each_once(&records(into.path()), 600);
}
