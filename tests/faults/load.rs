//! A run in a process of its own, watched from outside.

use std::{
    env, fmt, fs,
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mite::{
    Report,
    report::{JourneySummary, SeriesPoint},
};
use tempfile::TempDir;
use tests::agreement::assert_consistent;

const PROGRAM: &str = env!("CARGO_BIN_EXE_presses");

/// Longer than any of these runs takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const MEBIBYTE: u64 = 1 << 20;

/// Descriptors of a run that has no connections, and some to spare.
pub(crate) const OWN_DESCRIPTORS: u64 = 40;

/// How often the process is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// A load, as the program takes it.
pub(crate) struct Load {
    arguments: Vec<String>,
    descriptors: Option<u32>,
}

/// A run under way; dropping it kills it.
pub(crate) struct Running {
    child: Child,
    began: Instant,
    directory: TempDir,
}

/// What a run has come to, said by itself and seen from outside.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) report: Report,
    output: String,
    glances: Vec<Glance>,
}

/// What the system says of the process at a moment.
#[derive(Clone, Copy, Debug)]
struct Glance {
    at: Duration,
    /// Bytes of memory that are resident.
    resident: u64,
    descriptors: u64,
}

impl Load {
    /// A load on the server at this URL that lasts so many seconds. Its journeys ask for `/`.
    pub(crate) fn on(url: impl fmt::Display, seconds: u64) -> Self {
        let load = Self {
            arguments: ["scenario", "test", "press"].map(str::to_owned).to_vec(),
            descriptors: None,
        };
        load.set("base_url", url)
            .set("seconds", seconds)
            .set("path", "/")
    }

    /// So many users, in the journey `stay`.
    pub(crate) fn users(self, users: u64) -> Self {
        self.set("users", users)
    }

    /// So many starts a second, in the journey `come`.
    pub(crate) fn rate(self, rate: u64) -> Self {
        self.set("rate", rate)
    }

    /// What they ask for; `{}` stands for the name of the journey.
    pub(crate) fn path(self, path: &str) -> Self {
        self.set("path", path)
    }

    /// A setting of the program.
    pub(crate) fn set(self, key: &str, value: impl fmt::Display) -> Self {
        self.option("--config", format!("{key}={value}"))
    }

    /// How long an answer is waited for.
    pub(crate) fn timeout(self, limit: Duration) -> Self {
        self.set("timeout_ms", limit.as_millis())
    }

    /// An option of the command line.
    pub(crate) fn option(mut self, name: &str, value: impl Into<String>) -> Self {
        self.arguments.extend([name.to_owned(), value.into()]);
        self
    }

    /// Has it have no more files open than this.
    pub(crate) fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    pub(crate) fn start(self) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let limit = self.descriptors.map(|most| format!("ulimit -n {most}"));
        let script = limit.unwrap_or_default() + "\nexec \"$0\" \"$@\"";
        let output = File::create(directory.path().join("output")).unwrap();
        let child = Command::new("sh")
            .args(["-e", "-c", &script, PROGRAM])
            .args(self.arguments)
            .args(["--workers", "2", "--quiet", "--report"])
            .arg(directory.path().join("report.json"))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Running {
            child,
            began: Instant::now(),
            directory,
        }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ended {
        self.start().end()
    }
}

impl Running {
    /// Waits until it has run so long, and then for the end of what `meanwhile` does.
    pub(crate) fn at(&self, age: Duration, meanwhile: impl FnOnce()) {
        sleep(age.saturating_sub(self.began.elapsed()));
        meanwhile();
    }

    /// Waits for the end, and looks at it all the while.
    pub(crate) fn end(mut self) -> Ended {
        let mut glances = Vec::new();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            glances.extend(Glance::at(self.began, self.child.id()));
            assert!(
                self.began.elapsed() < PATIENCE,
                "it hangs: {}",
                self.read("output")
            );
            sleep(GLANCE);
        };
        let output = self.read("output");
        assert!(!output.contains("panicked"), "{output}");
        let report = serde_json::from_str(&self.read("report.json"));
        let ended = Ended {
            code,
            report: report.unwrap_or_else(|error| panic!("{error}: {output}")),
            output,
            glances,
        };
        ended.assert_nothing_lost();
        ended
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    pub(crate) fn journey(&self, name: &str) -> &JourneySummary {
        self.report
            .journey(name)
            .unwrap_or_else(|| panic!("{name}: {self}"))
    }

    /// How many transport errors of this kind there were.
    pub(crate) fn errors(&self, kind: &str) -> u64 {
        self.report.http.errors.get(kind).copied().unwrap_or(0)
    }

    /// How many transport errors there were.
    pub(crate) fn all_errors(&self) -> u64 {
        self.report.http.errors.values().sum()
    }

    /// The requests that had this answer; `None` is none.
    pub(crate) fn requests(&self, status: Option<u16>) -> u64 {
        let rows = self.report.http.requests_by.iter();
        rows.filter(|row| row.status == status)
            .map(|row| row.count)
            .sum()
    }

    /// There were errors, and of these kinds only.
    #[track_caller]
    pub(crate) fn assert_kinds(&self, among: &[&str]) {
        let errors = &self.report.http.errors;
        assert!(!errors.is_empty(), "{self}");
        for kind in errors.keys() {
            assert!(among.contains(&kind.as_str()), "{errors:?}: {self}");
        }
    }

    /// Every start of the open model took place, and every second of the run saw some.
    #[track_caller]
    pub(crate) fn assert_started(&self, rate: u64, seconds: u64) {
        let come = self.journey("come");
        assert_eq!((come.started, come.dropped), (rate * seconds, 0), "{self}");
        self.assert_each_second(seconds, |point| point.starts);
    }

    /// This is above zero all along the plan.
    #[track_caller]
    pub(crate) fn assert_each_second(&self, seconds: u64, number: impl Fn(&SeriesPoint) -> u64) {
        let points = &self.report.series.points;
        let numbers: Vec<_> = points.iter().map(number).collect();
        // Where a machine is too busy, what belongs to a second is told with the next.
        let mut pairs = numbers[..seconds as usize].windows(2);
        assert!(pairs.all(|pair| pair != [0, 0]), "{numbers:?}: {self}");
    }

    /// The load was the one asked for, but for what a busy machine does to it, and it failed, since
    /// no threshold is on errors.
    #[track_caller]
    pub(crate) fn assert_failed(&self) {
        let suspicions = self.report.generator.suspicions.iter();
        let known = ["starts", "users", "start_delay", "loop_lag"];
        let mut fatal = suspicions.filter(|suspicion| suspicion.invalid).peekable();
        let code = if fatal.peek().is_some() { 3 } else { 1 };
        assert_eq!(self.code, Some(code), "{self}");
        assert!(
            fatal.all(|suspicion| known.contains(&suspicion.name.as_str())),
            "{self}"
        );
    }

    /// What is in flight at most when so many are started each second and given up after `limit`:
    /// a machine that stood still for some time has as much more to catch up with.
    pub(crate) fn most_in_flight(&self, rate: u64, limit: Duration) -> u64 {
        let held_up = self.report.generator.loop_lag.max.unwrap_or(0.0);
        let seconds = limit.as_secs_f64() + 2.0 * held_up + 0.05;
        (rate as f64 * seconds).ceil() as u64
    }

    /// Memory has not grown by more than `most` bytes since the second second.
    #[track_caller]
    pub(crate) fn assert_flat(&self, most: u64) {
        let early = self.glances.iter().find(|glance| glance.at >= 2 * SECOND);
        let early = early.unwrap_or_else(|| panic!("too short a run: {self}"));
        let peak = self.peak(|glance| glance.resident);
        let grown = peak.saturating_sub(early.resident);
        assert!(grown <= most, "{grown} bytes more than {early:?}: {self}");
    }

    /// It was never seen with more memory than this.
    #[track_caller]
    pub(crate) fn assert_resident_below(&self, most: u64) {
        let peak = self.peak(|glance| glance.resident);
        assert!(peak <= most, "{peak} bytes: {self}");
    }

    /// The most descriptors it was seen with.
    pub(crate) fn most_descriptors(&self) -> u64 {
        self.peak(|glance| glance.descriptors)
    }

    fn peak(&self, number: impl Fn(&Glance) -> u64) -> u64 {
        self.glances.iter().map(number).max().unwrap_or(0)
    }

    /// What was planned began or was dropped, what began has ended, each failure is one error, and
    /// the sums agree.
    #[track_caller]
    fn assert_nothing_lost(&self) {
        let report = &self.report;
        assert_consistent(report);
        let sum = |number: fn(&JourneySummary) -> u64| report.journeys.iter().map(number).sum();
        let interrupted: u64 = sum(|row| row.interrupted);
        assert_eq!(interrupted, 0, "{self}");
        // Each journey makes one request, and no server here answers with a status but 200.
        assert_eq!(sum(|row| row.failed), self.all_errors(), "{self}");
        assert_eq!(sum(|row| row.completed), self.requests(Some(200)), "{self}");
        assert_eq!(report.http.failed, self.requests(None), "{self}");
        let planned: u64 = report
            .series
            .points
            .iter()
            .map(|point| point.planned_starts)
            .sum();
        if let Some(come) = report.journey("come") {
            assert_eq!(planned, come.started + come.dropped, "{self}");
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit {:?}\n{}", self.code, self.output)?;
        for point in &self.report.series.points {
            writeln!(
                formatter,
                "{:.1} s: {} users, {} starts, {} requests, {} errors",
                point.at, point.users, point.starts, point.requests, point.errors
            )?;
        }
        for glance in self.glances.iter().step_by(10) {
            writeln!(formatter, "{glance:?}")?;
        }
        Ok(())
    }
}

impl Glance {
    /// `None` when the process has just ended, or is not yet what it will be.
    fn at(began: Instant, process: u32) -> Option<Self> {
        let directory = Path::new("/proc").join(process.to_string());
        let status = fs::read_to_string(directory.join("status")).ok()?;
        // Before, it is a shell, or still has open what the tests have.
        if !status.starts_with("Name:\tpresses\n") {
            return None;
        }
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(Self {
            at: began.elapsed(),
            resident: kibibytes << 10,
            descriptors: fs::read_dir(directory.join("fd")).ok()?.count() as u64,
        })
    }
}

/// Waits until a server has caught up with what it was sent; who asks finds out if it never does.
pub(crate) fn eventually(caught_up: impl Fn() -> bool) {
    let began = Instant::now();
    while !caught_up() && began.elapsed() < PATIENCE / 6 {
        sleep(GLANCE);
    }
}
