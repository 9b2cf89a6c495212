//! What each misbehaviour over HTTP/2 is recorded as, and what is sent again.

use std::time::Duration;

use futures_util::{
    future::join_all,
    stream::{self},
};
use h2::Reason;
use mite::{
    Context,
    http::{Body, HttpVersion},
    journey,
    testing::{self, Recorded},
};
use tests::{
    certificates::Authority,
    hostile::{GoAway, Http2, Http2Config},
};

use crate::asking::{Ask, LONG, Reading, SHORT, config, kinds};

/// By prior knowledge, and chosen by ALPN.
fn servers() -> [Http2; 2] {
    let identity = Authority::new().server();
    [
        Http2Config::plain().start(),
        Http2Config::tls(&identity).start(),
    ]
}

/// How to ask a server of HTTP/2: behind TLS without knowing what it is.
fn ask(server: &Http2, path: &str) -> Ask {
    if server.url().starts_with("https") {
        Ask::new(path)
    } else {
        Ask::new(path).http2()
    }
}

/// Asks for each path; the last column has how often the server saw it, and whether the next
/// request went over the same connection.
async fn assert_kinds(cases: &[(&str, &str, (u64, bool))]) {
    for server in servers() {
        for (path, kind, (hits, kept)) in cases {
            let (requests, connections) = (server.requests(), server.connections());
            let limit = if *kind == "timeout" { SHORT } else { LONG };
            let asked = ask(&server, path).timeout(limit).at(server.url()).await;
            let path = format!("{}{path}: {}", server.url(), asked.message);
            assert_eq!(asked.kind, *kind, "{path}");
            assert_eq!(asked.kept, *kept, "{path}");
            assert_eq!(server.requests() - requests, hits + 1, "{path}");
            let opened = if asked.kept { 1 } else { 2 };
            assert_eq!(server.connections() - connections, opened, "{path}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_is_reset_and_leaves_its_connection_to_others() {
    assert_kinds(&[
        ("/ok", "fine", (1, true)),
        ("/reset/internal-error", "reset", (1, true)),
        ("/reset/cancel", "reset", (1, true)),
        ("/reset-after-head/internal-error", "reset", (1, true)),
        ("/reset-in-body/cancel", "reset", (1, true)),
        ("/reset-in-body/refused-stream", "reset", (1, true)),
        // The first time and three times again.
        ("/reset/refused-stream", "reset", (4, true)),
        ("/refuse-first/3", "fine", (4, true)),
    ])
    .await;
}

#[tokio::test]
async fn what_a_connection_does_is_told_apart() {
    assert_kinds(&[
        ("/lost/before-head", "reset", (1, false)),
        ("/lost/in-body", "reset", (1, false)),
        ("/goaway/no-error", "fine", (1, false)),
        ("/goaway/enhance-your-calm", "fine", (1, false)),
        ("/stall/before-head", "timeout", (1, true)),
        ("/stall/in-body", "timeout", (1, true)),
        ("/length/too-long", "body", (1, true)),
        ("/length/too-short", "body", (1, true)),
        ("/head/many/90", "fine", (1, true)),
        ("/large/16", "fine", (1, true)),
        ("/large/65", "body", (1, true)),
    ])
    .await;
}

#[tokio::test]
async fn too_many_headers_are_a_breach_of_protocol() {
    for server in servers() {
        let path = "/head/many/10000";
        let asked = ask(&server, path).at(server.url()).await;
        assert_eq!(asked.kind, "protocol", "{}", asked.message);
        assert_eq!(server.hits(path), 1);
    }
}

#[tokio::test]
async fn a_body_of_any_length_is_read_when_nothing_of_it_is_kept() {
    let length = 100 << 20;
    for server in servers() {
        for reading in [Reading::Discarded, Reading::Streamed] {
            let ask = ask(&server, "/large/100").reading(reading);
            let asked = ask.at(server.url()).await;
            assert_eq!(
                (asked.kind.as_str(), asked.body),
                ("fine", (length, length))
            );
            assert!(asked.kept);
        }
    }
}

/// Asks for a path so many times at once, after one request for another if that is wanted.
#[journey]
async fn ask_at_once(
    ctx: &Context,
    (path, times, first): (String, u32, Option<String>),
) -> mite::Result {
    let http = ctx.http();
    if ctx.config().get::<String>("base_url")?.starts_with("http:") {
        http.configure(|settings| settings.version(HttpVersion::Http2));
    }
    if let Some(first) = first {
        http.get(&first).send().await?;
    }
    let all = (0..times).map(|_| http.get(&path).timeout(LONG).send());
    for answer in join_all(all).await {
        answer?.expect_status(200)?;
    }
    Ok(())
}

/// So many requests at once, after a first one from which the limit of streams is known.
async fn at_once(url: String, path: &str, times: u32) -> Recorded {
    let data = (path.to_owned(), times, Some("/first".to_owned()));
    testing::run_with::<ask_at_once>(data, config(url)).await
}

/// Servers that allow three streams on a connection.
fn narrow_servers() -> [Http2; 2] {
    let identity = Authority::new().server();
    [Http2Config::plain(), Http2Config::tls(&identity)].map(|config| config.max_streams(3).start())
}

#[tokio::test]
async fn no_connection_has_more_streams_than_the_server_allows() {
    for server in narrow_servers() {
        let recorded = at_once(server.url(), "/slow/20", 10).await;
        recorded.result().unwrap();
        assert_eq!(kinds(&recorded), [None; 11]);
        assert_eq!((server.requests(), server.hits("/slow/20")), (11, 10));
        assert_eq!(server.most_streams(), 3, "{}", server.url());
        // As many as are needed for those who wait, each with three streams.
        assert!((2..=4).contains(&server.connections()), "{server:?}");
        let waited = recorded.events("http").into_iter();
        let waited = waited.filter(|request| request.field("waiting").is_some());
        assert!(waited.count() >= 6);
    }
}

#[tokio::test]
async fn a_limit_of_streams_that_is_not_known_yet_loses_nothing() {
    for server in narrow_servers() {
        let data = ("/slow/20".to_owned(), 10, None);
        let recorded = testing::run_with::<ask_at_once>(data, config(server.url())).await;
        recorded.result().unwrap();
        assert_eq!(kinds(&recorded), [None; 10]);
        assert_eq!(server.requests(), 10, "{}", server.url());
    }
}

#[tokio::test]
async fn what_a_server_that_goes_in_peace_did_not_answer_is_sent_again_and_nobody_hears_of_it() {
    let server = GoAway::after(5, Reason::NO_ERROR);
    let recorded = at_once(server.url(), "/ok", 14).await;
    recorded.result().unwrap();
    assert_eq!(kinds(&recorded), [None; 15]);
    assert_eq!((server.answered(), server.connections()), (15, 3));
}

#[tokio::test]
async fn one_who_is_turned_away_more_than_three_times_fails() {
    let server = GoAway::after(1, Reason::NO_ERROR);
    let recorded = at_once(server.url(), "/ok", 6).await;
    assert_eq!(recorded.result().unwrap_err().kind(), "goaway");
    let kinds = kinds(&recorded);
    let failed = kinds.iter().flatten().count() as u64;
    assert_eq!(kinds.len(), 7);
    assert_eq!(server.answered(), 7 - failed);
    assert!((1..7).contains(&failed), "{kinds:?}");
}

#[tokio::test]
async fn a_server_that_goes_in_anger_is_a_failure_of_those_it_did_not_answer() {
    let server = GoAway::after(3, Reason::ENHANCE_YOUR_CALM);
    let recorded = at_once(server.url(), "/ok", 6).await;
    let error = recorded.result().unwrap_err();
    assert_eq!(error.kind(), "goaway");
    assert!(error.to_string().contains("ENHANCE_YOUR_CALM"), "{error}");
    let kinds = kinds(&recorded);
    let failed = kinds.iter().flatten().filter(|kind| **kind == "goaway");
    let failed = failed.count() as u64;
    assert_eq!(kinds.len(), 7);
    assert_eq!(server.answered(), 7 - failed);
    assert!(failed > 0);
}

#[tokio::test]
async fn a_stream_is_sent_once_and_bytes_again_only_when_the_server_refused_them() {
    #[journey]
    async fn post(ctx: &Context, (path, streamed): (String, bool)) -> mite::Result {
        let http = ctx.http();
        http.configure(|settings| settings.version(HttpVersion::Http2));
        let body = if streamed {
            Body::stream(stream::iter(["an ", "order"].map(Ok::<_, String>)))
        } else {
            Body::from("an order")
        };
        http.post(&path).body(body).timeout(LONG).send().await?;
        Ok(())
    }
    for (path, streamed, kind, hits) in [
        ("/refuse-first/1", true, "reset", 1),
        ("/refuse-first/1", false, "fine", 2),
        ("/reset/internal-error", true, "reset", 1),
        ("/reset/internal-error", false, "reset", 1),
        ("/lost/before-head", true, "reset", 1),
        ("/lost/before-head", false, "reset", 1),
        ("/lost/in-body", false, "reset", 1),
        ("/ok", true, "fine", 1),
    ] {
        let server = Http2Config::plain().start();
        let data = (path.to_owned(), streamed);
        let recorded = testing::run_with::<post>(data, config(server.url())).await;
        let found = recorded
            .result()
            .map_or_else(mite::Error::kind, |()| "fine");
        assert_eq!(found, kind, "{path}, {streamed}");
        let requests = (server.hits(path), server.connections());
        assert_eq!(requests, (hits, 1), "{path}, {streamed}");
        assert_eq!(server.body_bytes(path), 8 * hits, "{path}, {streamed}");
        assert_eq!(recorded.events("http").len(), 1, "{path}, {streamed}");
    }
}

#[tokio::test]
async fn others_on_a_connection_that_is_lost_fail_with_it_and_are_counted() {
    #[journey]
    async fn ask_both(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.configure(|settings| settings.version(HttpVersion::Http2));
        let (slow, lost) = tokio::join!(
            http.get("/slow/60000").send(),
            http.get("/lost/in-body").send()
        );
        mite::ensure!(lost.unwrap_err().is_reset() && slow.unwrap_err().is_reset());
        ctx.pause(Duration::from_millis(20)).await;
        http.get("/ok").send().await?;
        Ok(())
    }
    let server = Http2Config::plain().start();
    let recorded = testing::run_with::<ask_both>((), config(server.url())).await;
    recorded.result().unwrap();
    assert_eq!(kinds(&recorded), [Some("reset"), Some("reset"), None]);
    assert_eq!((server.requests(), server.connections()), (3, 2));
}
