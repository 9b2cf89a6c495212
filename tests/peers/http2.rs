//! HTTP/2 with nginx: how it comes about, many streams on a connection, and its end.

use futures_util::future::join_all;
use mite::{
    Context,
    http::{Connections, HttpVersion, Settings, Tls, Version},
    journey,
};
use tests::{
    certificates::Authority,
    nginx::{Config, Log, Nginx},
};

use crate::run::{at_with, fields, passes, repeated, statuses, timings};

/// Makes so many requests at once, so many times.
#[journey]
async fn at_once(ctx: &Context, requests: usize, times: usize) -> mite::Result {
    let http = ctx.http();
    for _ in 0..times {
        let all = (0..requests).map(|number| http.get(format!("/item/{number}")).send());
        for answer in join_all(all).await {
            answer?
                .expect_status(200)?
                .expect_body_contains("an item")?;
        }
    }
    Ok(())
}

/// A server that offers HTTP/2 and HTTP/1.1, and a client that trusts it.
fn secured(directives: &str) -> (Nginx, Settings) {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server())
        .http2()
        .directives(directives)
        .start();
    let tls = Tls::new().root_certificate_pem(authority.pem());
    (nginx, Settings::new().tls(tls))
}

fn assert_all(log: &Log, requests: u64, protocol: &str) {
    assert_eq!((log.len(), log.with_status(200)), (requests, requests));
    assert_eq!(log.with_protocol(protocol), requests);
}

#[tokio::test]
async fn a_server_that_offers_it_over_tls_is_spoken_to_in_it() {
    let (nginx, client) = secured("");
    let recorded = passes::<at_once>((50_usize, 1_usize), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    assert_all(&log, 50, "HTTP/2.0");
    assert_eq!(
        log.connections(),
        1,
        "all of them at once on one connection"
    );
    assert!(
        timings(&recorded)
            .iter()
            .all(|timings| timings.version == Some(Version::HTTP_2))
    );
    let reused = fields(&recorded, "reused");
    assert_eq!(reused.iter().filter(|reused| **reused == true).count(), 49);
}

#[tokio::test]
async fn without_tls_it_is_spoken_by_prior_knowledge() {
    let nginx = Config::plain().http2().start();
    let client = Settings::new().version(HttpVersion::Http2);
    passes::<at_once>((50_usize, 2_usize), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    assert_all(&log, 100, "HTTP/2.0");
    assert_eq!(log.connections(), 1);
}

#[tokio::test]
async fn it_is_not_spoken_where_http_1_is_wanted() {
    let (nginx, client) = secured("");
    let client = client.version(HttpVersion::Http1);
    passes::<at_once>((5_usize, 2_usize), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    assert_all(&log, 10, "HTTP/1.1");
    assert_eq!(log.connections(), 5);
}

#[tokio::test]
async fn it_is_not_spoken_with_a_server_that_does_not_offer_it() {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server()).start();
    let tls = Tls::new().root_certificate_pem(authority.pem());
    let client = Settings::new().tls(tls);
    passes::<at_once>((1_usize, 3_usize), at_with(nginx.url(), &client)).await;
    assert_all(&nginx.finish(), 3, "HTTP/1.1");
}

#[tokio::test]
async fn a_limit_of_streams_is_kept_and_the_others_wait() {
    let (nginx, client) = secured("http2_max_concurrent_streams 4;");
    let client = client.connections(Connections::shared().max_per_host(1));
    let recorded = passes::<at_once>((20_usize, 1_usize), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    assert_all(&log, 20, "HTTP/2.0");
    assert_eq!(log.connections(), 1);
    let waited = timings(&recorded);
    let waited = waited
        .iter()
        .filter(|timings| timings.waiting.is_some())
        .count();
    assert!(waited >= 16, "{waited} of them had to wait");
}

#[tokio::test]
async fn a_server_that_goes_away_after_some_requests_loses_none() {
    let (nginx, client) = secured("keepalive_requests 10;");
    let recorded = passes::<at_once>((10_usize, 10_usize), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    assert_all(&log, 100, "HTTP/2.0");
    assert!(log.connections() >= 10, "{}", log.connections());
    assert_eq!(statuses(&recorded).len(), 100);
}

/// Makes ten requests, one after the other.
#[journey]
async fn ten(ctx: &Context) -> mite::Result {
    for _ in 0..10 {
        ctx.http().get("/item/1").send().await?.expect_status(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn each_run_and_each_request_can_have_a_connection_of_its_own() {
    for (connections, opened) in [(Connections::per_journey(), 3), (Connections::none(), 30)] {
        let (nginx, client) = secured("");
        let report = repeated::<ten>(3, nginx.url(), client.connections(connections)).await;
        let log = nginx.finish();
        assert_eq!(report.errors, []);
        assert_all(&log, 30, "HTTP/2.0");
        assert_eq!(log.connections(), opened);
        assert_eq!(report.http.connections.opened, opened);
    }
}

#[tokio::test]
async fn a_server_that_goes_away_is_in_the_report_as_new_connections_only() {
    let (nginx, client) = secured("keepalive_requests 7;");
    let report = repeated::<ten>(10, nginx.url(), client).await;
    let log = nginx.finish();
    assert_all(&log, 100, "HTTP/2.0");
    assert_eq!(report.errors, []);
    let http = &report.http;
    assert_eq!((http.requests, http.failed), (100, 0));
    assert_eq!(http.versions["HTTP/2.0"], 100);
    assert_eq!(http.connections.opened, log.connections());
    assert!(log.connections() >= 100 / 7, "{}", log.connections());
    assert!(http.errors.is_empty(), "{:?}", http.errors);
}
