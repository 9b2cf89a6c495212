//! The client against servers on real sockets.

use std::{
    cell::RefCell,
    future::{Future as _, poll_fn},
    pin::pin,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Method, StatusCode, header};
use tokio::time::{sleep, timeout};

use super::{
    Error, Session,
    testserver::{Act, HI, Seen, TestServer},
    worker::Worker,
};
use crate::{
    clock::RunClock,
    config::Config,
    context::{Context, Scope, ScopeSettings},
    event::{Event, Exchange, Tap, What},
    id::EntryId,
    net::Tls,
};

/// What one request was recorded as.
#[derive(Clone, Debug)]
struct Recorded {
    transaction: String,
    name: String,
    status: Option<u16>,
    failed: bool,
    sent: bool,
    error: Option<String>,
    reused: bool,
    bytes_sent: u64,
    bytes_received: u64,
    phases: [bool; 4],
    first_byte: Option<Duration>,
    total: Duration,
}

#[derive(Clone, Default)]
struct Log {
    requests: Rc<RefCell<Vec<Recorded>>>,
    exchanges: Rc<RefCell<Vec<Exchange>>>,
}

impl Tap for Log {
    fn event(&mut self, event: &Event<'_>) {
        let What::Http(request) = event.what else {
            return;
        };
        self.requests.borrow_mut().push(Recorded {
            transaction: event.transaction.to_owned(),
            name: request.name.to_owned(),
            status: request.status,
            failed: request.failed,
            sent: request.sent,
            error: request.error.map(str::to_owned),
            reused: request.reused,
            bytes_sent: request.bytes_sent,
            bytes_received: request.bytes_received,
            phases: [
                request.dns.is_some(),
                request.connect.is_some(),
                request.tls.is_some(),
                request.first_byte.is_some(),
            ],
            first_byte: request.first_byte,
            total: request.total,
        });
    }

    fn exchange(&mut self, exchange: Exchange) {
        self.exchanges.borrow_mut().push(exchange);
    }
}

impl Log {
    fn all(&self) -> Vec<Recorded> {
        self.requests.borrow().clone()
    }

    fn last(&self) -> Recorded {
        self.requests.borrow().last().cloned().unwrap()
    }
}

fn context(config: Config) -> (Context, Log) {
    let log = Log::default();
    let scope = Scope::new(ScopeSettings {
        clock: RunClock::start(),
        journeys: vec![Arc::from("shop::browse")],
        metrics: Vec::new(),
        series_cap: 1000,
        config,
        shared: Arc::default(),
        tap: Some(Box::new(log.clone())),
    });
    let context = Context::new(Rc::new(scope), EntryId(0), 0, Rc::default());
    (context, log)
}

/// Runs a test as a worker runs a journey, with a session on `server`.
fn with(server: &TestServer, test: impl AsyncFnOnce(Session, Log)) {
    let mut config = Config::default();
    config.set("base_url", server.url());
    with_config(config, async |context, log| test(context.http(), log).await);
}

fn with_config(config: Config, test: impl AsyncFnOnce(Context, Log)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .unwrap();
    runtime.block_on(async {
        let (context, log) = context(config);
        test(context, log).await;
    });
}

fn always(answer: impl Into<Vec<u8>>) -> TestServer {
    let answer = answer.into();
    TestServer::start(move |_: &Seen| Act::answer(answer.clone()))
}

async fn failure(session: &Session, path: &str) -> Error {
    session.get(path).send().await.unwrap_err()
}

const REUSED: [bool; 4] = [false, false, false, true];
const NEW: [bool; 4] = [false, true, false, true];

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let server = always(HI);
    with(&server, async |session, log| {
        for _ in 0..3 {
            let response = session.get("/").send().await.unwrap();
            assert_eq!(response.text().unwrap(), "hi");
        }
        let phases: Vec<_> = log.all().iter().map(|request| request.phases).collect();
        assert_eq!(phases, [NEW, REUSED, REUSED]);
        let reused: Vec<_> = log.all().iter().map(|request| request.reused).collect();
        assert_eq!(reused, [false, true, true]);
    });
    assert_eq!((server.accepted(), server.seen().len()), (1, 3));
}

#[test]
fn bytes_are_counted_exactly_for_each_request() {
    let server = always(HI);
    with(&server, async |session, log| {
        session.get("/").send().await.unwrap();
        session
            .post("/form")
            .form(&[("a", "b")])
            .send()
            .await
            .unwrap();
        let sent: Vec<_> = log.all().iter().map(|request| request.bytes_sent).collect();
        assert_eq!(
            sent,
            server.seen().iter().map(Seen::bytes).collect::<Vec<_>>()
        );
        for request in log.all() {
            assert_eq!(request.bytes_received, HI.len() as u64);
            assert!(request.first_byte.unwrap() <= request.total);
        }
    });
}

/// Closes each connection after its first answer, announced or not.
fn closing_server(announced: bool) -> TestServer {
    TestServer::start(move |_| {
        let announcement = if announced {
            "connection: close\r\n"
        } else {
            ""
        };
        Act::answer(format!(
            "HTTP/1.1 200 OK\r\n{announcement}content-length: 2\r\n\r\nhi"
        ))
        .then_close()
    })
}

#[test]
fn a_close_between_requests_is_no_error_and_nothing_is_sent_twice() {
    for announced in [true, false] {
        for runtime_may_notice in [true, false] {
            let server = closing_server(announced);
            with(&server, async |session, log| {
                for round in 0..5 {
                    let response = session.get(format!("/{round}")).send().await.unwrap();
                    assert_eq!(response.text().unwrap(), "hi");
                    server.wait_for_close();
                    if runtime_may_notice {
                        sleep(Duration::from_millis(5)).await;
                    } else {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
                assert!(log.all().iter().all(|request| request.error.is_none()));
                let paths: Vec<_> = server
                    .seen()
                    .iter()
                    .map(|seen| seen.path().to_owned())
                    .collect();
                assert_eq!(paths, ["/0", "/1", "/2", "/3", "/4"]);
                assert_eq!(server.accepted(), 5);
            });
        }
    }
}

#[test]
fn a_request_of_which_something_was_written_is_never_sent_again() {
    let server = TestServer::start(|seen| match seen.nth {
        0 => Act::answer(HI),
        _ => Act::nothing().then_close(),
    });
    with(&server, async |session, log| {
        session.get("/first").send().await.unwrap();
        let error = failure(&session, "/second").await;
        assert_eq!(error.kind(), "closed");
        assert_eq!((log.last().sent, log.last().reused), (true, true));
        assert_eq!(server.seen().len(), 2);
        assert_eq!(server.accepted(), 1);
    });
}

#[test]
fn what_nobody_asked_for_ends_a_kept_connection() {
    let server = TestServer::start(|seen| match seen.connection {
        0 => Act::answer(HI).then(Duration::from_millis(2), "HTTP/1.1 408 Timeout\r\n\r\n"),
        _ => Act::answer(HI),
    });
    with(&server, async |session, _| {
        session.get("/").send().await.unwrap();
        sleep(Duration::from_millis(20)).await;
        assert_eq!(session.get("/").send().await.unwrap().status(), 200);
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn a_connection_the_journey_wants_closed_is_not_kept() {
    let server = always(HI);
    with(&server, async |session, _| {
        session.default_header("connection", "close");
        for _ in 0..2 {
            session.get("/").send().await.unwrap();
        }
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn two_requests_at_once_use_two_connections_and_both_are_kept() {
    let server = TestServer::start(|_| Act::nothing().then(Duration::from_millis(20), HI));
    with(&server, async |session, _| {
        for _ in 0..2 {
            let (a, b) = tokio::join!(session.get("/a").send(), session.get("/b").send());
            assert_eq!(
                (a.unwrap().status(), b.unwrap().status()),
                (StatusCode::OK, StatusCode::OK)
            );
        }
        assert_eq!((server.accepted(), server.seen().len()), (2, 4));
        let base = session.state.base();
        let endpoint = &base
            .target("/a", &session.state.worker.pool)
            .unwrap()
            .endpoint;
        assert_eq!(endpoint.idle(), 2);
    });
}

#[test]
fn an_untrusted_certificate_is_refused_unless_the_session_accepts_any() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI));
    with(&server, async |session, log| {
        let url = format!("https://localhost:{}/", server.address.port());
        let error = failure(&session, &url).await;
        assert_eq!((error.kind(), error.is_connect()), ("tls", true));
        for words in ["localhost", "does not trust", "--insecure"] {
            assert!(error.to_string().contains(words), "{error}");
        }
        let recorded = log.last();
        assert_eq!((recorded.sent, recorded.failed), (false, true));
        assert_eq!(recorded.phases, [true, true, false, false]);

        session.danger_accept_invalid_certs(true);
        for phases in [[true, true, true, true], REUSED] {
            session.get(&url).send().await.unwrap();
            assert_eq!(log.last().phases, phases);
            assert_eq!(log.last().bytes_received, HI.len() as u64);
        }
        assert!(log.exchanges.borrow()[1].curl.contains("--insecure"));
    });
}

#[test]
fn the_config_can_accept_any_certificate_too() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI));
    let mut config = Config::default();
    config
        .set("base_url", server.url())
        .set("mite.insecure", true);
    with_config(config, async |context, _| {
        assert_eq!(context.http().get("/").send().await.unwrap().status(), 200);
    });
}

#[test]
fn a_trusted_certificate_is_good_for_its_own_name_only() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI));
    with_config(Config::default(), async |context, _| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(server.certificate.clone().unwrap()).unwrap();
        let worker = Worker::with_tls(&context, Tls::trusting(roots));
        let base = worker.base(None, false);
        let port = server.address.port();
        for (host, accepted) in [("localhost", true), ("127.0.0.1", false)] {
            let target = base.target(&format!("https://{host}:{port}/"), &worker.pool);
            let phases = Default::default();
            let connected = worker
                .pool
                .connect(&target.unwrap().endpoint, &phases)
                .await;
            assert_eq!(connected.is_ok(), accepted, "{host}");
            if let Err(error) = connected {
                let message = format!("{error:?}");
                assert!(
                    message.contains("it is for") && message.contains("localhost"),
                    "{message}"
                );
            }
        }
    });
}

#[test]
fn tls_connections_closed_between_requests_are_no_error_either() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI).then_close());
    with(&server, async |session, log| {
        session.danger_accept_invalid_certs(true);
        for _ in 0..3 {
            session.get("/").send().await.unwrap();
            server.wait_for_close();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(log.all().iter().all(|request| request.error.is_none()));
        assert_eq!((server.accepted(), server.seen().len()), (3, 3));
    });
}

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

            let error: crate::Error = error.into();
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
        assert!(crate::Error::from(error).is_connect());
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
        assert!(crate::Error::from(error).is_connect());
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
fn bodies_end_where_http_says_they_do() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                   2\r\nhi\r\n7\r\n there!\r\n0\r\n\r\n";
    let cases = [
        (Method::GET, chunked, "hi there!".to_owned()),
        (
            Method::GET,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "hi".to_owned(),
        ),
        (
            Method::HEAD,
            "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n",
            String::new(),
        ),
        (
            Method::DELETE,
            "HTTP/1.1 204 No Content\r\n\r\n",
            String::new(),
        ),
        (
            Method::GET,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 20\r\n\r\n",
            String::new(),
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            String::new(),
        ),
    ];
    for (method, answer, body) in cases {
        let server = always(answer);
        with(&server, async |session, log| {
            for _ in 0..2 {
                let response = session.request(method.clone(), "/").send().await.unwrap();
                assert_eq!(response.text().unwrap(), body, "{answer:?}");
                assert_eq!(log.last().bytes_received, answer.len() as u64);
            }
            assert_eq!(server.accepted(), 1, "{answer:?}");
        });
    }
}

#[test]
fn a_body_may_end_with_the_connection() {
    let server = TestServer::start(|_| {
        Act::answer("HTTP/1.1 200 OK\r\n\r\nto ")
            .then(Duration::from_millis(5), "the end")
            .then_close()
    });
    with(&server, async |session, _| {
        for _ in 0..2 {
            assert_eq!(
                session.get("/").send().await.unwrap().text().unwrap(),
                "to the end"
            );
        }
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn big_bodies_go_both_ways() {
    let big: Vec<u8> = (0..5_000_000u32).map(|index| index as u8).collect();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", big.len()).into_bytes();
    answer.extend_from_slice(&big);
    let received = answer.len() as u64;
    let server = always(answer);
    with(&server, async |session, log| {
        for _ in 0..2 {
            let response = session.put("/").body(big.clone()).send().await.unwrap();
            assert_eq!(response.bytes(), big);
            assert_eq!(server.seen().last().unwrap().body, big);
            assert_eq!(log.last().bytes_sent, server.seen().last().unwrap().bytes());
            assert_eq!(log.last().bytes_received, received);
        }
        assert_eq!(server.accepted(), 1);
    });
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
fn requests_carry_what_was_built_into_them() {
    let server = always(HI);
    with(&server, async |session, log| {
        session
            .default_header("accept", "text/html")
            .default_header("x-run", "7");
        session
            .post("/search?page=1")
            .query(&[("q", "a b")])
            .header("x-run", "8")
            .header("x-many", "1")
            .header("x-many", "2")
            .bearer_auth("t0ken")
            .json(&serde_json::json!({"password": "s3cr3t"}))
            .name("POST /search")
            .send()
            .await
            .unwrap();
        let seen = server.seen().remove(0);
        let agent = concat!("user-agent: mite/", env!("CARGO_PKG_VERSION"), "\r\n");
        let host = format!("host: {}\r\n", server.address);
        for line in [
            "POST /search?page=1&q=a+b HTTP/1.1\r\n",
            "accept: text/html\r\n",
            "x-run: 8\r\n",
            "x-many: 1\r\nx-many: 2\r\n",
            "authorization: Bearer t0ken\r\n",
            "content-type: application/json\r\n",
            "content-length: 21\r\n",
            agent,
            &host,
        ] {
            assert_eq!(seen.head.matches(line).count(), 1, "{line}{}", seen.head);
        }
        assert!(!seen.head.contains("x-run: 7") && !seen.head.contains("*/*"));
        assert_eq!(seen.body, br#"{"password":"s3cr3t"}"#);

        let exchange = log.exchanges.borrow()[0].clone();
        assert_eq!(
            exchange.request.headers[header::AUTHORIZATION],
            "Bearer t0ken"
        );
        assert_eq!(exchange.response.body, "hi");
        assert!(!exchange.curl.contains("t0ken") && !exchange.curl.contains("s3cr3t"));
        assert_eq!(
            (&*log.last().name, log.last().status),
            ("POST /search", Some(200))
        );
    });
}

#[test]
fn names_leave_the_query_out_and_requests_belong_to_their_transaction() {
    let server = always(HI);
    with(&server, async |session, log| {
        let context = session.context.clone();
        let sent = context.transaction("basket", async {
            Ok(session
                .get("/basket?user=7")
                .send()
                .await?
                .expect_status(200)?
                .text()?)
        });
        assert_eq!(sent.await.unwrap(), "hi");
        assert_eq!(
            (&*log.last().name, &*log.last().transaction),
            ("GET /basket", "basket")
        );
        session.get("/basket").send().await.unwrap();
        assert_eq!(log.last().transaction, "");
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
        assert!(error.location().ends_with(&format!("tests.rs:{line}")));
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

#[test]
fn a_reset_noticed_only_in_writing_costs_a_new_connection_and_no_error() {
    let server = TestServer::start(|_| Act::answer(HI).then_reset());
    with(&server, async |session, log| {
        for _ in 0..20 {
            session.get("/").send().await.unwrap();
            server.wait_for_close();
        }
        assert!(log.all().iter().all(|request| request.error.is_none()));
        assert_eq!((server.accepted(), server.seen().len()), (20, 20));
    });
}

#[test]
fn a_request_on_a_kept_connection_is_polled_twice_and_stays_small() {
    let server = always(HI);
    with(&server, async |session, _| {
        for round in 0..3 {
            let send = session.get("/").send();
            let size = size_of_val(&send);
            assert!(size < 2048, "{size} bytes");
            let mut send = pin!(send);
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                send.as_mut().poll(cx)
            })
            .await
            .unwrap();
            assert!(round == 0 || polls == 2, "{polls} polls");
        }
    });
}

#[test]
fn connections_nobody_needs_or_the_server_closed_are_let_go() {
    let staying = always(HI);
    let leaving = TestServer::start(|_| {
        let pause = Duration::from_millis(20);
        Act::answer(HI).then(pause, "").then_close()
    });
    with_config(Config::default(), async |context, _| {
        let session = context.http();
        let pool = &session.state.worker.pool;
        let endpoint = |server: &TestServer| {
            let target = session.state.base().target(&server.url(), pool).unwrap();
            Rc::clone(&target.endpoint)
        };
        let (kept, left) = (endpoint(&staying), endpoint(&leaving));
        let idle = || (kept.idle(), left.idle());

        let both = tokio::join!(
            session.get(staying.url()).send(),
            session.get(staying.url()).send(),
        );
        assert!(both.0.is_ok() && both.1.is_ok());
        session.get(leaving.url()).send().await.unwrap();
        assert_eq!(idle(), (2, 1));
        leaving.wait_for_close();
        sleep(Duration::from_millis(5)).await;

        let now = tokio::time::Instant::now();
        let connection = kept.take(now).unwrap();
        pool.keep(&kept, connection, now + Duration::from_secs(6));
        assert_eq!(idle(), (2, 0));

        let connection = kept.take(now).unwrap();
        pool.keep(&kept, connection, now + Duration::from_secs(91));
        assert_eq!(idle(), (1, 0));
    });
}
