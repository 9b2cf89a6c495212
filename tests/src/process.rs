//! A server in a process of its own that does not outlive the tests.

use std::{
    env,
    fs::{self, File, Permissions},
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, TcpListener},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long a server may take to start and to stop, on a machine that has a lot else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for the end of the tests, however they end, and then ends what they left. Whoever stops
/// the tests by a signal to their group leaves it the time to.
const GUARD: &str = r#"
    trap "" HUP INT TERM
    read -r _
    kill -s KILL -- "-$1"
    rm -rf -- "$2"
"#;

/// A running server; dropping it kills it with all its children.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    guard: Child,
    output: PathBuf,
}

impl Process {
    /// Starts `command`, which leads a process group of its own and writes to a file in
    /// `directory`. The directory goes with the process when nobody else has removed it.
    ///
    /// Standard input is what `command` says.
    pub(crate) fn start(name: &'static str, command: &mut Command, directory: &Path) -> Self {
        let output = directory.join("output.log");
        let file = File::create(&output).unwrap();
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(directory)
            // Closes with this process, which alone holds the other end.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        Self {
            name,
            child,
            guard,
            output,
        }
    }

    /// Waits until `ready`.
    ///
    /// # Errors
    /// When it ended before, with what it wrote.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let answers = ready();
            // Asked afterwards, since somebody else may have answered on a port it did not get.
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = self.output();
                return Err(format!("{} ended at once, {status}: {log}", self.name));
            }
            if answers {
                return Ok(());
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} is not ready after {PATIENCE:?}; it wrote: {}",
                self.name,
                self.output()
            );
            sleep(Duration::from_millis(5));
        }
    }

    /// What it has written to its output.
    pub(crate) fn output(&self) -> String {
        let bytes = fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks it to end by this signal, and waits until it is gone. Dropping it leaves it no choice.
    pub(crate) fn end(mut self, by: Signal) {
        // The one it has been started as tells its children.
        let _ = kill(pid(&self.child), by);
        let began = Instant::now();
        while began.elapsed() < PATIENCE && self.child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group first: as long as its leader has not been waited for, the number is its own.
        // When the leader has been, children of it may be left, and the number is still theirs.
        let _ = killpg(pid(&self.child), Signal::SIGKILL);
        let _ = self.child.wait();
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// Calls `start` with a free port, again with another when somebody else was faster, which its
/// error tells.
pub(crate) fn on_free_port<T>(
    address: IpAddr,
    mut start: impl FnMut(u16) -> Result<T, String>,
) -> T {
    let mut last = String::new();
    for _ in 0..5 {
        match start(free_port(address)) {
            Ok(server) => return server,
            Err(error) => {
                assert!(is_taken(&error), "{error}");
                last = error;
            }
        }
    }
    panic!("no port could be had: {last}");
}

/// Whether this is what a server says whose port somebody else has.
pub(crate) fn is_taken(error: &str) -> bool {
    let words = [
        "Address already in use",
        "Could not create listening sockets",
    ];
    words.iter().any(|words| error.contains(words))
}

/// A port nobody listens on, outside the range that outgoing connections take theirs from: on a
/// port of that range a client can meet itself while the server is away.
pub(crate) fn free_port(address: IpAddr) -> u16 {
    let random = RandomState::new();
    (0..1000_u64)
        .map(|attempt| 20_000 + u16::try_from(random.hash_one(attempt) % 12_000).unwrap())
        .find(|port| TcpListener::bind((address, *port)).is_ok())
        .unwrap_or_else(|| panic!("{address} has no free port"))
}

/// A directory that a server's worker, who may be another user, can read.
pub(crate) fn readable_directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("mite-test-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap()
}

/// Where a program is.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        // Where servers are, and where a plain user does not look.
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("these tests need {name}; scripts/test installs it"))
}
