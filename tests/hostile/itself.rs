//! The hostile server itself, spoken to without the client.

use std::{
    io::{self, Read as _, Write as _},
    time::Duration,
};

use flate2::read::{DeflateDecoder, GzDecoder, MultiGzDecoder, ZlibDecoder};
use tests::{
    hostile::{ENDLESS, Handshake, Hostile, NoTls, ODD_COOKIES, PLAIN},
    wire,
};

/// What comes of a path, as text.
fn answer(path: &str) -> io::Result<String> {
    let hostile = Hostile::start();
    let answer = wire::get(hostile.address(), path);
    let counted = path.split('?').next().unwrap();
    assert_eq!((hostile.hits(counted), hostile.connections()), (1, 1));
    answer
}

#[test]
fn half_an_answer_is_followed_by_a_close() {
    for (path, wanted) in [
        ("/close/before-a-byte", ""),
        ("/close/in-status-line", "HTTP/1.1 2"),
        ("/close/in-header", "HTTP/1.1 200 OK\r\ncontent-ty"),
    ] {
        assert_eq!(answer(path).unwrap(), wanted, "{path}");
    }
}

#[test]
fn a_reset_is_a_reset() {
    let hostile = Hostile::start();
    for (how, wanted) in [
        ("before-head", ""),
        ("in-head", "HTTP/1.1 200 OK\r\ncontent-ty"),
        (
            "after-head",
            "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        ),
    ] {
        let mut connection = wire::connect(hostile.address()).unwrap();
        write!(connection, "GET /reset/{how} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut came = Vec::new();
        let error = connection.read_to_end(&mut came).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(came, wanted.as_bytes(), "{how}");
    }
}

#[test]
fn a_stalled_connection_stays_open_and_says_no_more() {
    let hostile = Hostile::start();
    for (how, length) in [("before-head", 0), ("in-header", 27), ("in-body", 51)] {
        let mut connection = wire::connect(hostile.address()).unwrap();
        write!(connection, "GET /stall/{how} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut came = vec![0; length];
        connection.read_exact(&mut came).unwrap();
        let wait = Some(Duration::from_millis(50));
        connection.set_read_timeout(wait).unwrap();
        let error = connection.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{how}");
    }
    drop(hostile);
}

#[test]
fn a_kept_connection_is_served_again_and_counted() {
    let hostile = Hostile::start();
    let post = "POST /ok HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345";
    let chunked = "POST /ok HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n2;x=y\r\nde\r\n0\r\na: b\r\n\r\n";
    let last = "GET /close/after-answer?now HTTP/1.1\r\n\r\n";
    let answer = wire::exchange(hostile.address(), &format!("{post}{chunked}{last}")).unwrap();
    assert_eq!(answer.matches("fine\n").count(), 3);
    assert_eq!((hostile.requests(), hostile.connections()), (3, 1));
    assert_eq!((hostile.hits("/ok"), hostile.body_bytes("/ok")), (2, 10));
    assert_eq!(hostile.last_head("/close/after-answer").unwrap(), last);
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let hostile = Hostile::start();
    let one = "GET /close/when-idle/200 HTTP/1.1\r\n\r\n";
    let answer = wire::exchange(hostile.address(), &one.repeat(3)).unwrap();
    assert_eq!(answer.matches("fine\n").count(), 3);
}

#[test]
fn bodies_are_framed_as_they_are_said_to_be() {
    for (path, end) in [
        ("/length/too-long", "content-length: 100\r\n\r\nten bytes\n"),
        ("/length/none", "OK\r\n\r\nten bytes\n"),
        ("/chunked/no-last-chunk", "\r\n\r\na\r\nten bytes\n\r\n"),
        ("/chunked/bad-size", "\r\nnumber\r\nmore\r\n0\r\n\r\n"),
        ("/head/not-http", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    ] {
        let answer = answer(path).unwrap();
        assert!(answer.ends_with(end), "{path}: {answer}");
    }
}

/// What comes of a path whose connection is kept, up to this text.
fn kept_answer(path: &str, end: &str) -> String {
    let hostile = Hostile::start();
    let mut connection = wire::connect(hostile.address()).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    wire::read_until(&mut connection, end).unwrap()
}

#[test]
fn slow_and_large_heads_and_bodies_come_to_their_end() {
    let drops = kept_answer("/drip/20/1", &".".repeat(20));
    assert!(drops.ends_with(&".".repeat(20)), "{drops}");
    let chunks = kept_answer("/chunked/byte-by-byte", "0\r\n\r\n");
    assert_eq!(chunks.matches("1\r\n.\r\n").count(), 20);
    let many = kept_answer("/head/many/10000", "fine\n");
    assert_eq!(many.matches("\r\nx-number-").count(), 10_000);
    let huge = kept_answer("/head/huge/1048576", "fine\n");
    assert!(huge.len() > 1 << 20, "{}", huge.len());
    let interim = kept_answer("/interim/many/3", "fine\n");
    assert_eq!(interim.matches("HTTP/1.1 103 ").count(), 3);
    let hops = kept_answer("/redirect/chain/3", "\r\n\r\n");
    assert!(hops.contains("\r\nlocation: /redirect/chain/2\r\n"));
    let away = kept_answer("/redirect/to/307?http://a.test/b?c=d", "\r\n\r\n");
    assert!(away.starts_with("HTTP/1.1 307 "), "{away}");
    assert!(away.contains("\r\nlocation: http://a.test/b?c=d\r\n"));
    let cookies = kept_answer("/cookies/set?a=1%3B%20Path=/&b=%25", "set\n");
    assert!(cookies.contains("\r\nset-cookie: a=1; Path=/\r\nset-cookie: b=%\r\n"));
    let odd = kept_answer("/cookies/odd", "set\n");
    assert_eq!(odd.matches("\r\nset-cookie: ").count(), ODD_COOKIES.len());
    let events = kept_answer("/events/3/1", "0\r\n\r\n");
    assert_eq!(events.matches("event: tick\n").count(), 3);
}

#[test]
fn an_endless_body_has_an_end() {
    let hostile = Hostile::start();
    let mut connection = wire::connect(hostile.address()).unwrap();
    write!(connection, "GET /endless/length HTTP/1.1\r\n\r\n").unwrap();
    let head = wire::read_head(&mut connection).unwrap();
    assert!(head.contains(&format!("content-length: {ENDLESS}\r\n")));
    let body = &mut connection.take(ENDLESS);
    assert_eq!(io::copy(body, &mut io::sink()).unwrap(), ENDLESS);
}

/// The body that comes of an encoding.
fn encoded(how: &str) -> impl io::Read {
    let hostile = Hostile::start();
    let mut connection = wire::connect(hostile.address()).unwrap();
    write!(connection, "GET /encoding/{how} HTTP/1.1\r\n\r\n").unwrap();
    let head = wire::read_head(&mut connection).unwrap();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let mut body = Vec::new();
    let body_of = &mut connection.take(length.trim().parse().unwrap());
    body_of.read_to_end(&mut body).unwrap();
    io::Cursor::new(body)
}

fn read(mut from: impl io::Read) -> io::Result<String> {
    let mut text = String::new();
    from.read_to_string(&mut text).map(|_| text)
}

#[test]
fn encodings_are_good_and_bad_as_they_are_said_to_be() {
    assert_eq!(read(GzDecoder::new(encoded("gzip"))).unwrap(), PLAIN);
    assert_eq!(read(ZlibDecoder::new(encoded("deflate"))).unwrap(), PLAIN);
    let raw = DeflateDecoder::new(encoded("raw-deflate"));
    assert_eq!(read(raw).unwrap(), PLAIN);
    let twice = GzDecoder::new(GzDecoder::new(encoded("twice")));
    assert_eq!(read(twice).unwrap(), PLAIN);
    let members = MultiGzDecoder::new(encoded("members"));
    assert_eq!(read(members).unwrap(), PLAIN);
    assert_eq!(read(encoded("plain")).unwrap(), PLAIN);
    for broken in ["corrupt", "truncated", "trailing", "plain"] {
        let decoded = read(MultiGzDecoder::new(encoded(broken)));
        assert!(decoded.is_err(), "{broken}: {decoded:?}");
    }
}

#[test]
fn the_bomb_is_good_gzip() {
    let mut bomb = GzDecoder::new(encoded("bomb"));
    assert_eq!(io::copy(&mut bomb, &mut io::sink()).unwrap(), 1 << 30);
}

#[test]
fn what_is_uploaded_to_who_does_not_want_it_is_counted() {
    let hostile = Hostile::start();
    let head = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
    };
    let mut granted = wire::connect(hostile.address()).unwrap();
    granted
        .write_all(head("/expect/granted").as_bytes())
        .unwrap();
    assert_eq!(
        wire::read_head(&mut granted).unwrap(),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    assert_eq!(hostile.body_bytes("/expect/granted"), 0);
    granted.write_all(b"12345").unwrap();
    assert!(
        wire::read_until(&mut granted, "thank you\n")
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );
    assert_eq!(hostile.body_bytes("/expect/granted"), 5);

    for (path, status) in [
        ("/expect/refused", "417"),
        ("/expect/final", "200"),
        ("/early/answer", "413"),
    ] {
        let mut refused = wire::connect(hostile.address()).unwrap();
        refused.write_all(head(path).as_bytes()).unwrap();
        let answer = wire::read_head(&mut refused).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")));
        refused.write_all(b"123").unwrap();
        refused.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(refused.read(&mut [0]).unwrap(), 0);
        assert_eq!(hostile.body_bytes(path), 3, "{path}");
    }
}

#[test]
fn handshakes_come_to_nothing_each_in_its_way() {
    let said = |handshake| {
        let server = NoTls::start(handshake);
        let mut connection = wire::connect(server.address()).unwrap();
        let wait = Some(Duration::from_millis(50));
        connection.set_read_timeout(wait).unwrap();
        connection.write_all(&[22, 3, 1]).unwrap();
        let mut answer = Vec::new();
        let end = connection.read_to_end(&mut answer);
        (answer.len(), end.map(|_| ()).map_err(|error| error.kind()))
    };
    let (reset, stall) = (io::ErrorKind::ConnectionReset, io::ErrorKind::WouldBlock);
    assert_eq!(said(Handshake::Stalls), (0, Err(stall)));
    assert_eq!(said(Handshake::StallsInRecord), (7, Err(stall)));
    assert_eq!(said(Handshake::Closes), (0, Ok(())));
    assert_eq!(said(Handshake::Resets), (0, Err(reset)));
    assert!(matches!(said(Handshake::IsPlain), (40.., Ok(()))));

    let plain = Hostile::start();
    let mut connection = wire::connect(plain.address()).unwrap();
    let wait = Some(Duration::from_millis(50));
    connection.set_read_timeout(wait).unwrap();
    connection.write_all(&[22, 3, 1]).unwrap();
    assert_eq!(connection.read(&mut [0]).unwrap_err().kind(), stall);
    assert_eq!((plain.handshakes(), plain.requests()), (1, 0));
}
