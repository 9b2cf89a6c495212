//! Rotel, a collector for OpenTelemetry, which passes on what it gets.

use std::{
    net::{IpAddr, Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::process::{Process, free_port, on_free_port, program, readable_directory};

/// A running Rotel; dropping it stops it.
#[derive(Debug)]
pub struct Rotel {
    _process: Process,
    address: String,
    _directory: TempDir,
}

/// Where scripts/test puts it.
const PLACE: &str = "../target/tools/rotel/rotel/rotel-agent";

impl Rotel {
    /// One that passes everything on to the collector at this address, ten times a second.
    pub fn passing_on_to(collector: &str) -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        on_free_port(loopback, |port| {
            let directory = readable_directory();
            let at = directory.path();
            let address = format!("127.0.0.1:{port}");
            let grpc = format!("127.0.0.1:{}", free_port(loopback));
            let mut command = Command::new(agent());
            command
                .args(["start", "--exporter", "otlp"])
                .args(["--otlp-exporter-protocol", "http"])
                .args(["--otlp-exporter-endpoint", collector])
                .args(["--otlp-http-endpoint", &address])
                .args(["--otlp-grpc-endpoint", &grpc])
                .args(["--batch-timeout", "100ms"])
                .arg("--pid-file")
                .arg(at.join("rotel.pid"))
                .stdin(Stdio::null());
            let mut process = Process::start("rotel-agent", &mut command, at);
            process.wait_until(|| TcpStream::connect(&address).is_ok())?;
            Ok(Self {
                _process: process,
                address,
                _directory: directory,
            })
        })
    }

    /// What `--otlp` takes.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn agent() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
    if own.is_file() {
        own
    } else {
        program("rotel-agent")
    }
}
