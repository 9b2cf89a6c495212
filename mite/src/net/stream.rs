//! One connection, TCP or Unix, plain or TLS, that counts what passes.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
    mem::MaybeUninit,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use rustls::{ClientConnection, HandshakeKind};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::{TcpStream, UnixStream},
    time::Instant,
};
use tokio_rustls::client::TlsStream;

/// The connection as the protocol above sees it.
///
/// Whoever else needs to look at it, for its counters or to see whether the server is still there,
/// shares its [`Wire`].
#[derive(Debug)]
pub(crate) struct Stream(Rc<Wire>);

/// What a [`Stream`] and its owner share: the socket and the counters of the message in flight.
pub(crate) struct Wire {
    transport: RefCell<Transport>,
    written: Cell<u64>,
    read: Cell<u64>,
    first_byte: Cell<Option<Instant>>,
    last_written: Cell<Option<Instant>>,
    last_read: Cell<Option<Instant>>,
    peer: Option<SocketAddr>,
    /// Whether something may come before the request has been written, and is not the answer.
    expects_word: Cell<bool>,
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
    UnixTls(Box<TlsStream<UnixStream>>),
}

/// Does the same with the stream of any transport.
macro_rules! each {
    ($transport:expr, $stream:ident => $action:expr) => {
        match $transport {
            Transport::Plain($stream) => $action,
            Transport::Tls($stream) => $action,
            Transport::Unix($stream) => $action,
            Transport::UnixTls($stream) => $action,
        }
    };
}

impl Stream {
    /// A connection without encryption.
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self::new(Transport::Plain(stream))
    }

    /// A connection whose handshake is done.
    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self::new(Transport::Tls(Box::new(stream)))
    }

    /// A Unix socket without encryption.
    pub(crate) fn unix(stream: UnixStream) -> Self {
        Self::new(Transport::Unix(stream))
    }

    /// A Unix socket whose handshake is done.
    pub(super) fn unix_tls(stream: TlsStream<UnixStream>) -> Self {
        Self::new(Transport::UnixTls(Box::new(stream)))
    }

    fn new(transport: Transport) -> Self {
        // Asked for now, since a socket that has been reset no longer knows.
        let peer = match &transport {
            Transport::Plain(stream) => stream.peer_addr().ok(),
            Transport::Tls(stream) => stream.get_ref().0.peer_addr().ok(),
            Transport::Unix(_) | Transport::UnixTls(_) => None,
        };
        Self(Rc::new(Wire {
            transport: RefCell::new(transport),
            written: Cell::new(0),
            read: Cell::new(0),
            first_byte: Cell::new(None),
            last_written: Cell::new(None),
            last_read: Cell::new(None),
            peer,
            expects_word: Cell::new(false),
        }))
    }

    /// The counters, and a look at the socket.
    pub(crate) fn wire(&self) -> Rc<Wire> {
        Rc::clone(&self.0)
    }
}

impl Wire {
    /// Sets the counters back, before a request.
    pub(crate) fn begin(&self) {
        self.written.set(0);
        self.read.set(0);
        self.first_byte.set(None);
        self.last_written.set(None);
        self.last_read.set(None);
    }

    /// Whether the server says a word before it gets the body: then what comes before the last byte
    /// written is not the beginning of the answer.
    pub(crate) fn expect_word(&self, expected: bool) {
        self.expects_word.set(expected);
    }

    /// Bytes written since [`begin`](Wire::begin), before encryption.
    pub(crate) fn written(&self) -> u64 {
        self.written.get()
    }

    /// Bytes read since [`begin`](Wire::begin), after decryption.
    pub(crate) fn read(&self) -> u64 {
        self.read.get()
    }

    /// When the first byte came that followed a byte written.
    pub(crate) fn first_byte(&self) -> Option<Instant> {
        self.first_byte.get()
    }

    /// When the last byte was written before the first one came.
    ///
    /// The clock is not read for what is written later.
    pub(crate) fn last_written(&self) -> Option<Instant> {
        self.last_written.get()
    }

    /// When the last byte came, or the end of them.
    pub(crate) fn last_read(&self) -> Option<Instant> {
        self.last_read.get()
    }

    /// Whether the handshake has chosen HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.with_tls(|tls| tls.alpn_protocol() == Some(b"h2"))
            .unwrap_or(false)
    }

    /// Whether the TLS session of an earlier connection was taken up; `None` without TLS.
    pub(crate) fn tls_resumed(&self) -> Option<bool> {
        self.with_tls(|tls| tls.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// Who is at the other end, which may be a proxy; `None` on a Unix socket.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn with_tls<T>(&self, look: impl FnOnce(&ClientConnection) -> T) -> Option<T> {
        match &*self.transport.borrow() {
            Transport::Tls(stream) => Some(look(stream.get_ref().1)),
            Transport::UnixTls(stream) => Some(look(stream.get_ref().1)),
            Transport::Plain(_) | Transport::Unix(_) => None,
        }
    }

    /// Whether the socket is open and has nothing to say, as a kept connection should be.
    ///
    /// Asks the kernel rather than tokio: a close may have arrived that the runtime, which looks at
    /// its sockets only when it has nothing else to do, does not know of.
    pub(crate) fn is_quiet(&self) -> bool {
        let transport = self.transport.borrow();
        let socket = match &*transport {
            Transport::Plain(stream) => SockRef::from(stream),
            Transport::Tls(stream) => SockRef::from(stream.get_ref().0),
            Transport::Unix(stream) => SockRef::from(stream),
            Transport::UnixTls(stream) => SockRef::from(stream.get_ref().0),
        };
        let mut byte = [MaybeUninit::uninit()];
        // The socket does not block, so neither does this.
        let peeked = socket.peek(&mut byte);
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether the runtime knows that the socket has something to say, be it that it is closed.
    ///
    /// Costs no system call, and tells only what the runtime was told when it last looked. Over TLS
    /// what came may have been taken in with what came before it: a goodbye behind an answer.
    pub(crate) fn has_stirred(&self) -> bool {
        // What succeeds leaves the readiness as it is.
        let told = || Ok(());
        let readable = Interest::READABLE;
        let stirred = match &*self.transport.borrow() {
            Transport::Plain(stream) => stream.try_io(readable, told),
            Transport::Tls(stream) => stream.get_ref().0.try_io(readable, told),
            Transport::Unix(stream) => stream.try_io(readable, told),
            Transport::UnixTls(stream) => stream.get_ref().0.try_io(readable, told),
        };
        stirred.is_ok() || self.with_tls(|tls| !tls.wants_read()).unwrap_or(false)
    }

    /// Reads some, as [`AsyncRead::poll_read`] does.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let mut transport = self.transport.borrow_mut();
        let result = each!(&mut *transport, stream => Pin::new(stream).poll_read(cx, buffer));
        if let Poll::Ready(Ok(())) = result {
            self.note_read(buffer.filled().len() - before);
        }
        result
    }

    /// Writes some, as [`AsyncWrite::poll_write`] does.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut transport = self.transport.borrow_mut();
        let count =
            ready!(each!(&mut *transport, stream => Pin::new(stream).poll_write(cx, bytes)))?;
        self.note_written(count);
        Poll::Ready(Ok(count))
    }

    /// Writes what is held back, as [`AsyncWrite::poll_flush`] does.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self.transport.borrow_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn note_written(&self, count: usize) {
        self.written.set(self.written.get() + count as u64);
        if self.expects_word.get() {
            self.first_byte.set(None);
        }
        if self.first_byte.get().is_none() {
            self.last_written.set(Some(Instant::now()));
        }
    }

    /// So much has come; nothing is the end of what comes.
    fn note_read(&self, count: usize) {
        let now = Some(Instant::now());
        self.last_read.set(now);
        if count == 0 {
            return;
        }
        self.read.set(self.read.get() + count as u64);
        if self.first_byte.get().is_none() && self.written.get() > 0 {
            self.first_byte.set(now);
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Wire")
            .field("written", &self.written)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut transport = self.0.transport.borrow_mut();
        let count = ready!(
            each!(&mut *transport, stream => Pin::new(stream).poll_write_vectored(cx, slices))
        )?;
        self.0.note_written(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        each!(&*self.0.transport.borrow(), stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self.0.transport.borrow_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    async fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        (Stream::plain(client), listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn bytes_are_counted_from_the_beginning_of_each_request() {
        let (mut client, mut server) = pair().await;
        let wire = client.wire();
        for round in 0..2 {
            wire.begin();
            assert_eq!((wire.written(), wire.read()), (0, 0), "round {round}");
            client.write_all(b"question").await.unwrap();
            server.write_all(b"yes").await.unwrap();
            client.read_exact(&mut [0; 3]).await.unwrap();
            assert_eq!((wire.written(), wire.read()), (8, 3), "round {round}");
            let first_byte = wire.first_byte().unwrap();
            assert!(wire.last_written().unwrap() <= first_byte);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_write_ends_with_the_answer() {
        let (mut client, mut server) = pair().await;
        let wire = client.wire();
        let second = std::time::Duration::from_secs(1);
        let start = Instant::now();
        wire.begin();
        client.write_all(b"que").await.unwrap();
        tokio::time::advance(second).await;
        client.write_all(b"stion").await.unwrap();
        server.write_all(b"y").await.unwrap();
        tokio::time::advance(second).await;
        client.read_exact(&mut [0]).await.unwrap();
        tokio::time::advance(second).await;
        client.write_all(b"!").await.unwrap();
        server.write_all(b"es").await.unwrap();
        client.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(wire.last_written(), Some(start + second));
        assert_eq!(wire.first_byte(), Some(start + 2 * second));
    }

    #[tokio::test]
    async fn a_byte_that_nobody_asked_for_is_not_the_first_of_an_answer() {
        let (mut client, mut server) = pair().await;
        server.write_all(b"!").await.unwrap();
        client.read_exact(&mut [0]).await.unwrap();
        assert_eq!(client.wire().first_byte(), None);
    }

    #[tokio::test]
    async fn a_socket_is_quiet_until_the_server_speaks_or_leaves() {
        let (client, mut server) = pair().await;
        let wire = client.wire();
        assert!(wire.is_quiet());
        server.write_all(b"!").await.unwrap();
        assert!(!wire.is_quiet());

        let (client, server) = pair().await;
        drop(server);
        assert!(!client.wire().is_quiet());
    }
}
