//! What is to be held is held.

use std::time::Duration;

use mite::{
    Verdict,
    volume::{Conclusion, FindingKind, HoldErrorRate, HoldLatency},
};

use crate::{
    assert_within, mean_of_last_half, run,
    server::{limit, serve, workers},
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_rate_is_kept_at_which_a_tenth_is_refused() {
    let url = serve(limit(270.0, 10.0)).await;
    let volume = HoldErrorRate::at(0.1)
        .per_second(50, 1000)
        .starting_at(200)
        .over(28 * SECOND);
    let report = run(&url, volume).await;

    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::HeldErrorRate);
    assert_eq!(finding.conclusion, Conclusion::Found, "{finding:#?}");
    // A tenth of 300 a second is refused; a mean over the way there is not quite that.
    assert_within(finding.found.unwrap(), 300.0, 0.10);
    assert_within(mean_of_last_half(&report), 300.0, 0.10);
    let measured = finding.measured.unwrap();
    assert!((0.05..0.2).contains(&measured), "{finding:#?}");
    assert_ne!(report.verdict, Verdict::Failed, "{:?}", report.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_rate_is_kept_just_below_that_at_which_a_queue_grows() {
    let url = serve(workers(7, Duration::from_millis(20))).await;
    let volume = HoldLatency::p95(Duration::from_millis(250))
        .per_second(50, 1000)
        .starting_at(250)
        .over(28 * SECOND);
    let report = run(&url, volume).await;

    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::HeldLatency);
    assert_eq!(finding.conclusion, Conclusion::Found, "{finding:#?}");
    // While a queue runs off there is half the load.
    assert_within(finding.found.unwrap(), 350.0, 0.25);
    assert_within(mean_of_last_half(&report), 350.0, 0.25);
    let last = finding.steps.last().unwrap();
    assert_within(last.volume, 350.0, 0.25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn users_are_as_many_as_bring_the_latency_to_its_target() {
    // Eight workers of 50 ms: what is in flight waits in line, so forty users wait 250 ms.
    let url = serve(workers(8, Duration::from_millis(50))).await;
    let volume = HoldLatency::p50(Duration::from_millis(250))
        .users(1, 500)
        .starting_at(32)
        .over(25 * SECOND);
    let report = run(&url, volume).await;

    let finding = &report.findings[0];
    assert_eq!(finding.conclusion, Conclusion::Found, "{finding:#?}");
    assert_within(finding.found.unwrap(), 40.0, 0.15);
    assert_within(finding.measured.unwrap(), 0.25, 0.20);
    assert_ne!(report.verdict, Verdict::Failed, "{:?}", report.reasons);
}
