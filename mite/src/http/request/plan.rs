//! A request ready to be sent, as often as it takes.

use std::{borrow::Cow, ops::Deref, rc::Rc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::http::{
    body::Body,
    digest::{self, Digest},
    error::{Error, Kind},
    head::Head,
    hook::Hook,
    pool::{Endpoint, Pool},
    profile::Profile,
    redirect,
    response::Response,
    send::{Progress, Silent},
    session::Session,
    status::StatusPattern,
    target::Target,
};

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
    /// How many requests led to this one.
    pub(in crate::http) follows: u32,
    pub(in crate::http) hooks: Vec<Hook>,
    pub(super) expect_continue: bool,
    pub(in crate::http) compressed: bool,
    pub(super) headers: HeaderMap,
    pub(super) ok: Vec<Rc<dyn StatusPattern>>,
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
    /// A request as its session has it, or what is wrong with it.
    pub(super) fn new(
        session: Session,
        method: Method,
        url: &str,
    ) -> Result<Rc<Self>, Box<Refused>> {
        let state = &session.state;
        let (profile, pool) = (state.profile(), state.pool());
        let target = match state.mistake() {
            Some(mistake) => Err(mistake),
            None => state.base().target(url, &profile.pool),
        };
        let target = match target {
            Ok(target) => target,
            Err(mistake) => {
                return Err(Box::new(Refused {
                    session,
                    method,
                    name: Cow::Borrowed(""),
                    mistake,
                }));
            }
        };
        let settings = state.settings();
        let endpoint = profile.endpoint(&pool, &target);
        Ok(Rc::new(Self {
            progress: Progress::default(),
            name: Name::Default(target.name(&method)),
            reading: Reading::Keep,
            timeout: settings.timeout,
            read_timeout: settings.read_timeout,
            max_body_size: settings.max_body_size,
            redirects: (settings.redirects > 0).then_some(settings.redirects),
            digest: state.digest_for(endpoint.origin(), false),
            challenges: 0,
            follows: 0,
            hooks: state.hooks(),
            expect_continue: false,
            compressed: settings.compressed,
            headers: HeaderMap::new(),
            ok: Vec::new(),
            away: false,
            credentials: target.credentials.clone(),
            content: Content::Own(Body::default()),
            profile,
            pool,
            endpoint,
            target,
            method,
            session,
        }))
    }

    /// Takes note of the cookies an answer sets.
    pub(in crate::http) fn remember(&self, head: &Head) {
        if head.sets_cookies {
            let state = &self.session.state;
            state.store_cookies(&self.target.url, head.headers());
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
            follows: self.follows + 1,
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
        let is_challenge = status == StatusCode::UNAUTHORIZED
            && self.challenges == 0
            && self
                .digest
                .as_ref()
                .is_some_and(|_| digest::is_challenge(answer.headers()));
        !is_challenge && !self.ok.iter().any(|ok| ok.matches(status))
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
