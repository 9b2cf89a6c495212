//! Answers: a whole body, or events that come one after the other.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
        RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

/// What is sent back.
pub(super) type Answer = Response<Either<Full<Bytes>, Events>>;

/// The parts of a body that is never whole.
pub(super) struct Events(pub(super) Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.0.poll_recv(context);
        part.map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}

/// The page may do what is written in it, and load nothing.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; \
                           style-src 'unsafe-inline'; img-src data:; connect-src 'self'; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Bytes of this kind.
pub(super) fn whole(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let body = Either::Left(Full::new(body.into()));
    with(StatusCode::OK, content_type, body)
}

/// A page that may only do what is written in it.
pub(super) fn page(html: impl Into<Bytes>) -> Answer {
    let mut answer = whole("text/html; charset=utf-8", html);
    put(&mut answer, CONTENT_SECURITY_POLICY, PAGE_POLICY);
    answer
}

/// A small value.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).unwrap_or_default();
    with(status, JSON, Either::Left(Full::new(body.into())))
}

pub(super) const JSON: &str = "application/json";

/// Server-sent events.
pub(super) fn events(parts: Receiver<Bytes>) -> Answer {
    let body = Either::Right(Events(parts));
    with(StatusCode::OK, "text/event-stream", body)
}

/// A refusal that says what would be right.
pub(super) fn refusal(status: StatusCode, why: &str) -> Answer {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
    }
    let mut answer = json(status, &Refusal { error: why });
    match status {
        StatusCode::UNAUTHORIZED => put(&mut answer, WWW_AUTHENTICATE, "Bearer realm=\"mite\""),
        StatusCode::SERVICE_UNAVAILABLE => put(&mut answer, RETRY_AFTER, "1"),
        _ => {}
    }
    answer
}

/// The path is right and the method is not.
pub(super) fn wrong_method(allowed: &'static str) -> Answer {
    let why = format!("this path takes {allowed}");
    let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, &why);
    put(&mut answer, ALLOW, allowed);
    answer
}

fn with(
    status: StatusCode,
    content_type: &'static str,
    body: Either<Full<Bytes>, Events>,
) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    put(&mut answer, CONTENT_TYPE, content_type);
    put(&mut answer, CACHE_CONTROL, "no-store");
    put(&mut answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut answer, REFERRER_POLICY, "no-referrer");
    answer
}

fn put(answer: &mut Answer, name: HeaderName, value: &'static str) {
    answer
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
