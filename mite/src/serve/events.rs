//! The report as server-sent events (HTML Standard, 9.2): one a second, and one at the end.
//!
//! An event is made when the one before it has been taken, from what is known then. So a reader
//! that is slow gets fewer of them, none of which lacks anything, and never holds more than one
//! back.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_local,
    time::timeout,
};

use super::latest::{Latest, Seen};

/// How long nothing is said at most, so that it shows when a reader has gone.
const SILENCE: Duration = Duration::from_secs(15);

/// Begins to tell of the run; seconds up to `since` are known already.
pub(super) fn stream(latest: Latest, since: Option<f64>) -> Receiver<Bytes> {
    let (parts, taken) = channel(1);
    spawn_local(tell(latest, since, parts));
    taken
}

async fn tell(latest: Latest, mut since: Option<f64>, parts: Sender<Bytes>) {
    let mut stages = latest.stages();
    stages.mark_changed();
    // When there is no room, the last one has not been taken.
    while let Ok(room) = parts.reserve().await {
        match timeout(SILENCE, stages.changed()).await {
            Ok(Ok(())) => {}
            // The engine has panicked.
            Ok(Err(_)) => return,
            Err(_) => {
                room.send(Bytes::from_static(b":\n\n"));
                continue;
            }
        }
        let Some(seen) = latest.get().await else {
            continue;
        };
        let last = seen.last_point();
        if last <= since && !seen.is_last() {
            continue;
        }
        room.send(event(&seen, since));
        since = last.or(since);
        if seen.is_last() {
            return;
        }
    }
}

fn event(seen: &Rc<Seen>, since: Option<f64>) -> Bytes {
    let name = if seen.is_last() { "end" } else { "update" };
    let mut event = format!("event: {name}\n").into_bytes();
    if let Some(last) = seen.last_point().or(since) {
        event.extend_from_slice(format!("id: {last}\n").as_bytes());
    }
    event.extend_from_slice(b"data: ");
    event.extend_from_slice(&seen.since(since));
    event.extend_from_slice(b"\n\n");
    event.into()
}
