use std::{cell::Cell, time::Duration};

use futures_util::FutureExt;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{sleep, timeout},
};

use super::*;
use crate::http::body::Body;

impl Http1 {
    /// A connection, and the server's end of it.
    pub(in crate::http) fn pair() -> (Self, UnixStream) {
        let (client, server) = UnixStream::pair().unwrap();
        let stream = Stream::unix(client);
        (Self::new(&stream, Rc::default(), Seat::lone()), server)
    }

    /// Sends a request without a body and reads the head of the answer.
    async fn ask(&mut self, method: &Method) -> Result<Head, Failure> {
        let request = Outbound {
            method,
            write_head: |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(b"? / HTTP/1.1\r\n\r\n");
                Ok(Announced {
                    length: Some(0),
                    close: false,
                })
            },
            body: Sending::default(),
            go_on: None,
            last_head: &LastHead::default(),
        };
        self.send(request).await
    }

    async fn body(&mut self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        loop {
            let piece = poll_fn(|cx| self.poll_piece(cx, |piece| piece.to_vec())).await;
            match piece.transpose()? {
                Some(piece) => all.extend(piece),
                None => return Ok(all),
            }
        }
    }
}

/// What a client makes of an answer: the status, the body, whether the connection can be used again.
type Made = Result<(u16, String, bool), String>;

async fn made(method: &Method, connection: &mut Http1) -> Made {
    let words = |error: Error| format!("{error:?}");
    let head = connection.ask(method).await;
    let head = head.map_err(|failure| words(failure.error))?;
    let body = connection.body().await.map_err(words)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok((head.status.as_u16(), body, connection.is_reusable()))
}

/// What is made of an answer that comes in these pieces, after which the server closes.
async fn made_of(method: &Method, pieces: &[&[u8]]) -> Made {
    let (mut connection, mut server) = Http1::pair();
    let serving = async {
        let mut request = [0; 64];
        let _ = server.read(&mut request).await;
        for piece in pieces {
            server.write_all(piece).await.unwrap();
            // Lets the client read what there is before more comes.
            tokio::task::yield_now().await;
            sleep(Duration::from_millis(1)).await;
        }
        drop(server);
    };
    tokio::join!(made(method, &mut connection), serving).0
}

const GET: &Method = &Method::GET;

fn ok(status: u16, body: &str, reusable: bool) -> Made {
    Ok((status, body.to_owned(), reusable))
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_the_same_however_it_is_cut() {
    for (whole, wanted) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            ok(200, "hello", true),
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
            ok(200, "hi", false),
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            ok(200, "hello", true),
        ),
        (
            "HTTP/1.1 404 No\r\nserver: x\r\n\r\ntill the end",
            ok(404, "till the end", false),
        ),
        (
            "HTTP/1.1 204 No Content\r\ncontent-length: 9\r\n\r\n",
            ok(204, "", true),
        ),
        (
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
            ok(304, "", true),
        ),
        (
            "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            ok(200, "hi", false),
        ),
        (
            "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nhi",
            ok(200, "hi", true),
        ),
        (
            "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            ok(200, "", true),
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            ok(200, "hi", true),
        ),
        ("HTTP/1.1 200\nContent-Length: 2\n\nhi", ok(200, "hi", true)),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nhi",
            ok(200, "hi", true),
        ),
    ] {
        let bytes = whole.as_bytes();
        assert_eq!(made_of(GET, &[bytes]).await, wanted, "{whole}");
        for cut in 1..bytes.len() {
            let (before, after) = bytes.split_at(cut);
            assert_eq!(
                made_of(GET, &[before, after]).await,
                wanted,
                "{whole} {cut}"
            );
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(made_of(GET, &single).await, wanted, "{whole}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_head_has_no_body() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n";
    assert_eq!(made_of(&Method::HEAD, &[answer]).await, ok(200, "", true));
}

#[tokio::test(start_paused = true)]
async fn what_comes_beyond_the_answer_ends_the_connection() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
    for pieces in [
        &[b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi!".as_slice()] as &[&[u8]],
        &[head, b"hi!"],
        &[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n!"],
    ] {
        assert_eq!(made_of(GET, pieces).await, ok(200, "hi", false));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_is_told_apart() {
    let fields = "a: b\r\n".repeat(101);
    let many = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    let long = format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(70_000));
    for (bytes, wanted) in [
        ("", "Closed"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "Closed"),
        (
            "SSH-2.0-OpenSSH_9.2\r\n",
            "NotHttp(\"invalid HTTP version\")",
        ),
        (
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "NotHttp(\"invalid response status\")",
        ),
        (
            "HTTP/1.1 200 OK\r\nb@d: 1\r\n\r\n",
            "NotHttp(\"invalid header name\")",
        ),
        (&many, "NotHttp(\"more than 100 header fields\")"),
        (&long, "NotHttp(\"a head of more than 64 KiB\")"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi",
            "NotHttp(\"the content-length is no number, or there are two\")",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nhi",
            "NotHttp(\"the content-length is no number, or there are two\")",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\nhi",
            "NotHttp(\"the content-length is no number, or there are two\")",
        ),
        (
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "NotHttp(\"HTTP/1.0 has no transfer-encoding\")",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", "CutShort"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi",
            "CutShort",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhi",
            "Malformed(\"a chunk has no size\")",
        ),
    ] {
        let made = made_of(GET, &[bytes.as_bytes()]).await;
        let shown = &bytes[..bytes.len().min(80)];
        assert_eq!(made, Err(wanted.to_owned()), "{shown}");
    }
}

#[tokio::test]
async fn a_connection_carries_one_request_after_the_other() {
    let (mut connection, mut server) = Http1::pair();
    let serving = async {
        for _ in 0..3 {
            let mut request = [0; 64];
            let length = server.read(&mut request).await.unwrap();
            assert_eq!(&request[..length], b"? / HTTP/1.1\r\n\r\n");
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
            server.write_all(answer).await.unwrap();
        }
        server
    };
    let asking = async {
        for _ in 0..3 {
            assert!(connection.is_fit(true));
            assert_eq!(made(GET, &mut connection).await, ok(200, "hi", true));
            assert_eq!(
                (connection.wire.written(), connection.wire.read()),
                (16, 40)
            );
        }
    };
    let (_server, ()) = tokio::join!(serving, asking);
}

#[tokio::test]
async fn an_idle_connection_is_fit_until_the_server_speaks_or_leaves() {
    let (connection, mut server) = Http1::pair();
    assert!(connection.is_fit(false) && connection.is_fit(true));
    server.write_all(b"!").await.unwrap();
    assert!(!connection.is_fit(true), "the kernel knows");
    sleep(Duration::from_millis(5)).await;
    assert!(!connection.is_fit(false), "the runtime knows");

    let (connection, server) = Http1::pair();
    drop(server);
    assert!(!connection.is_fit(true));
    sleep(Duration::from_millis(5)).await;
    assert!(connection.has_spoken());
}

#[tokio::test]
async fn a_request_of_which_nothing_was_written_gives_its_body_back() {
    let (mut connection, server) = Http1::pair();
    drop(server);
    let pieces = futures_util::stream::iter([Ok::<_, String>("piece")]);
    let request = Outbound {
        method: &Method::POST,
        write_head: |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"POST / HTTP/1.1\r\n\r\n");
            Ok(Announced {
                length: None,
                close: false,
            })
        },
        body: Body::stream(pieces).open().await.unwrap(),
        go_on: None,
        last_head: &LastHead::default(),
    };
    let failure = connection.send(request).await.unwrap_err();
    assert!(matches!(failure.fate, Fate::Unsent(Some(_))), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_body_that_the_server_stops_reading_is_still_heard() {
    let (mut connection, mut server) = Http1::pair();
    let pieces = futures_util::stream::iter((0..10_000).map(|_| Ok::<_, String>(vec![0; 1000])));
    let request = Outbound {
        method: &Method::POST,
        write_head: |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"POST / HTTP/1.1\r\n\r\n");
            Ok(Announced {
                length: None,
                close: false,
            })
        },
        body: Body::stream(pieces).open().await.unwrap(),
        go_on: None,
        last_head: &LastHead::default(),
    };
    let serving = async {
        let mut some = [0; 1000];
        let _ = server.read(&mut some).await;
        let answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n";
        server.write_all(answer).await.unwrap();
        sleep(Duration::from_millis(10)).await;
        drop(server);
    };
    let (head, ()) = tokio::join!(connection.send(request), serving);
    assert_eq!(head.unwrap().status, 413);
    assert!(!connection.is_reusable());
}

#[tokio::test(start_paused = true)]
async fn a_long_request_is_written_as_the_server_reads_it() {
    let (mut connection, mut server) = Http1::pair();
    let length = 3_000_000;
    let request = Outbound {
        method: &Method::POST,
        write_head: |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"POST / HTTP/1.1\r\n\r\n");
            Ok(Announced {
                length: Some(length as u64),
                close: false,
            })
        },
        body: Body::from(vec![b'x'; length]).ready().unwrap(),
        go_on: None,
        last_head: &LastHead::default(),
    };
    let got = Cell::new(0);
    let serving = async {
        let mut some = vec![0; 10_000];
        while got.get() < length + 19 {
            got.set(got.get() + server.read(&mut some).await.unwrap());
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        server.write_all(answer).await.unwrap();
        server
    };
    let (head, _server) = tokio::join!(connection.send(request), serving);
    assert_eq!(
        (head.unwrap().status.as_u16(), got.get()),
        (200, length + 19)
    );
    assert_eq!(connection.wire.written(), length as u64 + 19);
    assert!(
        connection
            .body()
            .now_or_never()
            .unwrap()
            .unwrap()
            .is_empty()
    );
    assert!(connection.is_reusable());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_waited_for() {
    let (mut connection, server) = Http1::pair();
    let asked = timeout(Duration::from_secs(5), connection.ask(GET)).await;
    assert!(asked.is_err());
    drop(server);
}
