//! What can go wrong with a request.

use std::{any::Any, fmt, io, time::Duration};

use super::{
    body::SendError,
    connection::{self, h2_error},
};
use crate::{
    error::{Class, Classifier},
    net,
};

/// A request that got no answer, or an answer that is not what it was read as.
///
/// The message has the [name](crate::http::RequestBuilder::name) of the request, or its method and
/// its URL without the query when it was given none, then the cause. Through `?` it
/// becomes a [`mite::Error`](crate::Error) of the same [`kind`](Error::kind).
///
/// ```
/// # async fn journey(ctx: &mite::Context) -> mite::Result {
/// match ctx.http().get("/slow").send().await {
///     Err(error) if error.is_timeout() => ctx.http().get("/fast").send().await?,
///     other => other?,
/// };
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    connected: bool,
    request: String,
    cause: String,
}

const CLOSED: &str = "the server closed the connection before it had answered";
const CUT_SHORT: &str = "the body is incomplete: the server closed the connection before its end";

/// What went wrong, as reports count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dns,
    Connect,
    Tls,
    Timeout,
    Reset,
    Closed,
    Protocol,
    Body,
    Decode,
    Request,
    Proxy,
    GoAway,
    Redirect,
    Interrupted,
    Local,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Dns => "dns",
            Kind::Connect => "connect",
            Kind::Tls => "tls",
            Kind::Timeout => "timeout",
            Kind::Reset => "reset",
            Kind::Closed => "closed",
            Kind::Protocol => "protocol",
            Kind::Body => "body",
            Kind::Decode => "decode",
            Kind::Request => "request",
            Kind::Proxy => "proxy",
            Kind::GoAway => "goaway",
            Kind::Redirect => "redirect",
            Kind::Interrupted => "interrupted",
            Kind::Local => "local",
        }
    }
}

impl Error {
    pub(super) fn new(kind: Kind, request: String, cause: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            connected: !matches!(
                kind,
                Kind::Dns | Kind::Connect | Kind::Proxy | Kind::Tls | Kind::Local
            ),
            request,
            cause: cause.into(),
        }))
    }

    /// There was no complete answer in time.
    pub(super) fn timeout(request: String, limit: Duration) -> Self {
        let limit = humantime::format_duration(limit);
        Self::new(
            Kind::Timeout,
            request,
            format!("no complete answer within {limit}"),
        )
    }

    /// There was no connection in time.
    pub(super) fn unconnected(request: String, limit: Duration) -> Self {
        let limit = humantime::format_duration(limit);
        let mut error = Self::new(
            Kind::Timeout,
            request,
            format!("no connection within {limit}"),
        );
        error.0.connected = false;
        error
    }

    /// It was not this one's turn in time.
    pub(super) fn crowded(request: String, limit: Duration) -> Self {
        let limit = humantime::format_duration(limit);
        let cause = format!(
            "waited {limit} for its turn: as many connections, streams or requests as there may be \
             were in use"
        );
        Self::new(Kind::Timeout, request, cause)
    }

    /// The server was silent for longer than it may be.
    pub(super) fn silent(request: String, limit: Duration) -> Self {
        let limit = humantime::format_duration(limit);
        let cause = format!("nothing came from the server for {limit}");
        Self::new(Kind::Timeout, request, cause)
    }

    pub(super) fn net(request: String, error: &net::Error) -> Self {
        let kind = match error.kind() {
            net::Kind::Dns => Kind::Dns,
            net::Kind::Connect => Kind::Connect,
            net::Kind::Proxy => Kind::Proxy,
            net::Kind::Tls => Kind::Tls,
            net::Kind::Timeout => Kind::Timeout,
            net::Kind::Local(_) => Kind::Local,
        };
        let mut error = Self::new(kind, request, error.to_string());
        error.0.connected = false;
        error
    }

    /// The connection failed, after the head of the answer or before it.
    pub(super) fn connection(request: String, error: &connection::Error, answered: bool) -> Self {
        let (kind, cause) = classify(error, answered);
        Self::new(kind, request, cause)
    }

    /// The word reports count it under: `dns`, `connect`, `proxy`, `tls`, `timeout`, `reset`,
    /// `goaway`, `closed`, `protocol`, `body`, `decode`, `redirect`, `request` or `local`.
    pub fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }

    /// Whether there was no complete answer in time.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// Whether there was no connection: an unknown name, a refused or unanswered connection, a
    /// failed TLS handshake, or a timeout before the end of these.
    pub fn is_connect(&self) -> bool {
        !self.0.connected
    }

    /// Whether the load generator itself could not open the connection: its machine had no file
    /// descriptor, local port or memory left. That is no fault of the server.
    pub fn is_local(&self) -> bool {
        self.0.kind == Kind::Local
    }

    /// Whether the name of the host could not be looked up.
    pub fn is_dns(&self) -> bool {
        self.0.kind == Kind::Dns
    }

    /// Whether the TLS handshake failed, for instance because of the server's certificate.
    pub fn is_tls(&self) -> bool {
        self.0.kind == Kind::Tls
    }

    /// Whether the proxy could not be used: it refused, wants other credentials, does not speak its
    /// protocol.
    pub fn is_proxy(&self) -> bool {
        self.0.kind == Kind::Proxy
    }

    /// Whether there was one redirect too many, or one that cannot be followed.
    pub fn is_redirect(&self) -> bool {
        self.0.kind == Kind::Redirect
    }

    /// Whether the server ended an HTTP/2 connection with an error (`GOAWAY`).
    pub fn is_go_away(&self) -> bool {
        self.0.kind == Kind::GoAway
    }

    /// Whether the server reset the connection, or the stream of HTTP/2.
    pub fn is_reset(&self) -> bool {
        self.0.kind == Kind::Reset
    }

    /// Whether the server closed the connection before it had answered.
    pub fn is_closed(&self) -> bool {
        self.0.kind == Kind::Closed
    }

    /// Whether the answer was not HTTP.
    pub fn is_protocol(&self) -> bool {
        self.0.kind == Kind::Protocol
    }

    /// Whether the body of the answer was cut short or broken.
    pub fn is_body(&self) -> bool {
        self.0.kind == Kind::Body
    }

    /// Whether the body of the answer was not what it was read as: not UTF-8, not the JSON wanted.
    pub fn is_decode(&self) -> bool {
        self.0.kind == Kind::Decode
    }

    /// Whether the request could not be built: a bad URL, a bad header, a body that cannot be
    /// serialized.
    pub fn is_request(&self) -> bool {
        self.0.kind == Kind::Request
    }
}

/// What an error of a connection means, and how to say it.
fn classify(error: &connection::Error, answered: bool) -> (Kind, String) {
    use connection::Error as Cause;
    match error {
        Cause::Io(error) => classify_io(error, answered),
        Cause::Closed => (Kind::Closed, CLOSED.to_owned()),
        Cause::CutShort => (Kind::Body, CUT_SHORT.to_owned()),
        Cause::NotHttp(words) => (Kind::Protocol, format!("the answer is not HTTP: {words}")),
        Cause::Malformed(words) => (Kind::Body, format!("the body is badly framed: {words}")),
        Cause::Body(error) => unsendable(error),
        Cause::Hyper(error) => classify_hyper(error, answered),
    }
}

fn classify_hyper(error: &hyper::Error, answered: bool) -> (Kind, String) {
    if let Some(error) = h2_error(error) {
        return match error.get_io() {
            Some(io) => classify_io(io, answered),
            None => classify_h2(error, answered),
        };
    }
    let cause = innermost(error);
    if let Some(io) = cause.downcast_ref::<io::Error>() {
        return classify_io(io, answered);
    }
    if let Some(error) = SendError::of(error) {
        unsendable(error)
    } else if error.is_user() {
        unsendable(error)
    } else if answered {
        (Kind::Body, CUT_SHORT.to_owned())
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        (Kind::Closed, CLOSED.to_owned())
    } else {
        (Kind::Protocol, format!("the answer is not HTTP: {error}"))
    }
}

fn unsendable(error: &dyn std::error::Error) -> (Kind, String) {
    (
        Kind::Request,
        format!("the request cannot be sent: {error}"),
    )
}

fn classify_io(io: &io::Error, answered: bool) -> (Kind, String) {
    match io.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => (Kind::Reset, "the server reset the connection".to_owned()),
        _ if answered => (Kind::Body, format!("the body is incomplete: {io}")),
        _ => match net::explain_alert(io) {
            Some(words) => (Kind::Tls, words),
            None => (Kind::Closed, format!("the connection broke: {io}")),
        },
    }
}

/// What an error of HTTP/2 means (RFC 9113, section 5.4).
fn classify_h2(error: &h2::Error, answered: bool) -> (Kind, String) {
    let reason = error.reason().unwrap_or(h2::Reason::INTERNAL_ERROR);
    if !error.is_remote() && error.is_reset() && answered {
        let cause = "the body is broken, such as longer or shorter than was announced";
        return (Kind::Body, cause.to_owned());
    }
    if !error.is_remote() {
        return (Kind::Protocol, format!("the answer is not HTTP/2: {error}"));
    }
    if error.is_go_away() {
        let cause = format!("the server ended the connection (GOAWAY, {reason:?})");
        (Kind::GoAway, cause)
    } else {
        let cause = format!("the server reset the stream ({reason:?})");
        (Kind::Reset, cause)
    }
}

fn innermost<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> &'a (dyn std::error::Error + 'static) {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.request, self.0.cause)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {self}", self.kind())
    }
}

impl std::error::Error for Error {}

inventory::submit! {
    Classifier::new(|error: &dyn Any| {
        let error = error.downcast_ref::<Error>()?;
        let class = Class::new(error.kind());
        Some(if error.is_connect() { class.connect() } else { class })
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, iter::successors};

    use super::Kind;
    use crate::event::TRANSPORT_ERRORS;

    /// The one after, so that a kind nobody has thought of here does not compile.
    fn next(kind: Kind) -> Option<Kind> {
        match kind {
            Kind::Dns => Some(Kind::Connect),
            Kind::Connect => Some(Kind::Tls),
            Kind::Tls => Some(Kind::Timeout),
            Kind::Timeout => Some(Kind::Reset),
            Kind::Reset => Some(Kind::Closed),
            Kind::Closed => Some(Kind::Protocol),
            Kind::Protocol => Some(Kind::Body),
            Kind::Body => Some(Kind::Decode),
            Kind::Decode => Some(Kind::Request),
            Kind::Request => Some(Kind::Proxy),
            Kind::Proxy => Some(Kind::GoAway),
            Kind::GoAway => Some(Kind::Redirect),
            Kind::Redirect => Some(Kind::Interrupted),
            Kind::Interrupted => Some(Kind::Local),
            Kind::Local => None,
        }
    }

    #[test]
    fn every_kind_can_be_named_in_thresholds_and_no_other() {
        let kinds = successors(Some(Kind::Dns), |kind| next(*kind));
        let kinds: BTreeSet<_> = kinds.map(Kind::as_str).collect();
        assert_eq!(kinds, BTreeSet::from(TRANSPORT_ERRORS));
        assert_eq!(kinds.len(), TRANSPORT_ERRORS.len());
    }

    #[test]
    fn every_kind_is_explained_in_the_page_about_numbers() {
        let page = include_str!("../../../docs/numbers.md");
        // Phases, which have a table too, come before.
        let (_, page) = page.split_once("The kinds of transport error are").unwrap();
        for kind in TRANSPORT_ERRORS {
            let row = format!("\n| `{kind}` | ");
            assert_eq!(page.matches(&row).count(), 1, "{kind}");
        }
    }
}
