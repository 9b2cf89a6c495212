//! Digest authentication: RFC 7616, and RFC 2617 and 2069 where a server is of their time.

mod challenge;
mod hash;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, fmt};

use http::{HeaderMap, HeaderValue, Method};
use url::{Position, Url};

use self::{
    challenge::{Challenge, Protection},
    hash::hexadecimal,
};

/// How many servers, or parts of one, are remembered with their nonces.
const REMEMBERED: usize = 16;

/// How often one request is tried again because the nonce was too old.
const STALE_AGAIN: u32 = 2;

/// A user and a password, with what the servers that asked for them have said.
///
/// [`answer`](Digest::answer) takes note of an answer with the status 401, and
/// [`authorization`](Digest::authorization) makes the header of every request from then on, the one
/// that was refused and those after it: the nonce is used again, with a count, until the server asks
/// for another.
pub(super) struct Digest {
    user: String,
    password: String,
    spaces: RefCell<Vec<Space>>,
}

/// A protection space: what one nonce is good for.
struct Space {
    challenge: Challenge,
    /// Scheme, host, port and the beginning of the path.
    roots: Vec<Url>,
    /// The same for all requests with this nonce, since the key of a session is made of that of the
    /// first request.
    client_nonce: String,
    /// The hash of user, realm and password that the responses are made with.
    key: String,
    count: u32,
}

/// The body of a request, as far as a response may have to cover it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Bytes(&'a [u8]),
    /// One that is not known before it is sent.
    Stream,
}

/// Whether an answer asks for credentials of this kind.
pub(super) fn is_challenge(headers: &HeaderMap) -> bool {
    Challenge::strongest(headers).is_some()
}

impl Digest {
    pub(super) fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            spaces: RefCell::default(),
        }
    }

    /// What it signs in with.
    pub(super) fn user_and_password(&self) -> (&str, &str) {
        (&self.user, &self.password)
    }

    /// Takes note of the 401 that `url` answered with; whether to send the request again, with the
    /// [`authorization`](Digest::authorization) made then.
    ///
    /// `tries` is how often this very request has been sent again already. A second 401 means that
    /// user or password are wrong, unless the server says that the nonce was too old.
    pub(super) fn answer(&self, url: &Url, headers: &HeaderMap, tries: u32) -> bool {
        self.take_note(url, headers, tries, client_nonce())
    }

    /// The `authorization` header of a request; `None` where no server has asked for one yet, or
    /// the response would have to cover a body that is not known.
    pub(super) fn authorization(
        &self,
        method: &Method,
        url: &Url,
        body: Body<'_>,
    ) -> Option<HeaderValue> {
        let mut spaces = self.spaces.borrow_mut();
        let (_, space) = spaces
            .iter_mut()
            .filter_map(|space| Some((space.depth(url)?, space)))
            .max_by_key(|(depth, _)| *depth)?;
        let uri = &url[Position::BeforePath..Position::AfterQuery];
        let method = method.as_str().as_bytes();
        let hash = space.challenge.hash;
        let request = match (space.challenge.protection, body) {
            (Protection::Body, Body::Bytes(bytes)) => {
                hash.of(&[method, uri.as_bytes(), hash.of(&[bytes]).as_bytes()])
            }
            (Protection::Body, Body::Stream) => return None,
            (Protection::Request | Protection::Old, _) => hash.of(&[method, uri.as_bytes()]),
        };
        space.count = space.count.wrapping_add(1);
        let mut value = HeaderValue::from_bytes(&self.header(space, uri, &request)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn take_note(&self, url: &Url, headers: &HeaderMap, tries: u32, client_nonce: String) -> bool {
        let Some(challenge) = Challenge::strongest(headers) else {
            return false;
        };
        let mut spaces = self.spaces.borrow_mut();
        spaces
            .retain(|space| space.depth(url).is_none() || space.challenge.realm != challenge.realm);
        if tries > 0 && !(challenge.stale && tries <= STALE_AGAIN) {
            return false;
        }
        if spaces.len() >= REMEMBERED {
            spaces.remove(0);
        }
        spaces.push(self.space(url, challenge, client_nonce));
        true
    }

    fn space(&self, url: &Url, challenge: Challenge, client_nonce: String) -> Space {
        let hash = challenge.hash;
        let user = self.user.as_bytes();
        let mut key = hash.of(&[user, &challenge.realm, self.password.as_bytes()]);
        if challenge.session {
            let parts = [key.as_bytes(), &challenge.nonce, client_nonce.as_bytes()];
            key = hash.of(&parts);
        }
        Space {
            roots: roots(url, &challenge.domain),
            challenge,
            client_nonce,
            key,
            count: 0,
        }
    }

    fn header(&self, space: &Space, uri: &str, request: &str) -> Vec<u8> {
        let challenge = &space.challenge;
        let hash = challenge.hash;
        let count = format!("{:08x}", space.count);
        let client_nonce = space.client_nonce.as_bytes();
        let qop = match challenge.protection {
            Protection::Old => None,
            Protection::Request => Some("auth"),
            Protection::Body => Some("auth-int"),
        };
        let (key, nonce) = (space.key.as_bytes(), challenge.nonce.as_slice());
        let response = match qop {
            Some(qop) => {
                let (count, qop) = (count.as_bytes(), qop.as_bytes());
                hash.of(&[key, nonce, count, client_nonce, qop, request.as_bytes()])
            }
            None => hash.of(&[key, nonce, request.as_bytes()]),
        };
        let mut header = Header(b"Digest ".to_vec());
        self.name_user(challenge, &mut header);
        header.quoted("realm", &challenge.realm);
        header.quoted("nonce", &challenge.nonce);
        header.quoted("uri", uri.as_bytes());
        if let Some(algorithm) = &challenge.algorithm {
            header.plain("algorithm", algorithm);
        }
        if let Some(qop) = qop {
            header.plain("qop", qop.as_bytes());
            header.plain("nc", count.as_bytes());
            header.quoted("cnonce", client_nonce);
        }
        header.quoted("response", response.as_bytes());
        if let Some(opaque) = &challenge.opaque {
            header.quoted("opaque", opaque);
        }
        if challenge.userhash {
            header.plain("userhash", b"true");
        }
        header.0
    }

    fn name_user(&self, challenge: &Challenge, header: &mut Header) {
        let user = self.user.as_bytes();
        if challenge.userhash {
            let hashed = challenge.hash.of(&[user, &challenge.realm]);
            header.quoted("username", hashed.as_bytes());
        } else if challenge.utf8 && !self.user.is_ascii() {
            header.plain("username*", extended(user).as_bytes());
        } else {
            header.quoted("username", user);
        }
    }
}

impl Space {
    /// How much of the path of a URL in this space is that of a root; `None` outside.
    fn depth(&self, url: &Url) -> Option<usize> {
        let covering = self
            .roots
            .iter()
            .filter(|root| url.path().starts_with(root.path()) && root.origin() == url.origin());
        covering.map(|root| root.path().len()).max()
    }
}

/// What a challenge is good for: what its `domain` lists, else everything on the server. The URL
/// that was refused is always part of it.
fn roots(url: &Url, domain: &[String]) -> Vec<Url> {
    let mut roots: Vec<Url> = domain
        .iter()
        .filter_map(|listed| url.join(listed).ok())
        .collect();
    if roots.is_empty() {
        let mut root = url.clone();
        root.set_path("");
        roots.push(root);
    } else {
        roots.push(url.clone());
    }
    roots
}

/// A nonce of the client's own. It keeps a server from choosing the text that is hashed, which a
/// load test has no need to fear, so any random number does.
fn client_nonce() -> String {
    hexadecimal(fastrand::u128(..).to_be_bytes())
}

/// The form of RFC 8187 for what is not ASCII.
fn extended(text: &[u8]) -> String {
    let mut extended = "UTF-8''".to_owned();
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            extended.push(char::from(byte));
        } else {
            extended.push('%');
            extended.push_str(&hexadecimal([byte]).to_ascii_uppercase());
        }
    }
    extended
}

/// An `authorization` header in the making.
struct Header(Vec<u8>);

impl Header {
    fn quoted(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.0.push(b'"');
        for &byte in value {
            if matches!(byte, b'"' | b'\\') {
                self.0.push(b'\\');
            }
            self.0.push(byte);
        }
        self.0.push(b'"');
    }

    fn plain(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.0.extend_from_slice(value);
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with(b" ") {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Digest")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
