//! A journey that blocks its worker holds up those beside it: their response time has to say so.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{
    ops::Range,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use mite::{Context, Run, Scenario, journey, volume::Constant};
use tests::holds::{Starts, in_order, quantile};

const SECOND: Duration = Duration::from_secs(1);

/// Blocks the thread for a fifth of each second.
#[journey]
async fn block(ctx: &Context) -> mite::Result {
    ctx.pace(SECOND, async {
        let from = Instant::now();
        thread::sleep(SECOND / 5);
        BLOCKED.lock().unwrap().push(from..Instant::now());
        Ok(())
    })
    .await
}

/// When `block` really did so.
static BLOCKED: Mutex<Vec<Range<Instant>>> = Mutex::new(Vec::new());

/// When each `touch` took place.
static TOUCHED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

/// Does nothing else.
#[journey]
async fn touch(_ctx: &Context) -> mite::Result {
    TOUCHED.lock().unwrap().push(Instant::now());
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
    let touched = TOUCHED.lock().unwrap();
    let starts = Starts::seen(1000, touched.iter().copied().enumerate());
    let since_due = |(number, at): (usize, &Instant)| *at - starts.due(number);
    let waited = touched.iter().enumerate().map(since_due);
    let waited = in_order(waited.map(|waited| waited.as_secs_f64()));
    let blocked = starts.waits(touched.len(), &BLOCKED.lock().unwrap());
    for (name, told, part, plan) in [
        ("p90", touch.response_time.p90, 0.90, 0.100),
        ("p95", touch.response_time.p95, 0.95, 0.150),
        ("p99", touch.response_time.p99, 0.99, 0.190),
        ("start delay p95", touch.start_delay.p95, 0.95, 0.150),
    ] {
        let told = told.unwrap();
        let [waited, blocked] = [&waited, &blocked].map(|times| quantile(times, part));
        let all =
            format!("{name} is {told}; was {waited}, {blocked} of it blocked, {plan} planned");
        eprintln!("{all}");
        assert!(blocked > 0.97 * plan, "{all}");
        assert!(told > 0.95 * blocked, "{all}");
        assert!((told / waited - 1.0).abs() < 0.05, "{all}");
        // What was due meanwhile is started all at once, and takes long unless it was optimized.
        let most = if cfg!(debug_assertions) { 1.5 } else { 1.05 };
        assert!(told < most * blocked, "{all}");
    }
    let service = touch.service_time.p99.unwrap();
    assert!(service < 0.05, "{service}");
}
