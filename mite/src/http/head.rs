//! The head of an answer, whose fields are looked at only when somebody asks.

use std::{cell::OnceCell, fmt, mem::MaybeUninit, rc::Rc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Version,
    header::{CONTENT_ENCODING, SET_COOKIE},
    response::Parts,
};
use httparse::Response;

/// How many fields a head of HTTP/1.1 may have.
pub(super) const MOST_FIELDS: usize = 100;

/// Status, version and fields of an answer. A cheap handle.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    /// Whether it sets cookies.
    pub(super) sets_cookies: bool,
    /// Whether it names an encoding of the body.
    pub(super) names_encoding: bool,
    fields: Rc<Fields>,
}

/// The fields, and what they are made of once they are wanted: most journeys look at a status and a
/// body.
struct Fields {
    map: OnceCell<HeaderMap>,
    text: Bytes,
}

impl Head {
    /// A head of HTTP/1.1 that has been found to be in order.
    pub(super) fn new(status: StatusCode, version: Version, text: Bytes) -> Self {
        Self {
            status,
            version,
            sets_cookies: false,
            names_encoding: false,
            fields: Rc::new(Fields {
                map: OnceCell::new(),
                text,
            }),
        }
    }

    /// The bytes it was read from, where it came over HTTP/1.1.
    pub(super) fn text(&self) -> &Bytes {
        &self.fields.text
    }

    /// The fields.
    pub(super) fn headers(&self) -> &HeaderMap {
        self.fields.map.get_or_init(|| read(&self.fields.text))
    }
}

impl From<Parts> for Head {
    fn from(parts: Parts) -> Self {
        Self {
            status: parts.status,
            version: parts.version,
            sets_cookies: parts.headers.contains_key(SET_COOKIE),
            names_encoding: parts.headers.contains_key(CONTENT_ENCODING),
            fields: Rc::new(Fields {
                map: OnceCell::from(parts.headers),
                text: Bytes::new(),
            }),
        }
    }
}

fn read(text: &Bytes) -> HeaderMap {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut response = Response::new(&mut []);
    // It was parsed before, so there is nothing left that could be wrong with it.
    let _ = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        text,
        &mut fields,
    );
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for field in response.headers.iter() {
        let value = HeaderValue::from_maybe_shared(text.slice_ref(field.value));
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(field.name.as_bytes()), value) {
            headers.append(name, value);
        }
    }
    headers
}

impl fmt::Debug for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Head")
            .field("status", &self.status)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
