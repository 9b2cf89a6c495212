//! A controller and its runners, each a process.

use std::{fs, process::Command};

use serde_json::Value;
use tempfile::TempDir;
use tests::{
    nats::Nats,
    nginx::Nginx,
    running::{Ended, Running, program},
};

const VISITS: &str = env!("CARGO_BIN_EXE_visits");
const SHOP: &str = env!("CARGO_BIN_EXE_shop");

/// A controller that runs a scenario against an nginx.
pub(crate) struct Controller {
    running: Running,
    directory: TempDir,
}

/// What came of it.
pub(crate) struct Told {
    pub(crate) ended: Ended,
    pub(crate) report: Value,
}

/// A process that runs journeys for whoever is at this URL, and leaves after one test.
pub(crate) fn runner(url: &str) -> Running {
    Running::start(&mut runner_with(url, &[]))
}

/// The same with more arguments, still to be started.
pub(crate) fn runner_with(url: &str, arguments: &[&str]) -> Command {
    runner_of(VISITS, url, arguments)
}

/// One that waits for the next test when one is over, still to be started.
pub(crate) fn lasting_runner(url: &str) -> Command {
    program(VISITS, &["runner", "--workers", "1", "--nats", url])
}

/// One that is made of the journeys of the shop.
pub(crate) fn shop_runner(url: &str) -> Running {
    Running::start(&mut runner_of(SHOP, url, &[]))
}

fn runner_of(path: &str, url: &str, arguments: &[&str]) -> Command {
    let first = ["runner", "--once", "--workers", "1", "--nats", url];
    program(path, &[&first, arguments].concat())
}

/// That these have left by themselves, their test being over.
#[track_caller]
pub(crate) fn have_left(runners: impl IntoIterator<Item = Running>) {
    for runner in runners {
        let ended = runner.end();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
}

impl Controller {
    /// One that begins when so many runners are there.
    pub(crate) fn start(
        nats: &Nats,
        nginx: &Nginx,
        scenario: &str,
        runners: usize,
        arguments: &[&str],
    ) -> Self {
        Self::at(&nats.url(), nginx, scenario, runners, arguments)
    }

    pub(crate) fn at(
        url: &str,
        nginx: &Nginx,
        scenario: &str,
        runners: usize,
        arguments: &[&str],
    ) -> Self {
        Self::of(VISITS, url, nginx, scenario, runners, arguments)
    }

    /// One evening in the shop.
    pub(crate) fn of_shop(nats: &Nats, nginx: &Nginx, runners: usize, arguments: &[&str]) -> Self {
        Self::of(SHOP, &nats.url(), nginx, "evening", runners, arguments)
    }

    fn of(
        path: &str,
        url: &str,
        nginx: &Nginx,
        scenario: &str,
        runners: usize,
        arguments: &[&str],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let report = directory.path().join("report.json");
        let base_url = format!("base_url={}", nginx.url());
        let runners = runners.to_string();
        let first = [
            "controller",
            scenario,
            "--nats",
            url,
            "--wait-for-runners",
            &runners,
            "--config",
            &base_url,
            "--report",
            report.to_str().unwrap(),
        ];
        let mut command = program(path, &[&first, arguments].concat());
        Self {
            running: Running::start(&mut command),
            directory,
        }
    }

    /// Waits until this second of the run has been shown.
    pub(crate) fn wait_for_second(&mut self, second: u32) {
        self.running.wait_for_second(second);
    }

    /// Waits until it has said this, and gives all it has said.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        self.running.wait_for(text)
    }

    pub(crate) fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Waits for the end of the run.
    pub(crate) fn end(self) -> Told {
        self.end_if_begun()
            .unwrap_or_else(|ended| panic!("no report: {ended}"))
    }

    /// The same of a run that may never have begun.
    pub(crate) fn end_if_begun(self) -> Result<Told, Ended> {
        let ended = self.running.end();
        let path = self.directory.path().join("report.json");
        match fs::read_to_string(path) {
            Ok(text) => Ok(Told {
                ended,
                report: serde_json::from_str(&text).unwrap(),
            }),
            Err(_) => Err(ended),
        }
    }
}

impl Told {
    pub(crate) fn requests(&self) -> u64 {
        self.report["http"]["requests"].as_u64().unwrap()
    }

    /// Starts of each second.
    pub(crate) fn starts(&self) -> Vec<u64> {
        let points = self.report["series"]["points"].as_array().unwrap();
        let starts = points.iter().map(|point| point["starts"].as_u64());
        starts.map(Option::unwrap).collect()
    }

    #[track_caller]
    pub(crate) fn assert_passed(&self) {
        assert_eq!(self.ended.code, Some(0), "{}", self.ended);
        assert_eq!(self.report["verdict"], "passed");
    }
}
