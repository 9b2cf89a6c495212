//! An nginx of the test's own, on loopback, and what it has served.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, Permissions},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long nginx may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// What every server has, whatever a test adds to it.
const LOCATIONS: &str = r#"
    location = / { return 200 "hello\n"; }
    location /item/ { return 200 "an item\n"; }
    location = /missing { return 404 "no such page\n"; }
    location = /broken { return 500 "out of order\n"; }
    location = /file { alias file.bin; }
    location = /trickle { alias file.bin; limit_rate 4k; }
    location /store { client_max_body_size 10m; proxy_pass http://unix:upstream.sock:; }
"#;

/// The size of what `/file` and `/trickle` give; the second takes 16 seconds for it.
pub(crate) const FILE_SIZE: usize = 64 * 1024;

/// A running nginx; dropping it stops it.
pub(crate) struct Nginx {
    directory: TempDir,
    port: u16,
    https: bool,
    process: Option<Child>,
}

/// A line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) status: u16,
    pub(crate) bytes_sent: u64,
    pub(crate) request_length: u64,
    pub(crate) tls: bool,
}

/// Everything a server has served.
#[derive(Debug)]
pub(crate) struct Log(pub(crate) Vec<Line>);

impl Nginx {
    /// A server of plain HTTP.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// A server of plain HTTP with further directives in its `server` block.
    pub(crate) fn with(directives: &str) -> Self {
        Self::launch(directives, None)
    }

    /// A server of HTTPS with this certificate and key, both PEM.
    pub(crate) fn https(certificate: &str, key: &str) -> Self {
        Self::launch("", Some((certificate, key)))
    }

    /// The URL of its root, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Stops it, and starts it again on the same port after `pause`.
    pub(crate) fn restart_after(&mut self, pause: Duration) {
        self.halt();
        sleep(pause);
        self.process = Some(self.spawn().expect("nginx starts again on its port"));
    }

    /// Stops it and tells what it has served.
    ///
    /// Only a server that has ended has surely written its last line.
    pub(crate) fn finish(mut self) -> Log {
        self.halt();
        self.log()
    }

    /// What it has served up to now, as far as it has been written.
    pub(crate) fn log(&self) -> Log {
        let text = fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        Log(text.lines().map(Line::parse).collect())
    }

    /// Waits until it has served something that `wanted` is true of.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Log) -> bool) {
        let began = Instant::now();
        while !wanted(&self.log()) {
            assert!(began.elapsed() < PATIENCE, "nginx was not asked for it");
            sleep(Duration::from_millis(20));
        }
    }

    fn launch(directives: &str, tls: Option<(&str, &str)>) -> Self {
        // Another program may take the port before nginx does.
        for _ in 0..5 {
            let mut server = Self {
                directory: readable_directory(),
                port: free_port(),
                https: tls.is_some(),
                process: None,
            };
            server.configure(directives, tls);
            if let Some(process) = server.spawn() {
                server.process = Some(process);
                return server;
            }
        }
        panic!("nginx found no port to listen on");
    }

    fn configure(&self, directives: &str, tls: Option<(&str, &str)>) {
        let write = |name: &str, text: &[u8]| {
            fs::write(self.directory.path().join(name), text).unwrap();
        };
        let mut listen = format!("listen 127.0.0.1:{} backlog=4096", self.port);
        if let Some((certificate, key)) = tls {
            write("certificate.pem", certificate.as_bytes());
            write("key.pem", key.as_bytes());
            listen += " ssl; ssl_certificate certificate.pem; ssl_certificate_key key.pem";
        }
        write("file.bin", &[b'x'; FILE_SIZE]);
        write("nginx.conf", config(&listen, directives, self).as_bytes());
    }

    /// Starts the process; `None` when it could not have its port.
    fn spawn(&self) -> Option<Child> {
        let directory = self.directory.path();
        let pid_file = directory.join("nginx.pid");
        let _ = fs::remove_file(&pid_file);
        let mut process = Command::new(program())
            .arg("-p")
            .arg(directory)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx can be started");
        let began = Instant::now();
        loop {
            if let Some(status) = process.try_wait().unwrap() {
                let errors = fs::read_to_string(directory.join("error.log")).unwrap_or_default();
                assert!(
                    errors.contains("Address already in use"),
                    "nginx ended at once, {status}: {errors}"
                );
                return None;
            }
            // It writes its process id once it listens.
            let listens = fs::read_to_string(&pid_file).is_ok_and(|pid| !pid.trim().is_empty());
            if listens && TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Some(process);
            }
            assert!(began.elapsed() < PATIENCE, "nginx does not start");
            sleep(Duration::from_millis(10));
        }
    }

    /// Lets it end the requests it is at, and waits until it is gone.
    fn halt(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let pid = Pid::from_raw(i32::try_from(process.id()).unwrap());
        kill(pid, Signal::SIGQUIT).unwrap();
        let began = Instant::now();
        while process.try_wait().unwrap().is_none() {
            if began.elapsed() > PATIENCE {
                kill(pid, Signal::SIGTERM).unwrap();
                process.wait().unwrap();
                return;
            }
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| -> u64 { fields[index].parse().expect(line) };
        Self {
            connection: number(0),
            method: fields[1].to_owned(),
            uri: fields[2].to_owned(),
            status: u16::try_from(number(3)).expect(line),
            bytes_sent: number(4),
            request_length: number(5),
            tls: fields[6] == "on",
        }
    }
}

impl Log {
    /// How many requests there were.
    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// How many requests there were of this path.
    pub(crate) fn count(&self, uri: &str) -> u64 {
        self.0.iter().filter(|line| line.uri == uri).count() as u64
    }

    /// How many requests had this status.
    pub(crate) fn with_status(&self, status: u16) -> u64 {
        self.0.iter().filter(|line| line.status == status).count() as u64
    }

    /// On how many connections they came.
    pub(crate) fn connections(&self) -> u64 {
        let distinct: BTreeSet<_> = self.0.iter().map(|line| line.connection).collect();
        distinct.len() as u64
    }

    /// What all answers were long, heads included.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.0.iter().map(|line| line.bytes_sent).sum()
    }

    /// What all requests were long, heads included.
    pub(crate) fn request_length(&self) -> u64 {
        self.0.iter().map(|line| line.request_length).sum()
    }
}

fn config(listen: &str, directives: &str, server: &Nginx) -> String {
    let directory = server.directory.path().display();
    let locations = LOCATIONS
        .replace("file.bin", &format!("{directory}/file.bin"))
        .replace("upstream.sock", &format!("{directory}/upstream.sock"));
    format!(
        r#"
daemon off;
pid nginx.pid;
worker_processes 1;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    log_format lines '$connection\t$request_method\t$request_uri\t$status\t$bytes_sent\t$request_length\t$https';
    access_log access.log lines;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        {listen};
        {directives}
        {locations}
    }}
    server {{
        listen unix:{directory}/upstream.sock;
        access_log off;
        location / {{ return 201 "stored\n"; }}
    }}
}}
"#
    )
}

/// A directory that nginx's worker, who may be another user, can read.
fn readable_directory() -> TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap()
}

fn program() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        // Where it is, and where a plain user does not look.
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join("nginx"))
        .find(|program| program.is_file())
        .expect("these tests need nginx; scripts/test installs it")
}

/// A port nobody listens on, outside the range that outgoing connections take theirs from: on a
/// port of that range a client can meet itself while the server is away.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 8000).unwrap();
    (0..8000)
        .map(|_| 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
