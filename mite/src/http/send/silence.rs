//! How long a server may be silent.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::progress::Progress;

/// The server was silent for longer than it may be.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Silent;

/// Waits for `future` while something happens on the connection at least once in `timeout`.
pub(in crate::http) fn limit<F: Future>(
    progress: &Progress,
    timeout: Option<Duration>,
    future: F,
) -> Limited<'_, F> {
    Limited {
        progress,
        timeout,
        alarm: None,
        future,
    }
}

pin_project! {
    /// What may not go without a word for too long.
    pub(in crate::http) struct Limited<'a, F> {
        progress: &'a Progress,
        timeout: Option<Duration>,
        // Made only when it is needed, since every request in flight holds its room.
        alarm: Option<Pin<Box<Sleep>>>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Limited<'_, F> {
    type Output = Result<F::Output, Silent>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let Some(timeout) = *this.timeout else {
            return Poll::Pending;
        };
        loop {
            let since = this.progress.last_stirred().unwrap_or_else(Instant::now);
            let due = since + timeout;
            let alarm = this.alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if alarm.deadline() == due {
                ready!(alarm.as_mut().poll(cx));
                return Poll::Ready(Err(Silent));
            }
            alarm.as_mut().reset(due);
        }
    }
}
