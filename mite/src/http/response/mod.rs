//! An answer, read to its end.

use std::{fmt, rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version, response::Parts};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    connection::Answer,
    error::{Error, Kind},
    mask,
    request::{Name, Plan},
    status::StatusPattern,
    target::Target,
};
use crate::{config::Config, error, event::Timings};

/// How much of a body a message shows.
const SHOWN: usize = 200;

/// The answer to a request, with its whole body.
///
/// A cheap handle: clones are the same answer.
///
/// ```
/// # use mite::Context;
/// # #[derive(serde::Deserialize)] struct Basket { items: Vec<String> }
/// async fn basket(ctx: &Context) -> mite::Result {
///     let basket: Basket = ctx.http().get("/basket").send().await?.expect_status(200)?.json()?;
///     mite::ensure!(basket.items.is_empty());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Response(Rc<Inner>);

struct Inner {
    name: Name,
    target: Rc<Target>,
    head: Parts,
    body: Bytes,
    timings: Timings,
}

impl Response {
    pub(super) fn new(plan: &Plan, (answer, timings): (Answer, Timings)) -> Self {
        Self(Rc::new(Inner {
            name: plan.name.clone(),
            target: Rc::clone(&plan.target),
            head: answer.head,
            body: answer.body,
            timings,
        }))
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.head.headers
    }

    /// The version of HTTP the server spoke.
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// The URL that was asked for, without user, password and fragment.
    pub fn url(&self) -> &Url {
        &self.0.target.url
    }

    /// From `send()` to the last byte of the body.
    pub fn time(&self) -> Duration {
        self.0.timings.total
    }

    /// The time by phase, and the bytes.
    pub fn timings(&self) -> &Timings {
        &self.0.timings
    }

    /// The body. The bytes are shared, not copied.
    pub fn bytes(&self) -> Bytes {
        self.0.body.clone()
    }

    /// The body as text, which must be UTF-8 whatever the headers say.
    ///
    /// # Errors
    /// Of kind `decode`, when it is not UTF-8.
    pub fn text(&self) -> Result<String, Error> {
        match std::str::from_utf8(&self.0.body) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(self.undecodable(&format!("not text: {error}"))),
        }
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// Of kind `decode`, when it is not JSON or not that of a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.0.body)
            .map_err(|error| self.undecodable(&format!("not the JSON wanted: {error}")))
    }

    /// Checks the status, and gives the response again to go on with.
    ///
    /// `expected` is one status or a range: `200`, `StatusCode::CREATED`, `200..300`.
    ///
    /// # Errors
    /// When the status is another; the message names the request and shows the beginning of the
    /// body.
    #[track_caller]
    // By value, so that a plain number can be given.
    #[allow(clippy::needless_pass_by_value)]
    pub fn expect_status(&self, expected: impl StatusPattern) -> Result<Self, error::Error> {
        let status = self.status();
        if expected.matches(status) {
            return Ok(self.clone());
        }
        Err(error::Error::error(format!(
            "{}: expected {}, got {}{}",
            &*self.0.name,
            expected.describe(),
            status.describe(),
            self.excerpt(),
        )))
    }

    fn undecodable(&self, reason: &str) -> Error {
        let cause = format!("the body is {reason}{}", self.excerpt());
        Error::new(Kind::Decode, self.0.name.to_string(), cause)
    }

    /// The beginning of the body, on one line.
    fn excerpt(&self) -> String {
        // What the config holds is masked where messages are shown; here it is about the fields.
        let shown = mask::body(self.headers(), &self.0.body, &Config::default());
        excerpt(shown.as_bytes())
    }
}

fn excerpt(body: &[u8]) -> String {
    if body.is_empty() {
        return "; the body is empty".to_owned();
    }
    // A character takes up to four bytes; those beyond are not worth decoding.
    let beginning = body.get(..SHOWN * 4).unwrap_or(body);
    let text = String::from_utf8_lossy(beginning);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(SHOWN).collect();
    if shown.len() < line.len() || beginning.len() < body.len() {
        shown.push('…');
    }
    format!("; the body begins: {shown}")
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("url", &self.url().as_str())
            .field("status", &self.status())
            .field("timings", self.timings())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt(b""), "; the body is empty");
        assert_eq!(
            excerpt(b"<html>\n  <p>no\r\n"),
            "; the body begins: <html> <p>no"
        );
        let long = excerpt("ü".repeat(5000).as_bytes());
        assert!(long.ends_with("ü…"), "{long}");
        assert_eq!(long.chars().filter(|letter| *letter == 'ü').count(), SHOWN);
    }
}
