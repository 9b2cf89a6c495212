//! TLS: trust, identity, versions, sessions.

use rustls::version::{TLS12, TLS13};

use super::*;

/// Trusts the authority for `shop.test` at 127.0.0.1.
fn shop(authority: &Authority, port: u16, change: impl FnOnce(Tls) -> Tls) -> Settings {
    let tls = Tls::new()
        .root_certificate_pem(&authority.pem)
        .only_given_roots();
    let tls = change(tls);
    tls.check().unwrap();
    Settings {
        network: Network::new().resolve(format!("*:{port}:127.0.0.1")),
        tls,
        ..Settings::default()
    }
}

async fn refused(settings: &Settings, host: &str, port: u16) -> String {
    let (outcome, _) = connect(&connector(settings), true, host, port).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::Tls);
    error.to_string()
}

#[tokio::test]
async fn a_certificate_is_accepted_for_its_name_from_a_trusted_authority() {
    let authority = Authority::new();
    let (port, names) = TlsServer::default().start(&authority).await;
    let settings = shop(&authority, port, |tls| tls);
    let (stream, phases) = connect(&connector(&settings), true, "shop.test", port).await;
    echo(&mut stream.unwrap()).await.unwrap();
    assert!(phases.connect.is_some() && phases.tls.is_some());
    assert_chained(phases);
    assert_eq!(*names.lock().unwrap(), ["shop.test"]);

    let message = refused(&settings, "other.test", port).await;
    assert!(
        message.contains("other.test") && message.contains("it is for"),
        "{message}"
    );
    let message = refused(&trusting(Tls::new()), "127.0.0.1", port).await;
    assert!(message.contains("does not trust"), "{message}");
    let accepting = trusting(Tls::new().danger_accept_invalid_certs(true));
    let (stream, _) = connect(&connector(&accepting), true, "127.0.0.1", port).await;
    stream.unwrap();
}

#[tokio::test]
async fn a_root_file_is_trusted_beside_those_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    let authority = Authority::new();
    std::fs::write(&file, &authority.pem).unwrap();
    let (port, _) = TlsServer::default().start(&authority).await;
    let mut settings = shop(&authority, port, |tls| tls);
    settings.tls = Tls::new().root_certificate_file(&file);
    let (stream, _) = connect(&connector(&settings), true, "shop.test", port).await;
    stream.unwrap();
}

#[tokio::test]
async fn the_server_name_replaces_the_host_of_the_url() {
    let authority = Authority::new();
    let (port, names) = TlsServer::default().start(&authority).await;
    let settings = shop(&authority, port, |tls| tls.server_name("shop.test"));
    let (stream, _) = connect(&connector(&settings), true, "127.0.0.1", port).await;
    echo(&mut stream.unwrap()).await.unwrap();
    assert_eq!(*names.lock().unwrap(), ["shop.test"]);
    let settings = shop(&authority, port, |tls| tls.server_name("other.test"));
    let message = refused(&settings, "shop.test", port).await;
    assert!(
        message.contains("it is for") && message.contains("shop.test"),
        "{message}"
    );
}

#[tokio::test]
async fn a_server_gets_the_client_certificate_it_wants() {
    let authority = Authority::new();
    let identity = authority.issue("client");
    for version in [&TLS12, &TLS13] {
        let server = TlsServer {
            wants_certificate: true,
            versions: vec![version],
            ..TlsServer::default()
        };
        let (port, _) = server.start(&authority).await;
        let settings = shop(&authority, port, |tls| {
            tls.client_certificate_pem(&identity.certificate, &identity.key)
        });
        let (stream, _) = connect(&connector(&settings), true, "shop.test", port).await;
        echo(&mut stream.unwrap()).await.unwrap();

        let settings = shop(&authority, port, |tls| tls);
        let (stream, _) = connect(&connector(&settings), true, "shop.test", port).await;
        let message = match stream {
            Err(error) => error.to_string(),
            // With TLS 1.3 the server complains after the client thinks all is well.
            Ok(mut stream) => explain_alert(&echo(&mut stream).await.unwrap_err()).unwrap(),
        };
        assert!(message.contains("client certificate"), "{message}");
    }
}

#[tokio::test]
async fn only_versions_within_the_range_are_spoken() {
    let authority = Authority::new();
    for (version, own, other) in [
        (&TLS12, TlsVersion::Tls12, TlsVersion::Tls13),
        (&TLS13, TlsVersion::Tls13, TlsVersion::Tls12),
    ] {
        let server = TlsServer {
            versions: vec![version],
            ..TlsServer::default()
        };
        let (port, _) = server.start(&authority).await;
        let only = |version| {
            shop(&authority, port, |tls| {
                tls.min_version(version).max_version(version)
            })
        };
        let (stream, _) = connect(&connector(&only(own)), true, "shop.test", port).await;
        stream.unwrap();
        let message = refused(&only(other), "shop.test", port).await;
        assert!(message.contains("version"), "{message}");
    }
}

#[tokio::test]
async fn sessions_are_resumed_unless_that_is_off_or_they_are_fresh() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let server = TlsServer {
            versions: vec![version],
            ..TlsServer::default()
        };
        let (port, _) = server.start(&authority).await;
        let resumed = async |connector: &Connector| {
            let (stream, _) = connect(connector, true, "shop.test", port).await;
            let mut stream = stream.unwrap();
            // The tickets of TLS 1.3 come with the first answer.
            echo(&mut stream).await.unwrap();
            stream.wire().tls_resumed().unwrap()
        };
        let usual = connector(&shop(&authority, port, |tls| tls));
        assert!(!resumed(&usual).await);
        assert!(resumed(&usual).await);
        let fresh = usual.with_fresh_sessions();
        assert!(!resumed(&fresh).await);
        assert!(resumed(&fresh).await);
        assert!(!resumed(&usual.with_fresh_sessions()).await);

        let without = connector(&shop(&authority, port, |tls| tls.session_resumption(false)));
        for connector in [&without, &without, &without.with_fresh_sessions()] {
            assert!(!resumed(connector).await);
        }
    }
}

#[tokio::test]
async fn the_protocol_is_chosen_from_those_offered() {
    let authority = Authority::new();
    for (spoken, offered, http2) in [
        (vec!["h2", "http/1.1"], Alpn::Any, true),
        (vec!["h2", "http/1.1"], Alpn::Http1, false),
        (vec!["h2", "http/1.1"], Alpn::Http2, true),
        (vec!["http/1.1"], Alpn::Any, false),
        (vec![], Alpn::Any, false),
    ] {
        let server = TlsServer {
            protocols: spoken,
            ..TlsServer::default()
        };
        let (port, _) = server.start(&authority).await;
        let mut settings = shop(&authority, port, |tls| tls);
        settings.alpn = offered;
        let (stream, _) = connect(&connector(&settings), true, "shop.test", port).await;
        assert_eq!(stream.unwrap().wire().is_http2(), http2);
    }
    let server = TlsServer {
        protocols: vec!["http/1.1"],
        ..TlsServer::default()
    };
    let (port, _) = server.start(&authority).await;
    let mut settings = shop(&authority, port, |tls| tls);
    settings.alpn = Alpn::Http2;
    let message = refused(&settings, "shop.test", port).await;
    assert!(message.contains("ALPN"), "{message}");
}

#[tokio::test]
async fn the_secrets_of_connections_are_logged_for_those_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let authority = Authority::new();
    let (port, _) = TlsServer::default().start(&authority).await;
    let settings = shop(&authority, port, |tls| tls.key_log_file(&file));
    for _ in 0..2 {
        let (stream, _) = connect(&connector(&settings), true, "shop.test", port).await;
        stream.unwrap();
    }
    let log = std::fs::read_to_string(&file).unwrap();
    let secrets = log
        .lines()
        .filter(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 "));
    assert_eq!(secrets.clone().count(), 2, "{log}");
    for line in secrets {
        let [_, random, secret] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(random.len(), 64);
        assert!(secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[tokio::test]
async fn a_port_without_tls_is_told_from_one_that_closes() {
    let plain = EchoServer::start().await;
    let message = refused(&Settings::default(), "127.0.0.1", plain.port()).await;
    assert!(message.contains("TLS"), "{message}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Read first, so that closing sends an end and no reset.
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let message = refused(&Settings::default(), "127.0.0.1", port).await;
    assert!(
        message.contains("closed the connection during the TLS handshake"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_read_or_does_not_fit_is_told_before_a_run() {
    let authority = Authority::new();
    let [one, other] = [authority.issue("one"), authority.issue("other")];
    let with = |certificate: &str, key: &str| Tls::new().client_certificate_pem(certificate, key);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    for (tls, words) in [
        (
            Tls::new().root_certificate_file("/none.pem"),
            ["/none.pem", "No such file"],
        ),
        (
            Tls::new().root_certificate_file("none.pem"),
            ["none.pem", "looked for in"],
        ),
        (
            Tls::new().root_certificate_pem("text"),
            ["root certificate", "BEGIN CERTIFICATE"],
        ),
        (
            Tls::new().only_given_roots(),
            ["only_given_roots", "root_certificate_file"],
        ),
        (
            with(&one.certificate, &other.key),
            ["client certificate", "another key"],
        ),
        (
            with(&one.key, &one.key),
            ["client certificate", "BEGIN CERTIFICATE"],
        ),
        (
            with(&one.certificate, &one.certificate),
            ["client key", "BEGIN PRIVATE KEY"],
        ),
        (
            with(&one.certificate, encrypted),
            ["encrypted", "openssl pkey"],
        ),
        (
            Tls::new().server_name("a b"),
            ["`a b`", "neither a DNS name"],
        ),
        (
            Tls::new().key_log_file("/none/keys"),
            ["key log", "/none/keys"],
        ),
        (
            Tls::new()
                .min_version(TlsVersion::Tls13)
                .max_version(TlsVersion::Tls12),
            ["min_version is TLS 1.3", "max_version is TLS 1.2"],
        ),
    ] {
        let message = tls.check().unwrap_err();
        assert!(
            words.iter().all(|words| message.contains(words)),
            "{message}"
        );
    }
    with(&one.certificate, &one.key).check().unwrap();
}

#[test]
fn keys_travel_with_the_settings_but_are_not_shown() {
    let identity = Authority::new().issue("client");
    let tls = Tls::new().client_certificate_pem(&identity.certificate, &identity.key);
    assert!(!format!("{tls:?}").contains("PRIVATE"));
    let json = serde_json::to_string(&tls).unwrap();
    assert_eq!(serde_json::from_str::<Tls>(&json).unwrap(), tls);
}
