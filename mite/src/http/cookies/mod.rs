//! The cookies of a session: RFC 6265, and what browsers have changed in it since.

mod date;
mod jar;
mod set_cookie;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, fmt, rc::Rc, time::SystemTime};

use url::Url;

use super::error::{Error, Kind};

pub use jar::CookieJar;

/// Makes a URL of what a journey gave for one, which may be relative to the base URL.
type Resolve = dyn Fn(&str) -> Result<Url, String>;

/// The cookies of a session, to look at and to change.
///
/// A cheap handle: its clones are the same cookies. What servers set is kept and sent back as
/// browsers do it (RFC 6265 and its successor in draft):
///
/// - To the host that set them, and those below it where the cookie has a `Domain`. A `Domain` that is
///   a public suffix, such as `com` or `co.uk`, is refused.
/// - The longest path first, then the oldest first.
/// - `Secure` ones over https, and over http to this machine: `localhost`, `127.0.0.0/8`, `[::1]`. They
///   are only taken from there, too.
/// - Names that begin with `__Secure-` or `__Host-` keep their promises or are refused.
/// - `SameSite` and `Partitioned` mean nothing here: there is no page that a request could come from.
/// - At most 3000 cookies, 180 of one domain, and 4096 bytes for name and value of each. Beyond
///   that the ones that have not been set for the longest time are dropped.
///
/// URLs are absolute or relative to the base URL, as those of requests are.
///
/// ```
/// fn as_a_returning_visitor(cookies: &mite::http::Cookies) -> mite::Result {
///     cookies.set("https://shop.test/", "visitor=4711; Path=/; Secure; Max-Age=86400")?;
///     mite::ensure!(cookies.get("https://shop.test/basket", "visitor").is_some());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Cookies {
    jar: Rc<RefCell<CookieJar>>,
    resolve: Rc<Resolve>,
}

impl Cookies {
    pub(super) fn new(
        jar: Rc<RefCell<CookieJar>>,
        resolve: impl Fn(&str) -> Result<Url, String> + 'static,
    ) -> Self {
        Self {
            jar,
            resolve: Rc::new(resolve),
        }
    }

    /// The value of the cookie of this name that would be sent to `url`; the one sent first if
    /// there are several. `None` also where `url` is not a URL.
    pub fn get(&self, url: impl AsRef<str>, name: &str) -> Option<String> {
        let url = (self.resolve)(url.as_ref()).ok()?;
        self.jar.borrow().get(&url, name)
    }

    /// Sets a cookie as if `url` had answered with this `set-cookie` header:
    /// `name=value; Path=/; Max-Age=60`.
    ///
    /// It replaces the one of the same name, domain and path. With `Max-Age=0` it removes it.
    ///
    /// # Errors
    /// Of kind `request`, when `url` is not a URL, when the cookie is not well-formed, and when a
    /// browser would not take it from there; the message says why.
    pub fn set(&self, url: impl AsRef<str>, cookie: &str) -> Result<(), Error> {
        let name = cookie.split(['=', ';']).next().unwrap_or_default().trim();
        let mistake = |cause| Error::new(Kind::Request, format!("cookie \"{name}\""), cause);
        let url = (self.resolve)(url.as_ref()).map_err(mistake)?;
        let set = self.jar.borrow_mut().set(&url, cookie);
        set.map_err(|refused| mistake(refused.to_string()))
    }

    /// Removes the cookies of this name that would be sent to `url`; whether there were any.
    pub fn remove(&self, url: impl AsRef<str>, name: &str) -> bool {
        (self.resolve)(url.as_ref()).is_ok_and(|url| self.jar.borrow_mut().remove(&url, name))
    }

    /// Removes all cookies.
    pub fn clear(&self) {
        self.jar.replace(CookieJar::default());
    }

    /// All cookies that have not expired, those of the longest path first, then the oldest first.
    pub fn all(&self) -> Vec<Cookie> {
        self.jar.borrow().all()
    }

    /// A copy of all cookies, to be kept longer than the session.
    ///
    /// A user of the closed model that comes back as the same visitor keeps it in
    /// [`Context::user`](crate::Context::user) and gives it to [`restore`](Cookies::restore) in the
    /// next run of the journey.
    pub fn snapshot(&self) -> CookieJar {
        self.jar.borrow().clone()
    }

    /// Replaces all cookies by those of a snapshot.
    pub fn restore(&self, snapshot: CookieJar) {
        self.jar.replace(snapshot);
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.jar.borrow().fmt(formatter)
    }
}

/// A cookie as a session keeps it. Its value is not in its `Debug` output.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value as the server wrote it, with quotes if it had some.
    pub value: String,
    /// The host it is sent to, and unless it is `host_only` to all hosts below.
    pub domain: String,
    /// Whether it is only sent to `domain` itself, since it was set without a `Domain`.
    pub host_only: bool,
    /// What the path of a URL has to begin with.
    pub path: String,
    /// Whether it is sent over https only.
    pub secure: bool,
    /// Whether a browser would hide it from scripts. Journeys see it all the same.
    pub http_only: bool,
    /// When it expires; `None` for one that lasts as long as the session.
    pub expires: Option<SystemTime>,
}

impl fmt::Debug for Cookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("host_only", &self.host_only)
            .field("path", &self.path)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
