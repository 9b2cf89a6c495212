//! What was counted of requests: over all of them, and by name and status.

use std::{collections::BTreeMap, sync::Arc};

use http::Version;
use serde::{Deserialize, Serialize};

use super::{
    capped::{Capped, MORE, Merge, SeriesKey, add},
    latency::{Digits, Latency},
    phases::PhaseStatistics,
};
use crate::event::HttpRequest;

/// Requests of which at least a byte was written, but for the errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HttpStatistics {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    /// Total time of the successful ones.
    pub(crate) time: Latency,
    /// Total time of the failed ones.
    pub(crate) failed_time: Latency,
    /// Transport errors by kind, those of requests that never were written too.
    pub(crate) errors: BTreeMap<Box<str>, u64>,
    pub(crate) versions: VersionStatistics,
    pub(crate) connections: ConnectionStatistics,
    pub(crate) requests_by: Capped<HttpKey, RequestStatistics>,
}

impl HttpStatistics {
    /// Counts a request, but for its row.
    pub(crate) fn record(&mut self, request: &HttpRequest<'_>) {
        if let Some(kind) = request.error {
            match self.errors.get_mut(kind) {
                Some(count) => *count += 1,
                None => {
                    self.errors.insert(kind.into(), 1);
                }
            }
        }
        if !request.sent {
            return;
        }
        let timings = request.timings;
        self.requests += 1;
        self.bytes_sent += timings.bytes_sent;
        self.bytes_received += timings.bytes_received;
        self.connections.reused += u64::from(timings.reused);
        self.versions.record(timings.version);
        if request.failed {
            self.failed += 1;
            self.failed_time.record(timings.total);
        } else {
            self.time.record(timings.total);
        }
    }

    /// Has rows only where `whole` has them, of which this is a part.
    pub(super) fn conform(&mut self, whole: &Self) {
        self.requests_by.conform(&whole.requests_by);
    }

    /// How long each phase took, over the requests of all rows.
    pub(crate) fn phases(&self) -> PhaseStatistics {
        let mut phases = PhaseStatistics::default();
        for (_, row) in self.requests_by.iter() {
            phases.merge(&row.phases);
        }
        phases
    }

    pub(crate) fn encoded_body_bytes(&self) -> u64 {
        let rows = self.requests_by.iter();
        rows.map(|(_, row)| row.encoded_body_bytes).sum()
    }

    pub(crate) fn decoded_body_bytes(&self) -> u64 {
        let rows = self.requests_by.iter();
        rows.map(|(_, row)| row.decoded_body_bytes).sum()
    }

    pub(super) fn merge(&mut self, other: Self, cap: usize) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.time.merge(&other.time);
        self.failed_time.merge(&other.failed_time);
        for (kind, count) in other.errors {
            add(&mut self.errors, kind, count);
        }
        self.versions.merge(&other.versions);
        self.connections.merge(&other.connections);
        self.requests_by.merge(other.requests_by, cap);
    }
}

/// What became of connections that were opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectionStatistics {
    pub(crate) opened: u64,
    /// Requests that went over a connection that had carried another.
    pub(crate) reused: u64,
    /// Of the opened ones, those with TLS.
    pub(crate) tls_handshakes: u64,
    /// Of these, the ones that resumed the session of an earlier connection.
    pub(crate) tls_resumed: u64,
    /// Addresses that would not do before another did.
    pub(crate) fallbacks: u64,
}

impl ConnectionStatistics {
    /// A connection was opened after so many addresses would not do; with TLS, an earlier session was
    /// resumed or not.
    pub(crate) fn opened(&mut self, tls_resumed: Option<bool>, passed_over: u64) {
        self.opened += 1;
        self.fallbacks += passed_over;
        self.tls_handshakes += u64::from(tls_resumed.is_some());
        self.tls_resumed += u64::from(tls_resumed == Some(true));
    }

    fn merge(&mut self, other: &Self) {
        self.opened += other.opened;
        self.reused += other.reused;
        self.tls_handshakes += other.tls_handshakes;
        self.tls_resumed += other.tls_resumed;
        self.fallbacks += other.fallbacks;
    }
}

/// Requests by the version of HTTP they were made in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionStatistics([u64; VERSIONS.len()]);

const VERSIONS: [Version; 5] = [
    Version::HTTP_09,
    Version::HTTP_10,
    Version::HTTP_11,
    Version::HTTP_2,
    Version::HTTP_3,
];

impl VersionStatistics {
    fn record(&mut self, version: Option<Version>) {
        for (count, known) in self.0.iter_mut().zip(VERSIONS) {
            *count += u64::from(version == Some(known));
        }
    }

    fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(other.0) {
            *ours += theirs;
        }
    }

    /// The versions there were requests in.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Version, u64)> {
        let all = VERSIONS.into_iter().zip(self.0);
        all.filter(|(_, count)| *count > 0)
    }
}

/// What requests are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct HttpKey {
    pub(crate) journey: Arc<str>,
    pub(crate) transaction: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) method: Arc<str>,
    pub(crate) status: Option<u16>,
}

impl HttpKey {
    /// The row of a journey's requests of this [shared method](shared_method) and status that have
    /// none of their own.
    pub(super) fn more(journey: &Arc<str>, method: &str, status: Option<u16>) -> Self {
        Self {
            journey: journey.clone(),
            transaction: MORE.into(),
            name: MORE.into(),
            method: method.into(),
            status,
        }
    }
}

/// The methods of RFC 9110 and RFC 5789.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// What stands for a method where rows are shared: itself, unless it was made up, of which there may
/// be any number.
pub(super) fn shared_method(method: &str) -> &'static str {
    let known = METHODS.into_iter().find(|known| *known == method);
    known.unwrap_or(MORE)
}

impl SeriesKey for HttpKey {
    fn overflow(&self) -> Self {
        Self::more(&self.journey, shared_method(&self.method), self.status)
    }
}

/// How the requests of one name and status went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestStatistics {
    pub(crate) count: u64,
    pub(crate) failed: u64,
    /// Of the successful ones; a status of 404 may be a success for one request and none for another.
    pub(crate) time: Latency,
    /// Of the failed ones.
    pub(crate) failed_time: Latency,
    /// Of all of them.
    pub(crate) phases: PhaseStatistics,
    pub(crate) encoded_body_bytes: u64,
    pub(crate) decoded_body_bytes: u64,
}

impl RequestStatistics {
    pub(crate) fn record(&mut self, request: &HttpRequest<'_>) {
        let timings = request.timings;
        self.count += 1;
        if request.failed {
            self.failed += 1;
            self.failed_time.record(timings.total);
        } else {
            self.time.record(timings.total);
        }
        self.phases.record(timings);
        self.encoded_body_bytes += timings.encoded_body_bytes;
        self.decoded_body_bytes += timings.decoded_body_bytes;
    }

    /// Total time of all of them, successful or not.
    pub(crate) fn all_time(&self) -> Latency {
        let mut all = self.time.clone();
        all.merge(&self.failed_time);
        all
    }
}

impl Default for RequestStatistics {
    fn default() -> Self {
        Self {
            count: 0,
            failed: 0,
            time: Latency::new(Digits::Three),
            failed_time: Latency::new(Digits::Three),
            phases: PhaseStatistics::default(),
            encoded_body_bytes: 0,
            decoded_body_bytes: 0,
        }
    }
}

impl Merge for RequestStatistics {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.time.merge(&other.time);
        self.failed_time.merge(&other.failed_time);
        self.phases.merge(&other.phases);
        self.encoded_body_bytes += other.encoded_body_bytes;
        self.decoded_body_bytes += other.decoded_body_bytes;
    }
}
