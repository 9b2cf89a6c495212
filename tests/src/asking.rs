//! A client that asks what a test tells it to, to the letter, over a plain socket.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::process::free_port;

/// An address on this machine on which nobody listens.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", free_port(Ipv4Addr::LOCALHOST.into()))
}

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server by its address and port.
#[derive(Clone, Debug)]
pub struct Asked(pub String);

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status; 0 where there was no answer.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// The server that the first URL in a text leads to.
    pub fn named_in(text: &str) -> Self {
        let (_, rest) = text.split_once("http://").expect("a URL");
        let end = rest.find('/').expect("the end of the URL");
        Self(rest[..end].to_owned())
    }

    /// Gets `path`.
    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[("host", &self.0)], "")
    }

    /// Posts `body` to `path`.
    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.ask("POST", path, &[("host", &self.0)], body)
    }

    /// Asks with these headers and no others but those of the connection and the body.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("content-length: {}\r\n", body.len());
        }
        let mut stream = self.connect();
        // A server that refuses the head may not read the rest.
        let _ = stream.write_all(format!("{request}\r\n{body}").as_bytes());
        Reply::read(stream)
    }

    /// Gets the JSON at `path`.
    pub fn json(&self, path: &str) -> Value {
        self.get(path).json()
    }

    /// Asks for the report so far until it is as wanted.
    pub fn report_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.get("/api/report");
            if reply.status == 200 {
                let report = reply.json();
                if wanted(&report) {
                    return report;
                }
            }
            assert!(Instant::now() < deadline, "{reply:?}");
            sleep(Duration::from_millis(100));
        }
    }

    /// Begins to listen to the server-sent events at `path`.
    pub fn events(&self, path: &str) -> Events {
        let mut stream = self.connect();
        // Without chunks, which HTTP/1.0 does not know.
        let request = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", self.0);
        stream.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(lines.read_line(&mut head).unwrap(), 0, "{head}");
        }
        assert!(head.contains("text/event-stream"), "{head}");
        Events(lines)
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.0).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Reply {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // What came before a reset counts.
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.map_or(bytes.len(), |end| end + 4);
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        Self {
            status: head
                .split(' ')
                .nth(1)
                .map_or(0, |status| status.parse().unwrap()),
            head,
            body: bytes[end..].to_vec(),
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Server-sent events.
#[derive(Debug)]
pub struct Events(BufReader<TcpStream>);

/// One of them.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it is.
    pub name: String,
    /// What a browser sends back when it connects again.
    pub id: String,
    /// What it says.
    pub data: Value,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (mut name, mut id, mut data) = (String::new(), String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() && !data.is_empty() {
                let data = serde_json::from_str(&data).unwrap();
                return Some(Event { name, id, data });
            }
            match line.split_once(": ") {
                Some(("event", value)) => name = value.to_owned(),
                Some(("id", value)) => id = value.to_owned(),
                Some(("data", value)) => data += value,
                _ => {}
            }
        }
    }
}
