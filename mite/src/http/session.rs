//! The HTTP session of a journey.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rustc_hash::FxHashMap;

use super::{
    Cookies,
    connections::{Connections, Reuse},
    cookies::CookieJar,
    digest::Digest,
    hook::{Hook, Labels},
    pool::{Origin, Pool, queue::Queue},
    profile::Profile,
    request::RequestBuilder,
    response::Response,
    settings::Settings,
    target::{self, Base},
    worker::Worker,
};
use crate::context::{Context, Extension};

impl Context {
    /// The HTTP session of this run of the journey.
    ///
    /// It is made at the first call and is the same one after that; see [`Session`].
    pub fn http(&self) -> Session {
        Session {
            context: self.clone(),
            state: self.extension::<State>(),
        }
    }
}

/// What the requests of one run of a journey have in common: cookies, headers, credentials and the
/// kind of client.
///
/// A cheap handle: its clones, and the builders made from it, are the same session. Settings hold
/// for the requests begun after them, until the journey ends. Connections are kept alive and belong
/// to the worker thread unless [`Connections`] say otherwise.
///
/// ```
/// # use mite::Context;
/// async fn browse(ctx: &Context) -> mite::Result {
///     let session = ctx.http();
///     session.default_header("accept-language", "de");
///     session.get("/").send().await?.expect_status(200)?;
///     session.post("/search").form(&[("q", "umbrella")]).send().await?.expect_status(200..300)?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(super) context: Context,
    pub(super) state: Rc<State>,
}

/// The session without its context, so that the context can own it.
pub(super) struct State {
    pub(super) worker: Rc<Worker>,
    /// What is not as it is for all of the worker; most sessions have nothing of that, and one is
    /// made for each run of a journey.
    own: RefCell<Option<Box<Own>>>,
}

/// What a session has of its own.
struct Own {
    settings: Rc<Settings>,
    profile: Rc<Profile>,
    pool: Rc<Pool>,
    base: Rc<Base>,
    base_url: Option<Rc<str>>,
    headers: Rc<HeaderMap>,
    jar: Option<Rc<RefCell<CookieJar>>>,
    auth: Option<Auth>,
    hooks: Vec<Hook>,
    limits: Option<Rc<Limits>>,
    /// What cannot be as it was set; told when a request is sent, where errors can be returned.
    mistake: Option<String>,
}

/// Who the session says it is.
#[derive(Clone)]
pub(super) enum Auth {
    Header(HeaderValue),
    Digest(Rc<Digest>),
}

/// How many requests may be under way to one server at once.
#[derive(Debug)]
struct Limits {
    most: usize,
    by_origin: RefCell<FxHashMap<Rc<Origin>, Rc<Limit>>>,
}

/// The places for requests to one server.
#[derive(Debug)]
pub(super) struct Limit {
    left: Cell<usize>,
    queue: Queue,
}

/// The place of a request among those under way, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Rc<Limit>);

impl Extension for State {
    fn attach(ctx: &Context) -> Self {
        let worker = ctx.per_worker::<Worker>();
        let own = worker
            .sessions_differ()
            .then(|| Box::new(Own::new(&worker)));
        Self {
            worker,
            own: RefCell::new(own),
        }
    }
}

impl Own {
    fn new(worker: &Worker) -> Self {
        Self {
            settings: Rc::clone(&worker.settings),
            profile: Rc::clone(&worker.profile),
            pool: pool(&worker.profile),
            base: Rc::clone(&worker.base),
            base_url: worker.base_url.clone(),
            headers: Rc::clone(&worker.headers),
            jar: None,
            auth: None,
            hooks: Vec::new(),
            limits: limits(&worker.settings),
            mistake: worker.mistake.clone(),
        }
    }

    fn change(&mut self, settings: Settings, worker: &Worker) {
        let profile = worker.profile(&settings.wiring);
        if !Rc::ptr_eq(&profile, &self.profile) {
            self.pool = pool(&profile);
            self.profile = profile;
            self.rebase();
        }
        if settings.max_requests_per_host != self.settings.max_requests_per_host {
            self.limits = limits(&settings);
        }
        let headers = settings.default_headers();
        if headers != self.settings.default_headers() {
            match headers {
                Ok(headers) => self.add_headers(&headers),
                Err(mistake) => self.mistake = Some(mistake),
            }
        }
        self.settings = Rc::new(settings);
    }

    fn add_headers(&mut self, headers: &HeaderMap) {
        if !headers.is_empty() {
            super::request::replace(Rc::make_mut(&mut self.headers), headers);
        }
    }

    fn rebase(&mut self) {
        self.base = self.profile.base(self.base_url.clone());
    }
}

/// Whose connections a session with this profile uses.
fn pool(profile: &Profile) -> Rc<Pool> {
    match profile.wiring.connections.reuse {
        Reuse::Journey => Rc::new(profile.pool.fresh()),
        Reuse::Worker | Reuse::Nobody => Rc::clone(&profile.pool),
    }
}

fn limits(settings: &Settings) -> Option<Rc<Limits>> {
    let most = settings.max_requests_per_host?;
    Some(Rc::new(Limits {
        most,
        by_origin: RefCell::default(),
    }))
}

impl State {
    pub(super) fn settings(&self) -> Rc<Settings> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.settings,
            None => &self.worker.settings,
        })
    }

    pub(super) fn profile(&self) -> Rc<Profile> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.profile,
            None => &self.worker.profile,
        })
    }

    /// Whose connections requests use.
    pub(super) fn pool(&self) -> Rc<Pool> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.pool,
            None => &self.worker.profile.pool,
        })
    }

    pub(super) fn base(&self) -> Rc<Base> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.base,
            None => &self.worker.base,
        })
    }

    pub(super) fn headers(&self) -> Rc<HeaderMap> {
        Rc::clone(match &*self.own.borrow() {
            Some(own) => &own.headers,
            None => &self.worker.headers,
        })
    }

    pub(super) fn hooks(&self) -> Vec<Hook> {
        match &*self.own.borrow() {
            Some(own) => own.hooks.clone(),
            None => Vec::new(),
        }
    }

    /// What cannot be as it was set.
    pub(super) fn mistake(&self) -> Option<String> {
        self.own.borrow().as_ref()?.mistake.clone()
    }

    /// The limit for requests under way to a server, if there is any.
    pub(super) fn limit(&self, origin: &Rc<Origin>) -> Option<Rc<Limit>> {
        let limits = Rc::clone(self.own.borrow().as_ref()?.limits.as_ref()?);
        let mut by_origin = limits.by_origin.borrow_mut();
        let limit = by_origin.entry(Rc::clone(origin)).or_insert_with(|| {
            Rc::new(Limit {
                left: Cell::new(limits.most),
                queue: Queue::default(),
            })
        });
        Some(Rc::clone(limit))
    }

    /// The credentials that go to a server: the one of the base URL, or any where there is none.
    pub(super) fn auth_for(&self, origin: &Rc<Origin>) -> Option<Auth> {
        let own = self.own.borrow();
        let own = own.as_ref()?;
        let auth = own.auth.as_ref()?;
        let home = own.base.origin();
        home.is_none_or(|home| home == **origin)
            .then(|| auth.clone())
    }

    /// The cookies that go to this URL.
    pub(super) fn cookies_for(&self, url: &url::Url) -> Option<HeaderValue> {
        let jar = Rc::clone(self.own.borrow().as_ref()?.jar.as_ref()?);
        jar.borrow_mut().header(url)
    }

    /// Takes the cookies an answer of this URL sets, if any are wanted.
    pub(super) fn store_cookies(&self, url: &url::Url, headers: &HeaderMap) {
        if self.settings().cookies {
            self.jar().borrow_mut().store(url, headers);
        }
    }

    /// The session's cookies.
    pub(super) fn jar(&self) -> Rc<RefCell<CookieJar>> {
        self.own(|own| Rc::clone(own.jar.get_or_insert_default()))
    }

    /// Looks at or changes what the session has of its own.
    fn own<T>(&self, change: impl FnOnce(&mut Own) -> T) -> T {
        let mut own = self.own.borrow_mut();
        change(own.get_or_insert_with(|| Box::new(Own::new(&self.worker))))
    }

    fn refuse(&self, mistake: String) {
        self.own(|own| own.mistake = Some(mistake));
    }
}

impl Limit {
    /// Waits for a place; `waited` is called if that takes any time.
    pub(super) async fn turn(self: &Rc<Self>, waited: impl FnOnce()) -> Turn {
        let take = || {
            self.left.set(self.left.get().checked_sub(1)?);
            Some(())
        };
        if !self.queue.is_empty() || take().is_none() {
            self.queue.turn(take).await;
            waited();
        }
        Turn(Rc::clone(self))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let limit = &self.0;
        limit.left.set(limit.left.get() + 1);
        limit.queue.wake_first();
    }
}

impl Session {
    /// A request with the method `GET`.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A request with the method `POST`.
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request with the method `PUT`.
    pub fn put(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// A request with the method `PATCH`.
    pub fn patch(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// A request with the method `DELETE`.
    pub fn delete(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    /// A request with the method `HEAD`.
    pub fn head(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// A request with the method `OPTIONS`.
    pub fn options(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::OPTIONS, url)
    }

    /// A request with any method.
    ///
    /// The URL is absolute, or it is appended to the [base URL](Session::base_url). A URL that is
    /// neither is an error of [`send`](RequestBuilder::send).
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url.as_ref())
    }

    /// Sends this header with every request that does not set it itself.
    ///
    /// Without any, a request has `host`, `user-agent: mite/` with the version, `accept: */*`, and
    /// `content-length` if it has a body. An invalid name or value is an error of the next `send`.
    pub fn default_header<K, V>(&self, name: K, value: V) -> &Self
    where
        K: TryInto<HeaderName, Error: fmt::Display>,
        V: TryInto<HeaderValue, Error: fmt::Display>,
    {
        match header(name, value) {
            Ok((name, value)) => self
                .state
                .own(|own| own.add_headers(&HeaderMap::from_iter([(name, value)]))),
            Err(mistake) => self.state.refuse(mistake),
        }
        self
    }

    /// What URLs without a scheme and host are appended to.
    ///
    /// `https://shop.test/v2` and `/basket` make `https://shop.test/v2/basket`. The default is the
    /// scenario's `base_url`, which `--config base_url=…` overrides.
    pub fn base_url(&self, url: impl AsRef<str>) -> &Self {
        self.state.own(|own| {
            own.base_url = Some(Rc::from(url.as_ref()));
            own.rebase();
        });
        self
    }

    /// Changes what kind of client this run of the journey is.
    ///
    /// Sessions whose settings of connections, version, network, TLS and proxy are the same share
    /// connections; those that are changed here are shared with nobody else's.
    ///
    /// ```
    /// # use mite::Context;
    /// use mite::http::HttpVersion;
    ///
    /// async fn old_app(ctx: &Context) -> mite::Result {
    ///     ctx.http().configure(|settings| settings.version(HttpVersion::Http1).redirects(0));
    ///     ctx.http().get("/").send().await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn configure(&self, change: impl FnOnce(Settings) -> Settings) -> &Self {
        // Nothing is borrowed while it runs, since it may look at the session.
        let settings = change(Settings::clone(&self.state.settings()));
        self.state
            .own(|own| own.change(settings, &self.state.worker));
        self
    }

    /// Whose connections this run of the journey uses, and how long they are kept.
    pub fn connections(&self, connections: Connections) -> &Self {
        self.configure(|settings| settings.connections(connections))
    }

    /// How long each `send` may take with its redirects; 30 s unless set.
    pub fn timeout(&self, timeout: Duration) -> &Self {
        self.configure(|settings| settings.timeout(timeout))
    }

    /// Whether to accept any TLS certificate: expired, self-signed, for another name.
    ///
    /// The default is `false`, and `true` in a run with `--insecure`.
    pub fn danger_accept_invalid_certs(&self, accept: bool) -> &Self {
        self.configure(|mut settings| {
            let tls = std::mem::take(&mut settings.wiring.tls);
            settings.tls(tls.danger_accept_invalid_certs(accept))
        })
    }

    /// The cookies of this run of the journey.
    pub fn cookies(&self) -> Cookies {
        let base = self.state.base();
        Cookies::new(self.state.jar(), move |url| base.resolve(url))
    }

    /// Signs in with HTTP Basic authentication (RFC 7617) in every request that does not do so
    /// itself.
    ///
    /// Credentials of a session go to the server of the base URL only, wherever a redirect leads;
    /// without a base URL they go to any.
    pub fn basic_auth(
        &self,
        username: impl fmt::Display,
        password: Option<impl fmt::Display>,
    ) -> &Self {
        let password = password.map(|password| password.to_string());
        let value = target::basic(&username.to_string(), password.as_deref());
        self.state.own(|own| own.auth = value.map(Auth::Header));
        self
    }

    /// Signs in with a bearer token (RFC 6750), as [`basic_auth`](Session::basic_auth).
    pub fn bearer_auth(&self, token: impl fmt::Display) -> &Self {
        match bearer(token) {
            Ok(value) => self.state.own(|own| own.auth = Some(Auth::Header(value))),
            Err(mistake) => self.state.refuse(mistake),
        }
        self
    }

    /// Signs in with HTTP Digest authentication (RFC 7616), as
    /// [`basic_auth`](Session::basic_auth).
    ///
    /// The first request that the server wants credentials for is answered with its challenge, is a
    /// request of its own in the reports and counts as no failure; those after it carry the answer
    /// at once.
    pub fn digest_auth(&self, username: impl Into<String>, password: impl Into<String>) -> &Self {
        let digest = Digest::new(username, password);
        self.state
            .own(|own| own.auth = Some(Auth::Digest(Rc::new(digest))));
        self
    }

    /// Shows every answer to `callback` before its request is recorded, which can add
    /// [labels and numbers](Labels) to the event. May be called again for more.
    pub fn on_response(&self, callback: impl Fn(&Response, &mut Labels) + 'static) -> &Self {
        self.state.own(|own| own.hooks.push(Hook::new(callback)));
        self
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("base_url", &self.state.base())
            .field("settings", &self.state.settings())
            .finish_non_exhaustive()
    }
}

/// A header, or what is wrong with it.
pub(super) fn header<K, V>(name: K, value: V) -> Result<(HeaderName, HeaderValue), String>
where
    K: TryInto<HeaderName, Error: fmt::Display>,
    V: TryInto<HeaderValue, Error: fmt::Display>,
{
    let name = name.try_into().map_err(|error| {
        format!(
            "a header cannot have this name: {error}; one has letters, digits and hyphens, \
                 such as x-request-id"
        )
    })?;
    let value = value.try_into().map_err(|error| {
        format!(
            "the header {name} cannot have this value: {error}; one is a single line without \
                 control characters"
        )
    })?;
    Ok((name, value))
}

/// The value of an `authorization` header after RFC 6750.
pub(super) fn bearer(token: impl fmt::Display) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
        "the bearer token cannot be in a header, which is a single line without control \
             characters; is there a line break at its end?"
            .to_owned()
    })?;
    value.set_sensitive(true);
    Ok(value)
}
