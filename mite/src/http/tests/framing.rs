//! Where messages end: what a journey says of it itself, and servers that say goodbye at once.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use bytes::Bytes;
use futures_util::stream;
use rustls::ServerConnection;

use super::*;
use crate::http::Body;

fn hello() -> Body {
    Body::stream(stream::iter([Ok::<_, String>(Bytes::from_static(
        b"hello",
    ))]))
}

#[test]
fn a_transfer_coding_set_by_hand_ends_with_chunks_and_leaves_no_length_beside_it() {
    for (set, sent) in [("chunked", "chunked"), ("gzip", "gzip, chunked")] {
        let server = always(HI);
        with(&server, async |session, _| {
            let request = session.post("/").header("transfer-encoding", set);
            let request = request.header("content-length", "5").body("hello");
            assert_eq!(request.send().await.unwrap().status(), 200);
            let head = server.seen()[0].head.clone();
            assert!(
                head.contains(&format!("\r\ntransfer-encoding: {sent}\r\n")),
                "{head}"
            );
            assert!(!head.contains("content-length"), "{head}");
        });
    }
}

#[test]
fn a_length_set_by_hand_is_that_of_the_body_or_refused() {
    let server = always(HI);
    with(&server, async |session, log| {
        let post = |length: &'static str| session.post("/").header("content-length", length);
        assert_eq!(post("5").body("hello").send().await.unwrap().status(), 200);
        assert_eq!(post("5").body(hello()).send().await.unwrap().status(), 200);
        for (request, words) in [
            (
                post("2").body("hello"),
                "its content-length is 2, and the body has 5 bytes",
            ),
            (
                post("9").body("hello"),
                "its content-length is 9, and the body has 5 bytes",
            ),
            (post("five").body("hello"), "\"five\", which is no length"),
            (post("2").body(hello()), "longer than its content-length"),
            (post("9").body(hello()), "4 bytes shorter than was said"),
        ] {
            let error = request.send().await.unwrap_err();
            assert_eq!(error.kind(), "request", "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        // Nothing of them is taken for the beginning of what follows.
        assert_eq!(
            session.get("/after").send().await.unwrap().text().unwrap(),
            "hi"
        );
        assert_eq!(log.all().len(), 8);
        let seen = server.seen();
        let whole: Vec<_> = seen.iter().filter(|seen| seen.body == b"hello").collect();
        assert_eq!(whole.len(), 2);
        assert_eq!(seen.last().unwrap().path(), "/after");
    });
}

/// A server over TLS that answers once on each connection, says goodbye in the same segment, and
/// closes later.
fn goodbye_behind_the_answer() -> String {
    let (config, _) = server::tls_config("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    thread::spawn(move || {
        for socket in listener.incoming() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let mut socket = socket.unwrap();
                let mut tls = ServerConnection::new(config).unwrap();
                let mut request = [0; 4096];
                let _ = rustls::Stream::new(&mut tls, &mut socket).read(&mut request);
                tls.writer().write_all(HI.as_bytes()).unwrap();
                tls.send_close_notify();
                let mut segment = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut segment).unwrap();
                }
                let _ = socket.write_all(&segment);
                thread::sleep(Duration::from_millis(50));
            });
        }
    });
    url
}

#[test]
fn a_goodbye_that_came_with_the_answer_costs_no_request() {
    let mut config = Config::default();
    config.set("base_url", goodbye_behind_the_answer());
    with_config(config, async |context, log| {
        let session = context.http();
        session.danger_accept_invalid_certs(true);
        for _ in 0..20 {
            session.get("/").send().await.unwrap();
        }
        assert!(log.all().iter().all(|request| !request.reused));
    });
}
