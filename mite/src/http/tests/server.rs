//! A server that does as it is told, on a thread of its own.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The connection, counted from 0.
    pub(super) connection: usize,
    /// The request on that connection, counted from 0.
    pub(super) nth: usize,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn bytes(&self) -> u64 {
        (self.head.len() + self.body.len()) as u64
    }

    pub(super) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

/// What the server does about a request.
pub(super) struct Act {
    pieces: Vec<(Duration, Vec<u8>)>,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Keep,
    Close,
    Reset,
    Hang,
}

impl Act {
    pub(super) fn answer(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            pieces: vec![(Duration::ZERO, bytes.into())],
            end: End::Keep,
        }
    }

    pub(super) fn nothing() -> Self {
        Self::answer("")
    }

    pub(super) fn then(mut self, after: Duration, bytes: impl Into<Vec<u8>>) -> Self {
        self.pieces.push((after, bytes.into()));
        self
    }

    pub(super) fn then_close(mut self) -> Self {
        self.end = End::Close;
        self
    }

    pub(super) fn then_reset(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    pub(super) fn then_hang(mut self) -> Self {
        self.end = End::Hang;
        self
    }
}

/// A usual answer.
pub(super) const HI: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

type Script = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

pub(super) struct TestServer {
    pub(super) address: SocketAddr,
    pub(super) certificate: Option<CertificateDer<'static>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepted: Arc<Mutex<usize>>,
    closed: mpsc::Receiver<()>,
}

impl TestServer {
    pub(super) fn start(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::launch(Arc::new(script), None)
    }

    /// With a certificate for `name`, signed by itself.
    pub(super) fn start_tls(
        name: &str,
        script: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self::launch(Arc::new(script), Some(name))
    }

    fn launch(script: Script, tls_name: Option<&str>) -> Self {
        let (acceptor, certificate) = tls_name.map(acceptor).unzip();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let accepted = Arc::new(Mutex::new(0));
        let (closing, closed) = mpsc::channel();
        let (ready, address) = mpsc::channel();
        let state = (Arc::clone(&seen), Arc::clone(&accepted));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let (seen, accepted) = state;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let connection = {
                        let mut accepted = accepted.lock().unwrap();
                        *accepted += 1;
                        *accepted - 1
                    };
                    let conversation = Conversation {
                        connection,
                        script: Arc::clone(&script),
                        seen: Arc::clone(&seen),
                        closing: closing.clone(),
                    };
                    tokio::spawn(conversation.hold(stream, acceptor.clone()));
                }
            });
        });
        Self {
            address: address.recv().unwrap(),
            certificate,
            seen,
            accepted,
            closed,
        }
    }

    pub(super) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// The requests so far, in the order they came.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections were opened.
    pub(super) fn accepted(&self) -> usize {
        *self.accepted.lock().unwrap()
    }

    /// Blocks the thread, and the client's runtime with it, until the server has closed one.
    pub(super) fn wait_for_close(&self) {
        self.closed.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}

fn acceptor(name: &str) -> (TlsAcceptor, CertificateDer<'static>) {
    let (config, certificate) = tls_config(name);
    (TlsAcceptor::from(config), certificate)
}

/// Settings of a server with a certificate for `name`, signed by itself.
pub(super) fn tls_config(name: &str) -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), cert.der().clone())
}

struct Conversation {
    connection: usize,
    script: Script,
    seen: Arc<Mutex<Vec<Seen>>>,
    closing: mpsc::Sender<()>,
}

impl Conversation {
    async fn hold(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // A second handle on the socket, to reset it by.
        let socket = socket2::SockRef::from(&stream).try_clone().unwrap();
        let end = match acceptor {
            Some(acceptor) => match acceptor.accept(stream).await {
                Ok(stream) => self.talk(stream).await,
                Err(_) => return,
            },
            None => self.talk(stream).await,
        };
        if end == End::Reset {
            socket.set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(socket);
        let _ = self.closing.send(());
    }

    async fn talk(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> End {
        for nth in 0.. {
            let Some(seen) = self.hear(&mut stream, nth).await else {
                return End::Keep;
            };
            let act = (self.script)(&seen);
            self.seen.lock().unwrap().push(seen);
            for (pause, bytes) in act.pieces {
                if !pause.is_zero() {
                    sleep(pause).await;
                }
                if stream.write_all(&bytes).await.is_err() {
                    return End::Keep;
                }
                let _ = stream.flush().await;
            }
            match act.end {
                End::Keep => {}
                End::Hang => sleep(Duration::from_secs(3600)).await,
                end => return end,
            }
        }
        End::Keep
    }

    async fn hear(&self, stream: &mut (impl AsyncRead + Unpin), nth: usize) -> Option<Seen> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        Some(Seen {
            connection: self.connection,
            nth,
            head,
            body,
        })
    }
}
