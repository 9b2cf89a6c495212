//! Building a request.

mod fields;
mod plan;

use std::{borrow::Cow, fmt, future::Future, path::PathBuf, rc::Rc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;

pub(super) use fields::{expects_body, replace};
use plan::Content;
pub(super) use plan::{Name, Plan, Reading, Refused};

use super::{
    body::Body,
    curl::{self, Secrets},
    digest::Digest,
    error::Error,
    hook::{Hook, Labels},
    multipart::Form,
    pool::Pool,
    profile::Profile,
    response::{Response, Streaming},
    send::{self, Progress},
    session::{self, Session},
    status::StatusPattern,
    target::{self, Target},
};

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
    /// What the session was when the request was begun, so that its connection is of one piece.
    profile: Rc<Profile>,
    pool: Rc<Pool>,
    method: Method,
    target: Result<Rc<Target>, String>,
    query: String,
    headers: HeaderMap,
    body: Body,
    timeout: Option<Duration>,
    name: Option<Cow<'static, str>>,
    ok: Vec<Box<dyn StatusPattern>>,
    hooks: Vec<Hook>,
    digest: Option<Digest>,
    compressed: Option<bool>,
    redirected: bool,
    expect_continue: bool,
    reading: Reading,
}

impl RequestBuilder {
    pub(super) fn new(session: Session, method: Method, url: &str) -> Self {
        let state = &session.state;
        let profile = state.profile();
        let target = state.base().target(url, &profile.pool);
        Self {
            pool: state.pool(),
            profile,
            session,
            method,
            target,
            query: String::new(),
            headers: HeaderMap::new(),
            body: Body::default(),
            timeout: None,
            name: None,
            ok: Vec::new(),
            hooks: Vec::new(),
            digest: None,
            compressed: None,
            redirected: true,
            expect_continue: false,
            reading: Reading::Keep,
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
            Ok(body) => self.typed_body(body, &JSON),
            Err(error) => self.fail(format!("the body cannot be serialized: {error}")),
        }
        self
    }

    /// Sends `value` as a form, with `content-type: application/x-www-form-urlencoded` unless
    /// another is set.
    pub fn form(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(value) {
            Ok(body) => self.typed_body(body, &FORM),
            Err(error) => self.fail(format!("the form cannot be serialized: {error}")),
        }
        self
    }

    /// Sends a form with files, `multipart/form-data` (RFC 7578).
    ///
    /// ```
    /// # use mite::{Context, http::multipart::Form};
    /// # async fn journey(ctx: &Context) -> mite::Result {
    /// let form = Form::new().text("title", "On the beach").file("photo", "photos/beach.jpg");
    /// ctx.http().post("/photos").multipart(form).send().await?.expect_status(201)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn multipart(mut self, form: Form) -> Self {
        match form.into_body() {
            Ok((body, content_type)) => self.typed_body(body, &content_type),
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// Sends bytes, a text or a [`Body`], without a content type of their own.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the content of a file, without a content type of its own; as
    /// [`Body::file`].
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.body(Body::file(path))
    }

    /// Asks the server whether it wants the body before sending it (`expect: 100-continue`, RFC
    /// 9110, section 10.1.1).
    ///
    /// The body follows when the server says so, or after a second without a word, as in curl. If
    /// the answer comes first, the body is not sent. Over HTTP/2 nothing is waited for.
    pub fn expect_continue(mut self) -> Self {
        self.expect_continue = true;
        self
    }

    /// Whether a compressed answer is asked for, in place of
    /// [`Settings::compressed`](super::Settings::compressed).
    pub fn compressed(mut self, asked_for: bool) -> Self {
        self.compressed = Some(asked_for);
        self
    }

    /// Takes a redirect for an answer like any other.
    pub fn no_redirect(mut self) -> Self {
        self.redirected = false;
        self
    }

    /// Reads the body of the answer to its end and counts it, but keeps nothing of it.
    ///
    /// [`bytes`](Response::bytes) of the response is empty then. There is no limit to the length,
    /// and no memory is needed for it.
    pub fn discard_body(mut self) -> Self {
        self.reading = Reading::Discard;
        self
    }

    /// Shows the answer to `callback` before the request is recorded, which can add
    /// [labels and numbers](Labels) to the event; after those of the
    /// [session](Session::on_response).
    pub fn on_response(mut self, callback: impl Fn(&Response, &mut Labels) + 'static) -> Self {
        self.hooks.push(Hook::new(callback));
        self
    }

    /// How long this request may take with its redirects, from `send` to the last byte of the last
    /// answer, in place of the session's [`timeout`](Session::timeout).
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

    /// Signs in with HTTP Digest authentication (RFC 7616).
    ///
    /// The first answer is the server's challenge, a request of its own in the reports that counts
    /// as no failure; [`Session::digest_auth`] meets it only once for many requests.
    pub fn digest_auth(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.digest = Some(Digest::new(username, password));
        self
    }

    /// Signs in with a bearer token (RFC 6750).
    pub fn bearer_auth(mut self, token: impl fmt::Display) -> Self {
        match session::bearer(token) {
            Ok(value) => {
                self.headers.insert(header::AUTHORIZATION, value);
            }
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// Sends the request and reads the answer to the end of its body; follows redirects.
    ///
    /// An answer is `Ok` whatever its status; see [`Response::expect_status`]. A request of which
    /// nothing was written, because a kept connection turned out closed, or that the server said it
    /// did not look at (HTTP/2), goes to another connection, and nobody hears of it; no other is
    /// ever sent again.
    ///
    /// # Errors
    /// When the request could not be built, could not be sent, was not answered in time or not
    /// completely, or was redirected too often. [`Error::kind`] tells which.
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> + use<> {
        let planned = self.plan();
        async move {
            match &planned {
                Ok(plan) => send::send(plan).await,
                Err(refused) => Err(send::refuse(refused)),
            }
        }
    }

    /// Sends the request and gives back the answer as soon as its head is there, so that the
    /// journey reads the body as it comes: a download, server-sent events.
    ///
    /// The time until the head counts for the timeout; after that only
    /// [`read_timeout`](super::Settings::read_timeout) does. The request is recorded when the body
    /// has been read to its end, or when the [`Streaming`] is dropped, which closes the connection
    /// but is no failure.
    ///
    /// # Errors
    /// As [`send`](RequestBuilder::send).
    pub fn stream(mut self) -> impl Future<Output = Result<Streaming, Error>> + use<> {
        self.reading = Reading::Stream;
        let planned = self.plan();
        async move {
            match &planned {
                Ok(plan) => send::stream(plan).await,
                Err(refused) => Err(send::refuse(refused)),
            }
        }
    }

    /// The command line of `curl` that sends the same request, secrets masked.
    ///
    /// It is one request, so no redirect is followed. Headers, cookies, credentials and the body are in
    /// it, and the version of HTTP; proxies, addresses and the files of TLS are not.
    ///
    /// A request that cannot be built gives a comment that says why.
    pub fn to_curl(self) -> String {
        self.curl(Secrets::Masked)
    }

    /// As [`to_curl`](RequestBuilder::to_curl), passwords, tokens and cookies included.
    pub fn to_curl_with_secrets(self) -> String {
        self.curl(Secrets::Shown)
    }

    fn curl(self, secrets: Secrets) -> String {
        match self.plan() {
            Ok(plan) => curl::line(&plan, secrets),
            Err(refused) => format!("# {}", refused.mistake),
        }
    }

    fn plan(self) -> Result<Rc<Plan>, Refused> {
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
        let state = &self.session.state;
        let settings = state.settings();
        let endpoint = self.profile.endpoint(&self.pool, &target);
        let digest = match self.digest {
            Some(digest) => Some(Rc::new(digest)),
            None => state.digest_for(endpoint.origin(), false),
        };
        let mut hooks = state.hooks();
        hooks.extend(self.hooks);
        Ok(Rc::new(Plan {
            method: self.method,
            profile: self.profile,
            pool: self.pool,
            endpoint,
            progress: Progress::default(),
            away: false,
            credentials: target.credentials.clone(),
            target,
            name,
            reading: self.reading,
            timeout: self.timeout.unwrap_or(settings.timeout),
            read_timeout: settings.read_timeout,
            max_body_size: settings.max_body_size,
            redirects: (self.redirected && settings.redirects > 0).then_some(settings.redirects),
            digest,
            challenges: 0,
            hooks,
            expect_continue: self.expect_continue,
            compressed: self.compressed.unwrap_or(settings.compressed),
            headers: self.headers,
            ok: (!self.ok.is_empty()).then(|| self.ok.into()),
            content: Content::Own(self.body),
            session: self.session,
        }))
    }

    /// Where the request goes, unless a mistake was made in building it.
    fn checked_target(&self) -> Result<Rc<Target>, String> {
        if let Some(mistake) = self.session.state.mistake() {
            return Err(mistake);
        }
        let target = self.target.clone()?;
        if self.query.is_empty() {
            return Ok(target);
        }
        target.with_query(&self.query).map(Rc::new)
    }

    fn typed_body(&mut self, body: impl Into<Body>, content_type: &HeaderValue) {
        self.body = body.into();
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
