//! One connection, plain or TLS, that counts what passes.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
    mem::MaybeUninit,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
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
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
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

    fn new(transport: Transport) -> Self {
        Self(Rc::new(Wire {
            transport: RefCell::new(transport),
            written: Cell::new(0),
            read: Cell::new(0),
            first_byte: Cell::new(None),
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

    /// Whether the socket is open and has nothing to say, as a kept connection should be.
    ///
    /// Asks the kernel rather than tokio: a close may have arrived that the runtime, which looks at
    /// its sockets only when it has nothing else to do, does not know of.
    pub(crate) fn is_quiet(&self) -> bool {
        let transport = self.transport.borrow();
        let socket = match &*transport {
            Transport::Plain(stream) => stream,
            Transport::Tls(stream) => stream.get_ref().0,
        };
        let mut byte = [MaybeUninit::uninit()];
        // The socket does not block, so neither does this.
        let peeked = SockRef::from(socket).peek(&mut byte);
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn note_written(&self, count: usize) {
        self.written.set(self.written.get() + count as u64);
    }

    fn note_read(&self, count: usize) {
        if count == 0 {
            return;
        }
        self.read.set(self.read.get() + count as u64);
        if self.first_byte.get().is_none() && self.written.get() > 0 {
            self.first_byte.set(Some(Instant::now()));
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
        let before = buffer.filled().len();
        let result = match &mut *self.0.transport.borrow_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        self.0.note_read(buffer.filled().len() - before);
        result
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(match &mut *self.0.transport.borrow_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        })?;
        self.0.note_written(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(match &mut *self.0.transport.borrow_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        })?;
        self.0.note_written(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        match &*self.0.transport.borrow() {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.0.transport.borrow_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.0.transport.borrow_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
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
            assert!(wire.first_byte().is_some());
        }
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
