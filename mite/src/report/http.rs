//! What a report says of requests and connections.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spread::Spread;
use crate::{event::PHASES, stats::LatencySummary};

/// What the HTTP clients saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HttpSummary {
    /// Requests of which at least one byte was written.
    pub requests: u64,
    /// Requests that ended in a transport error or in a status of 400 and above that was not
    /// allowed.
    pub failed: u64,
    /// Bytes of heads and bodies written, before encryption.
    pub bytes_sent: u64,
    /// Bytes of heads and bodies read, after decryption.
    pub bytes_received: u64,
    /// Bytes of the answers' bodies as they came, compressed or not, without the framing of chunks.
    #[serde(default)]
    pub encoded_body_bytes: u64,
    /// Bytes of the answers' bodies when they had been decompressed.
    #[serde(default)]
    pub decoded_body_bytes: u64,
    /// Total time of the successful requests.
    pub time: LatencySummary,
    /// Total time of the failed ones.
    pub failed_time: LatencySummary,
    /// How the times of the successful ones spread; absent in the JSON without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Spread>,
    /// The same of the failed ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_distribution: Vec<Spread>,
    /// How long each phase took, over all requests.
    #[serde(default)]
    pub phases: PhaseSummary,
    /// Transport errors by kind, such as `timeout`, those of requests that never were written too.
    #[serde(default)]
    pub errors: BTreeMap<String, u64>,
    /// Requests by the version of HTTP they were made in, `HTTP/1.1` or `HTTP/2.0`.
    #[serde(default)]
    pub versions: BTreeMap<String, u64>,
    /// What became of connections.
    pub connections: ConnectionSummary,
    /// A row for each journey, transaction, name, method and status.
    pub requests_by: Vec<RequestRow>,
    /// A row for each method and name, the most frequent first.
    #[serde(default)]
    pub requests_by_name: Vec<RequestSummary>,
}

/// How long each phase of requests took; of each, the requests that went through it.
///
/// The phases of a request follow one another without a gap, so over requests that were answered to
/// their end, all phases together are as long as the requests were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PhaseSummary {
    /// Until a connection might be used or opened.
    pub waiting: LatencySummary,
    /// Looking up the name.
    pub dns: LatencySummary,
    /// Opening the TCP connection, a proxy's part included.
    pub connect: LatencySummary,
    /// The TLS handshake.
    pub tls: LatencySummary,
    /// From the connection being ready to the last byte of the request.
    pub sent: LatencySummary,
    /// From there to the first byte of the answer.
    pub first_byte: LatencySummary,
    /// From there to the last byte of the answer.
    pub body: LatencySummary,
}

impl PhaseSummary {
    /// The phases in their order, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &LatencySummary)> {
        let times = [
            &self.waiting,
            &self.dns,
            &self.connect,
            &self.tls,
            &self.sent,
            &self.first_byte,
            &self.body,
        ];
        PHASES.into_iter().zip(times)
    }
}

/// What became of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionSummary {
    /// Connections that were made.
    pub opened: u64,
    /// Requests that went over a connection which had carried another before.
    pub reused: u64,
    /// Attempts to connect that came to nothing.
    #[serde(default)]
    pub failed: u64,
    /// Of the connections that were made, those with TLS.
    #[serde(default)]
    pub tls_handshakes: u64,
    /// Of these, the ones that resumed the session of an earlier connection.
    #[serde(default)]
    pub tls_resumed: u64,
    /// Addresses that failed, or did not answer in their time, before another of the same name made
    /// the connection.
    #[serde(default)]
    pub fallbacks: u64,
}

/// The requests of one name that one transaction made and that had one status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestRow {
    /// The full name of the journey.
    pub journey: String,
    /// The transaction; empty outside any.
    pub transaction: String,
    /// The name the request is grouped under, `GET /item/:id` unless it was given one.
    pub name: String,
    /// The method.
    pub method: String,
    /// The status; absent when no answer came.
    pub status: Option<u16>,
    /// How many there were.
    pub count: u64,
    /// From `send()` to the last byte of the body, of all of them.
    pub time: LatencySummary,
    /// The same of the failed ones among them.
    #[serde(default)]
    pub failed_time: LatencySummary,
    /// Until a connection might be used or opened; only of requests that had to wait.
    #[serde(default)]
    pub waiting: LatencySummary,
    /// Looking up the name; only of requests that did.
    pub dns: LatencySummary,
    /// Opening the TCP connection; only of requests that did.
    pub connect: LatencySummary,
    /// The TLS handshake; only of requests that made one.
    pub tls: LatencySummary,
    /// From the connection being ready to the last byte of the request.
    #[serde(default)]
    pub sent: LatencySummary,
    /// From there to the first byte of the answer.
    pub first_byte: LatencySummary,
    /// From there to the last byte of the answer.
    #[serde(default)]
    pub body: LatencySummary,
    /// Bytes of the answers' bodies as they came, compressed or not.
    #[serde(default)]
    pub encoded_body_bytes: u64,
    /// Bytes of the answers' bodies when they had been decompressed.
    #[serde(default)]
    pub decoded_body_bytes: u64,
}

/// The requests of one method and name, whoever made them and however they ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestSummary {
    /// The name the request is grouped under, `GET /item/:id` unless it was given one.
    pub name: String,
    /// The method.
    pub method: String,
    /// How many there were.
    pub count: u64,
    /// The failed ones by status; `no answer` where none came: `{"500": 2, "no answer": 1}`.
    pub failures: BTreeMap<String, u64>,
    /// Total time of the successful ones.
    pub time: LatencySummary,
    /// Total time of the failed ones.
    pub failed_time: LatencySummary,
}

impl RequestSummary {
    /// How many failed, for whatever reason.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// The name with the method before it, unless it begins with that already.
    pub(crate) fn label(&self) -> String {
        label(&self.method, &self.name)
    }
}

/// The name of a request with the method before it, unless it begins with that already.
pub(crate) fn label(method: &str, name: &str) -> String {
    let rest = name.strip_prefix(method);
    let has_method = rest.is_some_and(|rest| rest.starts_with(' '));
    if has_method || method.is_empty() {
        name.to_owned()
    } else {
        format!("{method} {name}")
    }
}
