//! The log: what libraries and mite say to a developer, on stderr.

use std::{io::IsTerminal, sync::Mutex};

use tracing::Level;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::report::Printer;

/// Sends the log of this level and above to the printer, which keeps it off a live display.
pub(super) fn start(level: Level, printer: Printer) {
    // What the client of NATS has to say of a server that is away, mite says itself, and shorter.
    let others = if level < Level::DEBUG {
        ",async_nats=off"
    } else {
        ""
    };
    let filter = format!("{}{others}", LevelFilter::from_level(level));
    // A second start, as in tests of the command line, keeps the first one's log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(Mutex::new(printer))
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .try_init();
}
