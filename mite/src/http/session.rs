//! The HTTP session of a journey.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{request::RequestBuilder, target::Base, worker::Worker};
use crate::context::{Context, Extension};

/// How long a request may take unless something else is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

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

/// What the requests of one run of a journey have in common.
///
/// A cheap handle: its clones, and the builders made from it, are the same session. Settings hold
/// for the requests begun after them, until the journey ends. Connections are kept alive and belong
/// to the worker thread, not to the session; set the header `connection: close` to have a new one
/// each time.
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
    pub(super) headers: RefCell<HeaderMap>,
    pub(super) timeout: Cell<Duration>,
    base: RefCell<Rc<Base>>,
    base_url: RefCell<Option<String>>,
    accept_invalid_certs: Cell<bool>,
    /// A header that cannot be one; told when a request is sent, where errors can be returned.
    pub(super) mistake: RefCell<Option<String>>,
}

impl Extension for State {
    fn attach(ctx: &Context) -> Self {
        let worker = ctx.per_worker::<Worker>();
        let base = worker.base(worker.base_url.clone(), worker.accept_invalid_certs);
        Self {
            base_url: RefCell::new(worker.base_url.clone()),
            accept_invalid_certs: Cell::new(worker.accept_invalid_certs),
            base: RefCell::new(base),
            headers: RefCell::default(),
            timeout: Cell::new(DEFAULT_TIMEOUT),
            mistake: RefCell::default(),
            worker,
        }
    }
}

impl State {
    pub(super) fn base(&self) -> Rc<Base> {
        Rc::clone(&self.base.borrow())
    }

    fn rebase(&self) {
        let url = self.base_url.borrow().clone();
        let base = self.worker.base(url, self.accept_invalid_certs.get());
        self.base.replace(base);
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
            Ok((name, value)) => {
                self.state.headers.borrow_mut().insert(name, value);
            }
            Err(mistake) => {
                self.state.mistake.replace(Some(mistake));
            }
        }
        self
    }

    /// What URLs without a scheme and host are appended to.
    ///
    /// `https://shop.test/v2` and `/basket` make `https://shop.test/v2/basket`. The default is the
    /// scenario's `base_url`, which `--config base_url=…` overrides.
    pub fn base_url(&self, url: impl Into<String>) -> &Self {
        self.state.base_url.replace(Some(url.into()));
        self.state.rebase();
        self
    }

    /// How long each request may take, from `send` to the last byte of the answer; 30 s unless set.
    pub fn timeout(&self, timeout: Duration) -> &Self {
        self.state.timeout.set(timeout);
        self
    }

    /// Whether to accept any TLS certificate: expired, self-signed, for another name.
    ///
    /// The default is `false`, and `true` in a run with `--insecure`.
    pub fn danger_accept_invalid_certs(&self, accept: bool) -> &Self {
        self.state.accept_invalid_certs.set(accept);
        self.state.rebase();
        self
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("base_url", &self.state.base_url.borrow())
            .field("timeout", &self.state.timeout.get())
            .finish_non_exhaustive()
    }
}

/// A header, or what is wrong with it.
pub(super) fn header<K, V>(name: K, value: V) -> Result<(HeaderName, HeaderValue), String>
where
    K: TryInto<HeaderName, Error: fmt::Display>,
    V: TryInto<HeaderValue, Error: fmt::Display>,
{
    let name = name
        .try_into()
        .map_err(|error| format!("a header cannot have this name: {error}"))?;
    let value = value
        .try_into()
        .map_err(|error| format!("the header {name} cannot have this value: {error}"))?;
    Ok((name, value))
}
