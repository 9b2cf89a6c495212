use std::{
    convert::Infallible,
    fs,
    io::Write,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::{Instant, sleep, timeout},
};

use super::*;
use crate::http::connection::{Announced, Error, Http1, LastHead, Outbound};

const SECOND: Duration = Duration::from_secs(1);

fn pieces(pieces: &[&'static str]) -> impl Stream<Item = Result<&'static str, String>> + use<> {
    stream::iter(pieces.iter().copied().map(Ok).collect::<Vec<_>>())
}

/// What a server gets of a request with this body, and what the client hears.
async fn exchange(sending: Sending) -> (String, Result<u16, Error>) {
    let (mut connection, server) = Http1::pair();
    let length = sending.size_hint().exact();
    let request = Outbound {
        method: &http::Method::POST,
        write_head: |bytes: &mut Vec<u8>| {
            let field = length.map(|length| format!("content-length: {length}"));
            let field = field.unwrap_or("transfer-encoding: chunked".to_owned());
            bytes.extend_from_slice(format!("POST / HTTP/1.1\r\n{field}\r\n\r\n").as_bytes());
            Ok(Announced {
                length,
                close: false,
            })
        },
        body: sending,
        go_on: None,
        last_head: &LastHead::default(),
    };
    let (answer, got) = tokio::join!(
        async {
            let answer = connection.send(request).await;
            drop(connection);
            answer
        },
        serve(server),
    );
    let answer = answer.map(|head| head.status.as_u16());
    (got, answer.map_err(|failure| failure.error))
}

/// Reads until nothing has come for ten seconds, and answers.
async fn serve(mut socket: UnixStream) -> String {
    let mut got = Vec::new();
    while let Ok(Ok(1..)) = timeout(10 * SECOND, socket.read_buf(&mut got)).await {}
    let _ = socket
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .await;
    String::from_utf8(got).unwrap()
}

async fn open_and_exchange(body: Body) -> (String, Result<u16, Error>) {
    exchange(body.open().await.unwrap()).await
}

async fn content(body: &Body) -> Result<Bytes, SendError> {
    Ok(body.open().await?.collect().await?.to_bytes())
}

fn words(outcome: Result<u16, Error>) -> String {
    match outcome {
        Err(Error::Body(error)) => error.to_string(),
        other => panic!("not an error of the body: {other:?}"),
    }
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

#[tokio::test(start_paused = true)]
async fn bytes_are_sent_with_their_length_without_waiting() {
    for body in [
        Body::from("text"),
        Body::from("text".to_owned()),
        Body::from(b"text".to_vec()),
        Body::from(Bytes::from_static(b"text")),
        Body::from(b"text".as_slice()),
    ] {
        assert_eq!(body.bytes().unwrap(), "text");
        let (got, status) = exchange(body.ready().unwrap()).await;
        assert_eq!(got, "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\ntext");
        assert_eq!(status.unwrap(), 200);
    }
    assert!(Body::default().is_empty() && Body::from("").is_empty());
    assert!(Body::from("").ready().unwrap().is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_sent_in_chunks_and_only_once() {
    let body = Body::stream(pieces(&["one", "", "three"]));
    let (got, status) = exchange(body.open().await.unwrap()).await;
    let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(got, format!("{head}3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"));
    assert_eq!(status.unwrap(), 200);
    let mut empty = Body::stream(pieces(&["", ""])).open().await.unwrap();
    assert!(empty.frame().await.is_none());
    let again = body.open().await.unwrap_err();
    assert_eq!(
        again.to_string(),
        "its body is a stream, which can be sent only once"
    );
    assert!(!body.is_repeatable() && body.ready().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_known_length_is_sent_with_it() {
    for parts in [&["one", "", "three", ""][..], &["onethree"]] {
        let (got, status) = open_and_exchange(Body::sized_stream(8, pieces(parts))).await;
        assert_eq!(got, "POST / HTTP/1.1\r\ncontent-length: 8\r\n\r\nonethree");
        assert_eq!(status.unwrap(), 200);
    }
    let nothing = Body::sized_stream(0, pieces(&[])).open().await.unwrap();
    assert!(nothing.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_of_its_length_is_an_error() {
    let (_, short) = open_and_exchange(Body::sized_stream(8, pieces(&["one"]))).await;
    assert_eq!(
        words(short),
        "the body ended after 3 of the 8 bytes it was to have"
    );
    for parts in [&["one", "three"][..], &["onethree"], &["one", "", "t"]] {
        let (got, long) = open_and_exchange(Body::sized_stream(3, pieces(parts))).await;
        assert_eq!(
            words(long),
            "the body is longer than the 3 bytes it was said to have"
        );
        assert!(!got.contains("three"), "{got}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_end_at_its_length_holds_nothing_up() {
    let endless = pieces(&["one"]).chain(stream::pending());
    let (_, status) = open_and_exchange(Body::sized_stream(3, endless)).await;
    assert_eq!(status.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_stream_is_that_of_the_request() {
    for known in [true, false] {
        let failing = pieces(&["one"]).chain(stream::iter([Err("the disk is gone".to_owned())]));
        let body = if known {
            Body::sized_stream(9, failing)
        } else {
            Body::stream(failing)
        };
        let (_, outcome) = open_and_exchange(body).await;
        assert_eq!(
            words(outcome),
            "the stream of the body failed: the disk is gone"
        );
    }
}

#[tokio::test]
async fn a_file_is_opened_anew_each_time_and_read_in_pieces() {
    let text = "0123456789".repeat(20_000);
    let file = file(&text);
    let body = Body::file(file.path());
    let mut sending = body.open().await.unwrap();
    assert_eq!(sending.size_hint().exact(), Some(200_000));
    let first = sending.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first.len(), 64 * 1024);
    assert_eq!(content(&body).await.unwrap(), text);
    fs::write(file.path(), "another").unwrap();
    assert_eq!(content(&body).await.unwrap(), "another");
    assert!(body.is_repeatable());
}

#[tokio::test]
async fn a_file_is_sent_as_long_as_it_was_when_it_was_opened() {
    let mut file = file("0123456789");
    let body = Body::file(file.path());
    let longer = body.open().await.unwrap();
    file.write_all(b"more").unwrap();
    assert_eq!(longer.collect().await.unwrap().to_bytes(), "0123456789");

    let shorter = body.open().await.unwrap();
    file.as_file().set_len(3).unwrap();
    let error = shorter.collect().await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the body ended after 3 of the 14 bytes it was to have"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let missing = Body::file("/nowhere/at-all.txt").open().await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the file /nowhere/at-all.txt of the body cannot be read: No such file or directory \
         (os error 2)"
    );
    let folder = Body::file("/tmp").open().await.unwrap_err().to_string();
    assert!(
        folder.starts_with("the file /tmp of the body cannot be read: is a dir"),
        "{folder}"
    );
}

#[tokio::test]
async fn what_is_no_regular_file_is_sent_to_its_end_without_a_length() {
    let body = Body::file("/dev/null");
    let sending = body.open().await.unwrap();
    assert_eq!(sending.size_hint().exact(), None);
    assert_eq!(sending.collect().await.unwrap().to_bytes(), "");
}

#[tokio::test(start_paused = true)]
async fn a_chain_has_a_length_when_all_of_it_has() {
    let file = file("file");
    let body = Body::chain(vec!["a ".into(), Body::file(file.path()), " b".into()]);
    let (got, _) = open_and_exchange(body).await;
    assert!(got.ends_with("content-length: 8\r\n\r\na file b"), "{got}");
    let body = Body::chain(vec!["a ".into(), Body::stream(pieces(&["s"]))]);
    assert!(!body.is_repeatable());
    let (got, _) = open_and_exchange(body).await;
    assert!(
        got.ends_with("chunked\r\n\r\n2\r\na \r\n1\r\ns\r\n0\r\n\r\n"),
        "{got}"
    );
}

#[test]
fn a_body_that_cannot_be_shown_says_what_it_is() {
    let file = file("twelve bytes");
    let path = file.path();
    let said = format!("(file {}, 12 bytes)", path.display());
    assert_eq!(Body::file(path).describe(), said);
    assert_eq!(Body::file("/nowhere").describe(), "(file /nowhere)");
    assert_eq!(Body::from(vec![0]).describe(), "(1 byte)");
    assert_eq!(Body::from("").describe(), "(0 bytes)");
    assert_eq!(Body::stream(pieces(&[])).describe(), "(stream)");
    assert_eq!(
        Body::sized_stream(3, pieces(&[])).describe(),
        "(stream, 3 bytes)"
    );
    let chain = Body::chain(vec!["a".into(), Body::file(path)]);
    assert_eq!(chain.describe(), "(files and streams, 13 bytes)");
    assert_eq!(format!("{chain:?}"), "Body(files and streams, 13 bytes)");
}

fn poll(sending: &mut Sending) -> Poll<Option<Bytes>> {
    let mut cx = Context::from_waker(Waker::noop());
    let frame = Pin::new(sending).poll_frame(&mut cx);
    frame.map(|frame| frame.map(|frame| frame.unwrap().into_data().unwrap()))
}

#[tokio::test(start_paused = true)]
async fn it_is_known_when_the_last_of_a_body_was_handed_over() {
    let slow = || {
        stream::iter(["one", "two"]).then(async |piece| {
            sleep(SECOND).await;
            Ok::<_, Infallible>(piece)
        })
    };
    let start = Instant::now();
    for (body, after) in [
        (Body::from("bytes"), 0),
        (Body::from(""), 0),
        (Body::sized_stream(6, slow()), 2),
        (Body::stream(slow()), 4),
    ] {
        let handed_over = Rc::default();
        let sending = body
            .open()
            .await
            .unwrap()
            .with_finish(Rc::clone(&handed_over));
        assert_eq!(handed_over.at().is_some(), body.is_empty());
        sending.collect().await.unwrap();
        assert_eq!(
            handed_over.at().unwrap().duration_since(start),
            after * SECOND
        );
        assert_eq!(handed_over.failure(), None);
    }
}

#[tokio::test]
async fn it_is_known_why_the_last_of_a_body_was_never_handed_over() {
    let handed_over = Rc::default();
    let body = Body::sized_stream(5, pieces(&["one"]));
    let sending = body
        .open()
        .await
        .unwrap()
        .with_finish(Rc::clone(&handed_over));
    let error = sending.collect().await.unwrap_err();
    assert_eq!(handed_over.at(), None);
    assert_eq!(handed_over.failure(), Some(error));
}

#[tokio::test(start_paused = true)]
async fn a_body_is_held_back_until_the_server_says_to_go_on() {
    for body in [Body::from("body"), Body::stream(pieces(&["body"]))] {
        let go_on = Continue::default();
        let mut sending = body.open().await.unwrap().after(go_on.clone(), 60 * SECOND);
        assert!(poll(&mut sending).is_pending());
        let begun = Instant::now();
        tokio::spawn(async move {
            sleep(3 * SECOND).await;
            assert!(!go_on.was_granted());
            go_on.grant();
        });
        let frame = sending.frame().await;
        assert_eq!(begun.elapsed(), 3 * SECOND);
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "body");
    }
}

#[tokio::test(start_paused = true)]
async fn the_head_goes_ahead_of_a_body_that_is_held_back() {
    let (mut connection, mut server) = Http1::pair();
    let go_on = Continue::default();
    let body = Body::from("body").ready().unwrap();
    let request = Outbound {
        method: &http::Method::POST,
        write_head: |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n");
            Ok(Announced {
                length: Some(4),
                close: false,
            })
        },
        body: body.after(go_on.clone(), 60 * SECOND),
        go_on: Some(go_on),
        last_head: &LastHead::default(),
    };
    let (answer, ()) = tokio::join!(
        async {
            let answer = connection.send(request).await;
            drop(connection);
            answer
        },
        async {
            let mut got = Vec::new();
            while timeout(SECOND, server.read_buf(&mut got)).await.is_ok() {}
            assert_eq!(got, b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n");
            server
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await
                .unwrap();
            assert_eq!(serve(server).await, "body");
        },
    );
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_gets_the_body_when_the_patience_is_over() {
    let go_on = Continue::default();
    let body = Body::from("body").ready().unwrap();
    let sending = body.after(go_on.clone(), Continue::PATIENCE);
    assert_eq!(sending.size_hint().exact(), Some(4));
    let begun = Instant::now();
    assert_eq!(sending.collect().await.unwrap().to_bytes(), "body");
    let waited = begun.elapsed();
    assert!(waited >= SECOND && waited < SECOND * 11 / 10, "{waited:?}");
    assert!(!go_on.was_granted());
}

#[tokio::test(start_paused = true)]
async fn an_empty_body_waits_for_nobody() {
    let sending = Body::from("").ready().unwrap();
    let sending = sending.after(Continue::default(), SECOND);
    assert!(sending.is_end_stream());
}
