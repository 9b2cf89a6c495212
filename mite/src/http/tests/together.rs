//! Requests that wait for one another, share a connection or follow from one another.

use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use futures_util::{future::join_all, stream};
use tokio::time::Instant;

use super::*;
use crate::http::{Body, Connections, HttpVersion, Settings};

const SECOND: Duration = Duration::from_secs(1);

fn redirecting_to(location: String) -> TestServer {
    TestServer::start(move |seen| match seen.path() {
        "/there" => Act::answer(HI),
        _ => Act::answer(format!(
            "HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        )),
    })
}

#[test]
fn over_tls_nobody_waits_for_the_first_answer_of_a_server_without_http2() {
    let server = TestServer::start_tls("localhost", |seen| match seen.path() {
        "/slow" => Act::nothing().then(2 * SECOND, HI),
        _ => Act::answer(HI),
    });
    with(&server, async |session, _| {
        session.danger_accept_invalid_certs(true);
        let slow = tokio::task::spawn_local(session.get("/slow").send());
        tokio::task::yield_now().await;
        let began = Instant::now();
        let quick = (0..3).map(|_| tokio::task::spawn_local(session.get("/quick").send()));
        for quick in join_all(quick).await {
            quick.unwrap().unwrap();
        }
        assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
        slow.await.unwrap().unwrap();
        assert_eq!(server.accepted(), 4);
    });
}

#[test]
fn what_follows_from_an_answer_takes_the_turn_of_its_request() {
    let server = redirecting_to("/there".to_owned());
    with(&server, async |session, log| {
        session.configure(|settings| settings.max_requests_per_host(1).timeout(2 * SECOND));
        let answer = session.get("/here").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), log.all().len()), (200, 2));

        let mut streamed = session.get("/there").stream().await.unwrap();
        while streamed.chunk().await.unwrap().is_some() {}
        session.get("/there").send().await.unwrap();
        drop(streamed);
    });
}

#[test]
fn waiting_for_a_turn_in_vain_is_no_failed_connection() {
    let server = TestServer::start(|_| Act::nothing().then_hang());
    with(&server, async |session, _| {
        session.configure(|settings| settings.max_requests_per_host(1).timeout(SECOND / 10));
        let (first, second) = tokio::join!(session.get("/").send(), session.get("/").send());
        let (first, second) = (first.unwrap_err(), second.unwrap_err());
        assert!(first.to_string().contains("no complete answer"), "{first}");
        assert!(second.to_string().contains("for its turn"), "{second}");
        assert!(second.is_timeout() && !second.is_connect());
    });
}

#[test]
fn credentials_of_a_session_without_a_base_url_do_not_follow_a_redirect_elsewhere() {
    let elsewhere = TestServer::start(|_| {
        Act::answer(
            "HTTP/1.1 401 No\r\nwww-authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\
             content-length: 0\r\n\r\n",
        )
    });
    let server = redirecting_to(format!("{}/there", elsewhere.url()));
    with_config(Config::default(), async |context, _| {
        let session = context.http();
        for sign_in in [
            |session: &Session| drop(session.basic_auth("joe", Some("s3cret")).clone()),
            |session: &Session| drop(session.bearer_auth("s3cret").clone()),
            |session: &Session| drop(session.digest_auth("joe", "s3cret").clone()),
        ] {
            sign_in(&session);
            session.get(server.url()).send().await.unwrap();
        }
    });
    assert!(server.seen()[0].head.contains("authorization: Basic"));
    assert_eq!(elsewhere.seen().len(), 3);
    for seen in elsewhere.seen() {
        assert!(!seen.head.contains("authorization"), "{}", seen.head);
    }
}

#[test]
fn a_later_setting_of_a_header_replaces_the_earlier_one_and_no_other() {
    let server = always(HI);
    let mut config = Config::default();
    Settings::new()
        .user_agent("first")
        .header("accept-language", "de")
        .set_default(&mut config);
    config.set("base_url", server.url());
    with_config(config, async |context, _| {
        let session = context.http();
        session.default_header("accept-language", "fr");
        session.configure(|settings| settings.user_agent("second"));
        session.get("/").send().await.unwrap();
    });
    let head = server.seen()[0].head.clone();
    assert!(head.contains("user-agent: second\r\n"), "{head}");
    assert!(head.contains("accept-language: fr\r\n"), "{head}");
    assert!(
        !head.contains("first") && !head.contains("de\r\n"),
        "{head}"
    );
}

#[test]
fn a_callback_sees_how_long_a_streamed_answer_took() {
    let server = always(HI);
    with(&server, async |session, _| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let notes = Rc::clone(&seen);
        session.on_response(move |response, _| notes.borrow_mut().push(*response.timings()));
        let mut streamed = session.get("/").stream().await.unwrap();
        while streamed.chunk().await.unwrap().is_some() {}
        let timings = seen.borrow()[0];
        assert!(timings.body.is_some() && timings.total > Duration::ZERO);
        assert_eq!(timings.encoded_body_bytes, 2);
    });
}

#[test]
fn an_answer_takes_until_its_last_byte_or_its_end_or_until_it_is_left() {
    let pause = Duration::from_millis(200);
    let server = TestServer::start(move |seen| match seen.path() {
        "/in-two" => {
            Act::answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhi").then(pause, "hi")
        }
        "/to-the-end" => Act::answer("HTTP/1.0 200 OK\r\n\r\nhi")
            .then(pause, "")
            .then_close(),
        _ => Act::answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhi").then_hang(),
    });
    with(&server, async |session, log| {
        session.get("/in-two").send().await.unwrap();
        session.get("/to-the-end").send().await.unwrap();
        let mut left = session.get("/left").stream().await.unwrap();
        left.chunk().await.unwrap();
        tokio::time::sleep(pause).await;
        drop(left);
        for request in log.all() {
            assert!(request.body.unwrap() > pause / 2, "{request:?}");
            assert!(request.total > pause / 2, "{request:?}");
        }
        assert_eq!(log.all().len(), 3);
    });
}

/// Answers over HTTP/2 without TLS; on its first connection only as many requests as said.
fn http2_server(first: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let (tell, told) = mpsc::channel();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                let most = match count.fetch_add(1, Ordering::SeqCst) {
                    0 => first,
                    _ => usize::MAX,
                };
                tokio::spawn(answer(socket, most));
            }
        });
    });
    (told.recv().unwrap(), accepted)
}

async fn answer(socket: tokio::net::TcpStream, most: usize) {
    let mut connection = h2::server::handshake(socket).await.unwrap();
    let mut answered = 0;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if answered == most {
            std::future::pending::<()>().await;
        }
        answered += 1;
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(piece)) = body.data().await {
                let _ = body.flow_control().release_capacity(piece.len());
            }
            let head = ::http::Response::new(());
            if let Ok(mut stream) = respond.send_response(head, false) {
                let _ = stream.send_data(bytes::Bytes::from_static(b"hi"), true);
            }
        });
    }
}

fn with_http2(address: SocketAddr, timeout: Duration, test: impl AsyncFnOnce(Session, Log)) {
    let mut config = Config::default();
    config.set("base_url", format!("http://{address}"));
    with_config(config, async |context, log| {
        let session = context.http();
        session.configure(|settings| settings.version(HttpVersion::Http2).timeout(timeout));
        test(session, log).await;
    });
}

#[test]
fn a_streamed_body_may_ask_the_same_server_over_the_same_connection() {
    let (address, accepted) = http2_server(usize::MAX);
    with_http2(address, 5 * SECOND, async |session, _| {
        session.get("/").send().await.unwrap();
        let inner = session.clone();
        let body = Body::stream(stream::once(async move {
            let token = inner.get("/token").send().await.unwrap();
            Ok::<_, std::io::Error>(token.bytes())
        }));
        session.post("/").body(body).send().await.unwrap();
    });
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

#[test]
fn a_streamed_body_that_panics_leaves_no_dead_connection_to_others() {
    let (address, _) = http2_server(usize::MAX);
    with_http2(address, 5 * SECOND, async |session, _| {
        session.get("/").send().await.unwrap();
        let body = Body::stream(stream::once(async {
            assert!(std::thread::panicking(), "a mistake of the journey's");
            Ok::<_, std::io::Error>(bytes::Bytes::new())
        }));
        session.post("/").body(body).send().await.unwrap_err();
        session.get("/").send().await.unwrap();
    });
}

#[test]
fn a_connection_on_which_nothing_comes_any_more_is_left_by_those_after() {
    let (address, accepted) = http2_server(1);
    with_http2(address, SECOND / 2, async |session, log| {
        session.get("/").send().await.unwrap();
        assert!(failure(&session, "/").await.is_timeout());
        for _ in 0..3 {
            session.get("/").send().await.unwrap();
        }
        assert_eq!(log.all().len(), 5);
    });
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
}

#[test]
fn an_opening_that_is_no_longer_wanted_does_not_send_everybody_to_open_one() {
    let (address, accepted) = http2_server(usize::MAX);
    with_http2(address, 5 * SECOND, async |session, _| {
        session.connections(Connections::shared());
        tokio::select! {
            biased;
            _ = session.get("/").send() => {}
            () = std::future::ready(()) => {}
        }
        let answers = join_all((0..20).map(|_| session.get("/").send())).await;
        assert!(answers.iter().all(Result::is_ok));
    });
    assert!(accepted.load(Ordering::SeqCst) <= 2);
}

#[test]
fn the_word_to_go_on_is_not_the_first_byte_of_the_answer() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let pause = SECOND / 5;
    const LENGTH: usize = 4 << 20;
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 1 << 16];
        let _ = socket.read(&mut buffer).unwrap();
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        let mut read = 0;
        while read < LENGTH {
            read += socket.read(&mut buffer).unwrap();
        }
        std::thread::sleep(pause);
        socket.write_all(HI.as_bytes()).unwrap();
        let _ = socket.read(&mut buffer);
    });
    with_config(Config::default(), async |context, _| {
        let upload = context.http().put(format!("http://{address}/"));
        let answer = upload.body(vec![0; LENGTH]).expect_continue().send().await;
        let timings = *answer.unwrap().timings();
        assert!(timings.first_byte.unwrap() >= pause / 2, "{timings:?}");
        assert!(timings.body.unwrap() < pause / 2, "{timings:?}");
    });
    server.join().unwrap();
}
