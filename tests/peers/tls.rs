//! TLS with nginx: whom a client trusts, who it is, and what a handshake comes to, from both ends.

use std::{fs, time::Duration};

use mite::{
    Context, Scenario,
    http::{Connections, Settings, Tls, TlsVersion},
    journey, testing,
    volume::Constant,
};
use tests::{
    certificates::Authority,
    nginx::{Config, Nginx},
};

use crate::{
    program::visits,
    run::{at_with, passes, repeated},
};

const SECOND: Duration = Duration::from_secs(1);

/// Looks at two pages and stores something, trusting whatever certificate there is.
#[journey]
async fn visit(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    http.danger_accept_invalid_certs(true);
    http.get("/").send().await?.expect_status(200)?;
    http.get("/item/1").send().await?.expect_status(200)?;
    http.post("/store")
        .json(&["a thing"])
        .send()
        .await?
        .expect_status(201)?;
    Ok(())
}

#[tokio::test]
async fn every_request_over_tls_is_in_the_log_of_the_server() {
    let nginx = Config::tls(&Authority::new().server()).start();
    let scenario = Scenario::new()
        .base_url(nginx.url_of("localhost"))
        .journey::<visit>((), Constant::users(4, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_eq!(report.errors, []);
    assert_eq!(report.http.requests, log.len());
    assert_eq!(log.len(), 3 * report.journey("visit").unwrap().completed);
    assert_eq!(log.with_protocol("HTTP/1.1"), log.len());
    assert_eq!(log.count("/store"), log.with_status(201));
    assert_eq!(report.http.connections.opened, log.connections());
    assert_eq!(report.http.bytes_sent, log.request_length());
    for line in &log.0 {
        let tls = line.tls.as_ref().expect("every request was encrypted");
        assert_eq!((tls.version.as_str(), tls.client.as_str()), ("TLSv1.3", ""));
        assert_eq!(tls.server_name, "localhost");
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_of_the_client_is_told_there_is_none() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server())
        .verify_clients(&authority)
        .start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<visit>((), Constant::per_second(10, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_eq!((log.len(), log.with_status(400)), (10, 10));
    assert_eq!(report.http.failed, 10);
    let [error] = &report.errors[..] else {
        panic!("one row: {:?}", report.errors);
    };
    assert_eq!((error.kind.as_str(), error.count), ("error", 10));
}

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

/// A client that trusts this authority.
fn trusting(authority: &Authority) -> Tls {
    Tls::new().root_certificate_pem(authority.pem())
}

/// The kind and the words of the error that this client meets.
async fn refused(nginx: &Nginx, tls: Tls) -> (String, String) {
    let config = at_with(nginx.url(), &Settings::new().tls(tls));
    let recorded = testing::run_with::<look>((), config).await;
    let error = recorded.result().unwrap_err();
    (error.kind().to_owned(), error.message().to_owned())
}

#[tokio::test]
async fn a_certificate_of_a_given_authority_is_trusted_and_of_no_other() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server()).start();
    for tls in [
        Tls::new(),
        trusting(&Authority::new()),
        trusting(&Authority::new()).only_given_roots(),
    ] {
        let (kind, message) = refused(&nginx, tls).await;
        assert_eq!(kind, "tls");
        assert!(message.contains("certificate"), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority.pem()).unwrap();
    for tls in [
        trusting(&authority),
        trusting(&authority).only_given_roots(),
        Tls::new().root_certificate_file(file),
    ] {
        passes::<look>((), at_with(nginx.url(), &Settings::new().tls(tls))).await;
    }
    assert_eq!(nginx.finish().len(), 3);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_that_is_the_name_asked_for() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server_named(&["shop.test"])).start();
    let (kind, message) = refused(&nginx, trusting(&authority)).await;
    assert_eq!(kind, "tls");
    assert!(
        message.contains("127.0.0.1") && message.contains("shop.test"),
        "{message}"
    );

    let tls = trusting(&authority).server_name("shop.test");
    passes::<look>((), at_with(nginx.url(), &Settings::new().tls(tls))).await;
    let log = nginx.finish();
    assert_eq!(log.len(), 1);
    assert_eq!(log.0[0].tls.as_ref().unwrap().server_name, "shop.test");
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server())
        .verify_clients(&authority)
        .start();
    let ada = authority.client("ada");
    let folder = tempfile::tempdir().unwrap();
    let write = |name, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let by_files = trusting(&authority).client_certificate_files(
        write("ada.pem", &ada.certificate),
        write("ada.key", &ada.key),
    );
    let by_text = trusting(&authority).client_certificate_pem(&ada.certificate, &ada.key);
    for tls in [by_files, by_text] {
        passes::<look>((), at_with(nginx.url(), &Settings::new().tls(tls))).await;
    }
    let log = nginx.finish();
    assert_eq!((log.len(), log.with_status(200)), (2, 2));
    let ada =
        |line: &tests::nginx::Line| line.tls.as_ref().is_some_and(|tls| tls.client == "CN=ada");
    assert_eq!(log.count_of(ada), 2);
}

#[tokio::test]
async fn versions_outside_the_range_are_not_spoken() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server()).start();
    for (tls, version) in [
        (trusting(&authority), "TLSv1.3"),
        (
            trusting(&authority).max_version(TlsVersion::Tls12),
            "TLSv1.2",
        ),
        (
            trusting(&authority).min_version(TlsVersion::Tls13),
            "TLSv1.3",
        ),
    ] {
        passes::<look>((), at_with(nginx.url(), &Settings::new().tls(tls))).await;
        nginx.wait_for(|log| {
            let last = log.0.last().and_then(|line| line.tls.as_ref());
            last.is_some_and(|tls| tls.version == version)
        });
    }
    assert_eq!(nginx.finish().len(), 3);
}

/// Makes six requests, one after the other.
#[journey]
async fn six(ctx: &Context) -> mite::Result {
    for _ in 0..6 {
        ctx.http().get("/").send().await?.expect_status(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn sessions_are_resumed_unless_the_client_does_not_want_to() {
    let authority = Authority::new();
    let none = || Settings::new().connections(Connections::none());
    let own = || Settings::new().connections(Connections::per_journey());
    for (tls, client, handshakes, resumed) in [
        (trusting(&authority), none(), 12, 11),
        (
            trusting(&authority).max_version(TlsVersion::Tls12),
            none(),
            12,
            11,
        ),
        (
            trusting(&authority).session_resumption(false),
            none(),
            12,
            0,
        ),
        // Each run is a browser that was just started.
        (trusting(&authority), own(), 2, 0),
    ] {
        let nginx = Config::tls(&authority.server()).start();
        let report = repeated::<six>(2, nginx.url(), client.tls(tls)).await;
        let log = nginx.finish();
        assert_eq!(report.errors, []);
        assert_eq!(log.len(), 12);
        assert_eq!(
            (log.connections(), log.resumed_connections()),
            (handshakes, resumed)
        );
        let connections = report.http.connections;
        assert_eq!(
            (connections.tls_handshakes, connections.tls_resumed),
            (handshakes, resumed)
        );
        assert_eq!(connections.opened, handshakes);
    }
}

#[tokio::test]
async fn the_secrets_of_connections_are_logged_where_that_is_wanted() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server()).start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.log");
    let tls = trusting(&authority).key_log_file(&file);
    passes::<look>((), at_with(nginx.url(), &Settings::new().tls(tls))).await;
    let text = fs::read_to_string(file).unwrap();
    let wanted = [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
        "CLIENT_TRAFFIC_SECRET_0 ",
        "SERVER_TRAFFIC_SECRET_0 ",
    ];
    for label in wanted {
        assert_eq!(text.matches(label).count(), 1, "{text}");
    }
    for line in text.lines() {
        let random = line.split(' ').nth(1).unwrap();
        assert_eq!(random.len(), 64, "{line}");
    }
}

#[test]
fn a_program_can_be_told_to_trust_anybody() {
    let nginx = Config::tls(&Authority::new().server()).start();
    let base_url = format!("base_url={}", nginx.url());
    let careful = visits(&["--config", &base_url], &[]);
    assert_eq!(careful.code, Some(1), "{careful}");
    assert!(careful.output.contains("--insecure"), "{careful}");
    let careless = visits(&["--config", &base_url, "--insecure"], &[]);
    assert_eq!(careless.code, Some(0), "{careless}");
    assert_eq!(nginx.finish().len(), 1);
}
