//! What a command has to show, on stdout.

use std::io::Write as _;

/// Writes `text` to stdout.
///
/// Nobody reads on when stdout is closed, as `| head` does: the command then goes on without, and its
/// exit code stays what it is.
pub(super) fn show(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}
