//! Runs the fixture, and takes a hang for a failure.

use std::process::Command;

pub(crate) use tests::running::{Ended, PATIENCE, Running};
use tests::running::{heard, program};

/// Runs the fixture to its end.
pub(crate) fn clumsy(arguments: &[&str]) -> Ended {
    Running::start(&mut command(arguments)).end()
}

/// The fixture with these arguments, for more than arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    program(FIXTURE, arguments)
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
    heard(command)
}

const FIXTURE: &str = env!("CARGO_BIN_EXE_clumsy");
