//! Connections accepted in a thread of their own, until the end of a test.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Builder,
    sync::oneshot,
};
use tokio_rustls::server::TlsStream;

/// A port of loopback that is listened on; dropping it closes the port and all its connections.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    accepted: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What carries a conversation: a socket, or TLS over one.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Listener {
    /// Has `serve` look after each connection. What it fails with is the client's doing.
    pub(super) fn start<S>(serve: impl Fn(TcpStream) -> S + Send + 'static) -> Self
    where
        S: Future<Output = io::Result<()>> + Send + 'static,
    {
        let accepted = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&accepted);
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = listen();
                ready.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = accept(&listener, &count, serve) => {}
                }
            });
        });
        Self {
            address: address.recv().expect("a port to listen on"),
            accepted,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    socket.listen(4096).unwrap()
}

async fn accept<S>(listener: &TcpListener, count: &AtomicU64, serve: impl Fn(TcpStream) -> S)
where
    S: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: some connection has to end first.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        count.fetch_add(1, Ordering::SeqCst);
        // Each write is to be a segment.
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream));
    }
}
