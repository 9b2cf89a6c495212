//! Panics of code that is not ours, caught with their place.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Once,
    task::Poll,
};

use super::Error;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panic {
    /// What it said.
    pub(crate) message: String,
    /// Where it was, as `file:line`.
    pub(crate) location: String,
}

/// Calls `function`; a panic in it is kept for the caller instead of being printed.
///
/// What `function` has changed when it panics stays half done.
///
/// # Errors
/// When it panics.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    let depth = DEPTH.get();
    DEPTH.set(depth + 1);
    let result = catch_unwind(AssertUnwindSafe(function));
    DEPTH.set(depth);
    result.map_err(|payload| Panic {
        message: message(payload.as_ref()),
        location: take_location(depth + 1).unwrap_or_else(|| "unknown".to_owned()),
    })
}

/// As [`catch`], for a future.
///
/// # Errors
/// When it panics.
pub(crate) async fn catching<F: Future>(future: F) -> Result<F::Output, Panic> {
    let mut future = pin!(future);
    poll_fn(|task| match catch(|| future.as_mut().poll(task)) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "it panicked at {}: {}",
            self.location, self.message
        )
    }
}

/// An error of kind `panic`, at the place of the panic.
pub(crate) fn panicked(panic: Panic) -> Error {
    Error::panicked(panic.message, panic.location)
}

thread_local! {
    /// How many calls of [`catch`] are within one another.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where panics were that are on their way, and how deep; one may be in a drop that another
    /// has called.
    static LOCATIONS: RefCell<Vec<(usize, String)>> = const { RefCell::new(Vec::new()) };
}

/// The place of the panic that was caught at this depth.
fn take_location(depth: usize) -> Option<String> {
    LOCATIONS
        .with_borrow_mut(|locations| {
            // Deeper ones are of panics that somebody else has caught.
            while locations.last().is_some_and(|(deep, _)| *deep > depth) {
                locations.pop();
            }
            locations.pop_if(|(deep, _)| *deep == depth)
        })
        .map(|(_, location)| location)
}

/// Keeps the place of a panic for the message instead of printing it over the display; panics that
/// nobody catches go to the hook that was there before.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let depth = DEPTH.get();
            if depth > 0 {
                take_location(depth);
                let location = info
                    .location()
                    .map(|at| (depth, format!("{}:{}", at.file(), at.line())));
                LOCATIONS.with_borrow_mut(|locations| locations.extend(location));
            } else {
                previous(info);
            }
        }));
    });
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_its_place() {
        let panic = catch(|| panic!("there is no user {}", 3)).unwrap_err();
        assert_eq!(panic.message, "there is no user 3");
        assert!(panic.location.contains("caught.rs:"), "{}", panic.location);
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[tokio::test]
    async fn a_future_may_panic_after_it_has_waited() {
        let caught = catching(async {
            tokio::task::yield_now().await;
            panic!("late")
        });
        assert_eq!(caught.await.map(|(): ()| ()).unwrap_err().message, "late");
        assert_eq!(catching(async { 7 }).await, Ok(7));
    }

    #[test]
    fn a_panic_caught_while_another_unwinds_leaves_that_its_place() {
        struct Careless;

        impl Drop for Careless {
            fn drop(&mut self) {
                let inner = catch(|| panic!("inner")).map(|(): ()| ());
                assert_eq!(inner.unwrap_err().message, "inner");
            }
        }

        let outer = catch(|| {
            let _careless = Careless;
            panic!("outer")
        });
        let line = line!() - 2;
        let panic = outer.map(|(): ()| ()).unwrap_err();
        assert_eq!(panic.message, "outer");
        assert_eq!(panic.location, format!("{}:{line}", file!()));
    }

    #[test]
    fn a_panic_inside_another_catch_leaves_the_outer_one_watching() {
        let outer = catch(|| {
            let inner = catch(|| panic!("inner")).map(|(): ()| ());
            assert_eq!(inner.unwrap_err().message, "inner");
            panic!("outer")
        });
        assert_eq!(outer.map(|(): ()| ()).unwrap_err().message, "outer");
    }
}
