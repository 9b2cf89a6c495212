//! The peers themselves, spoken to without the client.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use tests::{
    certificates::Authority,
    httpbin::Httpbin,
    nginx::{Config, Nginx},
    proxy::{Credentials, HttpProxy, Socks},
    wire,
};

const ADA: Credentials<'_> = Credentials {
    user: "ada",
    password: "secret",
};

/// `ada:secret`, as Basic authentication has it.
const ADA_ENCODED: &str = "YWRhOnNlY3JldA==";

#[test]
fn nginx_tells_what_it_has_served() {
    let nginx = Nginx::start();
    let address = nginx.address();
    assert!(wire::get(address, "/").unwrap().ends_with("hello\n"));
    let one = "GET /item/1 HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "GET /missing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    wire::exchange(address, &format!("{one}{one}{last}")).unwrap();
    let log = nginx.finish();

    assert_eq!((log.len(), log.connections()), (4, 2));
    assert_eq!(
        (
            log.count("/item/1"),
            log.count_of(|line| line.tls.is_some())
        ),
        (2, 0)
    );
    assert_eq!(
        (log.with_status(404), log.with_protocol("HTTP/1.1")),
        (1, 4)
    );
    let nth = log.0.iter().map(|line| line.connection_requests);
    assert_eq!(nth.collect::<Vec<_>>(), [1, 1, 2, 3]);
    assert_eq!(log.0[1].request_length, one.len() as u64);
    assert_eq!(log.0[1].client, "127.0.0.1");
}

#[test]
fn nginx_starts_in_every_form() {
    let authority = Authority::new();
    let forms = [
        Config::plain().http2(),
        Config::tls(&authority.server()),
        Config::tls(&authority.server())
            .http2()
            .verify_clients(&authority),
        Config::plain().address([127, 0, 0, 2]),
        Config::plain().address([0, 0, 0, 0, 0, 0, 0, 1]),
    ];
    for form in forms {
        let nginx = form.clone().start();
        let https = nginx.url().starts_with("https://");
        assert_eq!(https, format!("{form:?}").contains("BEGIN CERTIFICATE"));
        let mut socket = std::os::unix::net::UnixStream::connect(nginx.socket()).unwrap();
        write!(socket, "GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("hello\n"), "{answer}");
        assert_eq!(nginx.finish().0[0].client, "unix:");
    }
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let started = std::panic::catch_unwind(|| Nginx::with("no_such_directive;"));
    let said = started.err().unwrap();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("no_such_directive"), "{said}");
}

#[test]
fn nginx_comes_back_on_its_port() {
    let mut nginx = Nginx::start();
    nginx.restart_after(Duration::ZERO);
    assert!(wire::get(nginx.address(), "/").is_ok());
    assert_eq!(nginx.finish().len(), 1);
}

#[test]
fn httpbin_tells_back_and_counts() {
    let httpbin = Httpbin::start();
    let answer = wire::get(httpbin.address(), "/get?a=1").unwrap();
    assert!(answer.contains(r#"{"a":"1"}"#), "{answer}");
    let mut kept = wire::connect(httpbin.address()).unwrap();
    for _ in 0..2 {
        write!(kept, "GET /status/204 HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let answer = wire::read_head(&mut kept).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    }
    assert_eq!(httpbin.count("GET", "/get"), 1);
    assert_eq!(httpbin.count("POST", "/get"), 0);
}

#[test]
fn the_http_proxy_forwards_and_tunnels_and_counts() {
    let nginx = Nginx::start();
    let proxy = HttpProxy::start(None);
    assert_eq!((proxy.connections(), proxy.requests()), (0, vec![]));
    let absolute = format!("GET {}/ HTTP/1.1\r\nhost: a\r\n\r\n", nginx.url());
    let answer = wire::exchange(proxy.address(), &absolute).unwrap();
    assert!(answer.ends_with("hello\n"), "{answer}");

    let target = nginx.address();
    let mut tunnel = wire::connect(proxy.address()).unwrap();
    write!(
        tunnel,
        "CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n"
    )
    .unwrap();
    let answer = wire::read_head(&mut tunnel).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    write!(tunnel, "GET /item/1 HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    tunnel.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("an item\n"), "{answer}");

    assert_eq!(proxy.connections(), 2);
    let url = nginx.url();
    assert_eq!(
        proxy.requests(),
        [
            format!("GET {url}/ HTTP/1.1"),
            format!("CONNECT {target} HTTP/1.1")
        ]
    );
    assert_eq!(nginx.finish().len(), 2);
}

#[test]
fn the_http_proxy_wants_its_credentials() {
    let nginx = Nginx::start();
    let proxy = HttpProxy::start(Some(ADA));
    let get = |header: &str| {
        let request = format!("GET {}/ HTTP/1.1\r\nhost: a\r\n{header}\r\n", nginx.url());
        wire::exchange(proxy.address(), &request).unwrap()
    };
    let refused = get("");
    assert!(refused.starts_with("HTTP/1.0 407 "), "{refused}");
    let allowed = get(&format!("proxy-authorization: Basic {ADA_ENCODED}\r\n"));
    assert!(allowed.ends_with("hello\n"), "{allowed}");
    assert_eq!(nginx.finish().len(), 1);
}

#[test]
fn the_socks_proxy_connects_by_name_and_wants_its_credentials() {
    let nginx = Nginx::start();
    for credentials in [None, Some(ADA)] {
        let socks = Socks::start(credentials);
        let mut connection = wire::connect(socks.address()).unwrap();
        let mut expect = |sent: &[u8], wanted: &[u8]| {
            connection.write_all(sent).unwrap();
            let mut answer = vec![0; wanted.len()];
            connection.read_exact(&mut answer).unwrap();
            assert_eq!(answer, wanted);
        };
        if credentials.is_some() {
            expect(&[5, 1, 2], &[5, 2]);
            expect(b"\x01\x03ada\x06secret", &[1, 0]);
        } else {
            expect(&[5, 1, 0], &[5, 0]);
        }
        // As a name, which the proxy is to look up.
        let mut connect = b"\x05\x01\x00\x03\x09127.0.0.1".to_vec();
        connect.extend(nginx.address().port().to_be_bytes());
        expect(&connect, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        write!(connection, "GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("hello\n"), "{answer}");
        assert_eq!(socks.wait_for_targets(1), [nginx.address().to_string()]);
    }
    assert_eq!(nginx.finish().len(), 2);
}

#[test]
fn the_socks_proxy_refuses_who_has_no_credentials() {
    let socks = Socks::start(Some(ADA));
    let mut connection = wire::connect(socks.address()).unwrap();
    connection.write_all(&[5, 1, 0]).unwrap();
    let mut answer = [0; 2];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [5, 0xff]);
    assert_eq!(socks.targets(), [""; 0]);
}
