//! A Prometheus of the test's own, and what it knows.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    asking::Asked,
    process::{PATIENCE, Process, on_free_port, program, readable_directory},
};

/// A running Prometheus; dropping it stops it.
#[derive(Debug)]
pub struct Prometheus {
    _process: Process,
    asked: Asked,
    _directory: TempDir,
}

impl Prometheus {
    /// One that scrapes `target` twice a second, by these options beside its own.
    pub fn scraping(target: &str, options: &[&str]) -> Self {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        on_free_port(address, |port| {
            let directory = readable_directory();
            let at = directory.path();
            let config = at.join("prometheus.yml");
            let text = format!(
                "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n  \
                 - job_name: mite\n    static_configs: [{{targets: ['{target}']}}]\n"
            );
            fs::write(&config, text).unwrap();
            let listen = format!("127.0.0.1:{port}");
            let mut command = Command::new(program("prometheus"));
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", at.join("data").display()))
                .arg(format!("--web.listen-address={listen}"))
                .args(options)
                .stdin(Stdio::null());
            let mut process = Process::start("prometheus", &mut command, at);
            let asked = Asked(listen);
            process.wait_until(|| {
                // It knows its targets some seconds after it is ready.
                std::net::TcpStream::connect(&asked.0).is_ok() && {
                    let targets = asked.get("/api/v1/targets");
                    targets.status == 200
                        && targets.json()["data"]["activeTargets"][0]["lastError"] != Value::Null
                }
            })?;
            Ok(Self {
                _process: process,
                asked,
                _directory: directory,
            })
        })
    }

    /// What an instant query gives: the labels and the value of each series.
    pub fn query(&self, query: &str) -> Vec<(Value, f64)> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.asked.json(&format!("/api/v1/query?query={encoded}"));
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let series = answer["data"]["result"].as_array().unwrap().iter();
        series
            .map(|one| {
                let value = one["value"][1].as_str();
                let value = value.unwrap_or_else(|| panic!("{query}: {answer}"));
                (one["metric"].clone(), value.parse().unwrap())
            })
            .collect()
    }

    /// The one value that a query gives.
    pub fn value(&self, query: &str) -> f64 {
        let series = self.query(query);
        let [(_, value)] = series.as_slice() else {
            panic!("{query}: {series:?}");
        };
        *value
    }

    /// Waits until a query gives anything.
    pub fn wait_for(&self, query: &str) {
        let began = Instant::now();
        while self.query(query).is_empty() {
            assert!(began.elapsed() < PATIENCE, "{query} gives nothing");
            sleep(Duration::from_millis(100));
        }
    }
}

/// What Prometheus' own checker says, which reads `input`.
pub fn promtool(arguments: &[&str], input: &Path) -> Output {
    Command::new(program("promtool"))
        .args(arguments)
        .stdin(fs::File::open(input).unwrap())
        .output()
        .unwrap()
}
