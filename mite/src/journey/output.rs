//! What a journey function takes and returns, so that the compiler can say what it should have.

use std::{
    pin::Pin,
    task::{Context as Task, Poll},
};

use pin_project_lite::pin_project;

use crate::{
    context::Context,
    error::{Error, Result},
};

/// What a journey function may return.
#[diagnostic::on_unimplemented(
    message = "a journey returns `mite::Result`, not `{Self}`",
    label = "this should be `mite::Result`",
    note = "`?` takes any error into `mite::Result`; `mite::Error::other` takes those of anyhow \
            and boxes"
)]
pub trait JourneyOutput {
    /// As the engine wants it.
    ///
    /// # Errors
    /// When the journey failed.
    fn into_result(self) -> Result;
}

#[diagnostic::do_not_recommend]
impl JourneyOutput for Result<(), Error> {
    fn into_result(self) -> Result {
        self
    }
}

/// What the first argument of a journey function refers to.
#[diagnostic::on_unimplemented(
    message = "the first argument of a journey is `&mite::Context`, not `&{Self}`",
    label = "this should be `&mite::Context`"
)]
pub trait IsContext {
    /// The context itself.
    fn of(ctx: &Context) -> &Self;
}

#[diagnostic::do_not_recommend]
impl IsContext for Context {
    fn of(ctx: &Context) -> &Self {
        ctx
    }
}

/// The future of a journey function, checked for what it returns.
///
/// It adds nothing to the size of `future`, where an async block would keep it twice.
///
/// It takes any future; only where the outcome is used as one it is found out. A bound here would
/// have the compiler say the same thing twice.
pub fn outcome<F>(future: F) -> Outcome<F> {
    Outcome { future }
}

pin_project! {
    /// The future of a journey function, as the engine wants it.
    #[derive(Debug)]
    pub struct Outcome<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future<Output: JourneyOutput>> Future for Outcome<F> {
    type Output = Result;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Result> {
        self.project()
            .future
            .poll(task)
            .map(JourneyOutput::into_result)
    }
}
