//! Where an answer sends the client next, and with what.
//!
//! The rules are those of the Fetch standard ("HTTP-redirect fetch") and of RFC 9110, section 15.4,
//! less what only a browser knows of: mixed content, referrers, the `origin` header.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use url::{ParseError, Position, Url};

/// What is only meant for the origin it was set for. Without a `host` of its own a request has that
/// of its URL.
static CREDENTIALS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    header::HOST,
];

/// What describes a body, beside everything that begins with `content-`.
static OF_THE_BODY: [HeaderName; 3] = [header::TRANSFER_ENCODING, header::EXPECT, header::TRAILER];

/// The request that a redirect asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) method: Method,
    /// With the user and password of the location or, on the same origin, of the URL before.
    pub(super) url: Url,
    /// Whether the body goes along, if there is one.
    pub(super) keep_body: bool,
    /// Whether scheme, host or port are others than before.
    pub(super) drop_credentials: bool,
}

/// What follows an answer to `method` at `url`; `None` if it is not a redirect.
///
/// An answer without a `location`, or with an empty one, is not. From https to http is allowed, as
/// it is in browsers and curl; it changes the origin, so credentials are dropped.
///
/// # Errors
/// When the location is not the URL of something that can be asked for, or there are several.
pub(super) fn follow(
    method: &Method,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Result<Next, String>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = match location(headers) {
        Ok(location) => location?,
        Err(mistake) => return Some(Err(mistake)),
    };
    Some(resolve(url, &location).map(|next| {
        let becomes_get = match status.as_u16() {
            301 | 302 => method == Method::POST,
            303 => method != Method::GET && method != Method::HEAD,
            _ => false,
        };
        Next {
            method: if becomes_get {
                Method::GET
            } else {
                method.clone()
            },
            keep_body: !becomes_get,
            drop_credentials: next.origin() != url.origin(),
            url: next,
        }
    }))
}

impl Next {
    /// Takes out of the headers of the request before what must not go along.
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        if self.drop_credentials {
            strip_credentials(headers);
        }
        if !self.keep_body {
            let of_the_body: Vec<_> = headers
                .keys()
                .filter(|name| name.as_str().starts_with("content-") || OF_THE_BODY.contains(name))
                .cloned()
                .collect();
            for name in of_the_body {
                headers.remove(name);
            }
        }
    }
}

/// Takes out what is only meant for the origin it was set for.
pub(super) fn strip_credentials(headers: &mut HeaderMap) {
    for name in &CREDENTIALS {
        headers.remove(name);
    }
}

/// What to say when a request was redirected more often than allowed. `chain` are the URLs that
/// were asked for, in order, and then the one that no longer was.
#[cold]
pub(super) fn too_many(limit: usize, chain: &[Url]) -> String {
    let times = if limit == 1 { "time" } else { "times" };
    let mut text = format!("redirected more than {limit} {times}");
    let mut before: Option<&Url> = None;
    for (number, url) in chain.iter().enumerate() {
        // Queries are left out: they may be long and may be secret.
        let shown = match before {
            Some(before) if before.origin() == url.origin() => url.path(),
            _ => &without_credentials(url),
        };
        let separator = if number == 0 { ": " } else { " -> " };
        // Writing to a `String` does not fail.
        let _ = write!(text, "{separator}{shown}");
        // Once round a circle says it all.
        if chain.iter().take(number).any(|seen| seen == url) {
            text.push_str(" and so on, in a circle");
            break;
        }
        before = Some(url);
    }
    text
}

/// The one `location` of the answer, with bytes beyond ASCII escaped one by one as browsers do.
fn location(headers: &HeaderMap) -> Result<Option<String>, String> {
    let mut values = headers.get_all(header::LOCATION).iter();
    let Some(first) = values.next().filter(|first| !first.is_empty()) else {
        return Ok(None);
    };
    if values.any(|other| other != first) {
        return Err("the answer is a redirect to several locations".to_owned());
    }
    let mut text = String::with_capacity(first.len());
    for &byte in first.as_bytes() {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    Ok(Some(text))
}

fn resolve(url: &Url, location: &str) -> Result<Url, String> {
    let mut next = url
        .join(location)
        .map_err(|error| unusable(location, error))?;
    if !matches!(next.scheme(), "http" | "https") {
        return Err(format!(
            "the answer is a redirect to {}, which has the scheme \"{}\"; only http:// and \
             https:// can be followed",
            brief(location),
            next.scheme()
        ));
    }
    if next.fragment().is_none() {
        next.set_fragment(url.fragment());
    }
    // A location with a host of its own has lost them, though it may be the same host.
    let anonymous = next.username().is_empty() && next.password().is_none();
    if anonymous && next.origin() == url.origin() {
        // A URL with a host takes these, whatever their answer.
        let _ = next.set_username(url.username());
        let _ = next.set_password(url.password());
    }
    Ok(next)
}

fn unusable(location: &str, error: ParseError) -> String {
    format!(
        "the answer is a redirect to {}, which is not a URL: {error}",
        brief(location)
    )
}

/// A location as messages show it: without what may be secret, and not too long.
fn brief(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let shown: String = location.chars().take(end.min(100)).collect();
    let shown = match (shown.find("//"), shown.rfind('@')) {
        (Some(start), Some(at)) if start < at => {
            let (scheme, rest) = shown.split_at(start + 2);
            let host = rest.rsplit('@').next().unwrap_or_default();
            format!("{scheme}{host}")
        }
        _ => shown,
    };
    format!("\"{shown}\"")
}

fn without_credentials(url: &Url) -> String {
    format!(
        "{}://{}{}",
        url.scheme(),
        &url[Position::BeforeHost..Position::AfterPort],
        url.path()
    )
}

#[cfg(test)]
mod tests;
