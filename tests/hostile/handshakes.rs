//! TLS handshakes that come to nothing, and what comes after one that does not.

use std::time::Duration;

use mite::{Config, Context, journey, testing};
use tests::{
    certificates::Authority,
    hostile::{Handshake, Hostile, NoTls},
};

#[journey]
async fn ask(ctx: &Context, path: String) -> mite::Result {
    ctx.http().danger_accept_invalid_certs(true);
    let request = ctx.http().get(&path).timeout(Duration::from_secs(1));
    request.send().await?.expect_status(200)?;
    Ok(())
}

async fn kind(url: String, path: &str) -> String {
    let mut config = Config::default();
    config.set("base_url", url);
    let recorded = testing::run_with::<ask>(path.to_owned(), config).await;
    let result = recorded.result();
    result.map_or_else(|error| error.kind().to_owned(), |()| "fine".to_owned())
}

#[tokio::test]
async fn a_handshake_that_fails_is_of_kind_tls_and_one_that_stalls_a_timeout() {
    for (handshake, wanted) in [
        (Handshake::Stalls, "timeout"),
        (Handshake::StallsInRecord, "timeout"),
        (Handshake::Closes, "tls"),
        (Handshake::Resets, "tls"),
        (Handshake::IsPlain, "tls"),
    ] {
        let server = NoTls::start(handshake);
        assert_eq!(kind(server.url(), "/").await, wanted, "{handshake:?}");
        assert_eq!(server.connections(), 1, "{handshake:?}");
    }
}

#[tokio::test]
async fn a_server_in_the_clear_that_is_asked_for_tls_is_a_timeout() {
    let hostile = Hostile::start();
    let url = hostile.url().replace("http://", "https://");
    assert_eq!(kind(url, "/ok").await, "timeout");
    assert_eq!((hostile.handshakes(), hostile.requests()), (1, 0));
}

#[tokio::test]
async fn misbehaviour_is_told_apart_behind_tls_too() {
    let hostile = Hostile::https(&Authority::new().server());
    for (path, wanted) in [
        ("/ok", "fine"),
        ("/close/before-a-byte", "closed"),
        ("/reset/before-head", "reset"),
        ("/length/too-long", "body"),
        ("/head/not-http", "protocol"),
        ("/stall/in-body", "timeout"),
    ] {
        assert_eq!(kind(hostile.url(), path).await, wanted, "{path}");
        assert_eq!(hostile.hits(path), 1, "{path}");
    }
    assert_eq!(hostile.handshakes(), hostile.connections());
}
