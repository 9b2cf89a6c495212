//! What is sent, what is received, and how much it was.

use http::{Method, header};

use super::*;

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
