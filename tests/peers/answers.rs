//! What comes back: compressed, long, slow, bit by bit.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use mite::{Context, http::Settings, journey};
use serde_json::Value;
use tests::{httpbin::Httpbin, nginx::Nginx};

use crate::run::{at, at_with, fields, passes, repeated, statuses, timings, told};

/// A hundred times `x`, as zstd has it: a frame of one block that says what to repeat.
const HUNDRED_BY_ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x64\x23\x03\x00x";

/// Gets what is compressed, in three ways.
#[journey]
async fn compressed(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    for (path, field) in [
        ("/gzip", "gzipped"),
        ("/deflate", "deflated"),
        ("/brotli", "brotli"),
    ] {
        let answer = http.get(path).send().await?.expect_status(200)?;
        answer.expect_json(format!("/{field}"), true)?;
        let timings = answer.timings();
        let on_the_wire = timings.encoded_body_bytes.to_string();
        answer.expect_header("content-length", on_the_wire)?;
        assert_eq!(timings.decoded_body_bytes, answer.bytes().len() as u64);
        assert!(timings.encoded_body_bytes < timings.decoded_body_bytes);
    }
    Ok(())
}

#[tokio::test]
async fn compressed_answers_are_read_and_both_sizes_reported() {
    let client = Settings::new().compressed(true);
    let report = repeated::<compressed>(2, Httpbin::shared().url(), client).await;
    assert_eq!(report.errors, []);
    let rows = &report.http.requests_by;
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert!(0 < row.encoded_body_bytes, "{row:?}");
        assert!(row.encoded_body_bytes < row.decoded_body_bytes, "{row:?}");
    }
    let sum = |of: fn(&mite::report::RequestRow) -> u64| rows.iter().map(of).sum::<u64>();
    assert_eq!(
        report.http.encoded_body_bytes,
        sum(|row| row.encoded_body_bytes)
    );
    assert_eq!(
        report.http.decoded_body_bytes,
        sum(|row| row.decoded_body_bytes)
    );
}

#[tokio::test]
async fn what_zstd_has_compressed_is_read() {
    #[journey]
    async fn gets(ctx: &Context) -> mite::Result {
        let answer = ctx.http().get("/hundred").send().await?;
        assert_eq!(answer.text()?, "x".repeat(100));
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    // The worker of nginx may be another user.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let file = folder.path().join("hundred");
    fs::write(&file, HUNDRED_BY_ZSTD).unwrap();
    let nginx = Nginx::with(&format!(
        "location = /hundred {{ alias {}; add_header content-encoding zstd; }}",
        file.display()
    ));
    let recorded = passes::<gets>((), at(nginx.url())).await;
    let timings = timings(&recorded)[0];
    let sizes = (timings.encoded_body_bytes, timings.decoded_body_bytes);
    assert_eq!(sizes, (HUNDRED_BY_ZSTD.len() as u64, 100));
}

#[tokio::test]
async fn compression_is_asked_for_only_when_it_is_wanted() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.get("/headers").send().await?;
        http.get("/headers").compressed(true).send().await?;
        http.configure(|settings| settings.compressed(true));
        http.get("/headers").send().await?;
        http.get("/headers").compressed(false).send().await?;
        Ok(())
    }
    let recorded = passes::<asks>((), at(Httpbin::shared().url())).await;
    let accepted: Vec<_> = (0..4)
        .map(|index| told(&recorded, index)["headers"]["Accept-Encoding"].clone())
        .collect();
    let all = Value::from("gzip, deflate, br, zstd");
    assert_eq!(accepted, [Value::Null, all.clone(), all, Value::Null]);
}

#[tokio::test]
async fn a_discarded_body_is_counted_but_not_kept() {
    #[journey]
    async fn discards(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let answer = http.get("/bytes/100000").discard_body().send().await?;
        assert!(answer.bytes().is_empty());
        let answer = http.get("/brotli").discard_body().send().await?;
        assert!(answer.bytes().is_empty());
        Ok(())
    }
    // A body that is not kept may be longer than one that is.
    let client = Settings::new().max_body_size(10);
    let recorded = passes::<discards>((), at_with(Httpbin::shared().url(), &client)).await;
    let [plain, compressed] = timings(&recorded)[..] else {
        panic!("two requests");
    };
    assert_eq!(
        (plain.encoded_body_bytes, plain.decoded_body_bytes),
        (100_000, 100_000)
    );
    assert!(plain.bytes_received > 100_000);
    assert_ne!(compressed.decoded_body_bytes, compressed.encoded_body_bytes);
}

#[tokio::test]
async fn a_streamed_body_is_read_in_pieces_until_its_end() {
    #[journey]
    async fn reads(ctx: &Context) -> mite::Result {
        let stream = ctx.http().get("/stream-bytes/60000?chunk_size=5000&seed=1");
        let mut streaming = stream.stream().await?;
        assert_eq!(streaming.status(), 200);
        assert_eq!(streaming.header("transfer-encoding"), Some("chunked"));
        let (mut pieces, mut length) = (0, 0);
        while let Some(piece) = streaming.chunk().await? {
            pieces += 1;
            length += piece.len();
        }
        assert_eq!(length, 60_000);
        assert!(pieces > 1, "{pieces}");
        assert_eq!(streaming.timings().decoded_body_bytes, 60_000);
        Ok(())
    }
    let recorded = passes::<reads>((), at(Httpbin::shared().url())).await;
    assert_eq!(statuses(&recorded), [200]);
    assert_eq!(fields(&recorded, "decoded_body_bytes"), [60_000]);
}

#[tokio::test]
async fn pieces_are_had_as_they_come() {
    #[journey]
    async fn drips(ctx: &Context) -> mite::Result {
        let began = Instant::now();
        let drip = ctx.http().get("/drip?numbytes=4&duration=0.8");
        let mut streaming = drip.stream().await?;
        let mut arrivals = Vec::new();
        while let Some(piece) = streaming.chunk().await? {
            assert!(piece.iter().all(|byte| *byte == b'*'));
            arrivals.extend(piece.iter().map(|_| began.elapsed()));
        }
        assert_eq!(arrivals.len(), 4);
        // One every 0.2 s: the last comes that much after the first.
        let between = arrivals[3] - arrivals[0];
        assert!(between > Duration::from_millis(300), "{arrivals:?}");
        Ok(())
    }
    let recorded = passes::<drips>((), at(Httpbin::shared().url())).await;
    let body = timings(&recorded)[0].body.unwrap();
    assert!(body > Duration::from_millis(300), "{body:?}");
}

#[tokio::test]
async fn a_stream_that_is_left_ends_with_its_connection_and_is_no_failure() {
    #[journey]
    async fn leaves(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let mut streaming = http.get("/trickle").stream().await?;
        streaming.chunk().await?;
        drop(streaming);
        http.get("/").send().await?;
        Ok(())
    }
    let nginx = Nginx::start();
    let recorded = passes::<leaves>((), at(nginx.url())).await;
    assert_eq!(fields(&recorded, "failed"), [false, false]);
    assert_eq!(fields(&recorded, "reused"), [false, false]);
    assert_eq!(nginx.finish().connections(), 2);
}

/// Three events, one of them named, and one that never ends; slowly enough to come in pieces.
const EVENTS: &str = r#"
    location = /prices {
        default_type text/event-stream;
        limit_rate 60;
        return 200 ": welcome\n\nid: 1\nevent: price\ndata: {\"a\": 1}\n\nretry: 2500\ndata: one\ndata: two\n\ndata: last\n\ndata: cut";
    }
"#;

#[tokio::test]
async fn server_sent_events_are_read_one_by_one() {
    #[journey]
    async fn follows(ctx: &Context) -> mite::Result {
        let mut events = ctx.http().get("/prices").stream().await?.events();
        assert_eq!(
            events.answer().header("content-type"),
            Some("text/event-stream")
        );
        let mut seen = Vec::new();
        while let Some(event) = events.next().await? {
            seen.push((event.event, event.data, event.id, event.retry));
        }
        let id = || Some("1".to_owned());
        let message = |data: &str| ("message".to_owned(), data.to_owned());
        let (named, plain) = (message("one\ntwo"), message("last"));
        let retry = Some(Duration::from_millis(2500));
        assert_eq!(
            seen,
            [
                ("price".to_owned(), r#"{"a": 1}"#.to_owned(), id(), None),
                (named.0, named.1, id(), retry),
                (plain.0, plain.1, id(), None),
            ]
        );
        Ok(())
    }
    let nginx = Nginx::with(EVENTS);
    passes::<follows>((), at(nginx.url())).await;
}

#[tokio::test]
async fn a_body_that_is_longer_than_allowed_is_an_error_that_says_what_to_do() {
    #[journey]
    async fn gets(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.get("/bytes/1000").send().await?.expect_status(200)?;
        let error = http.get("/bytes/1001").send().await.unwrap_err();
        assert!(error.is_body(), "{error:?}");
        let base = ctx.config().text("base_url").unwrap_or_default();
        assert_eq!(
            error.to_string(),
            format!(
                "GET {base}/bytes/1001: the body is longer than 1000 bytes: discard_body() reads \
                 it without keeping it, stream() bit by bit, and max_body_size allows more"
            )
        );
        Ok(())
    }
    let client = Settings::new().max_body_size(1000);
    let recorded = passes::<gets>((), at_with(Httpbin::shared().url(), &client)).await;
    assert_eq!(fields(&recorded, "error"), [Value::Null, "body".into()]);
}
