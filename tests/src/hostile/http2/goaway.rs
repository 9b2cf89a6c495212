//! A server of HTTP/2 that goes away with requests under way, written frame by frame.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, FrameHead, GOAWAY, HEADERS, PING, PREFACE, SETTINGS, frame,
};
use crate::hostile::listener::Listener;

/// `:status: 200`, which has a place in the static table of HPACK (RFC 7541, appendix A).
const OK: &[u8] = &[0x88];

/// A server that answers the first requests of each connection, then says GOAWAY and names the last
/// it has answered. What comes after that on the connection it has not acted on, and may be asked
/// again elsewhere (RFC 9113, 6.8). It leaves the end of the connection to the client.
///
/// It speaks in the clear, by prior knowledge, whatever the path, and expects no bodies.
#[derive(Debug)]
pub struct GoAway {
    listener: Listener,
    answered: Arc<AtomicU64>,
    ignored: Arc<AtomicU64>,
}

impl GoAway {
    /// Starts one that answers so many requests on a connection, and gives `reason` for going.
    pub fn after(requests: u64, reason: h2::Reason) -> Self {
        let answered = Arc::new(AtomicU64::new(0));
        let ignored = Arc::new(AtomicU64::new(0));
        let counts = (Arc::clone(&answered), Arc::clone(&ignored));
        let listener = Listener::start(move |stream| {
            let connection = Connection {
                stream,
                left: requests,
                reason: reason.into(),
                answered: Arc::clone(&counts.0),
                ignored: Arc::clone(&counts.1),
            };
            connection.converse()
        });
        Self {
            listener,
            answered,
            ignored,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The URL of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.listener.accepted()
    }

    /// How many requests it has answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// How many requests came after the last that it answered on their connection.
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Ordering::SeqCst)
    }
}

struct Connection {
    stream: TcpStream,
    left: u64,
    reason: u32,
    answered: Arc<AtomicU64>,
    ignored: Arc<AtomicU64>,
}

impl Connection {
    async fn converse(mut self) -> io::Result<()> {
        let mut preface = [0; PREFACE.len()];
        self.stream.read_exact(&mut preface).await?;
        if preface != PREFACE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.write(&frame(SETTINGS, 0, 0, b"")).await?;
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await?;
            let head = FrameHead::parse(head);
            let mut payload = vec![0; head.length];
            self.stream.read_exact(&mut payload).await?;
            match head.kind {
                SETTINGS if !head.has(ACK) => self.write(&frame(SETTINGS, ACK, 0, b"")).await?,
                PING if !head.has(ACK) => self.write(&frame(PING, ACK, 0, &payload)).await?,
                HEADERS => self.request(head.stream).await?,
                _ => {}
            }
        }
    }

    async fn request(&mut self, stream: u32) -> io::Result<()> {
        if self.left == 0 {
            self.ignored.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        self.left -= 1;
        self.answered.fetch_add(1, Ordering::SeqCst);
        let mut answer = frame(HEADERS, END_HEADERS, stream, OK);
        answer.extend(frame(DATA, END_STREAM, stream, b"fine\n"));
        if self.left == 0 {
            let mut payload = stream.to_be_bytes().to_vec();
            payload.extend(self.reason.to_be_bytes());
            answer.extend(frame(GOAWAY, 0, 0, &payload));
        }
        self.write(&answer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }
}
