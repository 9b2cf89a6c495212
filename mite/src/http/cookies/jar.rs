//! Where the cookies of a session are kept, in the order in which they are sent.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    Cookie,
    set_cookie::{Kept, Refused, is_trustworthy},
};

/// How many cookies a jar holds, and how many of them of one domain.
const MOST: usize = 3000;
const MOST_OF_A_DOMAIN: usize = 180;

/// A copy of the cookies of a session, made by [`Cookies::snapshot`](super::Cookies::snapshot).
///
/// It can be serialized, as a list of objects with `name`, `value`, `domain`, `host_only`, `path`,
/// `secure`, `http_only` and `expires` in seconds since 1970. Values are not in its `Debug` output.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(into = "Vec<Kept>", try_from = "Vec<Kept>")]
pub struct CookieJar {
    /// The longest path first, then in the order in which they were first set.
    kept: Vec<Kept>,
    /// How often a cookie was set.
    turns: u64,
}

impl CookieJar {
    /// Whether there are no cookies at all.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The `cookie` header of a request, if it has one.
    pub(in crate::http) fn header(&self, url: &Url) -> Option<HeaderValue> {
        if self.kept.is_empty() {
            return None;
        }
        self.header_at(url, now())
    }

    /// Keeps what an answer sets; what is wrong with it is ignored, as browsers do.
    pub(in crate::http) fn store(&mut self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            let text = str::from_utf8(value.as_bytes()).map_err(|_| Refused::Malformed);
            if let Err(refused) = text.and_then(|text| self.set(url, text)) {
                let host = url.host_str();
                tracing::debug!(host, path = url.path(), "a cookie was not kept: {refused}");
            }
        }
    }

    pub(super) fn set(&mut self, url: &Url, text: &str) -> Result<(), Refused> {
        self.set_at(url, text, now())
    }

    pub(super) fn get(&self, url: &Url, name: &str) -> Option<String> {
        let mut sent = self.sent(url, now()).filter(|kept| *kept.name == *name);
        sent.next().map(|kept| kept.value.to_string())
    }

    pub(super) fn remove(&mut self, url: &Url, name: &str) -> bool {
        let before = self.kept.len();
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        self.kept
            .retain(|kept| *kept.name != *name || !kept.matches(host, path));
        self.kept.len() < before
    }

    pub(super) fn all(&self) -> Vec<Cookie> {
        let now = now();
        let alive = self.kept.iter().filter(|kept| !kept.is_expired(now));
        alive.map(Kept::shown).collect()
    }

    pub(super) fn set_at(&mut self, url: &Url, text: &str, now: i64) -> Result<(), Refused> {
        let cookie = Kept::parse(text, url, now)?;
        if !is_trustworthy(url) && self.kept.iter().any(|kept| kept.is_hidden_by(&cookie)) {
            return Err(Refused::Overwrites);
        }
        self.keep(cookie, now);
        Ok(())
    }

    pub(super) fn header_at(&self, url: &Url, now: i64) -> Option<HeaderValue> {
        let mut text = String::new();
        for kept in self.sent(url, now) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&kept.name);
            text.push('=');
            text.push_str(&kept.value);
        }
        if text.is_empty() {
            return None;
        }
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn sent(&self, url: &Url, now: i64) -> impl Iterator<Item = &Kept> {
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        let trustworthy = is_trustworthy(url);
        self.kept.iter().filter(move |kept| {
            kept.matches(host, path) && (trustworthy || !kept.secure) && !kept.is_expired(now)
        })
    }

    fn keep(&mut self, mut cookie: Kept, now: i64) {
        let known = self
            .kept
            .iter()
            .position(|kept| kept.is_replaced_by(&cookie));
        if cookie.is_expired(now) {
            if let Some(known) = known {
                self.kept.remove(known);
            }
            return;
        }
        self.turns += 1;
        cookie.turn = self.turns;
        if let Some(known) = known.and_then(|index| self.kept.get_mut(index)) {
            *known = cookie;
            return;
        }
        let domain = cookie.domain.clone();
        let length = cookie.path.len();
        let place = self.kept.partition_point(|kept| kept.path.len() >= length);
        self.kept.insert(place, cookie);
        self.make_room(MOST_OF_A_DOMAIN, now, |kept| kept.domain == domain);
        self.make_room(MOST, now, |_| true);
    }

    /// Drops one of these if there are too many: an expired one, or that which has not been set for
    /// the longest time.
    fn make_room(&mut self, most: usize, now: i64, of_these: impl Fn(&Kept) -> bool) {
        if self.kept.len() <= most || self.kept.iter().filter(|kept| of_these(kept)).count() <= most
        {
            return;
        }
        let oldest = self
            .kept
            .iter()
            .enumerate()
            .filter(|(_, kept)| of_these(kept))
            .min_by_key(|(_, kept)| (!kept.is_expired(now), kept.turn));
        if let Some((index, _)) = oldest {
            self.kept.remove(index);
        }
    }
}

impl Kept {
    fn shown(&self) -> Cookie {
        let seconds = self.expires.and_then(|expires| u64::try_from(expires).ok());
        Cookie {
            name: self.name.to_string(),
            value: self.value.to_string(),
            domain: self.domain.to_string(),
            host_only: self.host_only,
            path: self.path.to_string(),
            secure: self.secure,
            http_only: self.http_only,
            expires: seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        }
    }
}

impl From<CookieJar> for Vec<Kept> {
    fn from(jar: CookieJar) -> Self {
        jar.kept
    }
}

impl TryFrom<Vec<Kept>> for CookieJar {
    type Error = String;

    fn try_from(cookies: Vec<Kept>) -> Result<Self, Self::Error> {
        let (mut jar, now) = (Self::default(), now());
        for cookie in cookies {
            if !cookie.is_well_formed() {
                return Err(format!("\"{}\" is not the name of a cookie", cookie.name));
            }
            jar.keep(cookie, now);
        }
        Ok(jar)
    }
}

impl fmt::Debug for CookieJar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.kept.iter().map(Kept::shown))
            .finish()
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since_1970.unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
