//! A journey whose type is forgotten: run with its data as bytes.

use std::{any::Any, fmt, future, pin::Pin};

use bytes::Bytes;

use super::Journey;
use crate::{context::Context, datapool, error::Result};

/// One run of a journey.
pub(crate) type JourneyFuture<'a> = Pin<Box<dyn Future<Output = Result> + 'a>>;

/// A journey whose type is forgotten.
#[derive(Clone, Copy)]
pub(crate) struct Runnable {
    name: &'static str,
    start: for<'a> fn(&'a Context, &Bytes) -> JourneyFuture<'a>,
}

impl Runnable {
    /// Forgets the type of a journey.
    pub(crate) const fn of<J: Journey>() -> Self {
        Self {
            name: J::NAME,
            start: start::<J>,
        }
    }

    /// The full name of the journey.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// One run, with data as a pool encodes it; a journey without data does not look at it.
    ///
    /// The run fails at once when the data cannot be decoded.
    pub(crate) fn run<'a>(&self, ctx: &'a Context, data: &Bytes) -> JourneyFuture<'a> {
        (self.start)(ctx, data)
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Runnable").field(&self.name).finish()
    }
}

/// The box is the one allocation of a start. The data is decoded before, so that the future need
/// not keep it twice.
fn start<'a, J: Journey>(ctx: &'a Context, data: &Bytes) -> JourneyFuture<'a> {
    match decode::<J>(data) {
        Ok(data) => Box::pin(J::run(ctx, data)),
        Err(error) => Box::pin(future::ready(Err(error))),
    }
}

fn decode<J: Journey>(data: &Bytes) -> Result<J::Data> {
    if let Some(nothing) = unit::<J::Data>() {
        return Ok(nothing);
    }
    Ok(datapool::decode(data)?)
}

/// `()`, when that is what `T` is; the compiler knows, so this costs nothing.
fn unit<T: 'static>() -> Option<T> {
    (&mut Some(()) as &mut dyn Any)
        .downcast_mut::<Option<T>>()?
        .take()
}
