//! The hostile server of HTTP/2 itself, spoken to by another client than ours.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use h2::{Reason, client::SendRequest};
use http::{Request, Response};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tests::{
    certificates::Authority,
    hostile::{GoAway, Http2, Http2Config},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

type Client = SendRequest<Bytes>;

/// A connection of its own, and its task.
async fn connect(address: std::net::SocketAddr) -> Client {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The status and the body that come of a path.
async fn get(client: &Client, path: &str) -> Result<(u16, usize), h2::Error> {
    let url = format!("http://hostile.test{path}");
    let request = Request::get(url).body(()).unwrap();
    let mut client = client.clone().ready().await?;
    let (response, _) = client.send_request(request, true)?;
    let response: Response<_> = response.await?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut length = 0;
    while let Some(data) = body.data().await {
        let part = data?.len();
        body.flow_control().release_capacity(part)?;
        length += part;
    }
    Ok((status, length))
}

async fn error(client: &Client, path: &str) -> h2::Error {
    get(client, path).await.expect_err(path)
}

fn plain() -> Http2 {
    Http2Config::plain().start()
}

#[tokio::test]
async fn paths_are_answered_and_counted() {
    let server = plain();
    let client = connect(server.address()).await;
    assert_eq!(get(&client, "/ok").await.unwrap(), (200, 5));
    assert_eq!(get(&client, "/slow/1").await.unwrap(), (200, 5));
    assert_eq!(get(&client, "/nothing").await.unwrap().0, 404);
    assert_eq!(get(&client, "/ok").await.unwrap(), (200, 5));
    assert_eq!((server.requests(), server.hits("/ok")), (4, 2));
    assert_eq!((server.connections(), server.most_streams()), (1, 1));
}

#[tokio::test]
async fn streams_are_reset_with_the_reason_that_was_asked_for() {
    let server = plain();
    let client = connect(server.address()).await;
    for (path, reason) in [
        ("/reset/refused-stream", Reason::REFUSED_STREAM),
        ("/reset/internal-error", Reason::INTERNAL_ERROR),
        ("/reset-after-head/internal-error", Reason::INTERNAL_ERROR),
        ("/reset-in-body/cancel", Reason::CANCEL),
        ("/refuse-first/1", Reason::REFUSED_STREAM),
    ] {
        let error = error(&client, path).await;
        assert!(error.is_reset() && error.is_remote(), "{path}: {error}");
        assert_eq!(error.reason(), Some(reason), "{path}");
    }
    assert_eq!(get(&client, "/refuse-first/1").await.unwrap(), (200, 5));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn it_goes_away_with_the_reason_that_was_asked_for() {
    let server = plain();
    let client = connect(server.address()).await;
    let (stalled, asked) = tokio::join!(
        error(&client, "/stall/before-head"),
        get(&client, "/goaway/enhance-your-calm"),
    );
    assert_eq!(asked.unwrap(), (200, 5));
    // It was named among those that may have been acted on, so that the end is all it hears of.
    assert!(stalled.is_io(), "{stalled}");

    let client = connect(server.address()).await;
    let (slow, asked) = tokio::join!(get(&client, "/slow/100"), get(&client, "/goaway/no-error"));
    assert_eq!((slow.unwrap(), asked.unwrap()), ((200, 5), (200, 5)));
    assert!(get(&client, "/ok").await.is_err(), "it has gone");
}

#[tokio::test]
async fn a_lost_connection_takes_all_its_streams() {
    let server = plain();
    for path in ["/lost/before-head", "/lost/in-body"] {
        let client = connect(server.address()).await;
        let (other, lost) = tokio::join!(error(&client, "/slow/60000"), error(&client, path));
        assert!(other.is_io() && lost.is_io(), "{path}: {other}, {lost}");
    }
}

#[tokio::test]
async fn a_stalled_stream_stays_open_and_others_go_on() {
    let server = plain();
    let client = connect(server.address()).await;
    let wait = Duration::from_millis(50);
    for path in ["/stall/before-head", "/stall/in-body"] {
        let stalled = timeout(wait, get(&client, path)).await;
        assert!(stalled.is_err(), "{path}: {stalled:?}");
        assert_eq!(get(&client, "/ok").await.unwrap(), (200, 5));
    }
    let request = Request::post("http://hostile.test/stall/upload")
        .body(())
        .unwrap();
    let mut ready = client.clone().ready().await.unwrap();
    let (_answer, mut sending) = ready.send_request(request, false).unwrap();
    // The window of a stream, unless its server gives room for more.
    let mut room = 65_535;
    while room > 0 {
        sending.reserve_capacity(room);
        let got = poll_fn(|context| sending.poll_capacity(context)).await;
        let got = got.unwrap().unwrap();
        sending.send_data(vec![0; got].into(), false).unwrap();
        room -= got;
    }
    sending.reserve_capacity(1);
    let more = timeout(wait, poll_fn(|context| sending.poll_capacity(context))).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(server.body_bytes("/stall/upload"), 0);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn lengths_and_heads_are_as_they_are_said_to_be() {
    let server = plain();
    let client = connect(server.address()).await;
    assert!(get(&client, "/length/too-long").await.is_err());
    assert!(get(&client, "/length/too-short").await.is_err());
    assert_eq!(get(&client, "/head/many/90").await.unwrap(), (200, 5));
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_large_body_comes_to_its_end() {
    let server = plain();
    let client = connect(server.address()).await;
    assert_eq!(get(&client, "/large/16").await.unwrap(), (200, 16 << 20));
}

#[tokio::test]
async fn http2_is_chosen_behind_tls_by_alpn() {
    let authority = Authority::new();
    let server = Http2Config::tls(&authority.server()).start();
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec!["http/1.1".into(), "h2".into()];
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(get(&client, "/ok").await.unwrap(), (200, 5));
}

#[tokio::test]
async fn the_most_streams_at_once_are_seen_even_when_they_are_refused() {
    let server = Http2Config::plain().max_streams(3).start();
    let client = connect(server.address()).await;
    // The limit is known once something has come from the server.
    get(&client, "/ok").await.unwrap();
    let all = join_all((0..10).map(|_| get(&client, "/slow/20"))).await;
    assert!(all.into_iter().all(|answer| answer.is_ok()));
    assert_eq!((server.requests(), server.most_streams()), (11, 3));

    // One that has not been told yet opens as many as it likes.
    let hasty = connect(server.address()).await;
    let all = join_all((0..10).map(|_| get(&hasty, "/slow/20"))).await;
    let refused = all.iter().filter(|answer| answer.is_err()).count() as u64;
    assert_eq!(server.most_streams(), 3 + refused);
}

#[tokio::test]
async fn what_comes_after_the_last_answer_is_ignored() {
    for reason in [Reason::NO_ERROR, Reason::ENHANCE_YOUR_CALM] {
        let server = GoAway::after(2, reason);
        let client = connect(server.address()).await;
        let all = join_all((0..5).map(|_| get(&client, "/ok"))).await;
        let (fine, ignored): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!((fine.len(), ignored.len()), (2, 3));
        for answer in ignored {
            let error = answer.unwrap_err();
            assert!(error.is_go_away() && error.is_remote(), "{error}");
            assert_eq!(error.reason(), Some(reason));
        }
        assert_eq!((server.answered(), server.connections()), (2, 1));
        assert!(server.ignored() <= 3);
    }
}
