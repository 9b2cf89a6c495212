//! Building a request.

use std::{borrow::Cow, fmt, future::Future, ops::Deref, rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde::Serialize;

use super::{
    error::Error,
    response::Response,
    send,
    session::{self, Session},
    status::StatusPattern,
    target::{self, Target},
};

static USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("mite/", env!("CARGO_PKG_VERSION")));
static ACCEPT: HeaderValue = HeaderValue::from_static("*/*");
static JSON: HeaderValue = HeaderValue::from_static("application/json");
static FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A request in the making; [`send`](RequestBuilder::send) sends it.
///
/// It owns a handle on its session, so several can be in flight at once:
///
/// ```
/// # async fn journey(ctx: &mite::Context) -> mite::Result {
/// # use futures_util::future::try_join;
/// let http = ctx.http();
/// let (basket, offers) = try_join(http.get("/basket").send(), http.get("/offers").send()).await?;
/// # Ok(())
/// # }
/// ```
///
/// What is wrong with a URL, a header or a body is told by `send`, as an error of kind `request`.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    session: Session,
    method: Method,
    target: Result<Rc<Target>, String>,
    query: String,
    headers: HeaderMap,
    body: Bytes,
    timeout: Option<Duration>,
    name: Option<Cow<'static, str>>,
    ok: Vec<Box<dyn StatusPattern>>,
}

impl RequestBuilder {
    pub(super) fn new(session: Session, method: Method, url: &str) -> Self {
        let state = &session.state;
        let target = state.base().target(url, &state.worker.pool);
        Self {
            session,
            method,
            target,
            query: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: None,
            name: None,
            ok: Vec::new(),
        }
    }

    /// Adds a header. One of the session's or of the client's own with this name is not sent.
    pub fn header<K, V>(mut self, name: K, value: V) -> Self
    where
        K: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        match session::header(name, value) {
            Ok((name, value)) => {
                self.headers.append(name, value);
            }
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// Sets all these headers, each in place of those set before under its name.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        if self.headers.is_empty() {
            self.headers = headers;
        } else {
            replace(&mut self.headers, &headers);
        }
        self
    }

    /// Adds to the query of the URL what `query` serializes to: a struct, a map or pairs.
    pub fn query(mut self, query: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(query) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => {
                if !self.query.is_empty() {
                    self.query.push('&');
                }
                self.query.push_str(&text);
            }
            Err(error) => self.fail(format!("the query cannot be serialized: {error}")),
        }
        self
    }

    /// Sends `value` as JSON, with `content-type: application/json` unless another is set.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.typed_body(body.into(), &JSON),
            Err(error) => self.fail(format!("the body cannot be serialized: {error}")),
        }
        self
    }

    /// Sends `value` as a form, with `content-type: application/x-www-form-urlencoded` unless
    /// another is set.
    pub fn form(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(value) {
            Ok(body) => self.typed_body(body.into(), &FORM),
            Err(error) => self.fail(format!("the form cannot be serialized: {error}")),
        }
        self
    }

    /// Sends these bytes, without a content type of their own.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// How long this request may take, from `send` to the last byte of the answer, in place of the
    /// session's [`timeout`](Session::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The name reports group this request under; the method and the path unless set.
    ///
    /// Name requests whose path varies, so that they share one row: `GET /item/:id`.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Takes this status, though 400 or above, for a success in the reports.
    ///
    /// May be repeated, and takes ranges: `.ok_status(404).ok_status(500..600)`.
    pub fn ok_status(mut self, status: impl StatusPattern + 'static) -> Self {
        self.ok.push(Box::new(status));
        self
    }

    /// Signs in with HTTP Basic authentication (RFC 7617).
    pub fn basic_auth(
        mut self,
        username: impl fmt::Display,
        password: Option<impl fmt::Display>,
    ) -> Self {
        let password = password.map(|password| password.to_string());
        if let Some(value) = target::basic(&username.to_string(), password.as_deref()) {
            self.headers.insert(header::AUTHORIZATION, value);
        }
        self
    }

    /// Signs in with a bearer token (RFC 6750).
    pub fn bearer_auth(mut self, token: impl fmt::Display) -> Self {
        match session::header(header::AUTHORIZATION, format!("Bearer {token}")) {
            Ok((name, mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// Sends the request and reads the answer to the end of its body.
    ///
    /// An answer is `Ok` whatever its status; see [`Response::expect_status`]. A connection kept
    /// from an earlier request that turns out closed before a byte of this one was written is
    /// replaced by a new one, and nobody hears of it; a request of which a byte was written is never
    /// sent again.
    ///
    /// # Errors
    /// When the request could not be built, could not be sent, was not answered in time or not
    /// completely. [`Error::kind`] tells which.
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> + use<> {
        let planned = self.plan();
        // The plan is borrowed from here on, since each move of it would have a place of its own in
        // the future, which every user in flight holds.
        async move {
            match &planned {
                Ok(plan) => Ok(Response::new(plan, send::send(plan).await?)),
                Err(refused) => Err(send::refuse(refused)),
            }
        }
    }

    fn plan(self) -> Result<Plan, Refused> {
        let target = match self.checked_target() {
            Ok(target) => target,
            Err(mistake) => {
                return Err(Refused {
                    name: self.name.unwrap_or(Cow::Borrowed("")),
                    session: self.session,
                    method: self.method,
                    mistake,
                });
            }
        };
        let name = match self.name {
            Some(name) => Name::Given(name),
            None => Name::Default(target.name(&self.method)),
        };
        let session_timeout = self.session.state.timeout.get();
        Ok(Plan {
            timeout: self.timeout.unwrap_or(session_timeout),
            session: self.session,
            method: self.method,
            target,
            headers: self.headers,
            body: self.body,
            name,
            ok: self.ok,
        })
    }

    /// Where the request goes, unless a mistake was made in building it.
    fn checked_target(&self) -> Result<Rc<Target>, String> {
        if let Some(mistake) = &*self.session.state.mistake.borrow() {
            return Err(mistake.clone());
        }
        let target = self.target.clone()?;
        if self.query.is_empty() {
            return Ok(target);
        }
        target.with_query(&self.query).map(Rc::new)
    }

    fn typed_body(&mut self, body: Bytes, content_type: &HeaderValue) {
        self.body = body;
        self.headers
            .entry(header::CONTENT_TYPE)
            .or_insert_with(|| content_type.clone());
    }

    /// Keeps the first mistake for `send` to tell of.
    fn fail(&mut self, mistake: String) {
        if self.target.is_ok() {
            self.target = Err(mistake);
        }
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestBuilder")
            .field("method", &self.method)
            .field(
                "url",
                &self.target.as_ref().map(|target| target.url.as_str()),
            )
            .finish_non_exhaustive()
    }
}

/// A request ready to be sent, as often as it takes.
pub(super) struct Plan {
    pub(super) session: Session,
    pub(super) method: Method,
    pub(super) target: Rc<Target>,
    pub(super) body: Bytes,
    pub(super) timeout: Duration,
    pub(super) name: Name,
    headers: HeaderMap,
    ok: Vec<Box<dyn StatusPattern>>,
}

/// A request that could not be built.
pub(super) struct Refused {
    pub(super) session: Session,
    pub(super) method: Method,
    /// The name it was given, or none.
    pub(super) name: Cow<'static, str>,
    pub(super) mistake: String,
}

/// What a request is grouped under.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Default(Rc<str>),
    Given(Cow<'static, str>),
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Name::Default(name) => name,
            Name::Given(name) => name,
        }
    }
}

impl Plan {
    /// The request as hyper sends it, made anew for each attempt.
    pub(super) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.uri.clone();
        *request.headers_mut() = self.all_headers();
        request
    }

    /// The headers as they are sent.
    pub(super) fn all_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::HOST, self.target.host.clone());
        headers.insert(header::USER_AGENT, USER_AGENT.clone());
        headers.insert(header::ACCEPT, ACCEPT.clone());
        if let Some(credentials) = &self.target.credentials {
            headers.insert(header::AUTHORIZATION, credentials.clone());
        }
        if !self.body.is_empty() || expects_body(&self.method) {
            headers.insert(header::CONTENT_LENGTH, self.body.len().into());
        }
        replace(&mut headers, &self.session.state.headers.borrow());
        replace(&mut headers, &self.headers);
        headers
    }

    /// Whether reports count this status as a failure.
    pub(super) fn is_failure(&self, status: http::StatusCode) -> bool {
        status.as_u16() >= 400 && !self.ok.iter().any(|ok| ok.matches(status))
    }

    /// Method and URL, as messages name the request; the name alone where one was given, since
    /// it stands for many URLs and failures are grouped by their message.
    pub(super) fn brief(&self) -> String {
        match &self.name {
            Name::Given(name) => name.to_string(),
            Name::Default(_) => format!("{} {}", self.method, self.target.brief()),
        }
    }
}

/// Whether a server may want to know that there is no body.
fn expects_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

fn replace(headers: &mut HeaderMap, with: &HeaderMap) {
    for name in with.keys() {
        let mut values = with.get_all(name).iter();
        if let Some(first) = values.next() {
            headers.insert(name, first.clone());
        }
        for value in values {
            headers.append(name, value.clone());
        }
    }
}
