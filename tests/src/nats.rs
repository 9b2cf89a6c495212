//! A NATS server of the test's own.

use std::{
    net::{IpAddr, Ipv4Addr, TcpStream},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

use crate::process::{Process, free_port, on_free_port, program, readable_directory};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A running nats-server; dropping it stops it.
#[derive(Debug)]
pub struct Nats {
    // Before its directory, so that it is gone when that is removed.
    process: Option<Process>,
    address: IpAddr,
    port: u16,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    keeps: bool,
    directory: TempDir,
}

/// Servers that know each other.
#[derive(Debug)]
pub struct Cluster(Vec<Nats>);

impl Cluster {
    /// So many servers.
    pub fn start(size: usize) -> Self {
        let ports: Vec<_> = (0..size).map(|_| free_port(LOOPBACK)).collect();
        let url = |port: &u16| format!("nats://{LOOPBACK}:{port}");
        let routes = ports.iter().map(url).collect::<Vec<_>>().join(",");
        let server = |port: &u16| {
            Nats::with(&[
                "--cluster_name",
                "tests",
                "--cluster",
                &url(port),
                "--routes",
                &routes,
            ])
        };
        Self(ports.iter().map(server).collect())
    }

    /// Where those are that there are.
    pub fn urls(&self) -> String {
        let urls: Vec<_> = self.0.iter().map(Nats::url).collect();
        urls.join(",")
    }

    /// One of them is killed and does not come back.
    pub fn lose_one(&mut self) {
        self.0.pop();
    }
}

impl Nats {
    /// A server that lets everybody in.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A server with JetStream, which keeps what it has also when it is killed.
    pub fn keeping() -> Self {
        Self::keeping_with(&[], &[])
    }

    /// The same with options and variables.
    pub fn keeping_with(options: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::launch(LOOPBACK, options, environment, true)
    }

    /// One with these options beside its own.
    pub fn with(options: &[&str]) -> Self {
        Self::with_environment(options, &[])
    }

    /// One with these options, for whose config file the environment has these variables.
    pub fn with_environment(options: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::launch(LOOPBACK, options, environment, false)
    }

    /// One that lets everybody in and listens here.
    pub fn at(address: IpAddr) -> Self {
        Self::launch(address, &[], &[], false)
    }

    fn launch(
        address: IpAddr,
        options: &[&str],
        environment: &[(&str, &str)],
        keeps: bool,
    ) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        on_free_port(address, |port| {
            let mut server = Self {
                process: None,
                address,
                port,
                options: options.iter().map(ToString::to_string).collect(),
                environment: environment.iter().map(owned).collect(),
                keeps,
                directory: readable_directory(),
            };
            server.spawn()?;
            Ok(server)
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("nats://{}:{}", self.address, self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is, for somebody who says who he is: `user:password` or a token.
    pub fn url_for(&self, who: &str) -> String {
        format!("nats://{who}@{}:{}", self.address, self.port)
    }

    /// Kills it, and starts it again at the same place after `pause`.
    pub fn kill_for(&mut self, pause: Duration) {
        drop(self.process.take());
        sleep(pause);
        self.spawn()
            .unwrap_or_else(|error| panic!("nats-server does not start again: {error}"));
    }

    fn spawn(&mut self) -> Result<(), String> {
        let mut command = Command::new(program("nats-server"));
        command
            .arg("-a")
            .arg(self.address.to_string())
            .arg("-p")
            .arg(self.port.to_string())
            .args(&self.options)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        if self.keeps {
            let store = self.directory.path().join("jetstream");
            command.arg("-js").arg("-sd").arg(store);
        }
        let mut process = Process::start("nats-server", &mut command, self.directory.path());
        process.wait_until(|| TcpStream::connect((self.address, self.port)).is_ok())?;
        self.process = Some(process);
        Ok(())
    }
}
