//! What each misbehaviour is recorded as.

use std::time::{Duration, Instant};

use mite::{Config, Context, journey, testing};
use tests::hostile::Hostile;

/// Longer than any answer that comes takes, shorter than anybody wants to wait.
const LIMIT: Duration = Duration::from_secs(2);

/// Asks for a path.
#[journey]
async fn ask(ctx: &Context, path: String) -> mite::Result {
    ctx.http().get(&path).timeout(LIMIT).send().await?;
    Ok(())
}

/// The kind of error that asking for a path ends with; `fine` when with none. Whatever comes of
/// it, it is one request, counted once at both ends.
async fn kind(hostile: &Hostile, path: &str) -> String {
    let mut config = Config::default();
    config.set("base_url", hostile.url());
    config.set("mite.insecure", true);
    let (before, began) = (hostile.hits(path), Instant::now());
    let recorded = testing::run_with::<ask>(path.to_owned(), config).await;
    assert!(began.elapsed() < 3 * LIMIT, "{path}: {:?}", began.elapsed());
    assert_eq!(hostile.hits(path) - before, 1, "{path}");

    let requests = recorded.events("http");
    assert_eq!(requests.len(), 1, "{path}");
    let recorded_kind = requests[0].field("error").and_then(|kind| kind.as_str());
    match recorded.result() {
        Ok(()) => {
            assert_eq!(recorded_kind, None, "{path}");
            "fine".to_owned()
        }
        Err(error) => {
            assert_eq!(recorded_kind, Some(error.kind()), "{path}: {error}");
            error.kind().to_owned()
        }
    }
}

async fn assert_kinds(cases: &[(&str, &str)]) {
    let hostile = Hostile::start();
    for (path, wanted) in cases {
        assert_eq!(kind(&hostile, path).await, *wanted, "{path}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_too_early_is_closed_or_reset() {
    assert_kinds(&[
        ("/close/before-a-byte", "closed"),
        ("/close/in-status-line", "closed"),
        ("/close/in-header", "closed"),
        ("/close/after-answer", "fine"),
        ("/reset/before-head", "reset"),
        ("/reset/in-head", "reset"),
        ("/reset/after-head", "reset"),
        ("/reset/in-body", "reset"),
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_says_no_more_is_a_timeout() {
    let hostile = Hostile::start();
    let stalls = ["/stall/before-head", "/stall/in-header", "/stall/in-body"];
    for path in stalls.into_iter().chain(["/drip/1000/100"]) {
        assert_eq!(kind(&hostile, path).await, "timeout", "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_framed_well_is_a_broken_body() {
    assert_kinds(&[
        ("/length/too-long", "body"),
        ("/chunked/bad-size", "body"),
        ("/chunked/bad-end", "body"),
        ("/chunked/huge-size", "body"),
        ("/chunked/no-last-chunk", "body"),
        ("/length/twice", "protocol"),
        ("/length/negative", "protocol"),
        ("/length/no-number", "protocol"),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_breach_of_protocol() {
    assert_kinds(&[
        ("/head/not-http", "protocol"),
        ("/head/bad-header", "protocol"),
        ("/head/bad-status", "protocol"),
        ("/head/bad-version", "protocol"),
        ("/head/many/10000", "protocol"),
        ("/head/huge/1048576", "protocol"),
    ])
    .await;
}

#[tokio::test]
async fn odd_answers_that_are_valid_are_fine() {
    assert_kinds(&[
        ("/length/none", "fine"),
        ("/length/too-short", "fine"),
        ("/chunked/byte-by-byte", "fine"),
        ("/chunked/trailers", "fine"),
        ("/head/byte-by-byte", "fine"),
        ("/head/many/90", "fine"),
        ("/head/huge/10000", "fine"),
        ("/head/status/204", "fine"),
        ("/head/status/304", "fine"),
        ("/head/http-1.0", "fine"),
        ("/interim/100", "fine"),
        ("/interim/103", "fine"),
        ("/interim/many/50", "fine"),
        ("/drip/20/1", "fine"),
        ("/events/3/1", "fine"),
    ])
    .await;
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closes_is_nobodys_failure() {
    #[journey]
    async fn ask_again(ctx: &Context) -> mite::Result {
        for _ in 0..5 {
            ctx.http().get("/close/when-idle/5").send().await?;
            ctx.pause(Duration::from_millis(40)).await;
        }
        Ok(())
    }
    let hostile = Hostile::start();
    let mut config = Config::default();
    config.set("base_url", hostile.url());
    let recorded = testing::run_with::<ask_again>((), config).await;
    recorded.result().unwrap();
    assert_eq!((hostile.requests(), hostile.connections()), (5, 5));
}
