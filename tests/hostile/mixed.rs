//! A run in which everything goes wrong at once: nothing of it is lost from the counts.

use std::{collections::BTreeMap, time::Duration};

use mite::{Context, Scenario, journey, volume::Constant};
use tests::hostile::Hostile;

/// What is asked for in turn, and what it is counted as.
const CASES: [(&str, &str); 10] = [
    ("/ok", "fine"),
    ("/close/before-a-byte", "closed"),
    ("/close/in-header", "closed"),
    ("/reset/before-head", "reset"),
    ("/length/too-long", "body"),
    ("/chunked/no-last-chunk", "body"),
    ("/head/not-http", "protocol"),
    ("/stall/before-head", "timeout"),
    ("/stall/in-body", "timeout"),
    ("/head/status/503", "error"),
];

const RUNS: u64 = 200;

/// Asks for the next of the cases.
#[journey]
async fn ask_in_turn(ctx: &Context) -> mite::Result {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let (path, _) = CASES[NEXT.fetch_add(1, Ordering::Relaxed) % CASES.len()];
    let request = ctx.http().get(path).timeout(Duration::from_millis(500));
    request.send().await?.expect_status(200)?;
    Ok(())
}

#[tokio::test]
async fn every_error_of_a_run_is_counted_under_its_kind() {
    let hostile = Hostile::start();
    let volume = Constant::per_second(100, Duration::from_secs(2));
    let scenario = Scenario::new()
        .base_url(hostile.url())
        .journey::<ask_in_turn>((), volume);
    let report = mite::run(scenario).await.unwrap();

    let each = RUNS / CASES.len() as u64;
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, kind) in CASES {
        assert_eq!(hostile.hits(path), each, "{path}");
        *wanted.entry(kind).or_default() += each;
    }
    let fine = wanted.remove("fine").unwrap();
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &report.errors {
        *counted.entry(row.kind.as_str()).or_default() += row.count;
    }
    assert_eq!(counted, wanted);

    let row = report.journey("ask_in_turn").unwrap();
    assert_eq!(
        (row.started, row.completed, row.failed, row.interrupted),
        (RUNS, fine, RUNS - fine, 0)
    );
    assert_eq!(
        (report.http.requests, report.http.failed),
        (RUNS, RUNS - fine)
    );
    assert_eq!(hostile.requests(), RUNS);
    let connections = &report.http.connections;
    assert_eq!(connections.opened, hostile.connections());
    assert_eq!(connections.opened + connections.reused, RUNS);
}
