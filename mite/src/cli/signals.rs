//! Ctrl-C and SIGTERM: the first one ends the run gracefully, the second at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::engine::StopHandle;

/// Stops the run as the user asks for it; never ends by itself.
pub(super) async fn watch(stop: StopHandle) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    either(&mut interrupt, &mut terminate).await;
    stop.stop();
    either(&mut interrupt, &mut terminate).await;
    stop.cut();
    std::future::pending().await
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
