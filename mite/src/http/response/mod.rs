//! An answer, read to its end.

mod checks;
mod intake;
mod streaming;

use std::{cell::OnceCell, fmt, net::SocketAddr, rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use serde::de::DeserializeOwned;
use url::Url;

pub(super) use intake::{Answer, Broken, Intake};
pub use streaming::{Events, Streaming};

use super::{
    curl::{self, Secrets},
    error::{Error, Kind},
    head::Head,
    mask,
    request::Plan,
};
use crate::event::Timings;

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
    plan: Rc<Plan>,
    head: Head,
    body: Bytes,
    timings: Timings,
    history: OnceCell<Vec<Response>>,
}

impl Response {
    pub(super) fn new(plan: Rc<Plan>, answer: Answer, timings: Timings) -> Self {
        Self(Rc::new(Inner {
            plan,
            head: answer.head,
            body: answer.body,
            timings,
            history: OnceCell::new(),
        }))
    }

    /// The same, now that it is known how long it took.
    pub(super) fn with_timings(&self, timings: Timings) -> Self {
        let inner = &self.0;
        Self(Rc::new(Inner {
            plan: Rc::clone(&inner.plan),
            head: inner.head.clone(),
            body: inner.body.clone(),
            timings,
            history: inner.history.clone(),
        }))
    }

    pub(super) fn plan(&self) -> &Rc<Plan> {
        &self.0.plan
    }

    /// The same, with the answers that led to it.
    pub(super) fn with_history(self, history: Vec<Response>) -> Self {
        if !history.is_empty() {
            // It has had none before.
            let _ = self.0.history.set(history);
        }
        self
    }

    pub(super) fn head(&self) -> &Head {
        &self.0.head
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.0.head.headers()
    }

    /// The value of a header, the first of several; `None` when there is none or it is no text.
    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.headers().get(name.as_ref())?.to_str().ok()
    }

    /// The answers that led to this one, first things first: redirects that were followed, and the
    /// challenge of Digest authentication. Empty if the first answer was the last.
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) -> mite::Result {
    /// let response = ctx.http().get("/old").send().await?;
    /// for hop in response.history() {
    ///     println!("{} {} in {:?}", hop.status(), hop.url(), hop.time());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn history(&self) -> &[Response] {
        self.0.history.get().map_or(&[], Vec::as_slice)
    }

    /// The version of HTTP the server spoke.
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// The URL that was asked for, the last one after redirects, without user, password and
    /// fragment.
    pub fn url(&self) -> &Url {
        &self.0.plan.target.url
    }

    /// The address the connection goes to, which may be a proxy's; `None` on a Unix socket.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.timings.remote_addr
    }

    /// From `send()`, or the redirect that led here, to the last byte of the body.
    pub fn time(&self) -> Duration {
        self.0.timings.total
    }

    /// The time by phase, and the bytes.
    pub fn timings(&self) -> &Timings {
        &self.0.timings
    }

    /// The body, decompressed. The bytes are shared, not copied.
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
        serde_json::from_slice(&self.0.body).map_err(|error| {
            // Such an error quotes the value it is about.
            let finding = if error.is_data() && mask::has_secrets(self.headers(), &self.0.body) {
                let (line, column) = (error.line(), error.column());
                format!("a value that does not fit at line {line} column {column}")
            } else {
                error.to_string()
            };
            self.undecodable(&format!("not the JSON wanted: {finding}"))
        })
    }

    /// The command line of `curl` that sends the same request, secrets masked.
    pub fn to_curl(&self) -> String {
        curl::line(&self.0.plan, Secrets::Masked)
    }

    /// As [`to_curl`](Response::to_curl), passwords, tokens and cookies included.
    pub fn to_curl_with_secrets(&self) -> String {
        curl::line(&self.0.plan, Secrets::Shown)
    }

    /// The beginning of the body, on one line.
    fn excerpt(&self) -> String {
        excerpt(mask::beginning(self.headers(), &self.0.body).as_bytes())
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
