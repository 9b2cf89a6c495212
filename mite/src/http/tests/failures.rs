//! What goes wrong, and what it is recorded as.

use std::time::Instant;

use http::StatusCode;
use tokio::time::timeout;

use super::*;

#[test]
fn an_answer_that_does_not_come_in_time_is_a_timeout() {
    let head_only = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12";
    for beginning in ["", "HTTP/1.1 2", head_only] {
        let server = TestServer::start(move |_| Act::answer(beginning).then_hang());
        with(&server, async |session, log| {
            let began = Instant::now();
            let request = session
                .get("/slow?token=1")
                .timeout(Duration::from_millis(50));
            let error = request.send().await.unwrap_err();
            assert!(
                began.elapsed() < Duration::from_secs(1),
                "{:?}",
                began.elapsed()
            );
            assert!(error.is_timeout() && !error.is_connect());
            let message = format!("GET {}/slow: no complete answer within 50ms", server.url());
            assert_eq!(error.to_string(), message);
            let recorded = log.last();
            assert_eq!(
                (recorded.sent, recorded.error.as_deref()),
                (true, Some("timeout"))
            );
            assert_eq!(recorded.phases[3], !beginning.is_empty());
            assert!(recorded.total >= Duration::from_millis(50));

            let error: crate::error::Error = error.into();
            assert_eq!((error.kind(), error.is_connect()), ("timeout", false));
        });
    }
}

#[test]
fn a_connection_that_does_not_come_in_time_is_a_timeout_before_it() {
    // Nobody accepts, and the queue of one is taken.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _taken = std::net::TcpStream::connect(address).unwrap();
    with_config(Config::default(), async |context, log| {
        let session = context.http();
        session.timeout(Duration::from_millis(50));
        let error = failure(&session, &format!("http://{address}/")).await;
        assert!(error.is_timeout() && error.is_connect());
        assert!(
            error.to_string().ends_with("no connection within 50ms"),
            "{error}"
        );
        assert_eq!((log.last().sent, log.last().phases), (false, [false; 4]));
        assert!(crate::error::Error::from(error).is_connect());
    });
}

#[test]
fn what_was_never_connected_was_not_sent() {
    with_config(Config::default(), async |context, log| {
        let session = context.http();
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let error = failure(&session, &format!("http://127.0.0.1:{port}/")).await;
        assert_eq!((error.kind(), error.is_connect()), ("connect", true));
        let error = failure(&session, "http://does-not-exist.invalid/").await;
        assert_eq!(
            (error.kind(), error.is_dns(), error.is_connect()),
            ("dns", true, true)
        );
        for recorded in log.all() {
            assert_eq!(
                (recorded.sent, recorded.failed, recorded.status),
                (false, true, None)
            );
            assert_eq!((recorded.bytes_sent, recorded.first_byte), (0, None));
        }
        assert!(crate::error::Error::from(error).is_connect());
    });
}

#[test]
fn broken_answers_are_told_apart() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n1234";
    let chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    type End = fn(Act) -> Act;
    let cases: [(&str, End, &str); 7] = [
        ("HTTP/1.1 200 OK\r\nconte", Act::then_close, "closed"),
        ("", Act::then_close, "closed"),
        ("", Act::then_reset, "reset"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", Act::then_close, "protocol"),
        (short, Act::then_close, "body"),
        (chunk, Act::then_hang, "body"),
        (short, Act::then_reset, "reset"),
    ];
    for (bytes, end, kind) in cases {
        // The pause lets the client read what is there before the reset discards it.
        let pause = Duration::from_millis(20);
        let server = TestServer::start(move |_| end(Act::answer(bytes).then(pause, "")));
        with(&server, async |session, log| {
            let error = failure(&session, "/").await;
            assert_eq!(error.kind(), kind, "{bytes:?}: {error}");
            let recorded = log.last();
            assert_eq!(
                (recorded.sent, recorded.failed, recorded.status),
                (true, true, None)
            );
            assert_eq!(recorded.error.as_deref(), Some(kind));
            assert_eq!(recorded.bytes_received, bytes.len() as u64);
            assert_eq!(log.all().len(), 1);
            assert_eq!(server.seen().len(), 1);
        });
    }
}

#[test]
fn a_request_that_is_dropped_is_recorded_as_interrupted_and_its_connection_is_closed() {
    let server = TestServer::start(|seen| match seen.nth {
        0 => Act::answer(HI),
        _ => Act::nothing().then_hang(),
    });
    with(&server, async |session, log| {
        session.get("/").send().await.unwrap();
        let dropped = timeout(Duration::from_millis(20), session.get("/").send()).await;
        assert!(dropped.is_err());
        let recorded = log.last();
        assert_eq!(recorded.error.as_deref(), Some("interrupted"));
        assert_eq!(
            (recorded.sent, recorded.failed, recorded.status),
            (true, true, None)
        );
        assert_eq!(log.exchanges.borrow().len(), 2);
        // One that was never polled has not begun.
        drop(session.get("/").send());
        assert_eq!(log.all().len(), 2);
        session.get("/").send().await.unwrap();
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn statuses_from_400_are_failures_unless_they_were_allowed() {
    let server = always("HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nno\nbasket");
    with(&server, async |session, log| {
        let response = session.get("/basket").send().await.unwrap();
        assert!(log.last().failed && log.last().error.is_none());
        session
            .get("/basket")
            .ok_status(410)
            .ok_status(404)
            .send()
            .await
            .unwrap();
        assert!(!log.last().failed);

        let line = line!() + 1;
        let error = response.expect_status(200..300).unwrap_err();
        assert_eq!(
            error.message(),
            "GET /basket: expected 200 to 299, got 404 Not Found; the body begins: no basket"
        );
        assert!(error.location().ends_with(&format!("failures.rs:{line}")));
        assert!(error.is_expected());
        assert_eq!(
            response
                .expect_status(StatusCode::NOT_FOUND)
                .unwrap()
                .status(),
            404
        );

        let error = response.json::<Vec<u32>>().unwrap_err();
        assert_eq!(error.kind(), "decode");
        for words in ["GET /basket", "line 1 column 2", "no basket"] {
            assert!(error.to_string().contains(words), "{error}");
        }
    });
}

#[test]
fn mistakes_in_building_are_told_by_send_and_recorded_unsent() {
    with_config(Config::default(), async |context, log| {
        let session = context.http();
        let unserializable = std::collections::BTreeMap::from([((1, 2), 3)]);
        let mistakes = [
            (session.get("/basket"), "base_url"),
            (
                session.get("http://a.test/").header("bad name", "x"),
                "header",
            ),
            (
                session.get("http://a.test/").header("x", "bad\nvalue"),
                "header x",
            ),
            (
                session.post("http://a.test/").json(&unserializable),
                "serialized",
            ),
            (session.get("http://a.test/").query(&7), "query"),
        ];
        for (request, word) in mistakes {
            let error = request.name("named").send().await.unwrap_err();
            assert!(error.is_request() && !error.is_connect());
            assert!(error.to_string().contains(word), "{error}");
            assert!(error.to_string().starts_with("named: "), "{error}");
            let recorded = log.last();
            assert_eq!((recorded.sent, recorded.failed), (false, true));
            assert_eq!(recorded.error.as_deref(), Some("request"));
        }
        session.default_header("bad name", "x");
        assert!(failure(&session, "http://127.0.0.1:1/").await.is_request());
        assert_eq!(log.all().len(), 6);
    });
}

#[test]
fn text_must_be_utf8() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n".to_vec();
    answer.push(0xff);
    let server = always(answer);
    with(&server, async |session, _| {
        let error = session.get("/").send().await.unwrap().text().unwrap_err();
        assert!(error.is_decode(), "{error}");
    });
}
