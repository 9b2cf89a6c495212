//! A controller and its runners, each a process.

use std::{fs, path::Path, process::Command, thread::sleep, time::Duration};

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
    /// What it is started by.
    command: Vec<String>,
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
    let first = ["runner", "--once", "--nats", url];
    let one: &[&str] = match arguments.contains(&"--workers") {
        true => &[],
        false => &["--workers", "1"],
    };
    program(path, &[&first, one, arguments].concat())
}

/// That these have left by themselves, their test being over.
#[track_caller]
pub(crate) fn have_left(runners: impl IntoIterator<Item = Running>) {
    for runner in runners {
        let ended = runner.end();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
}

fn start(command: &[String], more: &[&str]) -> Running {
    let arguments: Vec<_> = command[1..].iter().map(String::as_str).collect();
    Running::start(&mut program(&command[0], &[&arguments, more].concat()))
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
        let command = [&[path], &first[..], arguments].concat();
        let command: Vec<_> = command.into_iter().map(str::to_owned).collect();
        Self {
            running: start(&command, &[]),
            directory,
            command,
        }
    }

    /// Another one that is started in the same way, with more arguments.
    pub(crate) fn another(&self, arguments: &[&str]) -> Running {
        start(&self.command, arguments)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.running.has_ended()
    }

    /// It is killed, and another is started in the same way after `pause`.
    pub(crate) fn kill_and_start_again(&mut self, pause: Duration) {
        self.running.signal("KILL");
        sleep(pause);
        self.start_again();
    }

    /// Another is started in the same way.
    pub(crate) fn start_again(&mut self) {
        self.running = start(&self.command, &[]);
    }

    /// Whether the report is there.
    pub(crate) fn has_told(&self) -> bool {
        self.directory.path().join("report.json").exists()
    }

    /// It is killed, and whoever stood by has its place.
    pub(crate) fn replace(&mut self, by: Running) {
        self.exchange(by).signal("KILL");
    }

    /// Whoever stood by has its place.
    pub(crate) fn exchange(&mut self, by: Running) -> Running {
        std::mem::replace(&mut self.running, by)
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

/// A collector or a recorder.
pub(crate) fn keeper(nats: &Nats, arguments: &[&str]) -> Running {
    let url = nats.url();
    let (command, arguments) = arguments.split_first().unwrap();
    let first = [*command, "--nats", &url];
    Running::start(&mut program(VISITS, &[&first, arguments].concat()))
}

/// The records of the files in a directory, to which nothing is added any more.
pub(crate) fn records(directory: &Path) -> Vec<Value> {
    let shown = shown(directory);
    assert_eq!(shown.code, Some(0), "{shown}");
    let lines = shown.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How the files in a directory are shown, in a line a record.
pub(crate) fn shown(directory: &Path) -> Ended {
    let files = fs::read_dir(directory).unwrap();
    let files = files.map(|file| file.unwrap().path().display().to_string());
    let files: Vec<_> = files.filter(|file| file.ends_with(".msgpack")).collect();
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    Running::start(&mut program(VISITS, &[&["cat"], &files[..]].concat())).end()
}
