//! An nginx of the test's own, and what it has served.

mod config;
mod log;

use std::{
    fs,
    net::{IpAddr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{PATIENCE, Process, on_free_port, program, readable_directory};

pub use config::{Config, FILE_SIZE};
pub use log::{Line, Log, Tls};

/// A running nginx; dropping it stops it.
///
/// Besides its port it serves plain HTTP on a Unix [socket](Nginx::socket). Its pages: `/` and
/// `/item/...` (200), `/missing` (404), `/broken` (500), `/file` ([`FILE_SIZE`] bytes),
/// `/trickle` (the same in 16 seconds), `/store` (takes bodies up to 10 MiB, 201).
#[derive(Debug)]
pub struct Nginx {
    // Before its directory, so that it is gone when that is removed.
    process: Option<Process>,
    address: SocketAddr,
    scheme: &'static str,
    directory: TempDir,
}

impl Nginx {
    /// A server of plain HTTP.
    pub fn start() -> Self {
        Config::plain().start()
    }

    /// A server of plain HTTP with further directives in its `server` block.
    pub fn with(directives: &str) -> Self {
        Config::plain().directives(directives).start()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// As [`url`](Nginx::url), by this name instead of its address.
    pub fn url_of(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.scheme, self.address.port())
    }

    /// The Unix socket on which it serves plain HTTP/1.1.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("server.sock")
    }

    /// Stops it when it has ended what it is at, and starts it again on the same port after
    /// `pause`.
    pub fn restart_after(&mut self, pause: Duration) {
        self.halt();
        self.start_again_after(pause);
    }

    /// Stops it at once, as `SIGTERM` does, and starts it again on the same port after `pause`.
    pub fn terminate_for(&mut self, pause: Duration) {
        if let Some(process) = self.process.take() {
            process.end(Signal::SIGTERM);
        }
        self.start_again_after(pause);
    }

    /// Kills it with its worker, and starts it again on the same port after `pause`.
    pub fn kill_for(&mut self, pause: Duration) {
        drop(self.process.take());
        self.start_again_after(pause);
    }

    fn start_again_after(&mut self, pause: Duration) {
        sleep(pause);
        self.spawn()
            .unwrap_or_else(|error| panic!("nginx does not start again: {error}"));
    }

    /// Stops it and tells what it has served.
    ///
    /// Only a server that has ended has surely written its last line.
    pub fn finish(mut self) -> Log {
        self.halt();
        self.log()
    }

    /// What it has served up to now, as far as it has been written.
    pub fn log(&self) -> Log {
        let text = fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        Log::parse(&text)
    }

    /// Waits until it has served something that `wanted` is true of.
    pub fn wait_for(&self, wanted: impl Fn(&Log) -> bool) {
        let began = Instant::now();
        while !wanted(&self.log()) {
            assert!(began.elapsed() < PATIENCE, "nginx was not asked for it");
            sleep(Duration::from_millis(20));
        }
    }

    fn launch(config: &Config, address: IpAddr) -> Self {
        on_free_port(address, |port| {
            let mut server = Self {
                process: None,
                address: SocketAddr::new(address, port),
                scheme: config.scheme(),
                directory: readable_directory(),
            };
            config.write(server.directory.path(), server.address);
            server.spawn()?;
            Ok(server)
        })
    }

    fn spawn(&mut self) -> Result<(), String> {
        let directory = self.directory.path();
        let pid_file = directory.join("nginx.pid");
        let _ = fs::remove_file(&pid_file);
        // One that was killed leaves its socket behind, and would not start for it.
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_file(directory.join("upstream.sock"));
        let mut command = Command::new(program("nginx"));
        command
            .arg("-p")
            .arg(directory)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .args(["-g", user()])
            .stdin(Stdio::null());
        let mut process = Process::start("nginx", &mut command, directory);
        // It writes its process id once it listens.
        let listens = || fs::read_to_string(&pid_file).is_ok_and(|pid| !pid.trim().is_empty());
        process
            .wait_until(|| listens() && TcpStream::connect(self.address).is_ok())
            .map_err(|ended| {
                let errors = fs::read_to_string(directory.join("error.log")).unwrap_or_default();
                format!("{ended}{errors}")
            })?;
        self.process = Some(process);
        Ok(())
    }

    /// Lets it end the requests it is at, and waits until it is gone.
    fn halt(&mut self) {
        if let Some(process) = self.process.take() {
            process.end(Signal::SIGQUIT);
        }
    }
}

/// Who its worker is, if that has to be said: in a namespace of a plain user there is nobody but
/// the one who takes himself for root.
fn user() -> &'static str {
    let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut counts = users
        .lines()
        .filter_map(|line| line.split_whitespace().next_back());
    match counts.all(|count| count == "1") && !users.is_empty() {
        true => "user root;",
        false => "",
    }
}
