//! What a request sends after its head.

mod continued;
mod sending;
mod source;
#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    fmt,
    path::{Path, PathBuf},
    rc::Rc,
};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};

pub(super) use continued::Continue;
pub(super) use sending::{HandedOver, SendError, Sending};
use source::Source;

/// What a request sends after its head: bytes, a file or a stream.
///
/// Bytes and text turn into one by themselves, so `.body("text")` and `.body(vec![0; 1000])` do
/// what they say.
///
/// ```
/// use futures_util::stream;
/// use mite::http::Body;
///
/// let text = Body::from("a fixed text");
/// let file = Body::file("photo.jpg");
/// let lines = (1..=3).map(|line| Ok::<_, std::io::Error>(format!("line {line}\n")));
/// let streamed = Body::stream(stream::iter(lines));
/// ```
#[derive(Default)]
pub struct Body(Content);

enum Content {
    Bytes(Bytes),
    File(Rc<Path>),
    Stream(Once),
    Chain(Vec<Body>),
}

/// A stream until it is sent.
struct Once {
    length: Option<u64>,
    source: RefCell<Option<Source>>,
}

impl Body {
    /// Sends what the stream gives, as it gives it.
    ///
    /// The length is not known beforehand, so HTTP/1.1 sends it in chunks (RFC 9112, section 7.1).
    /// A stream can be sent once only: a request that has to go out again, for instance because a
    /// redirect keeps its method, fails. An error of the stream ends the request with an error of
    /// kind `request`.
    pub fn stream<T, E>(stream: impl Stream<Item = Result<T, E>> + 'static) -> Self
    where
        T: Into<Bytes> + 'static,
        E: fmt::Display + 'static,
    {
        Self::once(None, stream)
    }

    /// Sends what the stream gives, which is `length` bytes.
    ///
    /// As [`stream`](Body::stream), but with a `content-length`. A stream that gives less or more
    /// ends the request with an error of kind `request`.
    ///
    /// ```
    /// use futures_util::stream;
    /// use mite::http::Body;
    ///
    /// let megabyte = vec![0; 1 << 20];
    /// let pieces = stream::iter((0..100).map(move |_| Ok::<_, String>(megabyte.clone())));
    /// let body = Body::sized_stream(100 << 20, pieces);
    /// ```
    pub fn sized_stream<T, E>(
        length: u64,
        stream: impl Stream<Item = Result<T, E>> + 'static,
    ) -> Self
    where
        T: Into<Bytes> + 'static,
        E: fmt::Display + 'static,
    {
        Self::once(Some(length), stream)
    }

    /// Sends the content of a file, read piece by piece while it is sent.
    ///
    /// The file is opened when the request is sent, and anew each time it has to go out again. Its
    /// length at that moment is what is sent: what is appended meanwhile is left out, and a file
    /// that becomes shorter ends the request with an error of kind `request`, as does one that
    /// cannot be read. What is no regular file, such as a pipe, is sent in chunks to its end.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Content::File(path.into().into()))
    }

    /// Sends one after the other.
    pub(super) fn chain(bodies: Vec<Body>) -> Self {
        Self(Content::Chain(bodies))
    }

    fn once<T, E>(length: Option<u64>, stream: impl Stream<Item = Result<T, E>> + 'static) -> Self
    where
        T: Into<Bytes> + 'static,
        E: fmt::Display + 'static,
    {
        let pieces = stream
            .map_ok(Into::into)
            .map_err(|error| SendError::new(format!("the stream of the body failed: {error}")));
        let source = Source::new(length, pieces);
        Self(Content::Stream(Once {
            length,
            source: RefCell::new(Some(source)),
        }))
    }

    /// The bytes it is, when it is neither a file nor a stream.
    pub(super) fn bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The file it is the content of.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Content::File(path) => Some(path),
            _ => None,
        }
    }

    /// Whether it is known to have nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_some_and(Bytes::is_empty)
    }

    /// Whether it can be sent again.
    pub(super) fn is_repeatable(&self) -> bool {
        match &self.0 {
            Content::Bytes(_) | Content::File(_) => true,
            Content::Stream(_) => false,
            Content::Chain(bodies) => bodies.iter().all(Body::is_repeatable),
        }
    }

    /// How many bytes it has, as far as that can be told without sending it.
    ///
    /// It asks the file system for that of a file; what is sent goes by
    /// [`Sending::size_hint`](hyper::body::Body::size_hint).
    pub(super) fn length(&self) -> Option<u64> {
        match &self.0 {
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::File(path) => source::file_length(path),
            Content::Stream(once) => once.length,
            Content::Chain(bodies) => bodies.iter().map(Body::length).sum(),
        }
    }

    /// What it is, in brackets, for where it cannot be shown itself.
    pub(super) fn describe(&self) -> String {
        let length = match self.length() {
            Some(1) => ", 1 byte".to_owned(),
            Some(length) => format!(", {length} bytes"),
            None => String::new(),
        };
        match &self.0 {
            Content::Bytes(_) => format!("({})", length.trim_start_matches(", ")),
            Content::File(path) => format!("(file {}{length})", path.display()),
            Content::Stream(_) => format!("(stream{length})"),
            Content::Chain(_) => format!("(files and streams{length})"),
        }
    }

    /// It, ready to be sent, when that takes no waiting: bytes.
    pub(super) fn ready(&self) -> Option<Sending> {
        self.bytes().map(|bytes| Sending::full(bytes.clone()))
    }

    /// It, ready to be sent; files are opened.
    ///
    /// # Errors
    /// When a file cannot be read, or a stream was sent before.
    pub(super) async fn open(&self) -> Result<Sending, SendError> {
        match self.ready() {
            Some(sending) => Ok(sending),
            None => Ok(Sending::streaming(self.source().await?)),
        }
    }

    async fn source(&self) -> Result<Source, SendError> {
        match &self.0 {
            Content::Bytes(bytes) => Ok(Source::bytes(bytes.clone())),
            Content::File(path) => source::open_file(path).await,
            Content::Stream(once) => once
                .source
                .take()
                .ok_or_else(|| SendError::new("its body is a stream, which can be sent only once")),
            Content::Chain(bodies) => {
                let mut sources = Vec::with_capacity(bodies.len());
                for body in bodies {
                    sources.push(Box::pin(body.source()).await?);
                }
                Ok(Source::chain(sources))
            }
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Body{}", self.describe())
    }
}
