//! A web server of a few lines: what the journeys of the fixture ask for, and what it was asked.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// It answers until the test ends.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// `/status/NNN` answers with that status and a secret, anything else with a word.
    pub(crate) fn start() -> Self {
        Self::listen("http", serve)
    }

    /// The same behind TLS, with a certificate that nobody vouches for.
    pub(crate) fn start_untrusted() -> Self {
        let (secured, _) = untrusted();
        Self::listen("https", move |stream, requests| {
            serve(secured(stream), requests);
        })
    }

    /// How many requests were answered.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn listen(
        scheme: &str,
        serve: impl Fn(TcpStream, &AtomicUsize) + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, counter) = (serve.clone(), Arc::clone(&counter));
                thread::spawn(move || serve(stream, &counter));
            }
        });
        Self { url, requests }
    }
}

/// What puts TLS around a connection, with a certificate for 127.0.0.1 that nobody vouches for; and
/// that certificate as PEM.
pub(crate) fn untrusted() -> (
    impl Fn(TcpStream) -> StreamOwned<ServerConnection, TcpStream> + Clone,
    String,
) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let secured = move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        StreamOwned::new(connection, stream)
    };
    (secured, made.cert.pem())
}

/// Answers one request after the other until the client has had enough.
fn serve(stream: impl std::io::Read + Write, requests: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut path = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or("/").to_owned();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let (status, answer) = match path.strip_prefix("/status/") {
            Some(status) => (
                status,
                b"{\"why\":\"sold out\",\"token\":\"s3cr3t\"}".to_vec(),
            ),
            None => ("200", b"hello".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\n\
             set-cookie: id=s3cr3t\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        requests.fetch_add(1, Ordering::SeqCst);
        let whole = [head.as_bytes(), &answer].concat();
        if stream.get_mut().write_all(&whole).is_err() {
            return;
        }
    }
}
