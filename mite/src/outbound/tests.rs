//! A POST as the other side sees it, and other sides that misbehave.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{Address, Answer, Error, Poster};
use crate::net::Tls;

const LIMIT: Duration = Duration::from_millis(500);

/// Says `answer` to the first request, and gives what that was.
async fn peer(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = hear(&mut stream).await;
        // Who has heard enough goes away.
        let _ = stream.write_all(&answer).await;
        request
    });
    (address, heard)
}

/// A request up to the end of its body.
async fn hear(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let shown = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = shown.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return shown;
            }
        }
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "{shown}");
    }
}

async fn post(to: &str) -> Result<Answer, Error> {
    let headers = HeaderMap::from_iter([(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )]);
    Poster::new(Tls::default())
        .time_limit(LIMIT)
        .post(
            &Address::parse(to).unwrap(),
            headers,
            Bytes::from_static(b"{}"),
        )
        .await
}

#[tokio::test]
async fn a_post_says_where_from_whom_and_what() {
    let (at, heard) = peer("HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nthat").await;
    let answer = post(&format!("http://me:secret@{at}/a%20b?c=d"))
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!((&*answer.body, answer.cut), (&b"that"[..], false));

    let request = heard.await.unwrap();
    let mut lines: Vec<_> = request.lines().collect();
    lines.sort_unstable();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines,
        [
            "",
            "POST /a%20b?c=d HTTP/1.1",
            // `printf me:secret | base64`
            "authorization: Basic bWU6c2VjcmV0",
            "connection: close",
            "content-length: 2",
            "content-type: application/json",
            &format!("host: {at}"),
            &format!("user-agent: mite/{version}"),
            "{}",
        ]
    );
}

#[tokio::test]
async fn an_answer_without_a_length_ends_with_its_connection() {
    let (at, _heard) = peer("HTTP/1.1 200 OK\r\n\r\nall of it").await;
    let answer = post(&format!("http://{at}")).await.unwrap();
    assert_eq!(&*answer.body, b"all of it");
}

#[tokio::test]
async fn of_a_long_answer_only_the_beginning_is_read() {
    let mut long = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n".to_vec();
    long.resize(10_000_000, b'x');
    let (at, _heard) = peer(long).await;
    let answer = post(&format!("http://{at}/")).await.unwrap();
    assert_eq!((answer.body.len(), answer.cut), (64 * 1024, true));
}

#[tokio::test]
async fn redirects_are_answers_like_others() {
    let (at, _heard) =
        peer("HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n").await;
    let answer = post(&format!("http://{at}/")).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
}

#[tokio::test]
async fn what_is_no_answer_is_told_in_words_without_secrets() {
    for (answer, why, may_pass) in [
        ("SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP/1.1", false),
        ("", "closed before the answer was complete", true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfew",
            "closed before",
            true,
        ),
    ] {
        let (at, _heard) = peer(answer).await;
        let error = post(&format!("http://me:secret@{at}/?token=secret"))
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains(why), "{answer}: {message}");
        assert_eq!(error.may_pass(), may_pass, "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_and_may_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let error = post(&format!("http://{at}/")).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(error.may_pass());
}

#[tokio::test]
async fn who_falls_silent_is_not_waited_for_beyond_the_limit() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfew"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let silent = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            hear(&mut stream).await;
            stream.write_all(begun.as_bytes()).await.unwrap();
            sleep(Duration::from_secs(600)).await;
        });
        let begin = Instant::now();
        let error = post(&format!("http://{at}/")).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer within 500ms");
        assert!(begin.elapsed() < LIMIT * 10);
        silent.abort();
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused_for_good() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let private = rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut heard = [0; 1024];
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    let to = Address::parse(&format!("https://localhost:{port}/")).unwrap();
    let limit = Duration::from_secs(10);
    let verified = Poster::new(Tls::default()).time_limit(limit);
    let error = verified
        .post(&to, HeaderMap::new(), Bytes::new())
        .await
        .unwrap_err();
    assert!(!error.may_pass(), "{error}");

    let trusted = Tls::default().root_certificate_pem(key.cert.pem());
    let answer = Poster::new(trusted)
        .time_limit(limit)
        .post(&to, HeaderMap::new(), Bytes::new())
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}
