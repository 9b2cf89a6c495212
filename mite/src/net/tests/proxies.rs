//! Through HTTP and SOCKS proxies.

use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A proxy that plays its part of a conversation, then connects the client to a server.
struct TestProxy {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// One turn of the conversation: read so many bytes, or a head, then say this.
enum Turn {
    Hear(usize, Vec<u8>),
    HearHead(Vec<u8>),
}

impl TestProxy {
    async fn start(turns: Vec<Turn>, server: Option<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&heard);
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            for turn in turns {
                let answer = match turn {
                    Turn::Hear(length, answer) => {
                        let mut bytes = vec![0; length];
                        client.read_exact(&mut bytes).await.unwrap();
                        memory.lock().unwrap().extend(bytes);
                        answer
                    }
                    Turn::HearHead(answer) => {
                        let mut head = Vec::new();
                        while !head.ends_with(b"\r\n\r\n") {
                            head.push(client.read_u8().await.unwrap());
                        }
                        memory.lock().unwrap().extend(head);
                        answer
                    }
                };
                client.write_all(&answer).await.unwrap();
            }
            if let Some(server) = server {
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
        Self { port, heard }
    }

    async fn answering(answer: &str, server: Option<u16>) -> Self {
        Self::start(vec![Turn::HearHead(answer.into())], server).await
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

const OPEN: &str = "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";

async fn failure(proxy: String, https: bool, host: &str) -> Error {
    let connector = connector(&by(Proxy::all(proxy)));
    let error = connect(&connector, https, host, 443).await.0.unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    error
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let authority = Authority::new();
    let (server, names) = TlsServer::default().start(&authority).await;
    let proxy = TestProxy::answering(OPEN, Some(server)).await;
    let settings = Settings {
        tls: Tls::new().root_certificate_pem(&authority.pem),
        proxy: Proxy::all(format!("http://user:secret@localhost:{}", proxy.port)),
        ..Settings::default()
    };
    let connector = connector(&settings);
    assert!(
        connector
            .route(true, "shop.test", 443)
            .unwrap()
            .forwarding()
            .is_none()
    );
    let (stream, phases) = connect(&connector, true, "shop.test", 443).await;
    echo(&mut stream.unwrap()).await.unwrap();
    assert_eq!(
        String::from_utf8(proxy.heard()).unwrap(),
        "CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\
         Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
    );
    assert_eq!(*names.lock().unwrap(), ["shop.test"]);
    // The lookup is that of the proxy.
    assert!(phases.dns.is_some() && phases.connect.is_some() && phases.tls.is_some());
    assert_chained(phases);
}

#[tokio::test]
async fn http_is_handed_to_the_proxy_as_it_is() {
    let server = EchoServer::start().await;
    for (user, authorization) in [("", None), ("user:secret@", Some("Basic dXNlcjpzZWNyZXQ="))] {
        let url = format!("http://{user}127.0.0.1:{}", server.port());
        let connector = connector(&by(Proxy::all(url).no_proxy(".internal")));
        let route = connector.route(false, "shop.test", 80).unwrap();
        let header = route.forwarding().unwrap();
        assert_eq!(
            header.as_ref().map(|header| header.to_str().unwrap()),
            authorization
        );
        let (stream, phases) = connect(&connector, false, "shop.test", 80).await;
        let mut stream = stream.unwrap();
        echo(&mut stream).await.unwrap();
        assert_eq!(stream.wire().peer(), Some(server.address));
        assert_eq!(phases.dns, None);
        let direct = connector.route(false, "shop.internal", 80).unwrap();
        assert!(direct.forwarding().is_none());
    }
}

#[tokio::test]
async fn a_tunnel_that_is_not_opened_is_told_with_the_proxys_words() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    for (answer, words) in [
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            "it answered 403 Forbidden",
        ),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "it does not accept the user and password",
        ),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "sent what nobody asked for"),
        ("SSH-2.0-OpenSSH\r\n", "its answer is not HTTP"),
        ("HTTP/1.1 200", "it closed the connection"),
        (&long, "more than 16384 bytes"),
    ] {
        let proxy = TestProxy::answering(answer, None).await;
        let url = format!("http://user:secret@127.0.0.1:{}", proxy.port);
        let error = failure(url, true, "shop.test").await;
        assert_eq!(error.kind(), Kind::Proxy);
        let message = error.to_string();
        let start = format!(
            "the proxy http://127.0.0.1:{} opened no tunnel to shop.test:443: ",
            proxy.port
        );
        assert!(
            message.starts_with(&start) && message.contains(words),
            "{message}"
        );
    }
    let wanted = "HTTP/1.1 407 Who are you\r\n\r\n";
    let proxy = TestProxy::answering(wanted, None).await;
    let error = failure(format!("127.0.0.1:{}", proxy.port), true, "::1").await;
    assert!(
        error
            .to_string()
            .contains("[::1]:443: it answered 407 Who are you"),
        "{error}"
    );
    assert!(
        error.to_string().contains("http://user:password@host:port"),
        "{error}"
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let port = port_of_nobody();
    for https in [false, true] {
        let error = failure(
            format!("http://u:secret@127.0.0.1:{port}"),
            https,
            "shop.test",
        )
        .await;
        assert_eq!(error.kind(), Kind::Proxy);
        let message = error.to_string();
        let start = format!("the proxy http://127.0.0.1:{port} cannot be reached: ");
        assert!(
            message.starts_with(&start) && message.contains("refused"),
            "{message}"
        );
    }
    let error = failure(
        "socks5h://does-not-exist.invalid".to_owned(),
        false,
        "shop.test",
    )
    .await;
    assert_eq!(error.kind(), Kind::Proxy);
    assert!(
        error
            .to_string()
            .contains("cannot look up does-not-exist.invalid"),
        "{error}"
    );
}

/// The reply to a request: this code, and an address of no importance.
fn reply(code: u8) -> Vec<u8> {
    vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

#[tokio::test]
async fn socks_proxies_are_given_names_or_addresses_as_the_scheme_says() {
    let by_name = [&[5, 1, 0, 3, 9], b"shop.test".as_slice(), &[0x01, 0xbb]].concat();
    let by_address = vec![5, 1, 0, 1, 10, 0, 0, 7, 0x01, 0xbb];
    let named = [5, 0, 0, 3, 4, b'h', b'e', b'r', b'e', 0, 80].to_vec();
    for (scheme, host, request, reply) in [
        ("socks5h", "shop.test", by_name, named),
        ("socks5", "shop.test", by_address.clone(), reply(0)),
        ("socks5h", "10.0.0.7", by_address, reply(0)),
    ] {
        let server = EchoServer::start().await;
        let turns = vec![Turn::Hear(3, vec![5, 0]), Turn::Hear(request.len(), reply)];
        let proxy = TestProxy::start(turns, Some(server.port())).await;
        let settings = Settings {
            network: Network::new().resolve("shop.test:443:10.0.0.7"),
            proxy: Proxy::all(format!("{scheme}://127.0.0.1:{}", proxy.port)),
            ..Settings::default()
        };
        let (stream, phases) = connect(&connector(&settings), false, host, 443).await;
        echo(&mut stream.unwrap()).await.unwrap();
        assert_eq!(proxy.heard(), [[5, 1, 0].to_vec(), request].concat());
        assert_chained(phases);
    }
}

#[tokio::test]
async fn a_socks_proxy_is_told_the_user() {
    let server = EchoServer::start().await;
    let sign_in = [&[1, 4], b"user".as_slice(), &[6], b"secret"].concat();
    let turns = vec![
        Turn::Hear(4, vec![5, 2]),
        Turn::Hear(sign_in.len(), vec![1, 0]),
        Turn::Hear(22, [&[5, 0, 0, 4], [0; 18].as_slice()].concat()),
    ];
    let proxy = TestProxy::start(turns, Some(server.port())).await;
    let url = format!("socks5h://user:secret@127.0.0.1:{}", proxy.port);
    let (stream, _) = connect(&connector(&by(Proxy::all(url))), false, "::1", 80).await;
    echo(&mut stream.unwrap()).await.unwrap();
    let heard = proxy.heard();
    assert_eq!(heard[..4], [5, 2, 0, 2]);
    assert_eq!(heard[4..17], sign_in);
    assert_eq!(heard[17..21], [5, 1, 0, 4]);
}

#[tokio::test]
async fn what_a_socks_proxy_refuses_is_told_in_words() {
    let request = 16;
    let refusing = |code| vec![Turn::Hear(3, vec![5, 0]), Turn::Hear(request, reply(code))];
    for (turns, words) in [
        (refusing(2), "its rules do not allow it (reply 2)"),
        (refusing(5), "the host refused it (reply 5)"),
        (refusing(99), "unknown code 99"),
        (
            vec![Turn::Hear(3, vec![5, 0xff])],
            "it wants to know who asks",
        ),
        (vec![Turn::Hear(3, vec![5, 1])], "not supported"),
        (
            vec![Turn::Hear(3, b"HT".to_vec())],
            "does not speak SOCKS 5",
        ),
        (vec![Turn::Hear(3, vec![5])], "it closed the connection"),
    ] {
        let proxy = TestProxy::start(turns, None).await;
        let url = format!("socks5h://127.0.0.1:{}", proxy.port);
        let error = failure(url, false, "shop.test").await;
        assert_eq!(error.kind(), Kind::Proxy);
        let message = error.to_string();
        assert!(
            message.contains("shop.test:443") && message.contains(words),
            "{message}"
        );
    }
    let turns = vec![Turn::Hear(4, vec![5, 2]), Turn::Hear(10, vec![1, 1])];
    let proxy = TestProxy::start(turns, None).await;
    let url = format!("socks5h://u:secret@127.0.0.1:{}", proxy.port);
    let error = failure(url, false, "shop.test").await;
    assert!(
        error
            .to_string()
            .contains("does not accept the user and password"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_proxy_is_named_when_the_time_is_over() {
    let proxy = TestProxy::start(vec![Turn::Hear(1_000_000, Vec::new())], None).await;
    let settings = Settings {
        network: Network::new().connect_timeout(Duration::from_secs(2)),
        ..by(Proxy::all(format!(
            "http://u:secret@127.0.0.1:{}",
            proxy.port
        )))
    };
    let (late, _) = connect(&connector(&settings), true, "shop.test", 443).await;
    let error = late.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert_eq!(
        error.to_string(),
        format!(
            "no connection to shop.test within the connect_timeout of 2s: \
             no answer through the proxy http://127.0.0.1:{}",
            proxy.port
        )
    );
}

#[test]
fn a_proxy_that_makes_no_sense_is_told_before_a_run() {
    let settings = by(Proxy::all("socks4://proxy.test"));
    assert!(settings.check().unwrap_err().contains("socks4"));
    assert!(connector(&settings).route(false, "shop.test", 80).is_err());
    let settings = by(Proxy::none().no_proxy("10.0.0.0/99"));
    assert!(settings.check().unwrap_err().contains("10.0.0.0/99"));
}
