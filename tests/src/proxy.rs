//! Proxies of the test's own, and what they have been asked for.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    process::{PATIENCE, Process, on_free_port, program, readable_directory},
    wire,
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The name; letters and digits.
    pub user: &'a str,
    /// The password; letters and digits.
    pub password: &'a str,
}

/// A running HTTP proxy (tinyproxy), for requests by absolute URL and for `CONNECT` to any port;
/// dropping it stops it.
///
/// With credentials it answers 407 to who does not show them. It keeps no connection of a client
/// after an answer.
#[derive(Debug)]
pub struct HttpProxy {
    // Before its directory, so that it is gone when that is removed.
    _process: Process,
    address: SocketAddr,
    directory: TempDir,
    /// How long its log was when it was ready.
    beginning: usize,
}

impl HttpProxy {
    /// Starts one; with credentials it wants these by Basic authentication.
    pub fn start(credentials: Option<Credentials<'_>>) -> Self {
        on_free_port(LOOPBACK, |port| Self::start_on(port, credentials))
    }

    fn start_on(port: u16, credentials: Option<Credentials<'_>>) -> Result<Self, String> {
        let directory = readable_directory();
        let mut config = format!(
            "Port {port}\nListen {LOOPBACK}\nTimeout 60\nMaxClients 500\nAllow 127.0.0.0/8\n\
                 LogFile \"{}/proxy.log\"\nLogLevel Info\n",
            directory.path().display()
        );
        if let Some(Credentials { user, password }) = credentials {
            config += &format!("BasicAuth {user} {password}\n");
        }
        let config_file = directory.path().join("tinyproxy.conf");
        fs::write(&config_file, config).unwrap();
        let mut command = Command::new(program("tinyproxy"));
        command.arg("-d").arg("-c").arg(config_file);
        command.stdin(Stdio::null());
        let mut process = Process::start("tinyproxy", &mut command, directory.path());
        let log = directory.path().join("proxy.log");
        let log = || fs::read_to_string(&log).unwrap_or_default();
        let address = SocketAddr::new(LOOPBACK, port);
        // Only its log says that it is itself that listens.
        process
            .wait_until(|| log().contains("Accepting connections") && asks(address))
            .map_err(|ended| format!("{ended}{}", log()))?;
        Ok(Self {
            _process: process,
            address,
            beginning: log().len(),
            directory,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without credentials.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.log().matches("Connect (file descriptor ").count() as u64
    }

    /// The request lines it has read, refused ones included: `GET http://127.0.0.1:80/ HTTP/1.1`,
    /// `CONNECT localhost:443 HTTP/1.1`.
    pub fn requests(&self) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| {
            let (_, line) = line.split_once("Request (file descriptor ")?;
            Some(line.split_once("): ")?.1.to_owned())
        });
        lines.collect()
    }

    /// Everything it has written since it was ready.
    pub fn log(&self) -> String {
        let mut log = fs::read_to_string(self.directory.path().join("proxy.log")).unwrap();
        log.split_off(self.beginning)
    }
}

/// Whether an HTTP proxy answers, be it by a refusal.
fn asks(address: SocketAddr) -> bool {
    wire::get(address, "/").is_ok_and(|answer| answer.starts_with("HTTP/1."))
}

/// A running SOCKS 5 proxy (microsocks); dropping it stops it.
///
/// It connects to the first address of a name, and to no other: `localhost` may be `::1`.
#[derive(Debug)]
pub struct Socks {
    process: Process,
    address: SocketAddr,
    _directory: TempDir,
}

impl Socks {
    /// Starts one; with credentials it wants these (RFC 1929).
    pub fn start(credentials: Option<Credentials<'_>>) -> Self {
        on_free_port(LOOPBACK, |port| Self::start_on(port, credentials))
    }

    fn start_on(port: u16, credentials: Option<Credentials<'_>>) -> Result<Self, String> {
        let directory = readable_directory();
        let mut command = Command::new(program("microsocks"));
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        if let Some(Credentials { user, password }) = credentials {
            command.args(["-u", user, "-P", password]);
        }
        command.stdin(Stdio::null());
        let mut process = Process::start("microsocks", &mut command, directory.path());
        let address = SocketAddr::new(LOOPBACK, port);
        let method = if credentials.is_some() { 2 } else { 0 };
        let answers = || greet(address, method).is_ok_and(|answer| answer == [5, method]);
        process.wait_until(answers)?;
        Ok(Self {
            process,
            address,
            _directory: directory,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The targets it has connected somebody to, as they were asked for: `localhost:80`.
    pub fn targets(&self) -> Vec<String> {
        let output = self.process.output();
        let targets = output
            .lines()
            .filter_map(|line| line.split_once("connected to "));
        targets.map(|(_, target)| target.to_owned()).collect()
    }

    /// Waits until it has connected somebody so many times: it says so after it has done it.
    pub fn wait_for_targets(&self, wanted: usize) -> Vec<String> {
        let began = Instant::now();
        while self.targets().len() < wanted {
            let output = self.process.output();
            assert!(
                began.elapsed() < PATIENCE,
                "it has connected less: {output}"
            );
            sleep(Duration::from_millis(5));
        }
        self.targets()
    }
}

/// Offers one method of authentication, and gives what the server chooses.
fn greet(address: SocketAddr, method: u8) -> io::Result<[u8; 2]> {
    let mut connection = wire::connect(address)?;
    connection.write_all(&[5, 1, method])?;
    let mut answer = [0; 2];
    connection.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::process::is_taken;

    #[test]
    fn a_proxy_whose_port_is_taken_says_so() {
        let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        // Whoever connects is to hear at once that this is no proxy.
        std::thread::spawn(move || listener.incoming().for_each(drop));
        let http = HttpProxy::start_on(port, None).err();
        let socks = Socks::start_on(port, None).err();
        for error in [http, socks].map(Option::unwrap) {
            assert!(is_taken(&error), "{error}");
        }
    }
}
