//! How long a request took, phase by phase, and what passed.

use std::{net::SocketAddr, time::Duration};

use http::Version;
use serde_json::{Value, json};

/// How long a request took, in all and by phase, and what passed.
///
/// The phases follow one another without a gap: of a request that was answered to its end, those
/// that are present add up to [`total`](Timings::total).
///
/// | phase | from | absent |
/// |---|---|---|
/// | `waiting` | `send()` until a connection may be used or opened | when it needed not wait |
/// | `dns` | looking up the name | on a kept connection, for an address and a name looked up before |
/// | `connect` | opening the TCP connection, a proxy's part included | on a kept connection |
/// | `tls` | the TLS handshake | on a kept connection and without TLS |
/// | `sent` | the connection being ready until the last byte of the request was written | |
/// | `first_byte` | then, until the first byte of the answer | |
/// | `body` | then, until the last byte of the answer | |
///
/// A phase the request did not reach is absent too; the one it failed in is not counted in any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Until a connection could be used or opened: a limit of connections, of streams or of
    /// requests at once was reached.
    pub waiting: Option<Duration>,
    /// Looking up the name.
    pub dns: Option<Duration>,
    /// Opening the TCP connection, over all addresses tried, and what a proxy has to be told.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// Writing the request.
    pub sent: Option<Duration>,
    /// From the request being written to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// From the first byte of the answer to the last byte of its body.
    pub body: Option<Duration>,
    /// From `send()`, or the answer that led here, to the last byte of the body.
    pub total: Duration,
    /// Bytes of head and body written, before encryption.
    ///
    /// Over HTTP/2 these and those received are the bytes that passed on the connection since the
    /// request before ended: exact in sum, and for each unless several were under way at once.
    pub bytes_sent: u64,
    /// Bytes of head and body read, after decryption.
    pub bytes_received: u64,
    /// Length of the answer's body as it came, compressed or not, without the framing of chunks.
    pub encoded_body_bytes: u64,
    /// Length of the answer's body when it has been decompressed.
    pub decoded_body_bytes: u64,
    /// Whether it went over a connection that had carried another request before, or carried
    /// another at the same time.
    pub reused: bool,
    /// Whether the TLS session was resumed; absent on a kept connection and without TLS.
    pub tls_resumed: Option<bool>,
    /// The address the connection goes to, which may be a proxy's; absent on a Unix socket and when
    /// there was no connection.
    pub remote_addr: Option<SocketAddr>,
    /// The version of HTTP the server was spoken to in; absent when there was no connection.
    pub version: Option<Version>,
}

impl Timings {
    /// The phases in their order, with their names.
    pub fn phases(&self) -> [(&'static str, Option<Duration>); 7] {
        let [waiting, dns, connect, tls, sent, first_byte, body] = PHASES;
        [
            (waiting, self.waiting),
            (dns, self.dns),
            (connect, self.connect),
            (tls, self.tls),
            (sent, self.sent),
            (first_byte, self.first_byte),
            (body, self.body),
        ]
    }

    /// What an event has of it under this name.
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        match name {
            "total" => Some(json!(self.total.as_secs_f64())),
            "bytes_sent" => Some(json!(self.bytes_sent)),
            "bytes_received" => Some(json!(self.bytes_received)),
            "encoded_body_bytes" => Some(json!(self.encoded_body_bytes)),
            "decoded_body_bytes" => Some(json!(self.decoded_body_bytes)),
            "reused" => Some(json!(self.reused)),
            "tls_resumed" => self.tls_resumed.map(|resumed| json!(resumed)),
            "remote_addr" => self.remote_addr.map(|address| json!(address.to_string())),
            "version" => self.version.map(|version| json!(format!("{version:?}"))),
            _ => {
                let phases = self.phases();
                let (_, time) = phases.iter().find(|(phase, _)| *phase == name)?;
                time.map(|time| json!(time.as_secs_f64()))
            }
        }
    }
}

/// The names of the phases in their order.
pub(crate) const PHASES: [&str; 7] = [
    "waiting",
    "dns",
    "connect",
    "tls",
    "sent",
    "first_byte",
    "body",
];

/// The fields of [`Timings`] that an event has beside the [`PHASES`].
pub(super) const FIELDS: [&str; 9] = [
    "total",
    "bytes_sent",
    "bytes_received",
    "encoded_body_bytes",
    "decoded_body_bytes",
    "reused",
    "tls_resumed",
    "remote_addr",
    "version",
];
