//! Events that are collected, data that is recorded, and both as text.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tests::running::{Ended, Running, program};

use crate::{
    program::{clumsy, command, command_after},
    server::Server,
};

/// Makes sure that a run took place and broke nowhere. That a busy machine made it late, and so
/// invalid, is nothing to these tests.
#[track_caller]
fn took_place(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
}

/// The files of a directory, in order of name.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn cat(files: &[PathBuf]) -> Ended {
    let paths = files.iter().map(|path| path.to_str().unwrap());
    clumsy(&["cat"].into_iter().chain(paths).collect::<Vec<_>>())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The records of the files, all of which have to be whole.
fn records(files: &[PathBuf]) -> Vec<Value> {
    let shown = cat(files);
    assert_eq!(shown.code, Some(0), "{shown}");
    lines(&shown.stdout)
}

fn of_type<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|one| one["type"] == kind).collect()
}

fn by_type(records: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        *counts
            .entry(record["type"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    counts
}

#[test]
fn collected_events_are_those_that_server_and_report_counted() {
    for format in ["msgpack", "jsonl"] {
        let directory = tempfile::tempdir().unwrap();
        let events = directory.path().join("events");
        let report = directory.path().join("run.json");
        let server = Server::start();
        let base_url = format!("base_url={}", server.url);
        let ended = clumsy(&[
            "journey",
            "test",
            "visit",
            "--rate",
            "40",
            "--duration",
            "3s",
            "--workers",
            "2",
            "--config",
            &base_url,
            "--report",
            report.to_str().unwrap(),
            "--collect",
            events.to_str().unwrap(),
            "--collect-format",
            format,
            "--collect-roll-size",
            "40KiB",
        ]);
        took_place(&ended);
        assert!(ended.stdout.contains("Collected"), "{ended}");
        assert_eq!(server.requests(), 120);
        let files = files(&events);
        assert!(files.len() > 1, "{files:?}");
        let records: Vec<Value> = if format == "msgpack" {
            records(&files)
        } else {
            files
                .iter()
                .flat_map(|file| lines(&fs::read_to_string(file).unwrap()))
                .collect()
        };
        let wanted = ["http", "journey", "transaction"].map(|kind| (kind.to_owned(), 120));
        assert_eq!(by_type(&records), wanted.into());
        let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        let sizes = files.iter().map(|file| fs::metadata(file).unwrap().len());
        assert_eq!(
            report["collected"],
            json!({
                "directory": events, "events": 360, "missing": 0, "files": files.len(),
                "bytes": sizes.sum::<u64>(),
            })
        );
        for request in of_type(&records, "http") {
            assert_eq!(request["status"], 200);
            assert_eq!(request["transaction"], "front page");
            let journeys = of_type(&records, "journey");
            let of_its_own = journeys
                .iter()
                .filter(|one| one["context_id"] == request["context_id"]);
            assert_eq!(of_its_own.count(), 1, "{request}");
            let (began, ended) = (request["start_time"].as_f64(), request["time"].as_f64());
            assert!(began < ended && began > Some(1.6e9), "{request}");
        }
    }
}

#[test]
fn a_run_that_is_killed_leaves_files_that_can_be_read_to_the_last_record() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let mut running = Running::start(&mut command(&[
        "journey",
        "test",
        "idle",
        "--rate",
        "300",
        "--duration",
        "60s",
        "--collect",
        path,
        "--collect-roll-size",
        "150kB",
    ]));
    running.wait_for("\n5.0s  ");
    running.signal("KILL");
    assert_eq!(running.end().code, None);
    let files = files(directory.path());
    let (parts, whole): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.extension().is_some_and(|ending| ending == "part"));
    assert_eq!(parts.len(), 1, "{parts:?}");
    let records = records(&whole);
    assert!(records.len() > 1000, "{}", records.len());
    let shown = cat(&parts);
    assert!(matches!(shown.code, Some(0 | 1)), "{shown}");
    let rest = lines(&shown.stdout);
    let transactions = [records, rest].concat();
    let counts = by_type(&transactions);
    // A second may still have been with the workers.
    assert!((1000..=2400).contains(&counts["transaction"]), "{counts:?}");

    // A file that ends in mid-record, whatever the moment of the kill was.
    let cut = directory.path().join("cut.msgpack");
    let bytes = fs::read(&whole[0]).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 3]).unwrap();
    let shown = cat(&[cut]);
    assert_eq!(shown.code, Some(1), "{shown}");
    let count = lines(&shown.stdout).len();
    assert_eq!(count + 1, records_of(&bytes));
    let note = format!("all of the {count} before it");
    assert!(
        shown.stderr.contains("cut off") && shown.stderr.contains(&note),
        "{shown}"
    );
}

fn records_of(bytes: &[u8]) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bytes");
    fs::write(&file, bytes).unwrap();
    records(&[file]).len()
}

#[test]
fn a_disk_that_is_full_changes_no_load_and_leaves_no_silent_gap() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events");
    let report = directory.path().join("run.json");
    // Files may have 32 KiB, which is less than a worker passes on in one piece.
    let first = "trap '' XFSZ\nulimit -f 64";
    let ended = Running::start(&mut command_after(
        first,
        &["sh"],
        &[
            "journey",
            "test",
            "idle",
            "--rate",
            "300",
            "--duration",
            "4s",
            "--workers",
            "1",
            "--report",
            report.to_str().unwrap(),
            "--collect",
            events.to_str().unwrap(),
        ],
    ))
    .end();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(
        ended
            .stderr
            .contains("cannot write a file with collected events"),
        "{ended}"
    );
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(
        report["journeys"][0]["completed"], 1200,
        "the load is the same"
    );
    let files = files(&events);
    assert!(
        files
            .iter()
            .all(|file| file.extension().unwrap() == "msgpack"),
        "{files:?}"
    );
    let records = records(&files);
    let gaps = of_type(&records, "gap");
    let missing: u64 = gaps.iter().map(|gap| gap["events"].as_u64().unwrap()).sum();
    let there = (records.len() - gaps.len()) as u64;
    assert!(missing > 500, "{missing}");
    assert_eq!(there + missing, 2400, "a journey and a transaction each");
    assert_eq!(report["collected"]["events"], there);
    assert_eq!(report["collected"]["missing"], missing);
    let held = &report["generator"]["suspicions"];
    let gap = held
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "collect_gap");
    let message = gap.unwrap()["message"].as_str().unwrap();
    assert!(
        ended.stderr.lines().last().unwrap().contains(message),
        "{ended}"
    );
}

#[test]
fn what_is_looked_at_is_collected_too() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start();
    let base_url = format!("base_url={}", server.url);
    let ended = clumsy(&[
        "journey",
        "test",
        "visit",
        "--rate",
        "5",
        "--duration",
        "1s",
        "--debugging",
        "--config",
        &base_url,
        "--collect",
        directory.path().to_str().unwrap(),
    ]);
    took_place(&ended);
    assert_eq!(ended.stdout.matches("curl").count(), 5, "{ended}");
    let records = records(&files(directory.path()));
    assert_eq!(of_type(&records, "http").len(), 5);
}

#[test]
fn secrets_are_in_no_record() {
    for (journey, shown) in [
        ("secrets", "\"type\":\"http\""),
        ("blab", "*** was refused"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start();
        let base_url = format!("base_url={}", server.url);
        let ended = clumsy(&[
            "journey",
            "test",
            journey,
            "--rate",
            "5",
            "--duration",
            "1s",
            "--threshold",
            "errors.rate <= 100%",
            "--config",
            &base_url,
            "--collect",
            directory.path().to_str().unwrap(),
            "--collect-format",
            "jsonl",
        ]);
        took_place(&ended);
        let text: String = files(directory.path())
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        assert!(text.contains(shown), "{text}");
        for secret in ["s3cr3t", "hunter2"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn what_cannot_be_collected_or_recorded_is_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let [file, fresh] = ["file", "fresh"].map(|name| directory.path().join(name));
    fs::write(&file, "").unwrap();
    let (file, new) = (file.to_str().unwrap(), fresh.to_str().unwrap());
    for option in ["--collect", "--record"] {
        clumsy(&["scenario", "test", "well", option, file]).refused(&[file, "a directory"]);
    }
    clumsy(&["scenario", "test", "well", "--collect-format", "jsonl"])
        .refused(&["--collect <DIR>"]);
    let size = ["--collect", new, "--collect-roll-size", "0"];
    clumsy(&[&["scenario", "test", "well"][..], &size].concat()).refused(&["64MiB"]);
    let elsewhere = ["--nats", "nats://127.0.0.1:1", "--collect", new];
    clumsy(&[&["controller", "well"][..], &elsewhere].concat())
        .refused(&["the runners of this test are elsewhere"]);
    assert!(!fresh.exists());
}

const TWO_STEPS: &str = env!("CARGO_BIN_EXE_two_steps");

fn two_steps(arguments: &[&str]) -> Ended {
    Running::start(&mut program(TWO_STEPS, arguments)).end()
}

#[test]
fn what_one_run_records_the_next_one_uses() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let record = path.to_str().unwrap();
    let customers = path.join("customers.msgpack");
    let report = directory.path().join("run.json");
    let config = format!("customers={}", customers.display());
    let second = ["scenario", "test", "sign_in", "--config", &config];
    two_steps(&second).refused(&["customers.msgpack cannot be opened"]);

    // The second time, the purge deletes what the first has recorded.
    for _ in 0..2 {
        let ended = two_steps(&[
            "scenario",
            "test",
            "create",
            "--record",
            record,
            "--report",
            report.to_str().unwrap(),
        ]);
        took_place(&ended);
        assert!(ended.stdout.contains("100 items of customers"), "{ended}");
        let report: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
        let told = json!([{"name": "customers", "items": 100, "missing": 0}]);
        assert_eq!(report["recorded"], told);
        let mut names: Vec<_> = records(std::slice::from_ref(&customers))
            .iter()
            .map(|customer| customer["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names.len(), 100);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 100);
    }
    let ended = two_steps(&second);
    took_place(&ended);
    let one = [
        "journey",
        "run",
        "visit_account",
        "--datapool",
        "customers",
        "--config",
        &config,
    ];
    let ended = two_steps(&one);
    assert_eq!(ended.code, Some(0), "{ended}");
}

#[test]
fn recording_needs_a_place_and_a_name() {
    let ended = clumsy(&["journey", "run", "records"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("--record DIR"), "{ended}");
    assert!(ended.stdout.contains("clumsy/journeys.rs:"), "{ended}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let run = ["journey", "run", "records", "--record", path];
    let ended = clumsy(&[&run[..], &["--config", "record_as=../things"]].concat());
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("cannot be the name"), "{ended}");
    assert!(files(directory.path()).is_empty());
    let ended = clumsy(&run);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(
        ended.stdout.contains("recorded 1 item of things"),
        "{ended}"
    );
    assert_eq!(records(&files(directory.path())).len(), 1);
}

#[test]
fn what_is_recorded_and_finds_no_room_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let report = directory.path().join("run.json");
    let first = "trap '' XFSZ\nulimit -f 64";
    let ended = Running::start(&mut command_after(
        first,
        &["sh"],
        &[
            "journey",
            "test",
            "records",
            "--rate",
            "40",
            "--duration",
            "3s",
            "--config",
            "filling=1000",
            "--threshold",
            "errors.rate <= 100%",
            "--report",
            report.to_str().unwrap(),
            "--record",
            data.to_str().unwrap(),
        ],
    ))
    .end();
    assert_eq!(ended.code, Some(2), "{ended}");
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.contains("cannot record into"), "{ended}");
    assert!(
        last.contains("items that journeys recorded as things"),
        "{ended}"
    );
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let recorded = &report["recorded"][0];
    let (items, missing) = (&recorded["items"], &recorded["missing"]);
    let sum = items.as_u64().unwrap() + missing.as_u64().unwrap();
    let journeys = &report["journeys"][0];
    assert_eq!(
        journeys["completed"], sum,
        "what a journey thinks is recorded is counted"
    );
    assert!(
        missing.as_u64() > Some(0) && journeys["failed"].as_u64() > Some(50),
        "{journeys}"
    );
    assert_eq!(records(&files(&data)).len() as u64, items.as_u64().unwrap());
}

/// Runs a command with this standard input; gives its exit code and what came out.
fn piped(arguments: &[&str], input: &[u8]) -> (Option<i32>, Vec<u8>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_clumsy"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), output.stdout, told)
}

#[test]
fn text_becomes_records_and_records_become_text() {
    let text = "{\"z\":1,\"a\":[true,null,-3,0.5,\"x\"]}\n{\"$binary\":\"AP8=\"}\n7\n";
    let (code, packed, told) = piped(&["uncat", "-"], text.as_bytes());
    assert_eq!((code, told.as_str()), (Some(0), ""));
    assert_eq!(&packed[..3], b"\x82\xa1z");
    let (code, shown, _) = piped(&["cat", "-"], &packed);
    assert_eq!((code, shown), (Some(0), text.as_bytes().to_vec()));

    let (code, shown, told) = piped(&["cat", "-"], b"\x01\xc1\x02");
    assert_eq!((code, &shown[..]), (Some(2), &b"1\n"[..]));
    assert!(
        told.contains("the standard input: it is not MessagePack at byte 1"),
        "{told}"
    );
    let (code, packed, told) = piped(&["uncat", "-"], b"1\n{]\n");
    assert_eq!((code, &packed[..]), (Some(2), &b"\x01"[..]));
    assert!(
        told.contains("the standard input: line 2, column 2"),
        "{told}"
    );
    let (code, _, told) = piped(&["cat", "-"], b"{\"a\":1}\n");
    assert_eq!(code, Some(2));
    assert!(told.contains("needs no cat"), "{told}");
}

#[test]
fn a_file_that_cannot_be_shown_costs_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let [good, missing] = ["good", "missing"].map(|name| directory.path().join(name));
    fs::write(&good, b"\x01").unwrap();
    let shown = cat(&[missing, directory.path().to_owned(), good]);
    assert_eq!((shown.code, shown.stdout.as_str()), (Some(2), "1\n"));
    assert!(
        shown.stderr.contains("missing: cannot read it: "),
        "{shown}"
    );
    assert!(shown.stderr.contains("it is a directory"), "{shown}");
    clumsy(&["cat"]).refused(&["<FILE>"]);
}
