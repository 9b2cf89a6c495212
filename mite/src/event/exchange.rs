//! A request and its answer in full, for a person or a test to look at.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use super::Timings;

/// What went over the wire for one request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// The full name of the journey.
    pub journey: String,
    /// The transaction it happened in; empty outside any.
    pub transaction: String,
    /// The name the request is grouped under.
    pub name: String,
    /// The method of the request.
    pub method: Method,
    /// The full URL of the request.
    pub url: String,
    /// Headers and body of the request as they were sent.
    pub request: Head,
    /// The status of the answer, if one came.
    pub status: Option<StatusCode>,
    /// Headers and body of the answer as far as they came.
    pub response: Head,
    /// The transport error in words, if there was one.
    pub error: Option<String>,
    /// The command line of `curl` that sends the same request, secrets masked.
    pub curl: String,
    /// How long it took, and what passed.
    pub timings: Timings,
    /// What a callback of the journey added.
    pub labels: Vec<(Cow<'static, str>, Value)>,
}

/// Headers and body of one direction.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Exchange {
    /// An exchange of which only the request is known yet.
    pub(crate) fn new(name: String, method: Method, url: String, request: Head) -> Self {
        Self {
            journey: String::new(),
            transaction: String::new(),
            name,
            method,
            url,
            request,
            status: None,
            response: Head::default(),
            error: None,
            curl: String::new(),
            timings: Timings::default(),
            labels: Vec::new(),
        }
    }
}
