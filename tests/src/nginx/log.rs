//! What an nginx has served, from its access log.

use std::collections::BTreeSet;

/// The fields of a line, in the order of [`Line::parse`].
pub(super) const FORMAT: &str = concat!(
    r"$connection\t$connection_requests\t$remote_addr\t$request_method\t$request_uri\t",
    r"$server_protocol\t$status\t$bytes_sent\t$request_length\t",
    r"$ssl_protocol\t$ssl_session_reused\t$ssl_server_name\t$ssl_client_s_dn\t$server_addr",
);

/// A line of the access log: one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of its connection.
    pub connection: u64,
    /// Which request on this connection it was, from 1.
    pub connection_requests: u64,
    /// The client's address; `unix:` on the Unix socket.
    pub client: String,
    /// The address the client connected to.
    pub server: String,
    /// The method; empty when nginx could not read the request.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: String,
    /// The status of the answer.
    pub status: u16,
    /// The length of the answer, head included.
    pub bytes_sent: u64,
    /// The length of the request, head included.
    pub request_length: u64,
    /// How it was encrypted, if it was.
    pub tls: Option<Tls>,
}

/// What is known of an encrypted connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// Whether it went on with an earlier session.
    pub session_reused: bool,
    /// The name of the server the client asked for (SNI); empty when it named none.
    pub server_name: String,
    /// The subject of the client's certificate, such as `CN=ada`; empty without one.
    pub client: String,
}

/// Everything a server has served.
#[derive(Debug)]
pub struct Log(
    /// The requests, in the order of their ends.
    pub Vec<Line>,
);

impl Log {
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().map(Line::parse).collect())
    }

    /// How many requests there were.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many requests there were of this path.
    pub fn count(&self, uri: &str) -> u64 {
        self.count_of(|line| line.uri == uri)
    }

    /// How many requests had this status.
    pub fn with_status(&self, status: u16) -> u64 {
        self.count_of(|line| line.status == status)
    }

    /// How many requests came by this protocol, such as `HTTP/2.0`.
    pub fn with_protocol(&self, protocol: &str) -> u64 {
        self.count_of(|line| line.protocol == protocol)
    }

    /// How many requests this is true of.
    pub fn count_of(&self, wanted: impl Fn(&Line) -> bool) -> u64 {
        self.0.iter().filter(|line| wanted(line)).count() as u64
    }

    /// On how many connections they came.
    pub fn connections(&self) -> u64 {
        self.connections_of(|_| true)
    }

    /// On how many connections those requests came that this is true of.
    pub fn connections_of(&self, wanted: impl Fn(&Line) -> bool) -> u64 {
        let lines = self.0.iter().filter(|line| wanted(line));
        let distinct: BTreeSet<_> = lines.map(|line| line.connection).collect();
        distinct.len() as u64
    }

    /// How many connections went on with an earlier TLS session.
    pub fn resumed_connections(&self) -> u64 {
        self.connections_of(|line| line.tls.as_ref().is_some_and(|tls| tls.session_reused))
    }

    /// What all answers were long, heads included.
    pub fn bytes_sent(&self) -> u64 {
        self.0.iter().map(|line| line.bytes_sent).sum()
    }

    /// What all requests were long, heads included.
    pub fn request_length(&self) -> u64 {
        self.0.iter().map(|line| line.request_length).sum()
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| -> u64 { fields[index].parse().expect(line) };
        // nginx writes a dash for what is not there.
        let text = |index: usize| match fields[index] {
            "-" => String::new(),
            text => text.to_owned(),
        };
        let version = text(9);
        Self {
            connection: number(0),
            connection_requests: number(1),
            client: text(2),
            server: text(13),
            method: text(3),
            uri: text(4),
            protocol: text(5),
            status: u16::try_from(number(6)).expect(line),
            bytes_sent: number(7),
            request_length: number(8),
            tls: (!version.is_empty()).then(|| Tls {
                version,
                session_reused: fields[10] == "r",
                server_name: text(11),
                client: text(12),
            }),
        }
    }
}
