//! Where a request goes: URLs parsed once, not per request.

use std::{
    cell::{OnceCell, RefCell},
    fmt,
    rc::Rc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Uri, uri::PathAndQuery};
use rustc_hash::FxHashMap;
use url::{Host, ParseError, Position, Url};

use super::{
    connection::LastHead,
    mask::without_credentials,
    pool::{Endpoint, Origin, Pool},
};

/// How many parsed URLs are kept, in each of two generations.
const REMEMBERED: usize = 2048;

/// A URL with everything a request needs to know about it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) endpoint: Rc<Endpoint>,
    /// The value of the `host` header.
    pub(super) host: HeaderValue,
    uri: Uri,
    absolute: OnceCell<Uri>,
    opening: OnceCell<Box<[u8]>>,
    /// The whole URL without user, password and fragment.
    pub(super) url: Url,
    /// The user and password of the URL, as the `authorization` header has them.
    pub(super) credentials: Option<HeaderValue>,
    names: RefCell<Vec<(Method, Rc<str>)>>,
    /// What the last answer over HTTP/1.1 began with.
    pub(super) last_head: LastHead,
}

/// What relative URLs are relative to, with the URLs seen so far.
pub(super) struct Base {
    url: Option<Rc<str>>,
    seen: RefCell<Seen>,
}

/// Two generations: when the young one is full it becomes the old one, and what was still in the
/// old one and has not been asked for is forgotten.
#[derive(Default)]
struct Seen {
    young: FxHashMap<Box<str>, Rc<Target>>,
    old: FxHashMap<Box<str>, Rc<Target>>,
}

impl Base {
    pub(super) fn new(url: Option<Rc<str>>) -> Self {
        Self {
            url,
            seen: RefCell::default(),
        }
    }

    /// The target that `given` means, or what is wrong with it.
    pub(super) fn target(&self, given: &str, pool: &Pool) -> Result<Rc<Target>, String> {
        if let Some(target) = self.seen.borrow_mut().get(given) {
            return Ok(target);
        }
        let target = Rc::new(self.parse(given, pool)?);
        self.seen
            .borrow_mut()
            .insert(given.into(), Rc::clone(&target));
        Ok(target)
    }

    fn parse(&self, given: &str, pool: &Pool) -> Result<Target, String> {
        Target::new(self.resolve(given)?, pool)
    }

    /// The URL that `given` means, or what is wrong with it.
    pub(super) fn resolve(&self, given: &str) -> Result<Url, String> {
        match (Url::parse(given), self.url.as_deref()) {
            (Ok(url), _) => Ok(url),
            (Err(ParseError::RelativeUrlWithoutBase), Some(base)) => join(base, given),
            (Err(ParseError::RelativeUrlWithoutBase), None) => Err(format!(
                "\"{}\" is relative, and there is nothing it could be relative to: give \
                 the scenario a base_url, or --config base_url=https://…",
                without_credentials(given)
            )),
            (Err(error), _) => Err(format!(
                "\"{}\" is not a URL: {error}",
                without_credentials(given)
            )),
        }
    }

    /// The server of the base URL, if there is a base URL.
    pub(super) fn origin(&self) -> Option<Origin> {
        origin(&Url::parse(self.url.as_deref()?).ok()?).ok()
    }
}

/// The path appended to that of the base, whose last slash counts for nothing.
fn join(base: &str, path: &str) -> Result<Url, String> {
    let separator = if path.is_empty() || path.starts_with(['/', '?']) {
        ""
    } else {
        "/"
    };
    let text = format!("{}{separator}{path}", base.trim_end_matches('/'));
    Url::parse(&text).map_err(|error| match error {
        ParseError::RelativeUrlWithoutBase => {
            let base = without_credentials(base);
            format!("the base_url \"{base}\" has no scheme: it begins with http:// or https://")
        }
        error => {
            let text = without_credentials(&text);
            format!("\"{text}\", of base_url and path, is not a URL: {error}")
        }
    })
}

impl Target {
    fn new(mut url: Url, pool: &Pool) -> Result<Self, String> {
        let endpoint = pool.endpoint(&Rc::new(origin(&url)?));
        let credentials = credentials(&url);
        // A URL with a host takes these, whatever their answer.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
            .map_err(|error| format!("\"{url}\" has no usable host: {error}"))?;
        Ok(Self {
            endpoint,
            host,
            uri: request_line(&url)?,
            absolute: OnceCell::new(),
            opening: OnceCell::new(),
            url,
            credentials,
            names: RefCell::default(),
            last_head: LastHead::default(),
        })
    }

    /// The same with more behind the question mark.
    pub(super) fn with_query(&self, query: &str) -> Result<Self, String> {
        let mut url = self.url.clone();
        let query = match url.query() {
            Some(before) if !before.is_empty() => format!("{before}&{query}"),
            _ => query.to_owned(),
        };
        url.set_query(Some(&query));
        Ok(Self {
            endpoint: Rc::clone(&self.endpoint),
            host: self.host.clone(),
            uri: request_line(&url)?,
            absolute: OnceCell::new(),
            opening: OnceCell::new(),
            url,
            credentials: self.credentials.clone(),
            names: RefCell::new(self.names.borrow().clone()),
            last_head: LastHead::default(),
        })
    }

    /// Path and query, as the request line has them.
    pub(super) fn request_target(&self) -> &str {
        self.uri.path_and_query().map_or("/", PathAndQuery::as_str)
    }

    /// What the request line and the usual fields make of it; `write` is asked once.
    pub(super) fn opening(&self, write: impl FnOnce() -> Vec<u8>) -> &[u8] {
        self.opening.get_or_init(|| write().into())
    }

    /// The URL as a whole, as proxies and HTTP/2 want it; with another host if one is given.
    pub(super) fn absolute(&self, host: Option<&HeaderValue>) -> Uri {
        let host = host.filter(|host| **host != self.host);
        if let Some(host) = host {
            return self.absolute_with(host).unwrap_or_else(|| self.uri.clone());
        }
        let absolute = || self.absolute_with(&self.host);
        self.absolute
            .get_or_init(|| absolute().unwrap_or_else(|| self.uri.clone()))
            .clone()
    }

    fn absolute_with(&self, host: &HeaderValue) -> Option<Uri> {
        let mut parts = self.uri.clone().into_parts();
        parts.scheme = self.url.scheme().parse().ok();
        parts.authority = Some(host.to_str().ok()?.parse().ok()?);
        Uri::from_parts(parts).ok()
    }

    /// The name of a request that was not given one: method and path.
    pub(super) fn name(&self, method: &Method) -> Rc<str> {
        let mut names = self.names.borrow_mut();
        if let Some((_, name)) = names.iter().find(|(known, _)| known == method) {
            return Rc::clone(name);
        }
        let name = Rc::from(format!("{method} {}", self.url.path()));
        names.push((method.clone(), Rc::clone(&name)));
        name
    }

    /// The URL as error messages name it: without the query, which may be long and may be secret.
    pub(super) fn brief(&self) -> &str {
        &self.url[..Position::AfterPath]
    }
}

/// The server a URL is on, or why it cannot be asked for.
fn origin(url: &Url) -> Result<Origin, String> {
    let https = match url.scheme() {
        "http" => false,
        "https" => true,
        other => {
            let url = without_credentials(url.as_str());
            return Err(format!(
                "\"{url}\" has the scheme \"{other}\"; only http:// and https:// can be asked"
            ));
        }
    };
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        let url = without_credentials(url.as_str());
        return Err(format!("\"{url}\" names no host"));
    };
    let host = match host {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok(Origin { https, host, port })
}

fn request_line(url: &Url) -> Result<Uri, String> {
    let text = &url[Position::BeforePath..Position::AfterQuery];
    PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(text.as_bytes()))
        .map(Uri::from)
        .map_err(|error| format!("\"{url}\" cannot be asked for: {error}"))
}

fn credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text| percent_encoding(text);
    basic(
        &decode(url.username()),
        url.password().map(decode).as_deref(),
    )
}

fn percent_encoding(text: &str) -> String {
    // A form's text is percent-encoded too, but for the plus sign.
    let text = text.replace('+', "%2B");
    url::form_urlencoded::parse(text.as_bytes())
        .map(|(name, _)| name.into_owned())
        .next()
        .unwrap_or_default()
}

/// The value of an `authorization` header after RFC 7617.
pub(super) fn basic(user: &str, password: Option<&str>) -> Option<HeaderValue> {
    let pair = format!("{user}:{}", password.unwrap_or_default());
    let mut value =
        HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Seen {
    fn get(&mut self, given: &str) -> Option<Rc<Target>> {
        if let Some(target) = self.young.get(given) {
            return Some(Rc::clone(target));
        }
        let (given, target) = self.old.remove_entry(given)?;
        self.insert(given, Rc::clone(&target));
        Some(target)
    }

    fn insert(&mut self, given: Box<str>, target: Rc<Target>) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(given, target);
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Base")
            .field("url", &self.url.as_deref().map(without_credentials))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{profile::Profile, settings::Wiring};

    fn target(base: Option<&str>, given: &str) -> Result<Rc<Target>, String> {
        let profile = profile();
        profile
            .base(base.map(Rc::from))
            .target(given, &profile.pool)
    }

    fn profile() -> Profile {
        Profile::new(Wiring::default(), Rc::default(), Rc::default())
    }

    #[tokio::test]
    async fn a_path_is_appended_to_the_base_and_an_absolute_url_is_not() {
        for (base, given, wanted) in [
            ("http://shop.test", "/basket", "http://shop.test/basket"),
            ("http://shop.test/", "basket", "http://shop.test/basket"),
            (
                "http://shop.test/v2",
                "/basket?a=1",
                "http://shop.test/v2/basket?a=1",
            ),
            ("http://shop.test/v2/", "", "http://shop.test/v2"),
            (
                "http://shop.test",
                "https://other.test/#top",
                "https://other.test/",
            ),
        ] {
            let target = target(Some(base), given).unwrap();
            assert_eq!(target.url.as_str(), wanted);
        }
    }

    #[tokio::test]
    async fn the_host_header_has_the_port_only_when_it_is_not_the_usual_one() {
        for (url, host) in [
            ("http://shop.test:80/", "shop.test"),
            ("http://shop.test:8080/", "shop.test:8080"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ] {
            assert_eq!(target(None, url).unwrap().host, host);
        }
    }

    #[tokio::test]
    async fn the_name_leaves_the_query_out_and_the_request_line_does_not() {
        let target = target(None, "http://shop.test/a%20b?x=1").unwrap();
        let target = target.with_query("y=2").unwrap();
        assert_eq!(&*target.name(&Method::GET), "GET /a%20b");
        assert_eq!(target.uri, "/a%20b?x=1&y=2");
        assert_eq!(target.brief(), "http://shop.test/a%20b");
    }

    #[tokio::test]
    async fn user_and_password_become_a_header_and_leave_the_url() {
        let target = target(None, "http://joe:p%40ss+word@shop.test/").unwrap();
        assert_eq!(target.url.as_str(), "http://shop.test/");
        // The example's own encoding, made with `printf 'joe:p@ss+word' | base64`.
        assert_eq!(
            target.credentials.as_ref().unwrap(),
            "Basic am9lOnBAc3Mrd29yZA=="
        );
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_url_is_said() {
        for (base, given, word) in [
            (None, "/basket", "--config base_url="),
            (None, "localhost:80/basket", "only http:// and https://"),
            (
                Some("nowhere"),
                "/basket",
                "begins with http:// or https://",
            ),
            (None, "http://", "not a URL"),
        ] {
            let message = target(base, given).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
    }

    #[tokio::test]
    async fn urls_are_forgotten_when_there_are_too_many_but_not_those_in_use() {
        let pool = profile().pool;
        let base = Base::new(Some(Rc::from("http://shop.test")));
        let kept = base.target("/kept", &pool).unwrap();
        for round in 0..REMEMBERED * 3 {
            base.target(&format!("/{round}"), &pool).unwrap();
            assert!(Rc::ptr_eq(&kept, &base.target("/kept", &pool).unwrap()));
        }
        let seen = base.seen.borrow();
        assert!(seen.young.len() + seen.old.len() <= 2 * REMEMBERED);
    }
}
