//! A journey that blocks its worker holds up those beside it: their response time has to say so.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use mite::{Context, Run, Scenario, journey, volume::Constant};

const SECOND: Duration = Duration::from_secs(1);

/// Blocks the thread for a fifth of each second.
#[journey]
async fn block(ctx: &Context) -> mite::Result {
    ctx.pace(SECOND, async {
        thread::sleep(SECOND / 5);
        Ok(())
    })
    .await
}

/// When each `touch` took place.
static TOUCHED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

/// Does nothing else.
#[journey]
async fn touch(_ctx: &Context) -> mite::Result {
    TOUCHED.lock().unwrap().push(Instant::now());
    Ok(())
}

/// What this part of all starts waited at most, by what was seen here and by the plan.
fn seen_here(quantile: f64) -> f64 {
    let moments = TOUCHED.lock().unwrap();
    // The one that waited least, by so much that it can be left out, tells when the run began.
    let due = |index: usize| Duration::from_micros(500 + 1000 * index as u64);
    let began = (0..)
        .zip(moments.iter())
        .map(|(index, moment)| *moment - due(index))
        .min()
        .unwrap();
    let mut waited: Vec<_> = (0..)
        .zip(moments.iter())
        .map(|(index, moment)| *moment - (began + due(index)))
        .collect();
    waited.sort_unstable();
    waited[(waited.len() as f64 * quantile) as usize - 1].as_secs_f64()
}

#[tokio::test]
async fn what_blocks_a_worker_shows_in_the_response_time_of_others_and_not_in_their_service_time() {
    let scenario = Scenario::new()
        .journey::<touch>((), Constant::per_second(1000, 10 * SECOND))
        .journey::<block>((), Constant::users(1, 10 * SECOND));
    let report = Run::new(scenario).workers(1).execute().await.unwrap();
    let touch = &report.journeys[0];
    assert_eq!((touch.started, touch.completed), (10_000, 10_000));
    // A fifth of the starts is due while the thread is blocked, and waits for up to 200 ms, each
    // time as often as any other: a tenth waits longer than half of that.
    for (name, seen, quantile, truth) in [
        ("p90", touch.response_time.p90, 0.90, 0.100),
        ("p95", touch.response_time.p95, 0.95, 0.150),
        ("p99", touch.response_time.p99, 0.99, 0.190),
        ("start delay p95", touch.start_delay.p95, 0.95, 0.150),
    ] {
        let seen = seen.unwrap();
        // Others on the machine make it more, and never less.
        assert!(
            seen > 0.95 * truth,
            "{name} is {seen} and should be {truth}"
        );
        let here = seen_here(quantile);
        assert!(
            (seen / here - 1.0).abs() < 0.05,
            "{name} is {seen} and was {here}"
        );
        assert!(here < 2.0 * truth, "{name} was {here}, not {truth}");
        eprintln!("{name} is {seen}, was {here}, should be {truth}");
    }
    let service = touch.service_time.p99.unwrap();
    assert!(service < 0.05, "{service}");
}
