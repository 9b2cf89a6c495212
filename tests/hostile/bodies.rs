//! Bodies that are encoded well or badly, or larger than anybody wants.

use std::process::Command;

use mite::{Context, journey, testing};
use tests::{
    certificates::Authority,
    hostile::{ENDLESS, FORMED_EVENTS, Hostile, PLAIN},
};

use crate::asking::{Ask, Reading, config};

/// The most a body that is kept may have unless something else is said, bytes.
const MOST_KEPT: u64 = 64 << 20;

#[tokio::test]
async fn what_is_encoded_badly_is_a_failure_to_decode_however_it_is_read() {
    let identity = Authority::new().server();
    for hostile in [Hostile::start(), Hostile::https(&identity)] {
        for how in [
            "corrupt",
            "truncated",
            "trailing",
            "plain",
            "deflate-truncated",
            "br-corrupt",
            "br-truncated",
            "br-plain",
            "zstd-corrupt",
            "zstd-truncated",
            "zstd-plain",
        ] {
            let path = format!("/encoding/{how}");
            for reading in [Reading::Kept, Reading::Discarded, Reading::Streamed] {
                let asked = Ask::new(&path).reading(reading).at(hostile.url()).await;
                assert_eq!(asked.kind, "decode", "{path}, {reading:?}");
            }
            assert_eq!(hostile.hits(&path), 3, "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_encoded_well_is_what_it_was() {
    #[journey]
    async fn compare(ctx: &Context, (path, wanted): (String, String)) -> mite::Result {
        let text = ctx.http().get(&path).send().await?.text()?;
        mite::ensure!(text == wanted, "{text}");
        Ok(())
    }
    let hostile = Hostile::start();
    for (how, wanted) in [
        ("gzip", PLAIN),
        ("deflate", PLAIN),
        ("raw-deflate", PLAIN),
        ("twice", PLAIN),
        ("members", PLAIN),
        ("br", PLAIN),
        ("zstd", PLAIN),
        ("empty", ""),
        // Nobody knows it, and so it stays as it came.
        ("unknown", "Vg jnf gur orfg bs gvzrf.\n"),
    ] {
        let data = (format!("/encoding/{how}"), wanted.to_owned());
        let recorded = testing::run_with::<compare>(data, config(hostile.url())).await;
        assert!(recorded.result().is_ok(), "{how}: {:?}", recorded.result());
    }
}

#[tokio::test]
async fn a_body_that_is_kept_has_a_limit_whatever_it_was_before_it_was_decoded() {
    let identity = Authority::new().server();
    for hostile in [Hostile::start(), Hostile::https(&identity)] {
        for path in ["/endless/length", "/endless/chunked", "/encoding/bomb"] {
            let asked = Ask::new(path).at(hostile.url()).await;
            assert_eq!((asked.kind.as_str(), asked.kept), ("body", false), "{path}");
            let words = "longer than 67108864 bytes";
            assert!(asked.message.contains(words), "{path}: {}", asked.message);
            let (_, decoded) = asked.body;
            let seen = MOST_KEPT..MOST_KEPT + (1 << 20);
            assert!(seen.contains(&decoded), "{path}: {decoded}");
            assert_eq!(hostile.hits(path), 1);
        }
    }
}

/// What the program `reads` says of reading this path: bytes as they came and decoded, and the most
/// memory its process has had.
fn read_elsewhere(url: &str, path: &str, how: &str) -> (u64, u64, u64) {
    let output = Command::new(env!("CARGO_BIN_EXE_reads"))
        .args([url, path, how])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}, {how}: {error}");
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    (next(), next(), next())
}

#[test]
fn an_endless_body_is_read_to_its_end_in_bounded_memory() {
    let hostile = Hostile::start();
    let (_, _, least) = read_elsewhere(&hostile.url(), "/ok", "discarded");
    for path in ["/endless/length", "/endless/chunked", "/encoding/bomb"] {
        for how in ["discarded", "streamed"] {
            let (encoded, decoded, most) = read_elsewhere(&hostile.url(), path, how);
            assert_eq!(decoded, ENDLESS, "{path}, {how}");
            let is_bomb = path == "/encoding/bomb";
            assert_eq!(encoded == ENDLESS, !is_bomb, "{path}, {how}: {encoded}");
            let more = most.saturating_sub(least);
            assert!(more < 8 << 20, "{path}, {how}: {more} bytes more");
        }
    }
}

#[test]
fn a_body_that_is_too_long_to_be_kept_takes_no_more_memory_than_it_may() {
    let hostile = Hostile::start();
    let (_, _, least) = read_elsewhere(&hostile.url(), "/ok", "kept");
    for path in ["/endless/length", "/endless/chunked", "/encoding/bomb"] {
        let (_, decoded, most) = read_elsewhere(&hostile.url(), path, "kept");
        assert!(decoded <= MOST_KEPT + (1 << 20), "{path}: {decoded}");
        // What is kept is moved when it grows, into room for twice as much.
        let more = most.saturating_sub(least);
        assert!(
            more < 3 * MOST_KEPT + (16 << 20),
            "{path}: {more} bytes more"
        );
    }
}

#[tokio::test]
async fn events_come_one_by_one_until_nobody_wants_more() {
    #[journey]
    async fn follow(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let mut events = http.get("/events/endless/1").stream().await?.events();
        for number in 0..20 {
            let Some(event) = events.next().await? else {
                mite::bail!("the end after {number} events");
            };
            mite::ensure!(event.data == format!("number {number}"), "{event:?}");
        }
        drop(events);
        let mut events = http.get("/events/5/1").stream().await?.events();
        for _ in 0..5 {
            mite::ensure!(events.next().await?.is_some());
        }
        mite::ensure!(events.next().await?.is_none());
        let mut events = http.get("/events/forms").stream().await?.events();
        for wanted in FORMED_EVENTS {
            let data = events.next().await?.map(|event| event.data);
            mite::ensure!(data.as_deref() == Some(wanted), "{data:?}");
        }
        mite::ensure!(events.next().await?.is_none());
        Ok(())
    }
    let hostile = Hostile::start();
    let recorded = testing::run_with::<follow>((), config(hostile.url())).await;
    recorded.result().unwrap();
    let requests = recorded.events("http");
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .iter()
            .all(|request| request.field("error").is_none())
    );
    // The endless stream was given up with its connection; the other two shared one.
    assert_eq!((hostile.requests(), hostile.connections()), (3, 2));
}
