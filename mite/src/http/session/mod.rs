//! The HTTP session of a journey.

mod state;

use std::{fmt, rc::Rc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub(super) use state::{Auth, State, Turn};

use super::{
    Cookies,
    connections::Connections,
    digest::Digest,
    hook::{Hook, Labels},
    request::RequestBuilder,
    response::Response,
    settings::Settings,
    target,
};
use crate::context::Context;

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
    /// `content-length` if it has a body. An invalid name or value is an error of
    /// every `send` after it.
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
    /// without a base URL they go to any that the journey asks, and to none that a redirect leads
    /// away to.
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
