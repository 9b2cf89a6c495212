//! An httpbin of the test's own: what a client sent, told back to it.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

use crate::{
    process::{Process, readable_directory},
    wire,
};

/// What says whether a Python has both.
const HAS_HTTPBIN: &str = "import gunicorn, httpbin";

/// A running httpbin under gunicorn; dropping it stops it.
///
/// It keeps connections, answers eight requests at once, grants `Expect: 100-continue`, and speaks
/// HTTP/1.1 in the clear. It is the original of <https://httpbin.org>, whose pages say what it can.
#[derive(Debug)]
pub struct Httpbin {
    // Before its directory, so that it is gone when that is removed.
    _process: Process,
    address: SocketAddr,
    directory: TempDir,
}

impl Httpbin {
    /// One of the test's own, which takes a second to start.
    pub fn start() -> Self {
        // It is given a socket that listens already: nobody can take its port.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let directory = readable_directory();
        let mut command = Command::new(python());
        command
            .args(["-I", "-m", "gunicorn", "--bind", "fd://0"])
            .args(["--worker-class", "gthread", "--threads", "8"])
            .args(["--keep-alive", "60", "--no-sendfile"])
            .args(["--access-logfile", "access.log"])
            .args(["--access-logformat", "%(m)s %(U)s"])
            .arg("--worker-tmp-dir")
            .arg(directory.path())
            .arg("httpbin:app")
            .current_dir(directory.path())
            .stdin(Stdio::from(OwnedFd::from(listener)));
        let mut process = Process::start("httpbin", &mut command, directory.path());
        let answers =
            || wire::get(address, "/status/200").is_ok_and(|answer| answer.contains(" 200 "));
        process
            .wait_until(answers)
            .unwrap_or_else(|error| panic!("{error}"));
        Self {
            _process: process,
            address,
            directory,
        }
    }

    /// One for all tests of this process, started for the first that asks. It ends with the
    /// process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Httpbin> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests of this method and path, without the query, it has answered.
    ///
    /// It writes down a request after it has answered it, so that the last may be missing.
    pub fn count(&self, method: &str, path: &str) -> u64 {
        let wanted = format!("{method} {path}");
        let log = fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        log.lines().filter(|line| *line == wanted).count() as u64
    }
}

/// A Python that has httpbin: the system's, which others may stand before in the path.
fn python() -> PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        let path = env::var_os("PATH").unwrap_or_default();
        let others = env::split_paths(&path).map(|directory| directory.join("python3"));
        [PathBuf::from("/usr/bin/python3")]
            .into_iter()
            .chain(others)
            .find(|python| has_httpbin(python))
            .expect("these tests need httpbin and gunicorn for Python; scripts/test installs them")
    };
    PYTHON.get_or_init(find).clone()
}

fn has_httpbin(python: &Path) -> bool {
    let mut command = Command::new(python);
    command
        .args(["-I", "-c", HAS_HTTPBIN])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
