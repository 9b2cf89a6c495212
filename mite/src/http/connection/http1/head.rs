//! Reading the head of an answer, and what it says of the body (RFC 9112, sections 4 to 6).

use std::{
    cell::{Cell, RefCell},
    fmt,
    mem::MaybeUninit,
};

use bytes::Bytes;
use http::{Method, StatusCode, Version};
use httparse::{Header, ParserConfig, Response, Status};

use super::{Framing, chunked::Chunked};
use crate::http::head::{Head, MOST_FIELDS};

/// How long a head may be that is remembered.
const LONGEST_REMEMBERED: usize = 1024;

/// The head that came last for some URL. The next one is often the same byte for byte, but for a
/// date that changes once a second, and then need not be read again.
///
/// The first is not kept: where each request has a URL of its own, none comes again.
#[derive(Default)]
pub(in crate::http) struct LastHead {
    answered: Cell<bool>,
    last: RefCell<Option<(Method, Parsed)>>,
}

impl LastHead {
    /// The head that the bytes begin with; `None` when it has not come in full.
    pub(super) fn parse(&self, bytes: &[u8], method: &Method) -> Result<Option<Parsed>, String> {
        // What comes after a head has no say in what it means.
        if let Some((asked, last)) = &*self.last.borrow()
            && asked == method
            && bytes.starts_with(last.head.text())
        {
            return Ok(Some(last.clone()));
        }
        let parsed = parse(bytes, method)?;
        if let Some(parsed) = &parsed
            && parsed.length <= LONGEST_REMEMBERED
            && self.answered.replace(true)
        {
            self.last.replace(Some((method.clone(), parsed.clone())));
        }
        Ok(parsed)
    }
}

impl fmt::Debug for LastHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.last.borrow();
        let head = last.as_ref().map(|(_, parsed)| &parsed.head);
        formatter.debug_tuple("LastHead").field(&head).finish()
    }
}

/// What the bytes at hand begin with.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) head: Head,
    /// How long the head is.
    pub(super) length: usize,
    /// How the body is framed.
    pub(super) framing: Framing,
    /// Whether the connection can take another request afterwards.
    pub(super) persists: bool,
}

/// What is known of the fields without knowing them all.
#[derive(Default)]
struct Mentions {
    close: bool,
    keep_alive: bool,
    length: Option<u64>,
    /// Whether what says how long the body is contradicts itself or is no number.
    bad_length: bool,
    coded: bool,
    /// Whether the last transfer coding is `chunked`.
    chunked: bool,
    sets_cookies: bool,
    names_encoding: bool,
}

/// Whether a head may be complete, given that it was not when it had only `seen` bytes.
pub(super) fn may_be_complete(bytes: &[u8], seen: usize) -> bool {
    let new = bytes.get(seen.saturating_sub(3)..).unwrap_or_default();
    new.windows(2).any(|end| end == b"\n\n") || new.windows(3).any(|end| end == b"\n\r\n")
}

/// The head that the bytes begin with; `None` when it has not come in full.
fn parse(bytes: &[u8], method: &Method) -> Result<Option<Parsed>, String> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, bytes, &mut fields)
        .map_err(|error| match error {
            httparse::Error::TooManyHeaders => format!("more than {MOST_FIELDS} header fields"),
            error => error.to_string(),
        })?;
    let Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let status = response
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or("the status is not one")?;
    let version = match response.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let mentions = Mentions::of(response.headers);
    let text = bytes.get(..length).unwrap_or(bytes);
    let mut head = Head::new(status, version, Bytes::copy_from_slice(text));
    head.sets_cookies = mentions.sets_cookies;
    head.names_encoding = mentions.names_encoding;
    let framing = mentions.framing(method, status, version)?;
    let persists = match version {
        Version::HTTP_10 => mentions.keep_alive && !mentions.close,
        _ => !mentions.close,
    };
    let switches = status == StatusCode::SWITCHING_PROTOCOLS || method == Method::CONNECT;
    Ok(Some(Parsed {
        head,
        length,
        persists: persists && !switches && !matches!(framing, Framing::ToTheEnd),
        framing,
    }))
}

impl Mentions {
    fn of(fields: &[Header<'_>]) -> Self {
        let mut mentions = Self::default();
        for field in fields {
            // Names are of many lengths, so most are passed over at the first look.
            match field.name.len() {
                10 if is(field.name, "Connection", "connection") => {
                    for option in list(field.value) {
                        mentions.close |= option.eq_ignore_ascii_case(b"close");
                        mentions.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                10 if is(field.name, "Set-Cookie", "set-cookie") => {
                    mentions.sets_cookies = true;
                }
                14 if is(field.name, "Content-Length", "content-length") => {
                    mentions.take_length(field.value);
                }
                16 if is(field.name, "Content-Encoding", "content-encoding") => {
                    mentions.names_encoding = true;
                }
                17 if is(field.name, "Transfer-Encoding", "transfer-encoding") => {
                    mentions.coded = true;
                    mentions.chunked = list(field.value)
                        .last()
                        .is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
                }
                _ => {}
            }
        }
        mentions
    }

    /// Several equal lengths, in one field or in several, count as one (RFC 9110, section 8.6).
    fn take_length(&mut self, value: &[u8]) {
        let mut any = false;
        for number in list(value) {
            any = true;
            match decimal(number) {
                Some(length) if self.length.is_none_or(|before| before == length) => {
                    self.length = Some(length);
                }
                _ => self.bad_length = true,
            }
        }
        self.bad_length |= !any;
    }

    /// How the body is framed (RFC 9112, section 6.3).
    fn framing(
        &self,
        method: &Method,
        status: StatusCode,
        version: Version,
    ) -> Result<Framing, String> {
        let is_empty = method == Method::HEAD
            || (method == Method::CONNECT && status.is_success())
            || status.is_informational()
            || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
        if is_empty {
            return Ok(Framing::Length(0));
        }
        if self.coded {
            return match version {
                Version::HTTP_10 => Err("HTTP/1.0 has no transfer-encoding".to_owned()),
                _ if self.chunked => Ok(Framing::Chunked(Chunked::new())),
                _ => Ok(Framing::ToTheEnd),
            };
        }
        if self.bad_length {
            return Err("the content-length is no number, or there are two".to_owned());
        }
        Ok(self.length.map_or(Framing::ToTheEnd, Framing::Length))
    }
}

/// Whether a name is this one, in whatever case; the two that are usual are quick to compare.
fn is(name: &str, title: &str, lower: &str) -> bool {
    name == title || name == lower || name.eq_ignore_ascii_case(lower)
}

/// The parts of a field that is a list (RFC 9110, section 5.6.1).
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|part| !part.is_empty())
}

/// Digits and nothing but digits.
fn decimal(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the body is that follows a head.
    fn length(last: &LastHead, method: &Method, bytes: &str) -> Option<u64> {
        let parsed = last.parse(bytes.as_bytes(), method).unwrap().unwrap();
        match parsed.framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked(_) | Framing::ToTheEnd => None,
        }
    }

    #[test]
    fn a_head_that_comes_again_is_read_once_from_the_second_time_on() {
        let last = LastHead::default();
        let heads = ["one", "another", "third"].map(|body| {
            let bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nx-a: b\r\n\r\n{body}");
            last.parse(bytes.as_bytes(), &Method::GET).unwrap().unwrap()
        });
        assert_eq!(heads[1].length, heads[2].length);
        let fields = heads.each_ref().map(|parsed| parsed.head.headers());
        assert_eq!(fields[2]["x-a"], "b");
        assert!(std::ptr::eq(fields[1], fields[2]));
        assert!(!std::ptr::eq(fields[0], fields[1]), "most URLs come once");
    }

    #[test]
    fn a_head_that_differs_is_read_for_itself() {
        let last = LastHead::default();
        let get = Method::GET;
        let head = |length| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        for body in [2, 20, 2, 3] {
            assert_eq!(length(&last, &get, &head(body)), Some(body));
        }
        assert!(
            last.parse(b"HTTP/1.1 200 OK\r\ncont", &get)
                .unwrap()
                .is_none()
        );
        assert!(last.parse(b"HTTP/1.1 nonsense\r\n\r\n", &get).is_err());
        assert_eq!(length(&last, &get, &head(3)), Some(3));
    }

    #[test]
    fn the_same_head_means_no_body_when_only_the_head_was_asked_for() {
        let last = LastHead::default();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        for (method, body) in [(Method::GET, 2), (Method::HEAD, 0), (Method::GET, 2)] {
            assert_eq!(length(&last, &method, head), Some(body), "{method}");
        }
    }
}
