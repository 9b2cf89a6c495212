//! Names, addresses and limits.

use std::net::{IpAddr, SocketAddr, TcpStream};

use tokio::{net::UnixListener, time::Instant};

use super::*;

fn shop(port: u16, addresses: &str) -> Network {
    Network::new().resolve(format!("shop.test:{port}:{addresses}"))
}

/// Nobody accepts, and the queue of one is taken: what more comes is not answered.
struct BlackHole {
    address: SocketAddr,
    _socket: socket2::Socket,
    _taken: TcpStream,
}

impl BlackHole {
    fn at(address: &str) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self {
            address,
            _socket: socket,
            _taken: TcpStream::connect(address).unwrap(),
        }
    }
}

#[tokio::test]
async fn an_address_needs_no_lookup_and_a_name_does_the_first_time() {
    let server = EchoServer::start().await;
    let connector = connector(&Settings::default());
    for (host, looked_up) in [
        ("127.0.0.1", false),
        ("localhost", true),
        ("localhost", false),
    ] {
        let (stream, phases) = connect(&connector, false, host, server.port()).await;
        let mut stream = stream.unwrap();
        echo(&mut stream).await.unwrap();
        assert_eq!(phases.dns.is_some(), looked_up, "{host}");
        assert!(phases.connect.is_some());
        assert_eq!(phases.tls, None);
        assert_chained(phases);
        let wire = stream.wire();
        assert_eq!(wire.peer(), Some(server.address));
        assert_eq!((wire.is_http2(), wire.tls_resumed()), (false, None));
    }
}

#[tokio::test]
async fn addresses_are_used_in_turn_and_one_that_refuses_is_passed_over() {
    let first = EchoServer::start().await;
    let port = first.port();
    let second = EchoServer::start_at(&format!("127.0.0.2:{port}")).await;
    // Nobody is at 127.0.0.3.
    let connector = connector(&on(shop(port, "127.0.0.1,127.0.0.2,127.0.0.3")));
    for _ in 0..6 {
        let (stream, phases) = connect(&connector, false, "shop.test", port).await;
        echo(&mut stream.unwrap()).await.unwrap();
        assert_eq!(phases.dns, None);
    }
    assert_eq!((first.peers().len(), second.peers().len()), (4, 2));
}

#[tokio::test]
async fn names_are_looked_up_once_for_all_connectors_of_a_worker_and_used_in_turn() {
    let first = EchoServer::start().await;
    let port = first.port();
    let second = EchoServer::start_at(&format!("127.0.0.2:{port}")).await;
    let lookups = Rc::new(Cell::new(0));
    let count = Rc::clone(&lookups);
    let resolver = Rc::new(Resolver::asking(move |host| {
        assert_eq!(host, "shop.test");
        count.set(count.get() + 1);
        async {
            Ok(["127.0.0.1", "127.0.0.2"]
                .map(|address| address.parse().unwrap())
                .into())
        }
    }));
    let connectors = [Network::new(), Network::new().connect_retries(1)]
        .map(|network| Connector::new(&on(network), Rc::clone(&resolver)));
    for (nth, connector) in connectors.iter().cycle().take(4).enumerate() {
        let (stream, phases) = connect(connector, false, "shop.test", port).await;
        echo(&mut stream.unwrap()).await.unwrap();
        assert_eq!(phases.dns.is_some(), nth == 0);
    }
    assert_eq!(lookups.get(), 1);
    assert_eq!((first.peers().len(), second.peers().len()), (2, 2));
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_are_different_failures() {
    let connector = connector(&Settings::default());
    let port = port_of_nobody();
    let (refused, phases) = connect(&connector, false, "127.0.0.1", port).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to 127.0.0.1:{port}: Connection refused (os error 111); \
             is the server running?"
        )
    );
    assert_eq!((phases.dns, phases.connect), (None, None));
    assert_chained(phases);

    let (unknown, _) = connect(&connector, false, "does-not-exist.invalid", port).await;
    let error = unknown.unwrap_err();
    assert_eq!(error.kind(), Kind::Dns);
    assert!(
        error.to_string().contains("does-not-exist.invalid"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_family_that_does_not_answer_is_overtaken_after_a_quarter_of_a_second() {
    let hole = BlackHole::at("[::1]:0");
    let port = hole.address.port();
    let server = EchoServer::start_at(&format!("127.0.0.1:{port}")).await;
    let connector = connector(&on(shop(port, "[::1],127.0.0.1")));
    let (stream, phases) = connect(&connector, false, "shop.test", port).await;
    assert_eq!(stream.unwrap().wire().peer(), Some(server.address));
    let took = phases.connect.unwrap();
    assert!(
        took >= Duration::from_millis(250) && took < Duration::from_secs(1),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_family_that_refuses_is_overtaken_at_once() {
    let server = EchoServer::start().await;
    let connector = connector(&on(shop(server.port(), "[::1],127.0.0.1")));
    let start = Instant::now();
    let (stream, _) = connect(&connector, false, "shop.test", server.port()).await;
    assert_eq!(stream.unwrap().wire().peer(), Some(server.address));
    assert!(start.elapsed() < Duration::from_millis(250));
}

#[tokio::test]
async fn when_both_families_refuse_both_are_named() {
    let port = port_of_nobody();
    let connector = connector(&on(shop(port, "[::1],127.0.0.1")));
    let (refused, _) = connect(&connector, false, "shop.test", port).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!(
            "cannot connect to shop.test ([::1]:{port}, 127.0.0.1:{port}): \
             Connection refused (os error 111); is the server running?"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn each_address_of_a_family_gets_its_share_of_the_connect_timeout() {
    let hole = BlackHole::at("127.0.0.1:0");
    let port = hole.address.port();
    let server = EchoServer::start_at(&format!("127.0.0.2:{port}")).await;
    let network = shop(port, "127.0.0.1,127.0.0.2").connect_timeout(Duration::from_secs(10));
    let (stream, phases) = connect(&connector(&on(network)), false, "shop.test", port).await;
    assert_eq!(stream.unwrap().wire().peer(), Some(server.address));
    assert!(phases.connect.unwrap() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_connect_timeout_ends_the_waiting_and_says_for_what() {
    let hole = BlackHole::at("127.0.0.1:0");
    let limit = Duration::from_secs(3);
    let network = Network::new().connect_timeout(limit);
    let start = Instant::now();
    let connector = connector(&on(network.clone()));
    let (late, phases) = connect(&connector, false, "127.0.0.1", hole.address.port()).await;
    let error = late.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert_eq!(
        error.to_string(),
        "no connection to 127.0.0.1 within the connect_timeout of 3s: no address answered"
    );
    assert!(start.elapsed() >= limit && phases.connect.is_none());

    let resolver = Resolver::asking(|_| std::future::pending());
    let connector = Connector::new(&on(network), Rc::new(resolver));
    let (late, _) = connect(&connector, true, "shop.test", 443).await;
    let message = late.unwrap_err().to_string();
    assert!(
        message.ends_with("the name had not been looked up"),
        "{message}"
    );
}

#[tokio::test]
async fn the_connect_timeout_holds_for_the_tls_handshake_too() {
    // Accepts, and never says a word.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let network = Network::new().connect_timeout(Duration::from_millis(20));
    let (late, phases) = connect(&connector(&on(network)), true, "127.0.0.1", port).await;
    let error = late.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!(
        error
            .to_string()
            .ends_with("the TLS handshake had not ended"),
        "{error}"
    );
    assert!(phases.connect.is_some() && phases.tls.is_none());
    assert_chained(phases);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_retried_as_often_as_asked() {
    let port = port_of_nobody();
    let start = Instant::now();
    let network = Network::new().connect_retries(3);
    let connector = connector(&on(network));
    let (refused, _) = connect(&connector, false, "127.0.0.1", port).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Connect);
    assert_eq!(start.elapsed().as_millis() / 100, 7);

    let late = async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        EchoServer::start_at(&format!("127.0.0.1:{port}")).await
    };
    let ((stream, phases), _) = tokio::join!(connect(&connector, false, "127.0.0.1", port), late);
    stream.unwrap();
    assert!(phases.connect.unwrap() >= Duration::from_millis(300));
    assert_chained(phases);
}

#[tokio::test]
async fn source_addresses_are_used_in_turn() {
    let server = EchoServer::start().await;
    let sources = ["127.0.0.2", "::1", "127.0.0.3"].map(|address| address.parse().unwrap());
    let network = Network::new().source_addresses(sources);
    network.check().unwrap();
    let connector = connector(&on(network));
    for _ in 0..4 {
        let (stream, _) = connect(&connector, false, "127.0.0.1", server.port()).await;
        echo(&mut stream.unwrap()).await.unwrap();
    }
    let seen = server
        .peers()
        .iter()
        .map(|peer| peer.ip().to_string())
        .collect::<Vec<_>>();
    assert_eq!(seen, ["127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.3"]);
}

#[tokio::test]
async fn a_source_address_that_is_not_ours_is_told() {
    let foreign: IpAddr = "192.0.2.1".parse().unwrap();
    let network = Network::new().source_addresses([foreign]);
    let message = network.check().unwrap_err();
    assert!(
        message.contains("192.0.2.1") && message.contains("this machine"),
        "{message}"
    );

    let (failed, _) = connect(&connector(&on(network)), false, "127.0.0.1", 80).await;
    let error = failed.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
    assert!(
        error.to_string().contains("the source address 192.0.2.1"),
        "{error}"
    );
}

#[tokio::test]
async fn every_connection_goes_to_the_unix_socket_with_tls_as_the_url_says() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    for https in [false, true] {
        let path = folder.path().join(format!("{https}.sock"));
        let listener = UnixListener::bind(&path).unwrap();
        let acceptor = TlsServer::default().acceptor(&authority);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            if https {
                server::repeat(acceptor.accept(stream).await.unwrap()).await;
            } else {
                server::repeat(stream).await;
            }
        });
        let network = Network::new().unix_socket(&path);
        network.check().unwrap();
        let settings = Settings {
            network,
            tls: Tls::new()
                .root_certificate_pem(&authority.pem)
                .only_given_roots(),
            proxy: Proxy::all("http://proxy.test"),
            ..Settings::default()
        };
        let (stream, phases) = connect(&connector(&settings), https, "shop.test", 1).await;
        let mut stream = stream.unwrap();
        echo(&mut stream).await.unwrap();
        let wire = stream.wire();
        assert_eq!((wire.written(), wire.read(), wire.peer()), (6, 6, None));
        assert!(wire.is_quiet());
        assert_eq!((phases.dns, phases.tls.is_some()), (None, https));
        assert_chained(phases);
    }

    let network = Network::new().unix_socket(folder.path().join("none.sock"));
    let (failed, _) = connect(&connector(&on(network)), false, "shop.test", 80).await;
    let error = failed.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
    assert!(error.to_string().contains("none.sock"), "{error}");
}

#[test]
fn settings_that_make_no_sense_are_told_before_a_run() {
    let long = format!("/{}", "x".repeat(200));
    let ours = ["::1".parse().unwrap()];
    for (network, words) in [
        (
            Network::new().resolve("shop.test:80"),
            "the address is missing",
        ),
        (
            Network::new().connect_timeout(Duration::ZERO),
            "connect_timeout of zero",
        ),
        (Network::new().unix_socket(long), "cannot be used"),
        (
            Network::new()
                .source_addresses(ours)
                .address_family(AddressFamily::Ipv4Only),
            "none of the source addresses is IPv4",
        ),
    ] {
        let message = network.check().unwrap_err();
        assert!(message.contains(words), "{message}");
    }
    let bad = connector(&on(Network::new().resolve("shop.test:80")));
    assert!(
        bad.route(false, "shop.test", 80)
            .unwrap_err()
            .contains("the address is missing")
    );
    Settings::default().check().unwrap();
}

#[test]
fn settings_travel_as_json() {
    let settings = Network::new()
        .resolve("shop.test:80:10.0.0.7")
        .dns_ttl(Duration::ZERO)
        .address_family(AddressFamily::PreferIpv6)
        .source_addresses(["10.0.0.1".parse().unwrap()])
        .unix_socket("/run/shop.sock")
        .connect_timeout(Duration::from_millis(1500))
        .connect_retries(2);
    let json = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), settings);
    assert_eq!(
        serde_json::from_str::<Network>("{}").unwrap(),
        Network::default()
    );
}
