//! What a journey expects of an answer, and what it says when it got something else.

use http::HeaderName;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Error, Kind, Response, SHOWN};
use crate::{
    config::MASK,
    error,
    http::{mask, status::StatusPattern},
};

impl Response {
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
        Err(self.unexpected(&expected.describe(), &status.describe()))
    }

    /// Checks that a header is there with this value, and gives the response again.
    ///
    /// Names are compared without regard to case, values exactly; of several headers of the name
    /// one has to do.
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) -> mite::Result {
    /// ctx.http().get("/logo.svg").send().await?
    ///     .expect_status(200)?
    ///     .expect_header("content-type", "image/svg+xml")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no such header, or it has another value.
    #[track_caller]
    pub fn expect_header(
        &self,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Result<Self, error::Error> {
        let (name, value) = (name.as_ref(), value.as_ref());
        let values: Vec<_> = HeaderName::try_from(name)
            .ok()
            .into_iter()
            .flat_map(|name| self.headers().get_all(name))
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        if values.iter().any(|found| found == value) {
            return Ok(self.clone());
        }
        let secret = mask::is_secret_header(name);
        let value = if secret { MASK } else { value };
        let found = if values.is_empty() {
            "no such header".to_owned()
        } else if secret {
            format!("\"{MASK}\"")
        } else {
            format!("\"{}\"", shortened(&values.join("\", \"")))
        };
        Err(self.unexpected(&format!("the header {name}: \"{value}\""), &found))
    }

    /// Checks that the body has this text somewhere, and gives the response again.
    ///
    /// # Errors
    /// When it has not; the message shows the beginning of the body.
    #[track_caller]
    pub fn expect_body_contains(&self, text: impl AsRef<str>) -> Result<Self, error::Error> {
        let text = text.as_ref();
        if contains(&self.0.body, text.as_bytes()) {
            return Ok(self.clone());
        }
        let length = self.0.body.len();
        let expected = format!("a body with \"{}\" in it", shortened(text));
        Err(self.unexpected(&expected, &format!("{length} bytes without")))
    }

    /// What a JSON pointer (RFC 6901) leads to in the body, as a `T`.
    ///
    /// `/items/0/id` is the `id` of the first of the `items`; the empty pointer is the whole.
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) -> mite::Result {
    /// let first: u64 = ctx.http().get("/basket").send().await?.pointer("/items/0/id")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Of kind `decode`, when the body is not JSON, the pointer leads nowhere, or to something that
    /// is no `T`.
    pub fn pointer<T: DeserializeOwned>(&self, pointer: impl AsRef<str>) -> Result<T, Error> {
        let pointer = pointer.as_ref();
        let value: Value = self.json()?;
        let Some(found) = value.pointer(pointer) else {
            let mistake = if pointer.is_empty() || pointer.starts_with('/') {
                ""
            } else {
                ", which does not begin with a slash"
            };
            return Err(self.undecodable(&format!("without anything at \"{pointer}\"{mistake}")));
        };
        T::deserialize(found).map_err(|error| {
            let (found, masked) = mask::value(pointer.split('/'), found);
            let found = shortened(&found);
            // The error quotes the value too.
            let reason = if masked {
                String::new()
            } else {
                format!(": {error}")
            };
            self.undecodable(&format!(
                "not what is wanted at \"{pointer}\": {found}{reason}"
            ))
        })
    }

    /// Checks that a JSON pointer (RFC 6901) leads to this value in the body, and gives the response
    /// again.
    ///
    /// ```
    /// # async fn journey(ctx: &mite::Context) -> mite::Result {
    /// ctx.http().get("/health").send().await?.expect_json("/status", "ok")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the body is not JSON, the pointer leads nowhere or to another value; the message shows
    /// what is there.
    #[track_caller]
    pub fn expect_json(
        &self,
        pointer: impl AsRef<str>,
        expected: impl Into<Value>,
    ) -> Result<Self, error::Error> {
        let (pointer, expected) = (pointer.as_ref(), expected.into());
        let value: Value = match self.json() {
            Ok(value) => value,
            Err(error) => return Err(error::Error::from(error)),
        };
        let found = value.pointer(pointer);
        if found.is_some_and(|found| equal(found, &expected)) {
            return Ok(self.clone());
        }
        let shown = |value: &Value| mask::value(pointer.split('/'), value).0;
        let found = found.map_or_else(|| "nothing".to_owned(), |found| shortened(&shown(found)));
        let expected = shown(&expected);
        Err(self.unexpected(&format!("{expected} at \"{pointer}\""), &found))
    }

    /// The failure of an expectation.
    #[track_caller]
    fn unexpected(&self, expected: &str, found: &str) -> error::Error {
        error::Error::error(format!(
            "{}: expected {expected}, got {found}{}",
            &*self.0.plan.name,
            self.excerpt(),
        ))
    }

    /// An answer that cannot be read as what is wanted.
    pub(super) fn undecodable(&self, reason: &str) -> Error {
        let cause = format!("the body is {reason}{}", self.excerpt());
        Error::new(Kind::Decode, self.0.plan.name.to_string(), cause)
    }
}

/// Whether two values are the same, where `1` and `1.0` are.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        _ => one == other,
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
