//! What is wrong in arguments, config, files and scenarios is told before anything starts.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use crate::program::{Ended, Running, clumsy, command};

/// Runs the fixture with a variable in its environment.
fn clumsy_with((name, value): (&str, impl AsRef<OsStr>), arguments: &[&str]) -> Ended {
    Running::start(command(arguments).env(name, value)).end()
}

#[track_caller]
fn refused(line: &str, words: &[&str]) {
    let arguments: Vec<_> = line.split(' ').collect();
    clumsy(&arguments).refused(words);
}

#[test]
fn amounts_that_cannot_be_are_refused() {
    for (option, words) in [
        ("--rate nan", "a number above zero"),
        ("--rate -1", "a number above zero"),
        ("--rate 0", "a number above zero"),
        ("--rate inf", "a number above zero"),
        ("--rate many", "a number above zero"),
        ("--rate 1e30", "10000000 or less"),
        ("--users 0", "a whole number above zero"),
        ("--users -1", "a whole number above zero"),
        ("--users 1.5", "a whole number above zero"),
        ("--users 2 --rate 3", "cannot be used with '--rate"),
        ("--duration 0", "longer than nothing"),
        ("--duration 90", "units, like 250ms, 10s or 1m30s"),
        ("--duration 30000years", "1000days is the longest"),
        ("--graceful-stop 5", "units, like 250ms, 10s or 1m30s"),
        ("--workers 0", "a whole number from 1 to 1024"),
        ("--workers 5000", "a whole number from 1 to 1024"),
        ("--spawn-rate 0", "a number above zero"),
        ("--max-in-flight 0", "a whole number above zero"),
        ("--seed -1", "a whole number"),
        ("--log-level loud", "error, warn, info, debug or trace"),
    ] {
        let name = option.split(' ').next().unwrap();
        let name = if option.contains("1e30") {
            "per second"
        } else {
            name
        };
        refused(&format!("journey test idle {option}"), &[name, words]);
    }
}

#[test]
fn how_metrics_are_served_is_refused_where_they_are_not() {
    for option in [
        "--metrics-token a-token-of-some-length",
        "--metrics-linger 5s",
        "--metrics-buckets 0.1,1",
    ] {
        let name = option.split(' ').next().unwrap();
        refused(
            &format!("journey test idle {option}"),
            &[name, "--metrics 9301"],
        );
    }
    let line = ["journey", "test", "idle", "--duration", "100ms"];
    let token = ("MITE_METRICS_TOKEN", "a-token-of-some-length");
    let ended = clumsy_with(token, &line);
    assert_ne!(
        ended.code,
        Some(2),
        "the environment is that of many runs: {ended}"
    );
}

#[test]
fn settings_that_are_none_are_refused() {
    refused(
        "journey run idle --config base_url",
        &["base_url", "KEY=VALUE"],
    );
    refused("journey run idle --config =7", &["=7", "KEY=VALUE"]);
    let not_text = clumsy_with(
        ("MITE_CONF_greeting", OsStr::from_bytes(b"\xff")),
        &["journey", "run", "idle"],
    );
    not_text.refused(&["MITE_CONF_greeting", "UTF-8"]);
    let nameless = clumsy_with(("MITE_CONF_", "7"), &["list"]);
    assert_eq!(nameless.code, Some(0), "list reads no settings: {nameless}");
    let nameless = clumsy_with(("MITE_CONF_", "7"), &["journey", "run", "idle"]);
    nameless.refused(&["MITE_CONF_key=value"]);
}

#[test]
fn a_config_file_that_is_wrong_is_named_with_the_line() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content, words) in [
        ("broken.toml", "a = 1\nb = = 2\n", "not TOML: line 2"),
        ("list.toml", "hosts = [\"a\", \"b\"]\n", "hosts is a list"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let path = path.to_str().unwrap();
        clumsy(&["journey", "run", "idle", "--config-file", path]).refused(&[path, words]);
    }
    refused(
        "journey run idle --config-file /nowhere.toml",
        &["/nowhere.toml", "No such file"],
    );
    refused(
        "journey run idle --config-file /",
        &["cannot read the config file /"],
    );
}

#[test]
fn a_config_value_of_the_wrong_type_is_named_with_its_origin() {
    refused(
        "scenario test rate --config rate=fast",
        &["rate=fast", "--config", "f64"],
    );
    let from_environment = clumsy_with(("MITE_CONF_rate", "fast"), &["scenario", "plan", "rate"]);
    from_environment.refused(&["rate=fast", "the environment", "scenarios.rs:"]);
    refused(
        "scenario test rate",
        &["no value for \"rate\"", "--config rate=VALUE"],
    );
    // In a journey it is a failure with its place.
    let journey = clumsy(&["journey", "run", "configured", "--config", "users=many"]);
    assert_eq!(journey.code, Some(1), "{journey}");
    assert!(
        journey
            .stdout
            .contains("users=many (from --config) is not a u32"),
        "{journey}"
    );
    assert!(journey.stdout.contains("journeys.rs:"), "{journey}");
}

#[test]
fn volumes_that_make_no_sense_are_refused() {
    for command in ["plan", "test"] {
        refused(
            &format!("scenario {command} without_ends"),
            &[
                "clumsy::journeys::idle (entry 1)",
                "Ramp over 1s",
                "Ramp::users",
            ],
        );
        for (rate, words) in [
            ("NaN", "give a finite number"),
            ("-5", "give 0 or more"),
            ("1e300", "10000000 or less"),
        ] {
            refused(
                &format!("scenario {command} rate --config rate={rate}"),
                &["clumsy::journeys::idle (entry 1)", "Constant", words],
            );
        }
        refused(
            &format!("scenario {command} empty"),
            &["no journeys", "Scenario::journey"],
        );
    }
}

#[test]
fn thresholds_that_make_no_sense_are_refused() {
    for (threshold, words) in [
        ("nonsense", "comes a point and a stat"),
        ("http.p99", "after the stat comes <, <="),
        ("carts.count>1", "no subject or metric \"carts\""),
    ] {
        refused(
            &format!("scenario test well --threshold {threshold}"),
            &[threshold, words],
        );
        refused(
            &format!("scenario test judged --config threshold={threshold}"),
            &[threshold, words],
        );
    }
}

#[test]
fn a_journey_that_takes_data_needs_a_pool_that_fits() {
    for command in ["run", "test"] {
        refused(
            &format!("journey {command} greet"),
            &[
                "takes data (clumsy::journeys::User)",
                "--datapool",
                "clumsy::pools::users",
            ],
        );
        refused(
            &format!("journey {command} greet --datapool numbers"),
            &[
                "clumsy::pools::numbers gives u32",
                "takes clumsy::journeys::User",
                "that fit:",
            ],
        );
        refused(
            &format!("journey {command} idle --datapool users"),
            &[
                "clumsy::journeys::idle takes no data",
                "leave out --datapool",
            ],
        );
        refused(
            &format!("journey {command} greet --datapool nobody"),
            &["without items"],
        );
    }
}

#[test]
fn a_data_file_is_named_with_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content, words) in [
        ("field.csv", "name\nada\n", "password"),
        ("short.csv", "name,password\nada,x\nbob\n", "line 3"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let setting = format!("users_file={}", path.display());
        clumsy(&["scenario", "test", "file", "--config", &setting]).refused(&[name, words]);
        let journey = ["journey", "run", "greet", "--datapool", "users_from_file"];
        clumsy(&[&journey[..], &["--config", &setting]].concat()).refused(&[
            "clumsy::pools::users_from_file",
            name,
            words,
        ]);
    }
    refused(
        "scenario test file --config users_file=/nowhere.csv",
        &["/nowhere.csv cannot be opened"],
    );
}

#[test]
fn reports_that_cannot_be_written_are_refused_before_the_start() {
    for (path, words) in [
        ("report.pdf", "there are .json"),
        ("report", "it has no ending"),
        ("/nowhere/report.json", "there is no directory /nowhere"),
        ("/proc/report.json", "a directory you may write to"),
    ] {
        refused(
            &format!("scenario test well --report {path}"),
            &[path, words],
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let taken = directory.path().join("taken.json");
    fs::create_dir(&taken).unwrap();
    clumsy(&[
        "scenario",
        "test",
        "well",
        "--report",
        taken.to_str().unwrap(),
    ])
    .refused(&["taken.json", "it is a directory"]);
}
