//! Ctrl-C and SIGTERM: once, twice and three times, wherever the run is.

use std::fs;

use serde_json::Value;

use crate::program::{Running, command};

#[test]
fn ctrl_c_lets_journeys_end_and_the_report_is_written() {
    for signal in ["INT", "TERM"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        let report = path.to_str().unwrap();
        let mut running = Running::start(&mut command(&[
            "scenario", "test", "minute", "--report", report,
        ]));
        running.wait_for("1.0s  users 2");
        running.signal(signal);
        running.wait_for("stopping; Ctrl-C again cuts journeys in flight");
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{ended}");
        assert!(
            ended.stdout.contains("interrupted before the end"),
            "{ended}"
        );
        let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(report["verdict"], "interrupted");
        assert_eq!(
            report["journeys"][0]["interrupted"], 0,
            "each came to its end"
        );
    }
}

#[test]
fn a_second_ctrl_c_cuts_what_does_not_end() {
    let mut running = Running::start(&mut command(&["scenario", "test", "sleeper"]));
    running.wait_for("1.0s  users 2");
    running.signal("INT");
    running.wait_for("stopping;");
    running.signal("INT");
    running.wait_for("cutting;");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(ended.stdout.contains("interrupted"), "{ended}");
    ended.has_not_crashed();
}

#[test]
fn the_grace_ends_by_itself() {
    let arguments = ["scenario", "test", "sleeper", "--graceful-stop", "500ms"];
    let mut running = Running::start(&mut command(&arguments));
    running.wait_for("1.0s  users 2");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn a_setup_that_never_ends_can_be_interrupted() {
    let arguments = ["scenario", "test", "setup", "--config", "wrong=hang"];
    let mut running = Running::start(&mut command(&arguments));
    running.wait_for("stuck");
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(
        ended.stderr.contains("interrupted before it began"),
        "{ended}"
    );
}

#[test]
fn a_teardown_that_never_ends_can_be_cut_and_costs_no_report() {
    let arguments = ["scenario", "test", "teardown", "--config", "wrong=hang"];
    let mut running = Running::start(&mut command(&arguments));
    running.wait_for("stuck");
    running.signal("INT");
    running.wait_for("stopping;");
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended
            .stdout
            .contains("teardown of the scenario was interrupted"),
        "{ended}"
    );
}

#[test]
fn a_third_ctrl_c_leaves_whatever_is_stuck() {
    let arguments = ["scenario", "test", "setup", "--config", "wrong=block"];
    let mut running = Running::start(&mut command(&arguments));
    running.wait_for("stuck");
    running.signal("INT");
    running.wait_for("stopping;");
    running.signal("INT");
    running.wait_for("cutting;");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn a_worker_that_blocks_is_left_behind() {
    let arguments = ["scenario", "test", "blocker", "--graceful-stop", "100ms"];
    let ended = Running::start(&mut command(&arguments)).end();
    assert_eq!(ended.code, Some(3), "{ended}");
    assert!(ended.stdout.contains("blocks the thread"), "{ended}");
}
