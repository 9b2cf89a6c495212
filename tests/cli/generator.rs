//! The generator at its limits: it says so, and the run is invalid when its load was not the one
//! asked for.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    program::{Ended, PATIENCE, Running, clumsy, command, command_after},
    server::Server,
};

/// Runs a scenario to its end, and gives its report as well.
fn reported(arguments: &[&str], start: impl FnOnce(&[&str]) -> Ended) -> (Ended, Value) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let arguments = [
        &["scenario", "test"],
        arguments,
        &["--report", path.to_str().unwrap()],
    ];
    let ended = start(&arguments.concat());
    let text = fs::read_to_string(path).unwrap_or_else(|_| panic!("no report: {ended}"));
    (ended, serde_json::from_str(&text).unwrap())
}

/// Runs the fixture after a shell has done something to itself.
fn after(first: &str, shell: &[&str], arguments: &[&str]) -> Ended {
    Running::start(&mut command_after(first, shell, arguments)).end()
}

/// A shell that may do in namespaces of its own what root may: with the network.
const OWN_NETWORK: [&str; 3] = ["unshare", "-Urn", "sh"];
/// And with mounts.
const OWN_MOUNTS: [&str; 3] = ["unshare", "-Urm", "sh"];

/// What a summary says, without its line breaks.
fn flat(ended: &Ended) -> String {
    let words: Vec<_> = ended.stdout.split_whitespace().collect();
    words.join(" ")
}

/// The names of the suspicions that make the run invalid, or of those that do not.
fn suspicions(report: &Value, invalid: bool) -> Vec<&str> {
    let rows = report["generator"]["suspicions"].as_array().unwrap();
    rows.iter()
        .filter(|row| row["invalid"] == invalid)
        .filter_map(|row| row["name"].as_str())
        .collect()
}

/// These are among the reasons; others may be on a busy machine.
#[track_caller]
fn assert_invalid_for(report: &Value, names: &[&str]) {
    assert_eq!(report["verdict"], "invalid");
    let found = suspicions(report, true);
    for name in names {
        assert!(found.contains(name), "{name} is not among {found:?}");
    }
}

#[track_caller]
fn assert_says(ended: &Ended, sentences: &[&str]) {
    let text = flat(ended);
    for sentence in sentences {
        assert!(text.contains(sentence), "{sentence:?} is missing: {ended}");
    }
}

#[test]
fn more_users_than_one_core_can_carry_make_the_run_invalid() {
    let arguments = ["computing", "--workers", "1", "--graceful-stop", "1s"];
    let (ended, report) = reported(&arguments, clumsy);
    assert_eq!(ended.code, Some(3), "{ended}");
    assert_invalid_for(&report, &["start_delay"]);
    assert_says(
        &ended,
        &[
            "✗ invalid: the load was not what was asked for",
            "compute started late: the start delay at p99 is",
            "or ask for less.",
        ],
    );
    // What keeps a worker from its core on a busy machine are others.
    let warnings = suspicions(&report, false);
    assert!(
        warnings.contains(&"worker_cpu") || warnings.contains(&"machine_cpu"),
        "{warnings:?} {ended}"
    );
    let text = flat(&ended);
    assert!(text.contains("more than 90 % "), "{ended}");
    assert!(
        report["generator"]["busiest_worker_cpu"].as_f64() > Some(0.1),
        "{report}"
    );
}

#[test]
fn a_journey_that_holds_up_its_worker_makes_the_run_invalid() {
    let (ended, report) = reported(&["stalling", "--workers", "1"], clumsy);
    assert_eq!(ended.code, Some(3), "{ended}");
    assert_invalid_for(&report, &["loop_lag"]);
    assert_says(
        &ended,
        &["Take code that blocks or computes for long out of the journeys"],
    );
    let lag = &report["generator"]["loop_lag"];
    // In every half of a second, probes fall due for 300 ms that nobody hears: more than every other.
    let upper = lag["p75"].as_f64().unwrap();
    assert!((0.05..0.3).contains(&upper), "{lag}");
    assert!(lag["p99"].as_f64() > Some(0.2), "{lag}");
}

#[cfg(target_os = "linux")]
#[test]
fn too_few_descriptors_are_told_from_a_server_that_refuses() {
    let server = Server::start();
    let base_url = format!("base_url={}", server.url);
    let (ended, report) = reported(&["holding", "--config", &base_url], |arguments| {
        after("ulimit -n 100", &["sh"], arguments)
    });
    assert_eq!(ended.code, Some(3), "{ended}");
    assert_invalid_for(&report, &["own_errors"]);
    assert_says(
        &ended,
        &[
            "could not be made, and the server is not to blame: this machine had no file \
             descriptor (no more than 100 files may be open) left. Raise the limit of open files \
             (ulimit -n).",
            "× local",
            "✗ http{error=\"local\"}.count < 1",
            "✓ http{error=\"connect\"}.count < 1",
        ],
    );
    let generator = &report["generator"];
    assert_eq!(generator["open_files_limit"], 100);
    let open = generator["open_files"].as_u64().unwrap();
    // One that was there before may lie above the limit.
    assert!((80..=110).contains(&open), "{open} of 100");
    assert_only_local_errors(&report);
    assert_eq!(
        generator["own_errors"]["descriptors"],
        report["http"]["errors"]["local"]
    );
    assert_eq!(report["http"]["requests"], server.requests());
}

#[cfg(target_os = "linux")]
#[test]
fn local_ports_that_are_used_up_are_told_from_a_server_that_refuses() {
    let few_ports = "ip link set lo up
        echo '40000 40031' > /proc/sys/net/ipv4/ip_local_port_range";
    let arguments = ["holding_alone", "--config", "port=8080"];
    let (ended, report) = reported(&arguments, |arguments| {
        after(few_ports, &OWN_NETWORK, arguments)
    });
    assert_eq!(ended.code, Some(3), "{ended}");
    assert_invalid_for(&report, &["own_errors"]);
    assert_says(
        &ended,
        &[
            "could not be made, and the server is not to blame: this machine had no local port \
             left. Keep connections open from one request to the next, use more source addresses, \
             or widen net.ipv4.ip_local_port_range.",
        ],
    );
    let generator = &report["generator"];
    assert_eq!(generator["local_ports"], 32);
    assert!(generator["tcp_sockets"].as_u64() >= Some(32), "{generator}");
    assert_only_local_errors(&report);
    assert_eq!(
        generator["own_errors"]["ports"],
        report["http"]["errors"]["local"]
    );
}

/// There are some, and no others.
#[track_caller]
fn assert_only_local_errors(report: &Value) {
    let errors = report["http"]["errors"].as_object().unwrap();
    let kinds: Vec<_> = errors.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["local"], "{errors:?}");
    assert!(errors["local"].as_u64() > Some(0));
    assert!(report["http"]["requests"].as_u64() > Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_costs_its_report_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let full = directory.path().join("full");
    fs::create_dir(&full).unwrap();
    let mount = format!("mount -t tmpfs -o size=4k none {}", full.display());
    let path = full.join("report.json");
    let arguments = ["well", "--report", path.to_str().unwrap()];
    let (ended, report) = reported(&arguments, |arguments| {
        after(&mount, &OWN_MOUNTS, arguments)
    });
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stdout.contains("✓ passed"), "{ended}");
    let message = ended.stderr.lines().last().unwrap();
    for words in [
        "cannot write the report",
        path.to_str().unwrap(),
        "No space left",
    ] {
        assert!(message.contains(words), "{words}: {ended}");
    }
    // The other report is there, and the load was what was asked for.
    assert_eq!(report["verdict"], "passed");
    assert_eq!(report["journeys"][0]["completed"], 20);
}

#[test]
fn a_pipe_is_no_place_for_a_report() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let report = path.to_str().unwrap();
    clumsy(&["scenario", "test", "well", "--report", report]).refused(&[
        "cannot write the report",
        report,
        "no ordinary file",
    ]);
    assert!(is_pipe(&path), "it is left as it was");
}

fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::metadata(path).unwrap().file_type().is_fifo()
}

#[test]
fn a_terminal_that_stands_still_does_not_hold_up_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let (mut terminal, mut writer) = io::pipe().unwrap();
    let stderr = writer.try_clone().unwrap();
    // More than goes in while nobody reads.
    let filler = thread::spawn(move || writer.write_all(&[b'.'; 1 << 20]));
    let arguments = [
        "scenario",
        "test",
        "well",
        "--report",
        path.to_str().unwrap(),
    ];
    let running = Running::start(command(&arguments).stderr(stderr));
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < PATIENCE, "the run waits for its terminal");
        thread::sleep(Duration::from_millis(20));
    }
    // Somebody lets it go on.
    thread::spawn(move || io::copy(&mut terminal, &mut io::sink()));
    filler.join().unwrap().unwrap();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(report["journeys"][0]["completed"], 20);
}
