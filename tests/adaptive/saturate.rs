//! The capacity that is found is the one the server has.

use std::{collections::BTreeSet, time::Duration};

use mite::{
    Verdict,
    volume::{Conclusion, Constant, FindingKind, Saturate, Unit},
};

use crate::{
    assert_within, run,
    server::{limit, serve, workers},
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn workers_that_take_a_fixed_time_have_the_capacity_that_follows_from_it() {
    // Seven workers of 20 ms each: exactly 350 a second.
    let url = serve(workers(7, Duration::from_millis(20))).await;
    let volume = Constant::per_second(200, SECOND).named("warm-up")
        + Saturate::per_second(200, 1600)
            .until_p95(Duration::from_millis(300))
            .step_time(2 * SECOND)
            .settle(SECOND)
            .precision(0.08)
            .at_most(60 * SECOND)
            .named("search");
    let report = run(&url, volume).await;

    let [finding] = report.findings.as_slice() else {
        panic!("{:?}", report.findings);
    };
    assert_eq!(finding.journey, "adaptive::look");
    assert_eq!(
        (finding.kind, finding.unit),
        (FindingKind::Capacity, Unit::PerSecond)
    );
    assert_eq!(finding.conclusion, Conclusion::Found, "{finding:#?}");
    assert_within(finding.found.unwrap(), 350.0, 0.10);
    assert!(finding.low < finding.high, "{finding:#?}");
    assert!(
        finding
            .steps
            .iter()
            .any(|step| !step.good && step.p95 > Some(0.3))
    );
    let stages: BTreeSet<_> = report
        .series
        .points
        .iter()
        .map(|point| point.stage.as_deref())
        .collect();
    assert!(stages.contains(&Some("search")) && stages.contains(&Some("warm-up")));
    assert!(
        report.duration_seconds < 60.0,
        "{}",
        report.duration_seconds
    );
    // What was asked for beyond the capacity is no fault of the system.
    assert_ne!(report.verdict, Verdict::Failed, "{:?}", report.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_refuses_what_is_too_much_fails_journeys_and_not_the_run() {
    let url = serve(limit(250.0, 25.0)).await;
    let volume = Saturate::per_second(100, 800)
        .until_error_rate(0.02)
        .step_time(2 * SECOND)
        .settle(SECOND)
        .precision(0.08)
        .at_most(60 * SECOND);
    let report = run(&url, volume).await;

    let finding = &report.findings[0];
    assert_eq!(finding.conclusion, Conclusion::Found, "{finding:#?}");
    assert_within(finding.found.unwrap(), 250.0, 0.10);
    assert!(report.journeys[0].failed > 0, "it went beyond the limit");
    assert_ne!(report.verdict, Verdict::Failed, "{:?}", report.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn users_are_added_until_they_bring_no_more_throughput() {
    // Users without a pause keep one worker busy each: beyond eight of them, there is no more to
    // be had.
    let url = serve(workers(8, Duration::from_millis(50))).await;
    let volume = Saturate::users(4, 64)
        .until_throughput_stops()
        .step_time(2 * SECOND)
        .settle(SECOND)
        .precision(0.2)
        .at_most(60 * SECOND);
    let report = run(&url, volume).await;

    let finding = &report.findings[0];
    assert_eq!(finding.unit, Unit::Users);
    let (low, high) = (finding.low.unwrap(), finding.high.unwrap());
    assert!(
        (6.0..=9.0).contains(&low) && (7.0..=11.0).contains(&high),
        "{finding:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_that_does_not_take_the_lower_bound_fails_the_run() {
    let url = serve(limit(20.0, 2.0)).await;
    let volume = Saturate::per_second(200, 800)
        .until_error_rate(0.02)
        .step_time(SECOND)
        .settle(SECOND);
    let report = run(&url, volume).await;

    assert_eq!(report.findings[0].conclusion, Conclusion::Below);
    assert_eq!(report.findings[0].found, None);
    assert_eq!(report.verdict, Verdict::Failed, "{:?}", report.reasons);
    assert!(
        report
            .reasons
            .iter()
            .any(|reason| reason.contains("lower bound")),
        "{:?}",
        report.reasons
    );
}
