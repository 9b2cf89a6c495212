//! What goes wrong in the user's own code outside journeys, before, during and after a run.

use serde_json::Value;

use crate::program::{Ended, clumsy};

/// Runs a scenario that goes wrong on the way, and gives its report as well.
fn broken(scenario: &str, setting: &str) -> (Ended, Value) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let ended = clumsy(&[
        "scenario",
        "test",
        scenario,
        "--quiet",
        "--config",
        setting,
        "--report",
        path.to_str().unwrap(),
    ]);
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| panic!("no report: {ended}"));
    (ended, serde_json::from_str(&text).unwrap())
}

#[track_caller]
fn failed((ended, report): (Ended, Value), words: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended}");
    assert_eq!(ended.stderr, "", "{ended}");
    assert_eq!(report["verdict"], "failed", "{ended}");
    let reasons = report["reasons"].to_string();
    for word in words {
        assert!(reasons.contains(word), "{word:?} is missing: {reasons}");
    }
    assert!(
        !reasons.contains("did not keep up"),
        "the generator is not to blame: {reasons}"
    );
}

#[test]
fn a_scenario_function_that_fails_or_panics_is_told_with_its_place() {
    for command in ["plan", "test"] {
        clumsy(&["scenario", command, "refuses"]).refused(&[
            "clumsy::scenarios::refuses",
            "invalid digit",
            "scenarios.rs:",
        ]);
        clumsy(&["scenario", command, "panics"]).refused(&[
            "clumsy::scenarios::panics",
            "panicked at",
            "at least one journey",
        ]);
    }
}

#[test]
fn a_pool_that_breaks_before_the_start_is_told() {
    for (setting, words) in [
        ("pool=open fails", "the database is gone"),
        ("pool=open panics", "the database is gone"),
    ] {
        clumsy(&["scenario", "test", "pool", "--config", setting])
            .refused(&["the datapool of clumsy::journeys::greet", words]);
        clumsy(&[
            "journey",
            "run",
            "greet",
            "--datapool",
            "broken",
            "--config",
            setting,
        ])
        .refused(&["the datapool clumsy::pools::broken", words]);
    }
    for setting in ["pool=checkout fails", "pool=checkout panics"] {
        clumsy(&[
            "journey",
            "run",
            "greet",
            "--datapool",
            "broken",
            "--config",
            setting,
        ])
        .refused(&["the datapool clumsy::pools::broken", "the cursor is gone"]);
    }
    clumsy(&["journey", "run", "greet", "--datapool", "panics"]).refused(&[
        "clumsy::pools::panics",
        "pools.rs:",
        "no users today",
    ]);
}

#[test]
fn a_pool_that_breaks_during_the_run_fails_it_and_the_other_entries_go_on() {
    for (setting, words) in [
        ("pool=checkout fails", "broke: the cursor is gone"),
        ("pool=checkout panics", "pools.rs:"),
    ] {
        let (ended, report) = broken("pool", setting);
        let naps = report["journeys"].as_array().unwrap().iter();
        let naps: u64 = naps.filter_map(|row| row["completed"].as_u64()).sum();
        assert!(naps > 20, "{ended}");
        failed(
            (ended, report),
            &["the datapool of clumsy::journeys::greet", words],
        );
    }
}

#[test]
fn a_volume_model_that_breaks_ends_the_run_and_the_report_names_it() {
    for (setting, words) in [
        ("wrong=panic", "scenarios.rs:"),
        ("wrong=nan", "PerSecond(NaN)"),
        ("wrong=-3", "PerSecond(-3.0)"),
        ("wrong=1e300", "10000000 a second at most"),
    ] {
        failed(
            broken("volume", setting),
            &["the volume of clumsy::journeys::idle", words],
        );
        clumsy(&["scenario", "plan", "volume", "--config", setting])
            .refused(&["clumsy::journeys::idle (entry 2)", words]);
    }
}

#[test]
fn a_setup_that_fails_or_panics_starts_nothing() {
    for setting in ["wrong=fail", "wrong=panic"] {
        clumsy(&["scenario", "test", "setup", "--config", setting]).refused(&[
            "setup",
            "the database is gone",
            "scenarios.rs:",
        ]);
    }
}

#[test]
fn a_teardown_that_fails_or_panics_fails_the_run_and_keeps_its_report() {
    for setting in ["wrong=fail", "wrong=panic"] {
        let (ended, report) = broken("teardown", setting);
        assert_eq!(report["journeys"][0]["completed"], 20, "{ended}");
        failed(
            (ended, report),
            &["teardown", "the database is gone", "scenarios.rs:"],
        );
    }
}
