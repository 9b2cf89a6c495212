//! What is left of servers when the tests that started them are gone: nothing.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A process that has started a server of each kind.
struct Starter {
    process: Child,
    addresses: Vec<SocketAddr>,
    temporary: TempDir,
}

impl Starter {
    fn start() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let errors = tempfile::tempfile().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_servers"))
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let addresses: Vec<SocketAddr> = line
            .split_whitespace()
            .map(|address| address.parse().unwrap())
            .collect();
        assert_eq!(addresses.len(), 4, "{line}{}", read(errors));
        let starter = Self {
            process,
            addresses,
            temporary,
        };
        for address in &starter.addresses {
            assert!(TcpStream::connect(address).is_ok(), "{address} listens");
        }
        assert_eq!(entries(starter.temporary.path()), 4);
        starter
    }

    fn assert_nothing_is_left(mut self) {
        self.process.wait().unwrap();
        let began = Instant::now();
        let listening = || {
            let mut addresses = self.addresses.iter();
            addresses.find(|address| TcpStream::connect(address).is_ok())
        };
        while let Some(address) = listening() {
            assert!(began.elapsed() < Duration::from_secs(10), "{address}");
            sleep(Duration::from_millis(10));
        }
        while entries(self.temporary.path()) > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "files are left");
            sleep(Duration::from_millis(10));
        }
    }
}

fn read(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn servers_end_with_the_process_that_started_them_however_it_ends() {
    for how in ["leave", "exit", "panic"] {
        let mut starter = Starter::start();
        let mut input = starter.process.stdin.take().unwrap();
        writeln!(input, "{how}").unwrap();
        starter.assert_nothing_is_left();
    }
}

#[test]
fn servers_end_with_a_process_that_is_killed() {
    let mut starter = Starter::start();
    starter.process.kill().unwrap();
    starter.assert_nothing_is_left();
}
