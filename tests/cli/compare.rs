//! `compare` as a tired person types it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde_json::{Value, json};

use crate::program::{Ended, Running, clumsy, command};

/// The report of a short run.
fn short() -> Value {
    static REPORT: OnceLock<Value> = OnceLock::new();
    let make = || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("short.json");
        let ended = clumsy(&[
            "scenario",
            "test",
            "well",
            "--report",
            path.to_str().unwrap(),
        ]);
        assert_eq!(ended.code, Some(0), "{ended}");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    REPORT.get_or_init(make).clone()
}

/// What it would have been after a minute, with response times of so many seconds, a little noisy.
fn minute(level: f64, seed: u64) -> Value {
    let mut report = short();
    let mut state = seed;
    let mut noise = || {
        // Numerical Recipes' generator; its high bits are random enough for a test.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let times: Vec<f64> = (0..60).map(|_| level * (1.0 + 0.1 * noise())).collect();
    let mean = times.iter().sum::<f64>() / 60.0;
    report["duration_seconds"] = json!(60.0);
    for row in report["batches"]["rows"].as_array_mut().unwrap() {
        row["count"] = json!(vec![20; 60]);
        row["errors"] = json!(vec![0; 60]);
        for percentile in ["mean", "p50", "p95", "p99"] {
            row[percentile] = json!(times);
        }
    }
    report["journeys"][0]["completed"] = json!(1200);
    for percentile in ["mean", "p50", "p95", "p99"] {
        report["journeys"][0]["response_time"][percentile] = json!(mean);
        report["transactions"][0]["time"][percentile] = json!(mean);
    }
    report
}

struct Reports {
    directory: tempfile::TempDir,
}

impl Reports {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, report: &Value) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, report.to_string()).unwrap();
        path
    }
}

fn compare(before: &Path, after: &Path, options: &[&str]) -> Ended {
    let paths = [before, after].map(|path| path.to_str().unwrap());
    clumsy(&[&["compare"], &paths[..], options].concat())
}

#[test]
fn what_got_slower_is_told_and_fails_a_build_when_it_may_not() {
    let reports = Reports::new();
    let before = reports.write("before.json", &minute(0.010, 1));
    let after = reports.write("after.json", &minute(0.012, 2));
    let told = compare(&before, &after, &[]);
    assert_eq!(told.code, Some(0), "nothing was forbidden: {told}");
    assert!(
        told.stdout.contains("✗ idle p99") || told.stdout.contains("idle p99"),
        "{told}"
    );
    assert!(told.stdout.contains("12.0ms"), "{told}");
    assert!(
        told.stdout
            .contains("worse and 0 better beyond noise at 95 %"),
        "{told}"
    );
    for (limit, code, words) in [
        ("journey.p99 > +10%", 1, "beyond noise"),
        (
            "journey{journey=\"idle\"}.p99 > +10%",
            1,
            "✗ journey{journey=\"idle\"}",
        ),
        (
            "transaction{transaction=\"nothing\"}.p50 > +10%",
            1,
            "✗ transaction",
        ),
        ("journey.p99 > +40%", 0, "✓ journey.p99 > +40%"),
        ("journey.rate < -5%", 0, "within noise"),
    ] {
        let ended = compare(&before, &after, &["--fail-if", limit]);
        assert_eq!(ended.code, Some(code), "{limit}: {ended}");
        assert!(ended.stdout.contains(words), "{limit}: {ended}");
    }
    let both = [
        "--fail-if",
        "journey.p99 > +40%",
        "--fail-if",
        "journey.p50 > +5%",
    ];
    assert_eq!(
        compare(&before, &after, &both).code,
        Some(1),
        "one is enough"
    );
    let faster = compare(&after, &before, &["--fail-if", "journey.p99 > +0%"]);
    assert_eq!(faster.code, Some(0), "{faster}");
}

#[test]
fn a_disturbance_within_a_run_is_told_with_its_time_and_fails_a_build() {
    let reports = Reports::new();
    let before = reports.write("before.json", &minute(0.010, 1));
    let mut disturbed = minute(0.010, 2);
    for row in disturbed["batches"]["rows"].as_array_mut().unwrap() {
        for time in row["p99"].as_array_mut().unwrap().iter_mut().skip(36) {
            *time = json!(time.as_f64().unwrap() * 6.0);
        }
    }
    disturbed["journeys"][0]["response_time"]["p99"] = json!(0.060);
    let after = reports.write("after.json", &disturbed);
    let [markdown, json] = ["diff.md", "diff.json"].map(|name| reports.path(name));
    let ended = compare(
        &before,
        &after,
        &[
            "--fail-if",
            "journey.p99 > +100%",
            "--report",
            markdown.to_str().unwrap(),
            "--report",
            json.to_str().unwrap(),
        ],
    );
    assert_eq!(ended.code, Some(1), "{ended}");
    let told = "changed within the second run: ";
    assert!(ended.stdout.contains(told), "{ended}");
    assert!(ended.stdout.contains("from 36.0s on "), "{ended}");
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(
        markdown.contains("<br>changed within the second run"),
        "{markdown}"
    );
    let found: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let rows = found["differences"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["kind"] == "journey" && row["figure"] == "p99")
        .unwrap();
    assert_eq!(row["levels"][1]["from"], 36.0, "{row}");
    assert!(row["levels"][1]["change"].as_f64() > Some(4.0), "{row}");
    assert!(row["low"].as_f64() > Some(1.0), "{row}");
}

#[test]
fn two_runs_of_the_same_fail_no_build() {
    let reports = Reports::new();
    let before = reports.write("before.json", &minute(0.010, 3));
    let after = reports.write("after.json", &minute(0.010, 4));
    let ended = compare(&before, &after, &["--fail-if", "journey.p99 > +3%"]);
    assert_eq!(ended.code, Some(0), "{ended}");
}

#[test]
fn a_comparison_is_written_for_people_and_for_programs() {
    let reports = Reports::new();
    let before = reports.write("before.json", &minute(0.010, 1));
    let after = reports.write("after.json", &minute(0.012, 2));
    let [markdown, json] = ["diff.md", "diff.json"].map(|name| reports.path(name));
    let files = [
        "--report",
        markdown.to_str().unwrap(),
        "--report",
        json.to_str().unwrap(),
    ];
    let limit = ["--fail-if", "journey.p99 > +10%"];
    let ended = compare(&before, &after, &[&files[..], &limit].concat());
    assert_eq!(ended.code, Some(1), "{ended}");
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(
        markdown.starts_with("## ❌ clumsy::scenarios::well: compared\n"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| ❌ | `journey.p99 > +10%` |"),
        "{markdown}"
    );
    let found: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(found["limits"][0]["passed"], false);
    let rows = found["differences"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["kind"] == "journey" && row["figure"] == "p99")
        .unwrap();
    let [change, low, high] = ["change", "low", "high"].map(|key| row[key].as_f64().unwrap());
    assert!(
        low < change && change < high && low > 0.1 && high < 0.3,
        "{row}"
    );
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let reports = Reports::new();
    let good = reports.write("good.json", &minute(0.010, 1));
    let other = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut report = minute(0.010, 2);
        change(&mut report);
        reports.write(name, &report)
    };
    let without = other("older.json", &|report| {
        report.as_object_mut().unwrap().remove("batches");
    });
    let damaged = other("damaged.json", &|report| {
        report["batches"]["rows"][0]["p50"] = json!([]);
    });
    for (path, words) in [
        (reports.write("short.json", &short()), "at least 30 s"),
        (
            other("other.json", &|report| {
                report["scenario"] = json!("shop::evening");
            }),
            "shop::evening",
        ),
        (
            other("bad.json", &|report| report["verdict"] = json!("invalid")),
            "was invalid",
        ),
        (
            other("newer.json", &|report| report["schema"] = json!(2)),
            "version 2",
        ),
        (
            other("long.json", &|report| {
                report["duration_seconds"] = json!(600.0);
            }),
            "600 s",
        ),
        (without, "run it again"),
        (damaged, "differ in length"),
    ] {
        let name = path.file_name().unwrap().to_str().unwrap();
        compare(&good, &path, &[]).refused(&[name, words]);
    }
}

#[test]
fn files_that_are_no_reports_are_refused_by_name() {
    let reports = Reports::new();
    let good = reports.write("good.json", &minute(0.010, 1));
    let text = |name: &str, text: &[u8]| {
        let path = reports.path(name);
        fs::write(&path, text).unwrap();
        path
    };
    let mut cut = minute(0.010, 1).to_string();
    cut.truncate(cut.len() / 2);
    for (path, words) in [
        (reports.path("none.json"), "No such file"),
        (reports.path(""), "directory"),
        (text("empty.json", b""), "begins with a brace"),
        (text("run.csv", b"time,stage\r\n"), "begins with a brace"),
        (text("cut.json", cut.as_bytes()), "no JSON report"),
        (text("package.json", b"{\"name\": \"shop\"}"), "schema"),
        (text("bytes.json", b"\xff\xfe{"), "it is no text"),
        (text("list.json", b"[1, 2]"), "begins with a brace"),
    ] {
        compare(&path, &good, &[]).refused(&[path.to_str().unwrap(), words]);
        compare(&good, &path, &[]).refused(&[path.to_str().unwrap(), words]);
    }
}

#[test]
fn what_is_typed_wrong_is_refused_before_any_file_is_read() {
    let nothing = Path::new("none.json");
    for (options, words) in [
        (&["--fail-if", "http.p99"][..], "what may not happen"),
        (&["--fail-if", "http.p99 > 10ms"], "> +10%"),
        (&["--fail-if", "errors.rate > 1%"], "+0.5pp"),
        (&["--fail-if", "http.p99 <<>=> -10%"], "nothing else"),
        (&["--fail-if", "http.p99 >= +10%"], "nothing else"),
        (&["--fail-if", "p99 > 10%"], "SUBJECT.FIGURE"),
        (
            &["--fail-if", "htpp.p99 > 10%"],
            "http, journey, transaction and errors",
        ),
        (&["--confidence", "95"], "from 0.5 to 0.999"),
        (&["--confidence", "-1"], "from 0.5 to 0.999"),
        (&["--report", "diff.html"], ".md, .json"),
        (&["--report", "nowhere/diff.md"], "create it first"),
        (&["--report", "a.md", "--report", "a.md"], "two reports"),
        (&["--failif", "http.p99 > 10%"], "--failif"),
    ] {
        compare(nothing, nothing, options).refused(&[words]);
    }
    clumsy(&["compare", "one.json"]).refused(&["B.json"]);
    clumsy(&["compare"]).refused(&["A.json"]);
}

#[test]
fn a_figure_that_is_not_there_fails_no_build_by_silence() {
    let reports = Reports::new();
    let report = reports.write("a.json", &minute(0.010, 1));
    for (limit, words) in [
        (
            "http{name=\"GET /basket\"}.p99 > +10%",
            "neither of the runs",
        ),
        ("http.p99 > +10%", "neither of the runs"),
    ] {
        let ended = compare(&report, &report, &["--fail-if", limit]);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.starts_with("error: the limit `"), "{ended}");
        assert!(ended.stderr.contains(words), "{ended}");
        assert!(
            ended.stdout.contains("all journeys p99"),
            "what there is is shown: {ended}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_changes_no_outcome() {
    let reports = Reports::new();
    let before = reports.write("before.json", &minute(0.010, 1));
    let after = reports.write("after.json", &minute(0.012, 2));
    let arguments = ["compare", before.to_str().unwrap(), after.to_str().unwrap()];
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let limit = ["--fail-if", "journey.p99 > +10%"];
    let arguments = [&arguments[..], &limit].concat();
    let ended = Running::start(command(&arguments).stdout(writer)).end();
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.has_not_crashed();
}
