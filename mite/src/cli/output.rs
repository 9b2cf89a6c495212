//! What is written to the terminal, also when nobody reads it.

use std::io::{self, ErrorKind, Write as _};

use super::exit::Failure;

/// Writes to stdout. A reader that has gone away, as in `list | head -1`, is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "cannot write to the standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes a line to stderr, where there is nobody left to tell when that fails.
pub(super) fn tell(line: &str) {
    let _ = io::stderr()
        .lock()
        .write_all(format!("{line}\n").as_bytes());
}
