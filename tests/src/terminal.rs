//! A terminal to run programs on: tmux, which breaks lines anew when it is resized, as terminals on
//! a desktop do.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::{PATIENCE, Process, program, readable_directory};

/// No line but the program's own, which stay when it has ended.
const SETTINGS: &str = "\
    set -g exit-empty off\n\
    set -g status off\n\
    set -g remain-on-exit on\n\
    set -g remain-on-exit-format ''\n\
    set -g default-terminal screen-256color\n\
    set -g history-limit 5000\n";

/// A terminal with a program on it; dropping it ends both.
#[derive(Debug)]
pub struct Terminal {
    // Before its directory, so that it is gone when that is removed.
    _process: Process,
    socket: PathBuf,
    /// What the program ended with.
    status: PathBuf,
    _directory: TempDir,
}

/// tmux may hear that a program is gone before it hears with what it ended, and then never tells.
const RUN: &str =
    r#"status=$1; shift; env "$@"; echo $? >"$status.new"; mv "$status.new" "$status""#;

impl Terminal {
    /// Starts a program on a terminal of so many columns and rows. `environment` is what `env` is
    /// told before it.
    pub fn start(size: (u16, u16), environment: &[&str], command: &[&str]) -> Self {
        let directory = readable_directory();
        let socket = directory.path().join("tmux");
        let settings = directory.path().join("settings");
        fs::write(&settings, SETTINGS).unwrap();
        let mut server = Command::new(program("tmux"));
        server
            .arg("-DS")
            .arg(&socket)
            .arg("-f")
            .arg(&settings)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .env_remove("TMUX")
            .stdin(Stdio::null());
        let mut process = Process::start("tmux", &mut server, directory.path());
        process.wait_until(|| socket.exists()).unwrap();
        let status = directory.path().join("status");
        let terminal = Self {
            _process: process,
            socket,
            status: status.clone(),
            _directory: directory,
        };
        let [columns, rows] = [size.0, size.1].map(|length| length.to_string());
        let session = ["new-session", "-d", "-x", &columns, "-y", &rows];
        let shell = ["sh", "-c", RUN, "sh", status.to_str().unwrap()];
        let begin = [&session[..], &shell[..]].concat();
        terminal.ask(&[&begin, environment, command].concat());
        terminal
    }

    /// The rows that are to be seen, without blanks at their ends.
    pub fn shown(&self) -> Vec<String> {
        lines(&self.ask(&["capture-pane", "-p"]))
    }

    /// All that was ever written and not taken away, with the escape sequences of colours.
    pub fn all(&self) -> String {
        self.ask(&["capture-pane", "-peJ", "-S", "-", "-E", "-"])
    }

    /// Makes it of another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let [columns, rows] = [columns, rows].map(|length| length.to_string());
        self.ask(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// Waits until what is to be seen is as it should be.
    pub fn wait_for(&self, what: &str, holds: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.shown();
            if holds(&shown) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{what} never comes: {}",
                shown.join("\n")
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the end of the program, and says what it ended with.
    pub fn end(&self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(status) = fs::read_to_string(&self.status) {
                return status.trim().parse().unwrap();
            }
            assert!(Instant::now() < deadline, "it goes on: {:?}", self.shown());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = Command::new(program("tmux"))
            .arg("-S")
            .arg(&self.socket)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
