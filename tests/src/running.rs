//! Programs that tests run and look at; a hang is a failure.

use std::{
    fmt,
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A program of these tests, to be started with its output heard.
pub fn program(path: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments);
    heard(command)
}

/// The same for a command that was put together elsewhere.
pub fn heard(mut command: Command) -> Command {
    command
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A program that runs; dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What it ended with; absent when a signal ended it.
    pub code: Option<i32>,
    /// All it wrote.
    pub stdout: String,
    /// All it wrote to the other.
    pub stderr: String,
}

/// What has come out of a pipe so far.
#[derive(Debug, Default)]
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a program whose standard input is what `command` says.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        Self {
            stdout: Output::of(child.stdout.take()),
            stderr: Output::of(child.stderr.take()),
            child,
        }
    }

    /// Waits until `text` stands on stderr, in a line that is whole, and gives what stands there.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(&format!("{text:?} does not come"), |so_far| {
            let found = so_far.split_once(text);
            found.is_some_and(|(_, rest)| rest.contains('\n'))
        })
    }

    /// Waits until it has shown this second of a run, or one after it.
    pub fn wait_for_second(&mut self, second: u32) -> String {
        let has_come = |line: &str| {
            let age = line.split_once("s  ").map(|(age, _)| age.parse::<f64>());
            matches!(age, Some(Ok(age)) if age >= f64::from(second))
        };
        self.wait_until(&format!("second {second} does not come"), |so_far| {
            so_far.lines().any(has_come)
        })
    }

    /// What it has written to stderr so far.
    pub fn so_far(&self) -> String {
        self.stderr.so_far()
    }

    fn wait_until(&mut self, or: &str, is_there: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let so_far = self.stderr.so_far();
            if is_there(&so_far) {
                return so_far;
            }
            if Instant::now() > deadline {
                self.give_up(or);
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What the system calls it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `INT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Ended {
                    code: status.code(),
                    stdout: self.stdout.all(),
                    stderr: self.stderr.all(),
                };
            }
            if Instant::now() > deadline {
                self.give_up("it hangs");
            }
            sleep(Duration::from_millis(5));
        }
    }

    fn give_up(&mut self, why: &str) -> ! {
        let _ = self.child.kill();
        panic!(
            "{why}\nstdout: {}\nstderr: {}",
            self.stdout.so_far(),
            self.stderr.so_far()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Makes sure that it was refused before anything began, in one paragraph with all of `words`.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self}");
        assert_eq!(self.stdout, "", "{self}");
        assert!(self.stderr.starts_with("error: "), "{self}");
        let mut paragraphs = self.stderr.split("\n\n");
        let message = paragraphs.next().unwrap_or_default();
        for word in words {
            assert!(message.contains(word), "{word:?} is missing: {self}");
        }
        // Where the arguments are wrong, the way to the help follows.
        for paragraph in paragraphs {
            let known = ["Usage: ", "For more information", "  tip: "];
            assert!(
                known.iter().any(|start| paragraph.starts_with(start)),
                "{self}"
            );
        }
        self.has_not_crashed();
    }

    /// Makes sure that no panic has reached the terminal by itself.
    #[track_caller]
    pub fn has_not_crashed(&self) {
        for trace in ["thread '", "RUST_BACKTRACE", "bug in mite"] {
            assert!(!self.stderr.contains(trace), "{self}");
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        write!(
            formatter,
            "exit {code:?}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}

impl Output {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::default();
        let reader = pipe.map(|mut pipe| {
            let text: Arc<Mutex<Vec<u8>>> = Arc::clone(&text);
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                    text.lock().unwrap().extend_from_slice(&buffer[..length]);
                }
            })
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}
