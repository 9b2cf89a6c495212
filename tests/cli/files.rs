//! The files a run leaves, in every format, and what becomes of them when something breaks.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::{
    program::{Running, clumsy, command, command_after},
    server::Server,
};

/// The cells of a table without odd names, by column.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let head: Vec<_> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells: Vec<_> = line.split(',').collect();
        assert_eq!(cells.len(), head.len(), "{line}");
        let pairs = head.iter().zip(cells);
        pairs
            .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
            .collect()
    };
    lines.map(row).collect()
}

fn sum(rows: &[BTreeMap<String, String>], kind: &str, column: &str) -> u64 {
    let of_kind = rows.iter().filter(|row| row["kind"] == kind);
    of_kind
        .map(|row| row[column].parse::<u64>().unwrap_or(0))
        .sum()
}

#[test]
fn one_run_is_told_alike_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start();
    let base_url = format!("base_url={}", server.url);
    let endings = ["json", "md", "xml", "csv", "hlog", "hgrm"];
    let paths = endings.map(|ending| directory.path().join(format!("run.{ending}")));
    let mut arguments = vec![
        "journey",
        "test",
        "visit",
        "--rate",
        "20",
        "--duration",
        "3s",
    ];
    arguments.extend(["--config", &base_url, "--threshold", "http.p99 < 1ns"]);
    for path in &paths {
        arguments.extend(["--report", path.to_str().unwrap()]);
    }
    let ended = clumsy(&arguments);
    assert_eq!(ended.code, Some(1), "the threshold cannot hold: {ended}");
    let [json, markdown, junit, csv, hlog, hgrm] = paths;

    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(server.requests(), 60);
    assert_eq!(report["http"]["requests"], 60);
    assert!(
        report["thresholds"][0]["broke_at"].as_f64() >= Some(1.0),
        "{report}"
    );
    let batches = &report["batches"]["rows"];
    let http = batches
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "http")
        .unwrap();
    let counts = http["count"].as_array().unwrap();
    assert_eq!(counts.iter().filter_map(Value::as_u64).sum::<u64>(), 60);

    let rows = table(&csv);
    for kind in ["run", "http", "journey", "transaction", "request"] {
        assert_eq!(
            (sum(&rows, kind, "count"), sum(&rows, kind, "errors")),
            (60, 0),
            "{kind}"
        );
    }
    assert_eq!(sum(&rows, "run", "starts"), 60);
    assert_eq!(sum(&rows, "run", "planned_starts"), 60);
    let points = report["series"]["points"].as_array().unwrap();
    let runs: Vec<_> = rows.iter().filter(|row| row["kind"] == "http").collect();
    for row in runs {
        let at: f64 = row["time"].parse().unwrap();
        let point = points
            .iter()
            .find(|point| point["at"].as_f64() == Some(at))
            .unwrap();
        assert_eq!(point["requests"].to_string(), row["count"]);
        for percentile in ["p50", "p95", "p99", "max"] {
            let time: f64 = row[percentile].parse().unwrap();
            assert_eq!(
                point["http"][percentile].as_f64(),
                Some(time),
                "{percentile}"
            );
        }
    }

    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(markdown.starts_with("## ❌ "), "{markdown}");
    assert!(markdown.contains("| Requests | 60 | "), "{markdown}");
    assert!(markdown.contains("| ❌ | `http.p99 < 1ns` |"), "{markdown}");
    let junit = fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("tests=\"2\" failures=\"2\" errors=\"0\""),
        "{junit}"
    );
    assert!(
        junit.contains("<testcase name=\"http.p99 &lt; 1ns\""),
        "{junit}"
    );
    let hlog = fs::read_to_string(hlog).unwrap();
    assert!(
        hlog.contains("#[Histogram log format version 1.3]"),
        "{hlog}"
    );
    assert!(hlog.contains("Tag=request:GET%20/,"), "{hlog}");
    let hgrm = fs::read_to_string(hgrm).unwrap();
    assert!(hgrm.contains("Total count    =           60]"), "{hgrm}");
}

#[test]
fn a_run_can_be_followed_in_its_csv_while_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.csv");
    let report = ["--report", path.to_str().unwrap()];
    let mut arguments = vec!["journey", "test", "nap", "--rate", "5", "--duration", "60s"];
    arguments.extend(report);
    let mut running = Running::start(&mut command(&arguments));
    running.wait_for("\n5.0s  ");
    let so_far = table(&path);
    assert!(sum(&so_far, "run", "starts") >= 10, "{so_far:?}");
    running.signal("KILL");
    let ended = running.end();
    assert_eq!(ended.code, None, "{ended}");
    assert!(
        table(&path).len() >= so_far.len(),
        "what was written stays there"
    );
}

#[test]
fn a_disk_that_is_full_is_told_at_once_and_costs_neither_run_nor_other_reports() {
    let directory = tempfile::tempdir().unwrap();
    let [csv, json] = ["run.csv", "run.json"].map(|name| directory.path().join(name));
    // Files may have a block of 512 bytes: the head of the table, and not much more. What is larger
    // and written at the end has a way of its own, so it goes where no limit is.
    let first = "trap '' XFSZ\nulimit -f 1";
    let arguments = [
        "journey",
        "test",
        "idle",
        "--rate",
        "20",
        "--duration",
        "4s",
        "--report",
    ];
    let arguments = [&arguments[..], &[csv.to_str().unwrap()]].concat();
    let ended = Running::start(&mut command_after(first, &["sh"], &arguments)).end();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stdout.contains("✓ passed"), "{ended}");
    assert!(ended.stdout.contains("80"), "{ended}");
    let told = "run.csv any more, ";
    assert!(ended.stderr.contains(told), "{ended}");
    let last = ended.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: cannot write the report"),
        "{ended}"
    );
    assert!(
        ended.stderr.matches(told).count() >= 2,
        "at once, and at the end: {ended}"
    );
    assert!(fs::metadata(&csv).unwrap().len() <= 512);

    fs::create_dir(directory.path().join("gone")).unwrap();
    let gone = directory.path().join("gone/run.md");
    let mut running = Running::start(&mut command(&[
        "scenario",
        "test",
        "well",
        "--report",
        gone.to_str().unwrap(),
        "--report",
        json.to_str().unwrap(),
    ]));
    running.wait_for("clumsy::scenarios::well");
    fs::remove_dir(directory.path().join("gone")).unwrap();
    assert_eq!(running.end().code, Some(2));
    assert!(json.exists(), "the other report is written");
}

#[test]
fn paths_that_cannot_be_right_are_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.csv");
    let path = path.to_str().unwrap();
    let twice = clumsy(&[
        "scenario", "test", "well", "--report", path, "--report", path,
    ]);
    twice.refused(&["two reports", path]);
    for (wrong, words) in [
        ("run.cvs", "it ends in .cvs"),
        ("run", ".json, .html, .md, .xml, .csv, .hlog, .hgrm"),
        ("nowhere/run.csv", "create it first"),
        ("/proc/run.csv", "a directory you may write to"),
    ] {
        clumsy(&["scenario", "test", "well", "--report", wrong]).refused(&[words]);
    }
    assert!(!Path::new(path).exists(), "nothing is left");
}

#[test]
fn an_older_table_is_kept_when_the_run_does_not_begin() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.csv");
    fs::write(&path, "yesterday").unwrap();
    let path_text = path.to_str().unwrap();
    let ended = clumsy(&["scenario", "test", "refuses", "--report", path_text]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "yesterday");
}

#[test]
fn a_threshold_that_breaks_says_when() {
    let ended = clumsy(&[
        "journey",
        "test",
        "idle",
        "--rate",
        "20",
        "--duration",
        "3s",
        "--threshold",
        "journey.count < 30",
    ]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("60, broke at 2.0s"), "{ended}");
    assert!(
        ended.stdout.contains("does not hold (it broke at 2.0s)"),
        "{ended}"
    );
}
