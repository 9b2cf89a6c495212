//! Runs the fixture, and takes a hang for a failure.

use std::{
    fmt,
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Runs the fixture to its end.
pub(crate) fn clumsy(arguments: &[&str]) -> Ended {
    Running::start(&mut command(arguments)).end()
}

/// The fixture with these arguments, for more than arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(FIXTURE);
    command.args(arguments);
    watched(command)
}

/// The same, started by a shell, such as `["sh"]`, that does something to itself first.
pub(crate) fn command_after(first: &str, shell: &[&str], arguments: &[&str]) -> Command {
    let script = format!("set -e\n{first}\nexec \"$0\" \"$@\"");
    let [shell, options @ ..] = shell else {
        panic!("no shell");
    };
    let mut command = Command::new(shell);
    command
        .args(options)
        .args(["-c", &script, FIXTURE])
        .args(arguments);
    watched(command)
}

const FIXTURE: &str = env!("CARGO_BIN_EXE_clumsy");

fn watched(mut command: Command) -> Command {
    command
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A fixture that runs.
pub(crate) struct Running {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// A fixture that has ended by itself.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What has come out of a pipe so far.
#[derive(Default)]
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        Self {
            stdout: Output::of(child.stdout.take()),
            stderr: Output::of(child.stderr.take()),
            child,
        }
    }

    /// Waits until `text` stands on stderr, in a line that is whole, and gives what stands there.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let so_far = self.stderr.so_far();
            let whole = so_far
                .split_once(text)
                .is_some_and(|(_, rest)| rest.contains('\n'));
            if whole {
                return so_far;
            }
            if Instant::now() > deadline {
                self.give_up(&format!("{text:?} does not come"));
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
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
        self.child.kill().unwrap();
        panic!(
            "{why}\nstdout: {}\nstderr: {}",
            self.stdout.so_far(),
            self.stderr.so_far()
        );
    }
}

impl Ended {
    /// Makes sure that it was refused before anything began, in one paragraph with all of `words`.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) {
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
    pub(crate) fn has_not_crashed(&self) {
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
