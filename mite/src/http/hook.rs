//! What a journey wants to do with each answer.

use std::{borrow::Cow, fmt, rc::Rc};

use serde_json::Value;

use super::Response;

/// What a response callback adds to the event of the request.
///
/// A [metric](crate::metrics!) bound to `http` sees them as fields of the event, labels as texts
/// and numbers as numbers; collectors write them down. A name that the event has already, such as
/// `status` or `body`, keeps what the event says.
///
/// ```
/// # use mite::Context;
/// async fn browse(ctx: &Context) -> mite::Result {
///     ctx.http().on_response(|response, labels| {
///         if let Some(cache) = response.header("x-cache") {
///             labels.label("cache", cache);
///         }
///         if let Some(time) = response.header("x-db-ms").and_then(|time| time.parse().ok()) {
///             labels.number("db_ms", time);
///         }
///     });
///     ctx.http().get("/").send().await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Labels(Vec<(Cow<'static, str>, Value)>);

/// A callback that is shown each answer.
#[derive(Clone)]
pub(super) struct Hook(Rc<Callback>);

type Callback = dyn Fn(&Response, &mut Labels);

impl Labels {
    /// Adds a text. A later one of the same name counts.
    pub fn label(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push((name.into(), Value::String(value.into())));
    }

    /// Adds a number. One that is infinite or not a number is left out.
    pub fn number(&mut self, name: impl Into<Cow<'static, str>>, value: f64) {
        if let Some(number) = serde_json::Number::from_f64(value) {
            self.0.push((name.into(), Value::Number(number)));
        }
    }

    pub(super) fn all(&self) -> &[(Cow<'static, str>, Value)] {
        &self.0
    }
}

impl Hook {
    pub(super) fn new(call: impl Fn(&Response, &mut Labels) + 'static) -> Self {
        Self(Rc::new(call))
    }

    pub(super) fn call(&self, response: &Response, labels: &mut Labels) {
        (self.0)(response, labels);
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}
