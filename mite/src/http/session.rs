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
    settings: RefCell<Rc<Settings>>,
    profile: RefCell<Rc<Profile>>,
    /// The connections of this run of the journey, where it shares none.
    own_pool: RefCell<Option<Rc<Pool>>>,
    base: RefCell<Rc<Base>>,
    base_url: RefCell<Option<Rc<str>>>,
    headers: RefCell<Rc<HeaderMap>>,
    jar: RefCell<Option<Rc<RefCell<CookieJar>>>>,
    auth: RefCell<Option<Auth>>,
    hooks: RefCell<Vec<Hook>>,
    limits: RefCell<Option<Rc<Limits>>>,
    /// What cannot be as it was set; told when a request is sent, where errors can be returned.
    pub(super) mistake: RefCell<Option<String>>,
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
        Self {
            settings: RefCell::new(Rc::clone(&worker.settings)),
            own_pool: RefCell::new(own_pool(&worker.profile)),
            base: RefCell::new(worker.profile.base(worker.base_url.clone())),
            base_url: RefCell::new(worker.base_url.clone()),
            headers: RefCell::new(Rc::clone(&worker.headers)),
            jar: RefCell::default(),
            auth: RefCell::default(),
            hooks: RefCell::default(),
            limits: RefCell::new(limits(&worker.settings)),
            mistake: RefCell::new(worker.mistake.clone()),
            profile: RefCell::new(Rc::clone(&worker.profile)),
            worker,
        }
    }
}

fn own_pool(profile: &Profile) -> Option<Rc<Pool>> {
    match profile.wiring.connections.reuse {
        Reuse::Journey => Some(Rc::new(profile.pool.fresh())),
        Reuse::Worker | Reuse::Nobody => None,
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
        Rc::clone(&self.settings.borrow())
    }

    pub(super) fn profile(&self) -> Rc<Profile> {
        Rc::clone(&self.profile.borrow())
    }

    pub(super) fn base(&self) -> Rc<Base> {
        Rc::clone(&self.base.borrow())
    }

    pub(super) fn headers(&self) -> Rc<HeaderMap> {
        Rc::clone(&self.headers.borrow())
    }

    pub(super) fn hooks(&self) -> Vec<Hook> {
        self.hooks.borrow().clone()
    }

    /// Whose connections requests use.
    pub(super) fn pool(&self) -> Rc<Pool> {
        match &*self.own_pool.borrow() {
            Some(pool) => Rc::clone(pool),
            None => Rc::clone(&self.profile.borrow().pool),
        }
    }

    /// The limit for requests under way to a server, if there is any.
    pub(super) fn limit(&self, origin: &Rc<Origin>) -> Option<Rc<Limit>> {
        let limits = self.limits.borrow();
        let limits = limits.as_ref()?;
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
        let auth = self.auth.borrow();
        let auth = auth.as_ref()?;
        let home = self.base.borrow().origin();
        home.is_none_or(|home| home == **origin)
            .then(|| auth.clone())
    }

    /// The cookies that go to this URL.
    pub(super) fn cookies_for(&self, url: &url::Url) -> Option<HeaderValue> {
        self.jar.borrow().as_ref()?.borrow_mut().header(url)
    }

    /// Takes the cookies an answer of this URL sets, if any are wanted.
    pub(super) fn store_cookies(&self, url: &url::Url, headers: &HeaderMap) {
        if self.settings.borrow().cookies {
            self.jar().borrow_mut().store(url, headers);
        }
    }

    /// The session's cookies.
    pub(super) fn jar(&self) -> Rc<RefCell<CookieJar>> {
        Rc::clone(self.jar.borrow_mut().get_or_insert_default())
    }

    fn change(&self, change: impl FnOnce(Settings) -> Settings) {
        let settings = change(Settings::clone(&self.settings.borrow()));
        let profile = self.worker.profile(&settings.wiring);
        if !Rc::ptr_eq(&profile, &self.profile.borrow()) {
            self.own_pool.replace(own_pool(&profile));
            self.profile.replace(profile);
            self.rebase();
        }
        if settings.max_requests_per_host != self.settings.borrow().max_requests_per_host {
            self.limits.replace(limits(&settings));
        }
        let headers = settings.default_headers();
        if headers != self.settings.borrow().default_headers() {
            match headers {
                Ok(headers) => self.add_headers(&headers),
                Err(mistake) => self.refuse(mistake),
            }
        }
        self.settings.replace(Rc::new(settings));
    }

    fn add_headers(&self, headers: &HeaderMap) {
        if !headers.is_empty() {
            let mut all = self.headers.borrow_mut();
            super::request::replace(Rc::make_mut(&mut all), headers);
        }
    }

    fn refuse(&self, mistake: String) {
        self.mistake.replace(Some(mistake));
    }

    fn rebase(&self) {
        let url = self.base_url.borrow().clone();
        let base = self.profile.borrow().base(url);
        self.base.replace(base);
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
                .add_headers(&HeaderMap::from_iter([(name, value)])),
            Err(mistake) => self.state.refuse(mistake),
        }
        self
    }

    /// What URLs without a scheme and host are appended to.
    ///
    /// `https://shop.test/v2` and `/basket` make `https://shop.test/v2/basket`. The default is the
    /// scenario's `base_url`, which `--config base_url=…` overrides.
    pub fn base_url(&self, url: impl AsRef<str>) -> &Self {
        self.state.base_url.replace(Some(Rc::from(url.as_ref())));
        self.state.rebase();
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
        self.state.change(change);
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
        self.state.auth.replace(value.map(Auth::Header));
        self
    }

    /// Signs in with a bearer token (RFC 6750), as [`basic_auth`](Session::basic_auth).
    pub fn bearer_auth(&self, token: impl fmt::Display) -> &Self {
        match bearer(token) {
            Ok(value) => drop(self.state.auth.replace(Some(Auth::Header(value)))),
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
        self.state.auth.replace(Some(Auth::Digest(Rc::new(digest))));
        self
    }

    /// Shows every answer to `callback` before its request is recorded, which can add
    /// [labels and numbers](Labels) to the event. May be called again for more.
    pub fn on_response(&self, callback: impl Fn(&Response, &mut Labels) + 'static) -> &Self {
        self.state.hooks.borrow_mut().push(Hook::new(callback));
        self
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("base_url", &self.state.base_url.borrow())
            .field("settings", &self.state.settings.borrow())
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
