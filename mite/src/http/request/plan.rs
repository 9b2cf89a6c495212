//! A request ready to be sent, as often as it takes.

use std::{borrow::Cow, ops::Deref, rc::Rc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, header};
use hyper::{body::Body as _, ext::on_informational};

use crate::http::{
    body::{Body, Continue, SendError, Sending},
    connection::Connection,
    decode,
    digest::{self, Digest},
    error::{Error, Kind},
    hook::Hook,
    pool::{Endpoint, Pool},
    profile::Profile,
    redirect,
    response::Response,
    send::{Progress, Silent},
    session::{Auth, Session},
    status::StatusPattern,
    target::Target,
};

static USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("mite/", env!("CARGO_PKG_VERSION")));
static ACCEPT: HeaderValue = HeaderValue::from_static("*/*");

/// Room for the headers of most requests, and of most answers, since hyper reads those into the same
/// map.
const USUAL_HEADERS: usize = 8;

/// A request ready to be sent.
pub(in crate::http) struct Plan {
    pub(in crate::http) session: Session,
    pub(in crate::http) method: Method,
    pub(in crate::http) target: Rc<Target>,
    /// What the session was when the request was begun.
    pub(in crate::http) profile: Rc<Profile>,
    /// Whose connections it uses.
    pub(in crate::http) pool: Rc<Pool>,
    /// The server it goes to, among the connections it may use.
    pub(in crate::http) endpoint: Rc<Endpoint>,
    pub(in crate::http) progress: Progress,
    pub(in crate::http) name: Name,
    pub(in crate::http) reading: Reading,
    pub(in crate::http) timeout: Duration,
    pub(in crate::http) read_timeout: Option<Duration>,
    pub(in crate::http) max_body_size: u64,
    /// How many redirects are followed, if any are.
    pub(in crate::http) redirects: Option<u32>,
    pub(in crate::http) digest: Option<Rc<Digest>>,
    /// How many challenges of the server it has answered.
    pub(super) challenges: u32,
    pub(in crate::http) hooks: Vec<Hook>,
    pub(super) expect_continue: bool,
    pub(in crate::http) compressed: bool,
    pub(super) headers: HeaderMap,
    pub(super) ok: Option<Rc<[Box<dyn StatusPattern>]>>,
    /// Whether a redirect has led away from the server that the session's own headers may hold
    /// credentials for.
    pub(super) away: bool,
    /// User and password of the URL, or of the one that was redirected from.
    pub(super) credentials: Option<HeaderValue>,
    pub(super) content: Content,
}

/// What is sent after the head.
pub(super) enum Content {
    Own(Body),
    /// That of the request before, whose answer led to this one.
    Of(Rc<Plan>),
}

/// What becomes of the body of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Reading {
    Keep,
    Discard,
    /// It is handed on as it comes.
    Stream,
}

/// A request that could not be built.
pub(in crate::http) struct Refused {
    pub(in crate::http) session: Session,
    pub(in crate::http) method: Method,
    /// The name it was given, or none.
    pub(in crate::http) name: Cow<'static, str>,
    pub(in crate::http) mistake: String,
}

/// What a request is grouped under.
#[derive(Clone, Debug)]
pub(in crate::http) enum Name {
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
    /// The request as hyper sends it, made anew for each attempt, if its body is bytes.
    pub(in crate::http) fn request(&self, connection: &Connection) -> Request<Sending> {
        let body = self.body().ready().unwrap_or_default();
        self.request_with(body, connection)
    }

    /// As [`request`](Plan::request), with a body that must be opened.
    pub(in crate::http) async fn open_request(
        &self,
        connection: &Connection,
    ) -> Result<Request<Sending>, SendError> {
        let body = self.body().open().await?;
        Ok(self.request_with(body, connection))
    }

    fn request_with(&self, body: Sending, connection: &Connection) -> Request<Sending> {
        let version = connection.version();
        let length = body.size_hint().exact();
        let go_on = self.waits_for_word(version).then(Continue::default);
        if let Connection::Http1(connection) = connection {
            connection.wire().expect_word(go_on.is_some());
        }
        let body = match &go_on {
            Some(go_on) => body.after(go_on.clone(), Continue::PATIENCE),
            None => body,
        };
        let mut headers = self.compose(version, length, self.authorization());
        let uri = self.uri(version, &mut headers);
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = version;
        *request.headers_mut() = headers;
        if let Some(go_on) = go_on {
            on_informational(&mut request, move |informed| {
                if informed.status() == StatusCode::CONTINUE {
                    go_on.grant();
                }
            });
        }
        request
    }

    /// Whether the body is held back until the server says to go on. Over HTTP/2 it never is, where
    /// a body that is not wanted can be given up without the connection.
    fn waits_for_word(&self, version: Version) -> bool {
        self.expect_continue && version == Version::HTTP_11
    }

    /// What the request line has, in the form the connection wants.
    fn uri(&self, version: Version, headers: &mut HeaderMap) -> Uri {
        if version == Version::HTTP_2 {
            return self.target.absolute(headers.remove(header::HOST).as_ref());
        }
        match self.endpoint.forwarding() {
            None => self.target.uri.clone(),
            Some(authorization) => {
                if let Some(authorization) = authorization {
                    headers.insert(header::PROXY_AUTHORIZATION, authorization);
                }
                self.target.absolute(None)
            }
        }
    }

    /// The headers as they are sent, for somebody to look at.
    pub(in crate::http) fn all_headers(&self, version: Version) -> HeaderMap {
        let authorization = match &self.digest {
            // It is made for one request as it is sent, and never the same again.
            Some(_) => Some(HeaderValue::from_static("Digest")),
            None => self.authorization(),
        };
        self.compose(version, self.body().length(), authorization)
    }

    fn compose(
        &self,
        version: Version,
        length: Option<u64>,
        authorization: Option<HeaderValue>,
    ) -> HeaderMap {
        let state = &self.session.state;
        let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
        headers.insert(header::HOST, self.target.host.clone());
        headers.insert(header::USER_AGENT, USER_AGENT.clone());
        headers.insert(header::ACCEPT, ACCEPT.clone());
        if self.compressed {
            let accepted = match self.reading {
                Reading::Stream => decode::ACCEPTED_STREAMED,
                Reading::Keep | Reading::Discard => decode::ACCEPTED,
            };
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        }
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        if let Some(length) = length
            && (length > 0 || expects_body(&self.method))
        {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        if self.expect_continue && length != Some(0) {
            headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        }
        if version == Version::HTTP_11 && !self.pool.reuses() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(cookies) = state.cookies_for(&self.target.url) {
            headers.insert(header::COOKIE, cookies);
        }
        if self.away {
            let mut own = HeaderMap::clone(&state.headers());
            redirect::strip_credentials(&mut own);
            replace(&mut headers, &own);
        } else {
            replace(&mut headers, &state.headers());
        }
        replace(&mut headers, &self.headers);
        headers
    }

    /// Who the request says it is from, unless a header is set by hand.
    fn authorization(&self) -> Option<HeaderValue> {
        if let Some(digest) = &self.digest {
            let body = match self.body().bytes() {
                Some(bytes) => digest::Body::Bytes(bytes),
                None => digest::Body::Stream,
            };
            return digest.authorization(&self.method, &self.target.url, body);
        }
        if let Some(credentials) = &self.credentials {
            return Some(credentials.clone());
        }
        match self
            .session
            .state
            .auth_for(self.endpoint.origin(), self.away)
        {
            Some(Auth::Header(value)) => Some(value),
            Some(Auth::Digest(_)) | None => None,
        }
    }

    /// Takes note of the cookies an answer sets.
    pub(in crate::http) fn remember(&self, headers: &HeaderMap) {
        if headers.contains_key(header::SET_COOKIE) {
            self.session.state.store_cookies(&self.target.url, headers);
        }
    }

    /// The same request with the credentials that an answer asked for, if these are to be had and
    /// have not been refused.
    pub(in crate::http) fn with_answer_to(
        self: &Rc<Self>,
        headers: &HeaderMap,
    ) -> Option<Rc<Self>> {
        let digest = self.digest.as_ref()?;
        if !digest.answer(&self.target.url, headers, self.challenges)
            || !self.body().is_repeatable()
        {
            return None;
        }
        let mut next = self.followed_by(
            self.method.clone(),
            Rc::clone(&self.target),
            self.headers.clone(),
            Content::Of(Rc::clone(self)),
        );
        next.challenges = self.challenges + 1;
        Some(Rc::new(next))
    }

    /// The request that a redirect asks for.
    pub(in crate::http) fn redirected(
        self: &Rc<Self>,
        next: &redirect::Next,
    ) -> Result<Rc<Self>, Error> {
        let state = &self.session.state;
        let target = self
            .profile
            .base(None)
            .target(next.url.as_str(), &self.profile.pool)
            .map_err(|mistake| Error::new(Kind::Redirect, self.brief(), mistake))?;
        let mut headers = self.headers.clone();
        next.strip(&mut headers);
        let content = if next.keep_body {
            Content::Of(Rc::clone(self))
        } else {
            Content::Own(Body::default())
        };
        let mut plan = self.followed_by(next.method.clone(), target, headers, content);
        if next.drop_credentials {
            plan.away = true;
            plan.digest = state.digest_for(plan.endpoint.origin(), true);
        } else {
            plan.credentials = plan.credentials.or_else(|| self.credentials.clone());
        }
        Ok(Rc::new(plan))
    }

    fn followed_by(
        &self,
        method: Method,
        target: Rc<Target>,
        headers: HeaderMap,
        content: Content,
    ) -> Self {
        let name = match &self.name {
            Name::Given(name) => Name::Given(name.clone()),
            Name::Default(_) => Name::Default(target.name(&method)),
        };
        Self {
            session: self.session.clone(),
            method,
            profile: Rc::clone(&self.profile),
            pool: Rc::clone(&self.pool),
            endpoint: self.profile.endpoint(&self.pool, &target),
            progress: Progress::default(),
            credentials: target.credentials.clone(),
            target,
            name,
            reading: self.reading,
            timeout: self.timeout,
            read_timeout: self.read_timeout,
            max_body_size: self.max_body_size,
            redirects: self.redirects,
            digest: self.digest.clone(),
            challenges: 0,
            hooks: self.hooks.clone(),
            expect_continue: self.expect_continue,
            compressed: self.compressed,
            headers,
            ok: self.ok.clone(),
            away: self.away,
            content,
        }
    }

    /// What is sent after the head.
    pub(in crate::http) fn body(&self) -> &Body {
        match &self.content {
            Content::Own(body) => body,
            Content::Of(plan) => plan.body(),
        }
    }

    /// Whether reports count this answer as a failure: a status of 400 and above that was not said
    /// to be right, unless it is the challenge that Digest authentication begins with.
    pub(in crate::http) fn is_failure(&self, answer: &Response) -> bool {
        let status = answer.status();
        if status.as_u16() < 400 {
            return false;
        }
        let ok = self.ok.iter().flat_map(|ok| ok.iter());
        let is_challenge = status == StatusCode::UNAUTHORIZED
            && self.challenges == 0
            && self
                .digest
                .as_ref()
                .is_some_and(|_| digest::is_challenge(answer.headers()));
        !is_challenge && !ok.into_iter().any(|ok| ok.matches(status))
    }

    /// Method and URL, as messages name the request; the name alone where one was given, since
    /// it stands for many URLs and failures are grouped by their message.
    pub(in crate::http) fn brief(&self) -> String {
        match &self.name {
            Name::Given(name) => name.to_string(),
            Name::Default(_) => format!("{} {}", self.method, self.target.brief()),
        }
    }

    /// The error of a server that was silent for longer than it may be.
    pub(in crate::http) fn silent(&self, _: Silent) -> Error {
        self.progress.give_up();
        let limit = self.read_timeout.unwrap_or_default();
        Error::silent(self.brief(), limit)
    }
}

/// Whether a server may want to know that there is no body.
pub(in crate::http) fn expects_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

pub(in crate::http) fn replace(headers: &mut HeaderMap, with: &HeaderMap) {
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
