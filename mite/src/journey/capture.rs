//! Running a journey so that nothing it does can take the worker down.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Once,
    task::{Context as Task, Poll},
};

use crate::{
    context::Context,
    error::{Error, Result, panic_message},
};

/// A journey's future whose failure has been reported and whose panic has become an error.
pub(crate) struct Captured<'a> {
    ctx: &'a Context,
    journey: Pin<Box<dyn Future<Output = Result> + 'a>>,
}

impl<'a> Captured<'a> {
    /// Watches over `journey`, which runs in `ctx`.
    pub(crate) fn new(
        ctx: &'a Context,
        journey: Pin<Box<dyn Future<Output = Result> + 'a>>,
    ) -> Self {
        install_hook();
        Self { ctx, journey }
    }
}

impl Future for Captured<'_> {
    type Output = Result;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Result> {
        let outer = WATCHING.replace(true);
        // What the journey leaves behind when it unwinds is dropped with it; the context, which
        // stays, only holds cells.
        let polled = catch_unwind(AssertUnwindSafe(|| self.journey.as_mut().poll(task)));
        WATCHING.set(outer);
        let mut result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(payload) => {
                let location = PANIC_LOCATION
                    .take()
                    .unwrap_or_else(|| "unknown".to_owned());
                Err(Error::panicked(panic_message(payload.as_ref()), location))
            }
        };
        if let Err(error) = &mut result {
            self.ctx.report(error);
        }
        Poll::Ready(result)
    }
}

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static PANIC_LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the place of a journey's panic for the report instead of printing it over the display;
/// panics elsewhere go to the hook that was there before.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if WATCHING.get() {
                let location = info
                    .location()
                    .map(|at| format!("{}:{}", at.file(), at.line()));
                PANIC_LOCATION.set(location);
            } else {
                previous(info);
            }
        }));
    });
}
