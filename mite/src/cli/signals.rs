//! Ctrl-C and SIGTERM: the first one ends the run gracefully, the second at once, the third leaves.

use std::io::{self, Write as _};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
#[cfg(feature = "nats")]
use crate::runner::Wish;
use crate::{engine::StopHandle, report::Printer};

/// Stops the run as the user asks for it; never ends by itself.
///
/// The third signal is for a run that is stuck where nothing can reach it, such as a setup that
/// blocks its thread.
pub(super) async fn watch(stop: StopHandle, mut printer: Option<Printer>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut tell = |line: &str| {
        if let Some(printer) = &mut printer {
            // In one piece, which a live display keeps together.
            let _ = printer.write_all(format!("{line}\n").as_bytes());
        }
    };
    either(&mut interrupt, &mut terminate).await;
    tell("stopping; Ctrl-C again cuts journeys in flight");
    stop.stop();
    either(&mut interrupt, &mut terminate).await;
    tell("cutting; Ctrl-C again leaves without a report");
    stop.cut();
    either(&mut interrupt, &mut terminate).await;
    std::process::exit(Exit::Interrupted.code().into())
}

/// Ends with the next signal, or at once when there can be no watch.
pub(super) async fn any() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    either(&mut interrupt, &mut terminate).await;
    Ok(())
}

/// Lets a runner leave the run it takes part in as the user asks for it: ends with the third signal,
/// or at once when there can be no watch.
#[cfg(feature = "nats")]
pub(super) async fn watch_runner(
    wish: tokio::sync::watch::Sender<Wish>,
    say: impl Fn(&str),
) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    either(&mut interrupt, &mut terminate).await;
    say("leaving; Ctrl-C again cuts journeys in flight");
    wish.send_replace(Wish::Leave);
    either(&mut interrupt, &mut terminate).await;
    say("cutting; Ctrl-C again leaves without a word");
    wish.send_replace(Wish::Go);
    either(&mut interrupt, &mut terminate).await;
    Ok(())
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
