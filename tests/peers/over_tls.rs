//! Runs over TLS against nginx: protocols and connections, from both ends.

use std::time::Duration;

use mite::{Context, Scenario, journey, volume::Constant};
use tests::{certificates::Authority, nginx::Config};

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
