//! What each misbehaviour over HTTP/1.1 is recorded as, and what becomes of its connection.

use std::time::Duration;

use mite::{Context, journey, testing};
use tests::{certificates::Authority, hostile::Hostile};

use crate::asking::{Ask, LONG, SHORT, config};

/// Whether the next request goes over the same connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    Kept,
    Closed,
}

use Connection::{Closed, Kept};

/// Asks for each path, in the clear and behind TLS. What is asked for once is counted once.
async fn assert_kinds(cases: &[(&str, &str, Connection)]) {
    let identity = Authority::new().server();
    for hostile in [Hostile::start(), Hostile::https(&identity)] {
        for (path, kind, connection) in cases {
            let (requests, connections) = (hostile.requests(), hostile.connections());
            let limit = if *kind == "timeout" { SHORT } else { LONG };
            let asked = Ask::new(path).timeout(limit).at(hostile.url()).await;
            let path = format!("{}{path}: {}", hostile.url(), asked.message);
            assert_eq!(asked.kind, *kind, "{path}");
            assert_eq!(asked.kept, *connection == Kept, "{path}");
            assert_eq!(hostile.requests() - requests, 2, "{path}");
            let opened = if asked.kept { 1 } else { 2 };
            assert_eq!(hostile.connections() - connections, opened, "{path}");
        }
        let made: u64 = cases.iter().map(|(path, ..)| hostile.hits(path)).sum();
        assert_eq!(made, cases.len() as u64);
    }
}

#[tokio::test]
async fn a_connection_that_ends_too_early_is_closed_or_reset() {
    assert_kinds(&[
        ("/close/before-a-byte", "closed", Closed),
        ("/close/in-status-line", "closed", Closed),
        ("/close/in-header", "closed", Closed),
        ("/close/after-answer", "fine", Closed),
        ("/reset/before-head", "reset", Closed),
        ("/reset/in-head", "reset", Closed),
        ("/reset/after-head", "reset", Closed),
        ("/reset/in-body", "reset", Closed),
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_says_no_more_is_a_timeout() {
    assert_kinds(&[
        ("/stall/before-head", "timeout", Closed),
        ("/stall/in-header", "timeout", Closed),
        ("/stall/in-body", "timeout", Closed),
        ("/drip/1000/100", "timeout", Closed),
        ("/interim/endless", "timeout", Closed),
        ("/events/endless/10", "timeout", Closed),
    ])
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_framed_well_is_a_broken_body() {
    assert_kinds(&[
        ("/length/too-long", "body", Closed),
        ("/chunked/bad-size", "body", Closed),
        ("/chunked/bad-end", "body", Closed),
        ("/chunked/huge-size", "body", Closed),
        ("/chunked/no-last-chunk", "body", Closed),
        ("/length/twice", "protocol", Closed),
        ("/length/negative", "protocol", Closed),
        ("/length/no-number", "protocol", Closed),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_breach_of_protocol() {
    assert_kinds(&[
        ("/head/not-http", "protocol", Closed),
        ("/head/bad-header", "protocol", Closed),
        ("/head/bad-status", "protocol", Closed),
        ("/head/bad-version", "protocol", Closed),
        ("/head/many/10000", "protocol", Closed),
        ("/head/huge/1048576", "protocol", Closed),
    ])
    .await;
}

#[tokio::test]
async fn odd_answers_that_are_valid_are_fine() {
    assert_kinds(&[
        ("/length/none", "fine", Closed),
        // What is left over belongs to no request, and no other must take it for its answer.
        ("/length/too-short", "fine", Closed),
        ("/length/and-chunked", "fine", Kept),
        ("/chunked/byte-by-byte", "fine", Kept),
        ("/chunked/trailers", "fine", Kept),
        ("/head/byte-by-byte", "fine", Kept),
        ("/head/many/90", "fine", Kept),
        ("/head/huge/10000", "fine", Kept),
        ("/head/status/204", "fine", Kept),
        ("/head/status/304", "fine", Kept),
        ("/head/status/503", "fine", Kept),
        ("/head/http-1.0", "fine", Closed),
        ("/interim/100", "fine", Kept),
        ("/interim/103", "fine", Kept),
        ("/interim/many/50", "fine", Kept),
        // An answer of status 101, after which the server speaks something else.
        ("/interim/switching", "fine", Closed),
        ("/drip/20/1", "fine", Kept),
        ("/events/3/1", "fine", Kept),
    ])
    .await;
}

#[tokio::test]
async fn behind_tls_a_body_without_a_length_ends_with_a_goodbye_or_is_cut_short() {
    let path = "/length/none-and-cut";
    let asked = Ask::new(path).at(Hostile::start().url()).await;
    assert_eq!(asked.kind, "fine");
    // Somebody on the way may have cut it (RFC 9112, section 9.8).
    let hostile = Hostile::https(&Authority::new().server());
    let asked = Ask::new(path).at(hostile.url()).await;
    assert_eq!((asked.kind.as_str(), asked.kept), ("body", false));
    assert_eq!(hostile.hits(path), 1);
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
    let recorded = testing::run_with::<ask_again>((), config(hostile.url())).await;
    recorded.result().unwrap();
    assert_eq!((hostile.requests(), hostile.connections()), (5, 5));
}

#[tokio::test]
async fn a_request_on_a_kept_connection_that_breaks_is_never_sent_twice() {
    #[journey]
    async fn post_after_another(ctx: &Context, path: String) -> mite::Result {
        ctx.http().get("/ok").send().await?;
        let post = ctx.http().post(&path).body("an order").timeout(LONG);
        post.send().await?;
        Ok(())
    }
    for (path, kind) in [
        ("/close/before-a-byte", "closed"),
        ("/close/in-header", "closed"),
        ("/reset/before-head", "reset"),
        ("/reset/in-body", "reset"),
    ] {
        let hostile = Hostile::start();
        let config = config(hostile.url());
        let recorded = testing::run_with::<post_after_another>(path.to_owned(), config).await;
        assert_eq!(recorded.result().unwrap_err().kind(), kind, "{path}");
        assert_eq!((hostile.hits(path), hostile.connections()), (1, 1));
        assert_eq!(hostile.body_bytes(path), 8, "{path}");
    }
}
