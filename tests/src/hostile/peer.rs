//! The client at the other end of a connection, and what it has asked for.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};

use super::{Then, listener::Stream, seen::Seen};

/// A head that is longer is not read.
const LONGEST_HEAD: usize = 4 << 20;

/// A connection with a client, read with care and written as one likes.
pub(super) struct Peer {
    stream: Box<dyn Stream>,
    /// What has been read and is not used yet.
    read: Vec<u8>,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub(super) struct Head {
    text: String,
}

impl Peer {
    pub(super) fn new(stream: impl Stream) -> Self {
        Self {
            stream: Box::new(stream),
            read: Vec::new(),
        }
    }

    /// The next request's head; `None` when the client has closed instead.
    pub(super) async fn read_head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                let head = self.take(end + 4);
                let text = String::from_utf8_lossy(&head).into_owned();
                return Ok(Some(Head { text }));
            }
            if self.read.len() > LONGEST_HEAD {
                return Err(io::Error::other("a head without end"));
            }
            if self.read_more().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads the body of a request to its end, and counts it as it comes.
    pub(super) async fn read_body(&mut self, head: &Head, seen: &Seen) -> io::Result<()> {
        if head.is_chunked() {
            loop {
                let size = self.read_line().await?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
                if size == 0 {
                    while !self.read_line().await?.is_empty() {}
                    return Ok(());
                }
                self.read_exact(size, head.path(), seen).await?;
                self.read_line().await?;
            }
        }
        let length = head.content_length();
        self.read_exact(length, head.path(), seen).await
    }

    /// Counts whatever comes, until the client closes.
    pub(super) async fn read_all(&mut self, path: &str, seen: &Seen) -> io::Result<()> {
        loop {
            seen.body(path, self.read.len());
            self.read.clear();
            if self.read_more().await? == 0 {
                return Ok(());
            }
        }
    }

    /// Sends these bytes now.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Sends these bytes one by one.
    pub(super) async fn send_slowly(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        for byte in bytes.as_ref() {
            self.send([*byte]).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// A proper answer, with these header lines and this body.
    pub(super) async fn answer(
        &mut self,
        status: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) -> io::Result<Then> {
        let body = body.as_ref();
        let mut bytes = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        self.send(bytes).await?;
        Ok(Then::Keep)
    }

    /// A proper answer with this body.
    pub(super) async fn ok(&mut self, body: impl AsRef<[u8]>) -> io::Result<Then> {
        self.answer("200 OK", "content-type: text/plain\r\n", body)
            .await
    }

    /// The answer to a path that says nothing.
    pub(super) async fn unknown(&mut self) -> io::Result<Then> {
        self.answer("404 Not Found", "", "no such misbehaviour\n")
            .await
    }

    /// Says nothing more until the client has closed.
    pub(super) async fn stall(&mut self) -> io::Result<Then> {
        while self.read_more().await? > 0 {
            self.read.clear();
        }
        Ok(Then::Close)
    }

    /// Waits for the next byte of the client for no longer than this, and says whether it came.
    pub(super) async fn hears_within(&mut self, limit: Duration) -> io::Result<bool> {
        if !self.read.is_empty() {
            return Ok(true);
        }
        tokio::select! {
            read = self.read_more() => Ok(read? > 0),
            () = sleep(limit) => Ok(false),
        }
    }

    /// Sends the same bytes for ever.
    pub(super) async fn send_for_ever(&mut self, bytes: &str) -> io::Result<Then> {
        loop {
            self.send(bytes).await?;
        }
    }

    /// Closes the connection as it should be.
    pub(super) async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Ends the connection with a reset.
    pub(super) fn reset(self) -> io::Result<()> {
        self.stream.socket().set_zero_linger()
    }

    async fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = find(&self.read, b"\r\n") {
                let line = self.take(end + 2);
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.expect_more().await?;
        }
    }

    async fn read_exact(&mut self, mut length: usize, path: &str, seen: &Seen) -> io::Result<()> {
        while length > 0 {
            if self.read.is_empty() {
                self.expect_more().await?;
            }
            let part = self.take(length.min(self.read.len()));
            seen.body(path, part.len());
            length -= part.len();
        }
        Ok(())
    }

    async fn expect_more(&mut self) -> io::Result<()> {
        match self.read_more().await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        self.read.reserve(16 << 10);
        self.stream.read_buf(&mut self.read).await
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.read.split_off(length);
        std::mem::replace(&mut self.read, rest)
    }
}

impl Head {
    /// All of it, as it came.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The path, without the query.
    pub(super) fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or_default()
    }

    /// What comes after the question mark.
    pub(super) fn query(&self) -> &str {
        self.target().split_once('?').map_or("", |(_, query)| query)
    }

    fn target(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }

    fn content_length(&self) -> usize {
        let length = self.header("content-length");
        length.and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding")
            .is_some_and(|coding| coding.ends_with("chunked"))
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
