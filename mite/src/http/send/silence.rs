//! How long a server may be silent.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::progress::Progress;

/// The server was silent for longer than it may be.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Silent;

/// Waits for `future` while something happens on the connection at least once in `timeout`.
pub(in crate::http) async fn limit<T>(
    progress: &Progress,
    timeout: Option<Duration>,
    mut future: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Silent> {
    // Made only when it is needed, since every request in flight would hold its room.
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let Some(timeout) = timeout else {
            return Poll::Pending;
        };
        loop {
            let since = progress.last_stirred().unwrap_or_else(Instant::now);
            let due = since + timeout;
            let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if alarm.deadline() == due {
                ready!(alarm.as_mut().poll(cx));
                return Poll::Ready(Err(Silent));
            }
            alarm.as_mut().reset(due);
        }
    })
    .await
}
