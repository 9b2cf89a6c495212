//! HTTPS with a certificate that nobody has signed.

use std::time::Duration;

use mite::{Config, Context, Run, Scenario, journey, report::Verdict, volume::Constant};
use tests::{agreement::assert_consistent, certificates::Identity};

use crate::{
    check::assert_same_requests,
    server::{Config as ServerConfig, Nginx},
};

const SECOND: Duration = Duration::from_secs(1);

/// Looks at the front page and at an article.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    Ok(())
}

/// The same, trusting whatever certificate there is.
#[journey]
async fn look_carelessly(ctx: &Context) -> mite::Result {
    ctx.http().danger_accept_invalid_certs(true);
    look(ctx).await
}

/// An HTTPS server whose certificate no authority knows.
pub(crate) fn self_signed() -> Nginx {
    ServerConfig::tls(&Identity::self_signed()).start()
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_before_anything_is_sent() {
    let nginx = self_signed();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<look>((), Constant::per_second(10, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_eq!(log.0, [], "nothing was asked");
    assert_consistent(&report);
    let row = report.journey("look").unwrap();
    assert_eq!((row.started, row.failed), (10, 10));
    let [error] = &report.errors[..] else {
        panic!("one row: {:?}", report.errors);
    };
    assert_eq!((error.kind.as_str(), error.count), ("tls", 10));
    assert!(error.message.contains("--insecure"), "{error:?}");
    let http = &report.http;
    assert_eq!((http.requests, http.connections.opened), (0, 0));
    assert_eq!(http.connections.failed, 10);
    assert_ne!(report.verdict, Verdict::Passed);
}

#[tokio::test]
async fn an_unknown_certificate_can_be_accepted_by_the_run_and_by_the_journey() {
    let nginx = self_signed();
    let volume = || Constant::users(3, SECOND);
    let by_the_run = Scenario::new()
        .base_url(nginx.url())
        .journey::<look>((), volume());
    let mut config = Config::default();
    config.set("mite.insecure", true);
    let by_the_run = Run::new(by_the_run).config(config).execute().await.unwrap();
    let seen = nginx.log().len();
    let by_the_journey = Scenario::new()
        .base_url(nginx.url())
        .journey::<look_carelessly>((), volume());
    let by_the_journey = mite::run(by_the_journey).await.unwrap();
    let mut log = nginx.finish();
    assert!(log.0.iter().all(|line| line.tls.is_some()));

    let second = crate::server::Log(log.0.split_off(usize::try_from(seen).unwrap()));
    for (report, log) in [(by_the_run, log), (by_the_journey, second)] {
        assert_same_requests(&report, &log);
        assert_eq!(report.errors, []);
        assert_eq!(log.len(), 2 * report.journeys[0].completed);
        let http = &report.http;
        assert_eq!(http.connections.opened, log.connections());
        assert_eq!(http.bytes_sent, log.request_length());
        assert_eq!(
            http.bytes_received,
            log.bytes_sent(),
            "encryption is left out"
        );
        let handshakes: u64 = http.requests_by.iter().map(|row| row.tls.count).sum();
        assert_eq!(handshakes, log.connections());
    }
}
