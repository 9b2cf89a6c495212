//! The request line and the header fields of a request, as a connection wants them.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Version,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST,
        PROXY_AUTHORIZATION, TRANSFER_ENCODING, USER_AGENT,
    },
};
use hyper::body::Body as _;
use smallvec::SmallVec;

use super::plan::{Plan, Reading};
use crate::http::{
    body::{Continue, SendError, Sending},
    connection::{Announced, Outbound},
    decode, digest, redirect,
    session::Auth,
};

static AGENT: HeaderValue = HeaderValue::from_static(concat!("mite/", env!("CARGO_PKG_VERSION")));
static ANYTHING: HeaderValue = HeaderValue::from_static("*/*");

/// Which span a request belongs to (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Room for the headers of most requests.
const USUAL_HEADERS: usize = 8;

/// How many fields the client can have of its own.
const OWN_FIELDS: usize = 10;

/// What a body is, as far as the head has to say it.
#[derive(Clone, Copy)]
struct Form {
    version: Version,
    /// How long it is, where that is known.
    length: Option<u64>,
}

impl Plan {
    /// The request as HTTP/1.1 has it.
    pub(in crate::http) fn outbound(
        &self,
        body: Sending,
    ) -> Outbound<'_, impl FnOnce(&mut Vec<u8>) -> Result<Announced, SendError>> {
        let length = body.size_hint().exact();
        let go_on = self.expect_continue.then(Continue::default);
        let body = match &go_on {
            Some(go_on) => body.after(go_on.clone(), Continue::PATIENCE),
            None => body,
        };
        Outbound {
            method: &self.method,
            write_head: move |bytes: &mut Vec<u8>| self.write_head(bytes, length),
            body,
            go_on,
            last_head: &self.target.last_head,
        }
    }

    /// The request as HTTP/2 has it, in hyper's form.
    ///
    /// The body is not held back there until the server says to go on: one that is not wanted can
    /// be given up without the connection.
    pub(in crate::http) fn message(&self, body: Sending) -> Request<Sending> {
        let form = Form {
            version: Version::HTTP_2,
            length: body.size_hint().exact(),
        };
        let mut headers = self.compose(form, self.authorization());
        let uri = self.target.absolute(headers.remove(HOST).as_ref());
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = form.version;
        *request.headers_mut() = headers;
        request
    }

    /// The headers as they are sent, for somebody to look at.
    pub(in crate::http) fn all_headers(&self, version: Version) -> HeaderMap {
        let authorization = match &self.digest {
            // It is made for one request as it is sent, and never the same again.
            Some(_) => Some(HeaderValue::from_static("Digest")),
            None => self.authorization(),
        };
        let length = self.body().length();
        self.compose(Form { version, length }, authorization)
    }

    fn compose(&self, form: Form, authorization: Option<HeaderValue>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(USUAL_HEADERS);
        self.each_field(form, authorization, |name, value| {
            headers.append(name, value.clone());
        });
        headers
    }

    /// The head of the request (RFC 9112, sections 3 and 5).
    ///
    /// What the journey itself says of the body's framing holds as far as it is true: a length that
    /// is not the body's would make the server take the rest for the next request.
    fn write_head(&self, bytes: &mut Vec<u8>, length: Option<u64>) -> Result<Announced, SendError> {
        bytes.extend_from_slice(self.method.as_str().as_bytes());
        bytes.push(b' ');
        let forwarding = self.endpoint.forwarding();
        let mut close = false;
        let mut framing = Framing::default();
        let form = Form {
            version: Version::HTTP_11,
            length,
        };
        let authorization = self.authorization();
        let is_usual = forwarding.is_none() && self.is_plain();
        if is_usual {
            bytes.extend_from_slice(self.target.opening(|| self.opening()));
        } else {
            match &forwarding {
                None => write_target(bytes, self.target.request_target()),
                // What a proxy is given is the whole URL.
                Some(_) => write_target(bytes, &self.target.absolute(None).to_string()),
            }
        }
        let mut field = |name: &HeaderName, value: &HeaderValue| {
            if name == PROXY_AUTHORIZATION && matches!(forwarding, Some(Some(_)))
                || framing.takes(name, value)
            {
                return;
            }
            if name == CONNECTION {
                close |= value.to_str().is_ok_and(|value| is_listed(value, "close"));
            }
            write_field(bytes, name, value.as_bytes());
        };
        if is_usual {
            self.each_further(form, authorization, |name, value| field(&name, value));
        } else {
            self.each_field(form, authorization, field);
        }
        if let Some(Some(authorization)) = forwarding {
            write_field(bytes, &PROXY_AUTHORIZATION, authorization.as_bytes());
        }
        let length = framing.write(bytes, length)?;
        bytes.extend_from_slice(b"\r\n");
        Ok(Announced { length, close })
    }

    /// What the head begins with after the method, when neither the request nor its session sets a
    /// header: the same for every request to the URL.
    fn opening(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_target(&mut bytes, self.target.request_target());
        self.each_usual(|name, value| write_field(&mut bytes, &name, value.as_bytes()));
        bytes
    }

    /// Whether no header was set by hand.
    fn is_plain(&self) -> bool {
        self.headers.is_empty() && self.session.state.headers().is_empty()
    }

    /// Calls `each` for every field. Those of the request come before those of the session, and
    /// these before the client's own, each under its name in place of the others.
    fn each_field(
        &self,
        form: Form,
        authorization: Option<HeaderValue>,
        mut each: impl FnMut(&HeaderName, &HeaderValue),
    ) {
        let session = self.session.state.headers();
        let stripped;
        let session = if self.away && !session.is_empty() {
            let mut own = HeaderMap::clone(&session);
            redirect::strip_credentials(&mut own);
            stripped = own;
            &stripped
        } else {
            &*session
        };
        let overridden = |name: &HeaderName| {
            [&self.headers, session]
                .into_iter()
                .find(|headers| !headers.is_empty() && headers.contains_key(name))
        };
        let mut own = SmallVec::<[HeaderName; OWN_FIELDS]>::new();
        let mut field = |name: HeaderName, value: &HeaderValue| {
            match overridden(&name) {
                Some(headers) => headers
                    .get_all(&name)
                    .iter()
                    .for_each(|value| each(&name, value)),
                None => each(&name, value),
            }
            own.push(name);
        };
        self.each_usual(&mut field);
        self.each_further(form, authorization, field);
        for (name, value) in session {
            if !own.contains(name) && !self.headers.contains_key(name) {
                each(name, value);
            }
        }
        for (name, value) in &self.headers {
            if !own.contains(name) {
                each(name, value);
            }
        }
    }

    /// The fields of the client's own that every request has.
    fn each_usual(&self, mut each: impl FnMut(HeaderName, &HeaderValue)) {
        each(HOST, &self.target.host);
        each(USER_AGENT, &AGENT);
        each(ACCEPT, &ANYTHING);
    }

    /// Those that this one has.
    fn each_further(
        &self,
        form: Form,
        authorization: Option<HeaderValue>,
        mut each: impl FnMut(HeaderName, &HeaderValue),
    ) {
        if self.compressed {
            let accepted = match self.reading {
                Reading::Stream => decode::ACCEPTED_STREAMED,
                Reading::Keep | Reading::Discard => decode::ACCEPTED,
            };
            each(ACCEPT_ENCODING, &HeaderValue::from_static(accepted));
        }
        if let Some(authorization) = authorization {
            each(AUTHORIZATION, &authorization);
        }
        if let Some(length) = form.length
            && (length > 0 || expects_body(&self.method))
        {
            each(CONTENT_LENGTH, &length.into());
        }
        if self.expect_continue && form.length != Some(0) {
            each(EXPECT, &HeaderValue::from_static("100-continue"));
        }
        if form.version == Version::HTTP_11 && !self.pool.reuses() {
            each(CONNECTION, &HeaderValue::from_static("close"));
        }
        if let Some(cookies) = self.session.state.cookies_for(&self.target.url) {
            each(COOKIE, &cookies);
        }
        if let Some(trace) = self.session.context.trace()
            && let Some(parent) = trace.traceparent(self.progress.span())
            && let Ok(parent) = HeaderValue::try_from(parent)
        {
            each(TRACEPARENT, &parent);
        }
    }

    /// Who the request says it is from, unless a header is set by hand.
    fn authorization(&self) -> Option<HeaderValue> {
        if let Some(digest) = &self.digest {
            let body = match self.body().bytes() {
                Some(bytes) => digest::Body::Bytes(bytes),
                None => digest::Body::Stream,
            };
            return digest.authorization(&self.method, &self.target.url, body);
        }
        if let Some(credentials) = &self.credentials {
            return Some(credentials.clone());
        }
        match self
            .session
            .state
            .auth_for(self.endpoint.origin(), self.away)
        {
            Some(Auth::Header(value)) => Some(value),
            Some(Auth::Digest(_)) | None => None,
        }
    }
}

/// How the head says where the body ends.
#[derive(Default)]
struct Framing {
    lengths: Vec<HeaderValue>,
    codings: Vec<HeaderValue>,
}

impl Framing {
    /// Keeps a field that is about it for the end of the head.
    fn takes(&mut self, name: &HeaderName, value: &HeaderValue) -> bool {
        if name == CONTENT_LENGTH {
            self.lengths.push(value.clone());
        } else if name == TRANSFER_ENCODING {
            self.codings.push(value.clone());
        } else {
            return false;
        }
        true
    }

    /// Writes the one field that says it, and gives the length unless the body is sent in chunks.
    ///
    /// A transfer coding goes before a length, and ends with `chunked` (RFC 9112, section 6).
    fn write(self, bytes: &mut Vec<u8>, known: Option<u64>) -> Result<Option<u64>, SendError> {
        if !self.codings.is_empty() {
            let codings: Vec<_> = self.codings.iter().map(HeaderValue::as_bytes).collect();
            let mut list = codings.join(b", ".as_slice());
            let last = list.rsplit(|byte| *byte == b',').next();
            if !last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
                list.extend_from_slice(b", chunked");
            }
            write_field(bytes, &TRANSFER_ENCODING, &list);
            return Ok(None);
        }
        let mut length = known;
        for value in &self.lengths {
            let text = value.to_str().unwrap_or_default();
            let said: u64 = text.parse().map_err(|_| {
                SendError::new(format!(
                    "its content-length is \"{text}\", which is no length"
                ))
            })?;
            if length.is_some_and(|length| length != said) {
                return Err(SendError::new(match known {
                    Some(known) => format!(
                        "its content-length is {said}, and the body has {known} bytes: leave the \
                         header out, it is set by itself"
                    ),
                    None => "it has two different content-lengths".to_owned(),
                }));
            }
            length = Some(said);
        }
        match (length, self.lengths.first()) {
            (Some(_), Some(value)) => write_field(bytes, &CONTENT_LENGTH, value.as_bytes()),
            // There is no body, and nobody asks.
            (Some(_), None) => {}
            (None, _) => write_field(bytes, &TRANSFER_ENCODING, b"chunked"),
        }
        Ok(length)
    }
}

/// Ends the request line.
fn write_target(bytes: &mut Vec<u8>, target: &str) {
    bytes.extend_from_slice(target.as_bytes());
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
}

fn write_field(bytes: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    bytes.extend_from_slice(name.as_str().as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

fn is_listed(list: &str, wanted: &str) -> bool {
    list.split(',')
        .any(|option| option.trim().eq_ignore_ascii_case(wanted))
}

/// Whether a server may want to know that there is no body.
pub(in crate::http) fn expects_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// Sets all these fields, each in place of those there were under its name.
pub(in crate::http) fn replace(headers: &mut HeaderMap, with: &HeaderMap) {
    for name in with.keys() {
        let mut values = with.get_all(name).iter();
        if let Some(first) = values.next() {
            headers.insert(name, first.clone());
        }
        for value in values {
            headers.append(name, value.clone());
        }
    }
}
