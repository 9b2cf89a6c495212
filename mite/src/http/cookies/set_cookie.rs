//! One `set-cookie` header: what it asks to keep, or why it is refused.

use psl::Psl as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::{Host, Url};

use super::date;

/// The longest name and value together.
const LONGEST: usize = 4096;

/// The longest path that is taken from a `Path`.
const LONGEST_PATH: usize = 1024;

/// The longest a cookie lives: 400 days, after which a server has to set it again.
const LONGEST_LIFE: i64 = 400 * 24 * 60 * 60;

/// A cookie as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) name: Box<str>,
    pub(super) value: Box<str>,
    pub(super) domain: Box<str>,
    #[serde(default)]
    pub(super) host_only: bool,
    pub(super) path: Box<str>,
    #[serde(default)]
    pub(super) secure: bool,
    #[serde(default)]
    pub(super) http_only: bool,
    /// Seconds since 1970.
    #[serde(default)]
    pub(super) expires: Option<i64>,
    /// Which setting of a cookie in its jar this one was.
    #[serde(skip)]
    pub(super) turn: u64,
}

/// Why a cookie is not kept.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Refused {
    #[error("it is not of the form \"name=value; Path=/; …\"")]
    Malformed,
    #[error("its name and value have more than {LONGEST} bytes")]
    TooLong,
    #[error("its Domain is not that of the URL")]
    Foreign,
    #[error("its Domain \"{0}\" is a public suffix, which belongs to nobody alone")]
    PublicSuffix(String),
    #[error("it is Secure, which can only be set over https or by this machine")]
    Insecure,
    #[error("a name with __Secure- needs Secure")]
    SecurePrefix,
    #[error("a name with __Host- needs Secure and Path=/, and no Domain")]
    HostPrefix,
    #[error("a Secure one of its name is kept, which http must not replace")]
    Overwrites,
}

impl Kept {
    /// Reads a `set-cookie` header of `url` at `now`, in seconds since 1970.
    ///
    /// The steps are those of RFC 6265, section 5.3, as its successor in draft (6265bis) has them.
    pub(super) fn parse(text: &str, url: &Url, now: i64) -> Result<Self, Refused> {
        if text
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return Err(Refused::Malformed);
        }
        let cookie = cookie_store::Cookie::parse(text, url).map_err(|error| match error {
            cookie_store::CookieError::DomainMismatch => Refused::Foreign,
            _ => Refused::Malformed,
        })?;
        if cookie.name().len() + cookie.value().len() > LONGEST {
            return Err(Refused::TooLong);
        }
        let (domain, host_only) = domain(&cookie.domain, url)?;
        let secure = cookie.secure().unwrap_or_default();
        if secure && !is_trustworthy(url) {
            return Err(Refused::Insecure);
        }
        if has_prefix(cookie.name(), "__Secure-") && !secure {
            return Err(Refused::SecurePrefix);
        }
        let of_the_host = secure && cookie.domain().is_none() && cookie.path() == Some("/");
        if has_prefix(cookie.name(), "__Host-") && !of_the_host {
            return Err(Refused::HostPrefix);
        }
        let path = if cookie.path.len() <= LONGEST_PATH {
            cookie.path.clone()
        } else {
            cookie_store::CookiePath::default_path(url)
        };
        Ok(Self {
            expires: expires(&cookie, text, now),
            name: cookie.name().into(),
            value: cookie.value().into(),
            domain,
            host_only,
            path: path.as_ref().into(),
            secure,
            http_only: cookie.http_only().unwrap_or_default(),
            turn: 0,
        })
    }

    pub(super) fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it is sent to this host and path, as a [`Url`] has them.
    pub(super) fn matches(&self, host: &str, path: &str) -> bool {
        let of_the_host = if self.host_only {
            *self.domain == *host
        } else {
            domain_matches(host, &self.domain)
        };
        of_the_host && path_matches(path, &self.path)
    }

    /// Whether the other would take its place in a jar.
    pub(super) fn is_replaced_by(&self, other: &Self) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.path == other.path
            && self.host_only == other.host_only
    }

    /// Whether a server without TLS could use the other to hide this one.
    pub(super) fn is_hidden_by(&self, other: &Self) -> bool {
        self.secure
            && !other.secure
            && self.name == other.name
            && (domain_matches(&self.domain, &other.domain)
                || domain_matches(&other.domain, &self.domain))
            && path_matches(&other.path, &self.path)
    }

    /// Whether it could have come from a `set-cookie` header; what a jar is read from may be
    /// anything.
    pub(super) fn is_well_formed(&self) -> bool {
        let is_clean = |text: &str| {
            !text
                .bytes()
                .any(|byte| byte.is_ascii_control() || byte == b';')
        };
        !self.name.is_empty()
            && !self.name.contains('=')
            && self.name.len() + self.value.len() <= LONGEST
            && self.path.len() <= LONGEST_PATH
            && self.path.starts_with('/')
            && !self.domain.is_empty()
            && is_clean(&self.name)
            && is_clean(&self.value)
    }
}

/// Whether what is sent to `url` stays between client and server. As in browsers, a connection that
/// does not leave the machine is as good as TLS.
pub(super) fn is_trustworthy(url: &Url) -> bool {
    if url.scheme() == "https" {
        return true;
    }
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The domain to keep a cookie of `url` for, and whether it is for this host only.
fn domain(asked: &cookie_store::CookieDomain, url: &Url) -> Result<(Box<str>, bool), Refused> {
    let host = url.host_str().ok_or(Refused::Malformed)?;
    let cookie_store::CookieDomain::Suffix(asked) = asked else {
        return Ok((host.into(), true));
    };
    if asked == host && (!matches!(url.host(), Some(Host::Domain(_))) || is_public_suffix(asked)) {
        return Ok((host.into(), true));
    }
    if is_public_suffix(asked) {
        return Err(Refused::PublicSuffix(asked.clone()));
    }
    Ok((asked.as_str().into(), false))
}

/// A name of one label that is on no list counts as one too, as the list itself says.
fn is_public_suffix(domain: &str) -> bool {
    let suffix = psl::List.suffix(domain.as_bytes());
    suffix.is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

/// When the cookie expires, in seconds since 1970. `Max-Age` goes before `Expires`.
fn expires(cookie: &cookie_store::Cookie<'_>, text: &str, now: i64) -> Option<i64> {
    let latest = now.saturating_add(LONGEST_LIFE);
    if let Some(age) = cookie.max_age() {
        let seconds = age.whole_seconds();
        let expires = now.saturating_add(seconds);
        return Some(if seconds > 0 {
            expires.min(latest)
        } else {
            i64::MIN
        });
    }
    let date = match cookie.expires_datetime() {
        Some(date) => Some(date.unix_timestamp()),
        // The crate knows the forms that are right; servers write others.
        None => last_expires(text).and_then(date::parse),
    };
    date.map(|date| date.min(latest))
}

fn last_expires(text: &str) -> Option<&str> {
    let attributes = text
        .rsplit(';')
        .filter_map(|attribute| attribute.split_once('='));
    let mut expires = attributes.filter(|(name, _)| name.trim().eq_ignore_ascii_case("expires"));
    expires.next().map(|(_, value)| value)
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    let start = name.as_bytes().get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn domain_matches(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn path_matches(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root);
    rest.is_some_and(|rest| rest.is_empty() || root.ends_with('/') || rest.starts_with('/'))
}
