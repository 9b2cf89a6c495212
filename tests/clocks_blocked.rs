//! A journey that blocks its worker holds up those beside it: their response time has to say so.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{thread, time::Duration};

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

/// Does nothing.
#[journey]
async fn touch(_ctx: &Context) -> mite::Result {
    Ok(())
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
    for (name, seen, truth) in [
        ("p90", touch.response_time.p90, 0.100),
        ("p95", touch.response_time.p95, 0.150),
        ("p99", touch.response_time.p99, 0.190),
        ("start delay p95", touch.start_delay.p95, 0.150),
    ] {
        let seen = seen.unwrap();
        assert!(
            (seen / truth - 1.0).abs() < 0.05,
            "{name} is {seen} and should be {truth}"
        );
    }
    let service = touch.service_time.p99.unwrap();
    assert!(service < 0.01, "{service}");
}
