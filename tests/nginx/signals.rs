//! A load test as a process: signals, exit codes, and the report that is written all the same.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use mite::{Report, report::Verdict};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tests::agreement::assert_consistent;

use crate::{
    check::{assert_same_requests, assert_same_traffic},
    server::Nginx,
    tls::self_signed,
};

/// A run of the program in `tests/programs/visits.rs`.
struct Visits {
    process: Option<Child>,
    directory: TempDir,
}

impl Visits {
    fn start(scenario: &str, url: &str, further: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_visits"))
            .args(["scenario", "test", scenario, "--config"])
            .arg(format!("base_url={url}"))
            .arg("--report")
            .arg(report_path(directory.path()))
            .args(further)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            process: Some(process),
            directory,
        }
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.as_ref().unwrap().id();
        kill(Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
    }

    /// Waits for the end: the exit code, the report and what was printed.
    fn end(mut self) -> (i32, Report, Output) {
        let output = self.process.take().unwrap().wait_with_output().unwrap();
        let code = output.status.code().expect("it ends by itself");
        let report = std::fs::read_to_string(report_path(self.directory.path()))
            .unwrap_or_else(|error| panic!("no report ({error}): {output:?}"));
        (code, serde_json::from_str(&report).unwrap(), output)
    }
}

impl Drop for Visits {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn report_path(directory: &Path) -> PathBuf {
    directory.join("report.json")
}

#[test]
fn control_c_and_termination_end_a_run_gracefully() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let nginx = Nginx::start();
        let visits = Visits::start("visits", &nginx.url(), &[]);
        nginx.wait_for(|log| log.len() > 200);
        let signalled = Instant::now();
        visits.signal(signal);
        let (code, report, output) = visits.end();
        let took = signalled.elapsed();
        let log = nginx.finish();

        assert_same_traffic(&report, &log);
        assert_eq!(
            (code, report.verdict),
            (130, Verdict::Interrupted),
            "{signal}"
        );
        assert_eq!(report.errors, [], "nothing was cut");
        assert_eq!(report.journeys[0].interrupted, 0);
        assert!(took < Duration::from_secs(10), "{took:?}");
        let summary = String::from_utf8(output.stdout).unwrap();
        assert!(summary.to_lowercase().contains("interrupted"), "{summary}");
    }
}

#[test]
fn control_c_waits_for_slow_requests_as_long_as_the_graceful_stop() {
    let nginx = Nginx::start();
    let visits = Visits::start("slow_visits", &nginx.url(), &["--graceful-stop", "1s"]);
    nginx.wait_for(|log| log.count("/") > 100);
    let signalled = Instant::now();
    visits.signal(Signal::SIGINT);
    let (code, report, _) = visits.end();
    let took = signalled.elapsed();
    let log = nginx.finish();

    assert_consistent(&report);
    assert_eq!((code, report.verdict), (130, Verdict::Interrupted));
    assert_eq!(report.http.requests, log.len());
    let trickle = report.journey("trickle").unwrap();
    assert_eq!((trickle.started, trickle.interrupted), (3, 3));
    assert_eq!(log.count("/trickle"), 3);
    let look = report.journey("look").unwrap();
    assert_eq!((look.completed, look.interrupted), (log.count("/"), 0));
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
}

#[test]
fn a_second_control_c_cuts_at_once() {
    let nginx = Nginx::start();
    let visits = Visits::start("slow_visits", &nginx.url(), &[]);
    nginx.wait_for(|log| log.count("/") > 100);
    visits.signal(Signal::SIGINT);
    std::thread::sleep(Duration::from_millis(300));
    let signalled = Instant::now();
    visits.signal(Signal::SIGINT);
    let (code, report, _) = visits.end();
    let took = signalled.elapsed();
    let log = nginx.finish();

    assert_consistent(&report);
    assert_eq!((code, report.verdict), (130, Verdict::Interrupted));
    assert_eq!(report.http.requests, log.len());
    let trickle = report.journey("trickle").unwrap();
    assert_eq!((trickle.interrupted, log.count("/trickle")), (3, 3));
    assert!(took < Duration::from_secs(8), "the grace is 30 s: {took:?}");
}

#[test]
fn an_unknown_certificate_fails_the_run_and_can_be_accepted() {
    let nginx = self_signed();
    let one_second = ["--duration", "1s"];
    let (code, report, _) = Visits::start("few_visits", &nginx.url(), &one_second).end();
    assert_eq!(
        (code, report.verdict),
        (1, Verdict::Failed),
        "{:?}",
        report.reasons
    );
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
    assert_eq!(
        (report.errors[0].kind.as_str(), report.errors[0].count),
        ("tls", 20)
    );
    assert_eq!(nginx.log().0, []);

    let accepting = ["--duration", "1s", "--insecure"];
    let (code, report, _) = Visits::start("few_visits", &nginx.url(), &accepting).end();
    let log = nginx.finish();
    assert_same_requests(&report, &log);
    assert_eq!(report.errors, []);
    assert_eq!((code, log.len()), (0, 20));
}
