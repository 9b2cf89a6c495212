//! Waiting for the server's word before a body is sent (RFC 9110, section 10.1.1).

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::time::{Sleep, sleep};

/// The server's word that a body may come: a `100 Continue`.
///
/// Clones are the same word, so that one can be given where answers arrive.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Continue(Arc<Word>);

#[derive(Debug, Default)]
struct Word {
    given: AtomicBool,
    waiting: AtomicWaker,
}

impl Continue {
    /// How long the word is waited for unless told otherwise; curl waits as long.
    pub(in crate::http) const PATIENCE: Duration = Duration::from_secs(1);

    /// Gives it.
    pub(in crate::http) fn grant(&self) {
        self.0.given.store(true, Ordering::Release);
        self.0.waiting.wake();
    }

    /// Whether it has been given.
    pub(in crate::http) fn was_granted(&self) -> bool {
        self.0.given.load(Ordering::Acquire)
    }
}

/// Holds a body back until the word is given or the patience is over.
pub(super) struct Gate {
    go_on: Continue,
    patience: Duration,
    /// There once it has been asked to open: then the head of the request is on its way.
    over: Option<Pin<Box<Sleep>>>,
}

impl Gate {
    pub(super) fn new(go_on: Continue, patience: Duration) -> Self {
        Self {
            go_on,
            patience,
            over: None,
        }
    }

    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Registered first, or a word given in between would wake nobody.
        self.go_on.0.waiting.register(cx.waker());
        if self.go_on.was_granted() {
            return Poll::Ready(());
        }
        let patience = self.patience;
        self.over
            .get_or_insert_with(|| Box::pin(sleep(patience)))
            .as_mut()
            .poll(cx)
    }
}
