//! A NATS server of the test's own.

use std::{
    net::{IpAddr, Ipv4Addr, TcpStream},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    asking::Asked,
    process::{Process, free_port, on_free_port, program, readable_directory},
};

/// Longer than a cluster takes to find itself on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

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
    /// Where its settings are, if it has any.
    settings: Option<TempDir>,
}

/// Servers that know each other.
#[derive(Debug)]
pub struct Cluster(Vec<Member>);

#[derive(Debug)]
struct Member {
    server: Nats,
    name: String,
    /// Where it tells how it is.
    monitoring: u16,
}

impl Cluster {
    /// So many servers.
    pub fn start(size: usize) -> Self {
        Self::of(size, false)
    }

    /// So many servers with JetStream, which know who leads.
    pub fn keeping(size: usize) -> Self {
        let cluster = Self::of(size, true);
        cluster.wait_for("a leader", |told| {
            told.pointer("/meta_cluster/leader")
                .is_some_and(|leader| !leader.as_str().unwrap_or_default().is_empty())
        });
        cluster
    }

    fn of(size: usize, keeps: bool) -> Self {
        let ports: Vec<_> = (0..size).map(|_| free_port(LOOPBACK)).collect();
        let url = |port: &u16| format!("nats://{LOOPBACK}:{port}");
        let routes = ports.iter().map(url).collect::<Vec<_>>().join(",");
        let server = |port: &u16| {
            let name = format!("server-{port}");
            let monitoring = free_port(LOOPBACK);
            let options = [
                "--name",
                &name,
                "--cluster_name",
                "tests",
                "--cluster",
                &url(port),
                "--routes",
                &routes,
                "-m",
                &monitoring.to_string(),
            ];
            Member {
                server: Nats::launch(LOOPBACK, &options, &[], keeps),
                name,
                monitoring,
            }
        };
        Self(ports.iter().map(server).collect())
    }

    /// The server that leads this stream is killed and does not come back.
    pub fn lose_leader_of(&mut self, stream: &str) {
        let path = "/account_details/0/stream_detail";
        let leader = |told: &Value| {
            let streams = told.pointer(path)?.as_array()?;
            let named = streams.iter().find(|one| one["name"] == stream)?;
            Some(named.pointer("/cluster/leader")?.as_str()?.to_owned())
        };
        let told = self.wait_for("a leader", |told| leader(told).is_some());
        let leader = leader(&told);
        self.0
            .retain(|member| Some(&member.name) != leader.as_ref());
    }

    /// What one of them tells, when it tells this.
    fn wait_for(&self, what: &str, is_told: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for member in &self.0 {
                let told = told(member.monitoring);
                if let Some(told) = told.filter(|told| is_told(told)) {
                    return told;
                }
            }
            sleep(Duration::from_millis(50));
        }
        panic!("the cluster has never {what}");
    }

    /// Where those are that there are.
    pub fn urls(&self) -> String {
        let urls: Vec<_> = self.0.iter().map(|member| member.server.url()).collect();
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

    /// A server that keeps no more than this, such as `20KB`.
    pub fn keeping_little(room: &str) -> Self {
        let directory = readable_directory();
        let path = directory.path().join("nats.conf");
        let store = directory.path().join("store");
        let text = format!("jetstream {{ store_dir: {store:?}, max_file_store: {room} }}");
        std::fs::write(&path, text).unwrap();
        let mut server = Self::with(&["-c", path.to_str().unwrap()]);
        server.settings = Some(directory);
        server
    }

    /// The streams it has kept on disk.
    pub fn streams(&self) -> Vec<String> {
        let path = self.directory.path().join("jetstream/jetstream/$G/streams");
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
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
                settings: None,
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

/// What a server tells of its streams.
fn told(port: u16) -> Option<Value> {
    let reply = Asked(format!("{LOOPBACK}:{port}")).get("/jsz?accounts=true&streams=true");
    serde_json::from_slice(&reply.body).ok()
}
