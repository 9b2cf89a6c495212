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
    response::{Response, Streaming},
    send,
    session::{self, Session},
    status::StatusPattern,
    target,
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
    /// In the place where the request stays until its answer is no longer needed, so that building
    /// it is not copying it. Nobody else has it yet.
    plan: Result<Rc<Plan>, Box<Refused>>,
}

impl RequestBuilder {
    pub(super) fn new(session: Session, method: Method, url: &str) -> Self {
        Self {
            plan: Plan::new(session, method, url),
        }
    }

    /// Adds a header. One of the session's or of the client's own with this name is not sent.
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        K: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        match session::header(name, value) {
            Ok((name, value)) => self.with(|plan| {
                plan.headers.append(name, value);
            }),
            Err(mistake) => self.refuse(mistake),
        }
    }

    /// Sets all these headers, each in place of those set before under its name.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|plan| {
            if plan.headers.is_empty() {
                plan.headers = headers;
            } else {
                replace(&mut plan.headers, &headers);
            }
        })
    }

    /// Adds to the query of the URL what `query` serializes to: a struct, a map or pairs.
    pub fn query(self, query: &(impl Serialize + ?Sized)) -> Self {
        let added = match (serde_urlencoded::to_string(query), &self.plan) {
            (Ok(text), Ok(plan)) if !text.is_empty() => plan.target.with_query(&text),
            (Err(error), _) => Err(format!("the query cannot be serialized: {error}")),
            (Ok(_), _) => return self,
        };
        match added {
            Ok(target) => self.with(|plan| plan.target = Rc::new(target)),
            Err(mistake) => self.refuse(mistake),
        }
    }

    /// Sends `value` as JSON, with `content-type: application/json` unless another is set.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.typed_body(body, &JSON),
            Err(error) => self.refuse(format!("the body cannot be serialized: {error}")),
        }
    }

    /// Sends `value` as a form, with `content-type: application/x-www-form-urlencoded` unless
    /// another is set.
    pub fn form(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(value) {
            Ok(body) => self.typed_body(body, &FORM),
            Err(error) => self.refuse(format!("the form cannot be serialized: {error}")),
        }
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
    pub fn multipart(self, form: Form) -> Self {
        match form.into_body() {
            Ok((body, content_type)) => self.typed_body(body, &content_type),
            Err(mistake) => self.refuse(mistake),
        }
    }

    /// Sends bytes, a text or a [`Body`], without a content type of their own.
    pub fn body(self, body: impl Into<Body>) -> Self {
        let body = body.into();
        self.with(|plan| plan.content = Content::Own(body))
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
    pub fn expect_continue(self) -> Self {
        self.with(|plan| plan.expect_continue = true)
    }

    /// Whether a compressed answer is asked for, in place of
    /// [`Settings::compressed`](super::Settings::compressed).
    pub fn compressed(self, asked_for: bool) -> Self {
        self.with(|plan| plan.compressed = asked_for)
    }

    /// Takes a redirect for an answer like any other.
    pub fn no_redirect(self) -> Self {
        self.with(|plan| plan.redirects = None)
    }

    /// Reads the body of the answer to its end and counts it, but keeps nothing of it.
    ///
    /// [`bytes`](Response::bytes) of the response is empty then. There is no limit to the length,
    /// and no memory is needed for it.
    pub fn discard_body(self) -> Self {
        self.with(|plan| plan.reading = Reading::Discard)
    }

    /// Shows the answer to `callback` before the request is recorded, which can add
    /// [labels and numbers](Labels) to the event; after those of the
    /// [session](Session::on_response).
    pub fn on_response(self, callback: impl Fn(&Response, &mut Labels) + 'static) -> Self {
        self.with(|plan| plan.hooks.push(Hook::new(callback)))
    }

    /// How long this request may take with its redirects, from `send` to the last byte of the last
    /// answer, in place of the session's [`timeout`](Session::timeout).
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|plan| plan.timeout = timeout)
    }

    /// The name reports group this request under; the method and the path unless set.
    ///
    /// Name requests whose path varies, so that they share one row: `GET /item/:id`.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        if let Err(refused) = &mut self.plan {
            refused.name = name.into();
            return self;
        }
        self.with(|plan| plan.name = Name::Given(name.into()))
    }

    /// Takes this status, though 400 or above, for a success in the reports.
    ///
    /// May be repeated, and takes ranges: `.ok_status(404).ok_status(500..600)`.
    pub fn ok_status(self, status: impl StatusPattern + 'static) -> Self {
        self.with(|plan| plan.ok.push(Rc::new(status)))
    }

    /// Signs in with HTTP Basic authentication (RFC 7617).
    pub fn basic_auth(
        self,
        username: impl fmt::Display,
        password: Option<impl fmt::Display>,
    ) -> Self {
        let password = password.map(|password| password.to_string());
        match target::basic(&username.to_string(), password.as_deref()) {
            Some(value) => self.with_authorization(value),
            None => self,
        }
    }

    /// Signs in with HTTP Digest authentication (RFC 7616).
    ///
    /// The first answer is the server's challenge, a request of its own in the reports that counts
    /// as no failure; [`Session::digest_auth`] meets it only once for many requests.
    pub fn digest_auth(self, username: impl Into<String>, password: impl Into<String>) -> Self {
        let digest = Digest::new(username, password);
        self.with(|plan| plan.digest = Some(Rc::new(digest)))
    }

    /// Signs in with a bearer token (RFC 6750).
    pub fn bearer_auth(self, token: impl fmt::Display) -> Self {
        match session::bearer(token) {
            Ok(value) => self.with_authorization(value),
            Err(mistake) => self.refuse(mistake),
        }
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
    pub async fn send(self) -> Result<Response, Error> {
        match &self.plan {
            Ok(plan) => send::send(plan).await,
            Err(refused) => Err(send::refuse(refused)),
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
    pub fn stream(self) -> impl Future<Output = Result<Streaming, Error>> + use<> {
        let request = self.with(|plan| plan.reading = Reading::Stream);
        async move {
            match &request.plan {
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

    fn curl(&self, secrets: Secrets) -> String {
        match &self.plan {
            Ok(plan) => curl::line(plan, secrets),
            Err(refused) => format!("# {}", refused.mistake),
        }
    }

    /// Changes the request, unless a mistake was made in building it.
    fn with(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        if let Ok(plan) = &mut self.plan
            && let Some(plan) = Rc::get_mut(plan)
        {
            change(plan);
        }
        self
    }

    fn with_authorization(self, value: HeaderValue) -> Self {
        self.with(|plan| {
            plan.headers.insert(header::AUTHORIZATION, value);
        })
    }

    fn typed_body(self, body: impl Into<Body>, content_type: &HeaderValue) -> Self {
        self.body(body).with(|plan| {
            plan.headers
                .entry(header::CONTENT_TYPE)
                .or_insert_with(|| content_type.clone());
        })
    }

    /// Keeps the first mistake for `send` to tell of.
    fn refuse(mut self, mistake: String) -> Self {
        if let Ok(plan) = &self.plan {
            self.plan = Err(Box::new(Refused {
                session: plan.session.clone(),
                method: plan.method.clone(),
                name: match &plan.name {
                    Name::Given(name) => name.clone(),
                    Name::Default(_) => Cow::Borrowed(""),
                },
                mistake,
            }));
        }
        self
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("RequestBuilder");
        match &self.plan {
            Ok(plan) => shown
                .field("method", &plan.method)
                .field("url", &plan.target.url.as_str()),
            Err(refused) => shown
                .field("method", &refused.method)
                .field("mistake", &refused.mistake),
        };
        shown.finish_non_exhaustive()
    }
}
