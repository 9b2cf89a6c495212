//! Forms of several parts, as browsers send them with files (RFC 7578).
//!
//! ```
//! use mite::http::multipart::{Form, Part};
//!
//! let form = Form::new()
//!     .text("title", "Holidays")
//!     .file("photo", "testdata/beach.jpg")
//!     .part("notes", Part::text("# Day one").file_name("notes.md"));
//! ```

mod encode;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    iter::repeat_with,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::Stream;
use http::HeaderValue;

use super::body::Body;

/// A form of several parts, each of a name and a content, in the order they were added.
///
/// It is sent as `multipart/form-data`, with a `content-length` unless a part is a stream of unknown
/// length. Files are read while they are sent, never held in memory. A form without streams can be
/// sent again, as some redirects ask for; see [`Body::stream`].
#[derive(Debug)]
pub struct Form {
    boundary: String,
    parts: Vec<(String, Part)>,
}

/// The content of one part of a [`Form`], and what is said about it.
#[derive(Debug)]
pub struct Part {
    body: Body,
    file_name: Option<String>,
    content_type: Option<Result<HeaderValue, String>>,
}

impl Form {
    /// A form without parts.
    pub fn new() -> Self {
        let random = repeat_with(fastrand::alphanumeric).take(32);
        Self {
            boundary: format!("----MiteFormBoundary{}", random.collect::<String>()),
            parts: Vec::new(),
        }
    }

    /// Adds a field, as a browser sends that of a text input.
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name, Part::text(value))
    }

    /// Adds a file, under the name it has in its folder; see [`Part::file`].
    pub fn file(self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.part(name, Part::file(path))
    }

    /// Adds a part.
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// What separates the parts: random, and as good as certain not to be in any of them.
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// What is sent, and its content type; or the mistake that was made with a part.
    pub(super) fn into_body(self) -> Result<(Body, HeaderValue), String> {
        encode::encode(self)
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

impl Part {
    /// A text, without a content type of its own.
    pub fn text(value: impl Into<String>) -> Self {
        Self::new(value.into().into())
    }

    /// Some bytes, without a content type of their own.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(bytes.into().into())
    }

    /// A file, under the name it has in its folder.
    ///
    /// It is opened when the form is sent, as that of [`Body::file`].
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into());
        Self {
            file_name,
            ..Self::new(Body::file(path))
        }
    }

    /// What the stream gives; see [`Body::stream`].
    pub fn stream<T, E>(stream: impl Stream<Item = Result<T, E>> + 'static) -> Self
    where
        T: Into<Bytes> + 'static,
        E: fmt::Display + 'static,
    {
        Self::new(Body::stream(stream))
    }

    /// What the stream gives, which is `length` bytes; see [`Body::sized_stream`].
    pub fn sized_stream<T, E>(
        length: u64,
        stream: impl Stream<Item = Result<T, E>> + 'static,
    ) -> Self
    where
        T: Into<Bytes> + 'static,
        E: fmt::Display + 'static,
    {
        Self::new(Body::sized_stream(length, stream))
    }

    /// The file name the server is told; that makes a file of any part.
    ///
    /// Unless [`mime_str`](Part::mime_str) says it, the content type of a file is guessed from the
    /// ending of its name; it is `application/octet-stream` when that tells nothing.
    pub fn file_name(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = Some(file_name.into());
        self
    }

    /// The content type of the part, for instance `text/csv; charset=utf-8`.
    ///
    /// What is no content type is told when the form is sent, as an error of kind `request`.
    pub fn mime_str(mut self, content_type: &str) -> Self {
        self.content_type = Some(parse_content_type(content_type));
        self
    }

    fn new(body: Body) -> Self {
        Self {
            body,
            file_name: None,
            content_type: None,
        }
    }

    /// The content type that was set, else that of a file; what is no file has none.
    fn content_type(&self) -> Result<Option<HeaderValue>, String> {
        if let Some(content_type) = &self.content_type {
            return content_type.clone().map(Some);
        }
        Ok(self.file_name.as_ref().map(|file_name| {
            mime_guess::from_path(Path::new(file_name))
                .first_raw()
                .map_or(OCTET_STREAM, HeaderValue::from_static)
        }))
    }
}

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

fn parse_content_type(text: &str) -> Result<HeaderValue, String> {
    let essence = text.split(';').next().unwrap_or(text).trim();
    let is_type = essence.split_once('/').is_some_and(|(kind, subtype)| {
        let is_token = |part: &str| !part.is_empty() && part.bytes().all(is_token_byte);
        is_token(kind) && is_token(subtype)
    });
    let value = HeaderValue::from_str(text.trim()).ok();
    value.filter(|_| is_type).ok_or_else(|| {
        format!("{text:?} is not a content type; one looks like \"text/plain; charset=utf-8\"")
    })
}

/// Whether it may be in a token (RFC 9110, section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
