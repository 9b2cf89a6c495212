//! Reports and the standard outputs, also those that break.

use std::{
    fs::{self, File},
    process::Stdio,
};

use serde_json::Value;

use crate::program::{Ended, Running, clumsy, command};

#[test]
fn every_report_that_is_asked_for_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["one.json", "two.json"].map(|name| directory.path().join(name));
    let ended = clumsy(&[
        "scenario",
        "test",
        "well",
        "--threshold",
        "journey.count >= 20",
        "--report",
        paths[0].to_str().unwrap(),
        "--report",
        paths[1].to_str().unwrap(),
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    for path in paths {
        let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(report["verdict"], "passed");
        assert_eq!(report["thresholds"][0]["expression"], "journey.count >= 20");
        assert_eq!(report["config"]["db_password"], "***");
    }
}

#[test]
fn a_secret_in_a_failure_gets_into_neither_summary_nor_report() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let report = path.to_str().unwrap();
    let ended = clumsy(&[
        "journey",
        "test",
        "blab",
        "--duration",
        "1s",
        "--report",
        report,
    ]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let report = fs::read_to_string(path).unwrap();
    for text in [&ended.stdout, &ended.stderr, &report] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(report.contains("*** was refused"), "{report}");
    assert!(ended.stdout.contains("*** was refused"), "{ended}");
}

#[test]
fn a_secret_in_a_threshold_gets_into_no_output() {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["json", "html", "md", "xml"].map(|ending| {
        let path = directory.path().join(format!("report.{ending}"));
        path.to_str().unwrap().to_owned()
    });
    let threshold = "http{name=\"GET /a/hunter2\"}.count >= 0";
    let mut arguments = vec!["journey", "test", "idle", "--duration", "1s"];
    arguments.extend(["--config", "api_token=hunter2", "--threshold", threshold]);
    arguments.extend(paths.iter().flat_map(|path| ["--report", path.as_str()]));
    let ended = clumsy(&arguments);
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    for path in paths {
        let report = fs::read_to_string(&path).unwrap();
        assert!(!report.contains("hunter2"), "{path}");
        assert!(report.contains("GET /a/***"), "{path}");
    }
}

#[test]
fn a_threshold_of_the_command_line_joins_those_of_the_scenario() {
    let ended = clumsy(&[
        "scenario",
        "test",
        "judged",
        "--config",
        "threshold=errors.rate < 1%",
        "--threshold",
        "http.count > 5",
        "--quiet",
    ]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("✓ errors.rate < 1%"), "{ended}");
    assert!(ended.stdout.contains("✗ http.count > 5"), "{ended}");
}

#[test]
fn a_report_that_cannot_be_written_after_the_run_costs_neither_summary_nor_message() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("reports");
    fs::create_dir(&place).unwrap();
    let path = place.join("report.json");
    let mut running = Running::start(&mut command(&[
        "scenario",
        "test",
        "well",
        "--report",
        path.to_str().unwrap(),
    ]));
    running.wait_for("clumsy::scenarios::well");
    fs::remove_dir(&place).unwrap();
    let ended = running.end();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stdout.contains("✓ passed"), "{ended}");
    assert!(
        ended.stderr.contains("error: cannot write the report"),
        "{ended}"
    );
    assert!(ended.stderr.contains("report.json"), "{ended}");
}

#[test]
fn quiet_shows_the_summary_alone() {
    let ended = clumsy(&["scenario", "test", "well", "--quiet"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended}"
    );
    assert!(
        ended.stdout.starts_with("clumsy::scenarios::well"),
        "{ended}"
    );
    assert!(ended.stdout.contains("✓ passed"), "{ended}");
    assert!(
        !ended.stdout.contains('\u{1b}'),
        "no colours in a pipe: {ended}"
    );
}

#[test]
fn a_reader_that_goes_away_changes_no_verdict() {
    for arguments in [
        &["list"][..],
        &["scenario", "plan", "well"],
        &["scenario", "test", "well"],
        &["journey", "run", "idle"],
    ] {
        let ended = without_reader(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended}");
        ended.has_not_crashed();
    }
    let mut command = command(&["scenario", "test", "well"]);
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

/// The fixture with a stdout that is closed at the other end.
fn without_reader(arguments: &[&str]) -> Ended {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Running::start(command(arguments).stdout(writer)).end()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_told() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let ended = Running::start(command(&["list"]).stdout(full())).end();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(
        ended
            .stderr
            .starts_with("error: cannot write to the standard output"),
        "{ended}"
    );
    let ended = Running::start(command(&["scenario", "test", "nope"]).stderr(full())).end();
    assert_eq!(ended.code, Some(2), "{ended}");
    let ended = Running::start(command(&["scenario", "test", "well"]).stderr(full())).end();
    assert_eq!(ended.code, Some(0), "{ended}");
}

#[test]
fn a_precise_run_watches_the_clock_all_the_time_and_starts_within_microseconds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let run = |precise: &[&str]| {
        let report = path.to_str().unwrap();
        let mut arguments = vec!["journey", "test", "idle", "--rate", "200", "--workers", "1"];
        arguments.extend(["--duration", "2s", "--report", report]);
        arguments.extend(precise);
        let ended = clumsy(&arguments);
        assert_eq!(ended.code, Some(0), "{ended}");
        let report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(report["journeys"][0]["completed"], 400);
        let soonest = report["journeys"][0]["start_delay"]["min"]
            .as_f64()
            .unwrap();
        (
            soonest,
            report["generator"]["cpu_seconds"].as_f64().unwrap(),
        )
    };
    let (_, plain) = run(&[]);
    let (soonest, watching) = run(&["--precise"]);
    // In a debug build, on a machine that others use; a timer of whole milliseconds is never so soon.
    assert!(soonest < 200e-6, "{soonest}");
    // It would use two seconds, had it a core to itself.
    assert!(watching > 2.0 * plain, "{watching} s after {plain} s");
}
