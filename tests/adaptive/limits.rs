//! A run that is cut short, a plan that sends nothing, and a generator that cannot do what is asked.

use std::{process::Command, time::Duration};

use mite::{
    Run, Scenario, Verdict,
    volume::{Conclusion, HoldErrorRate, Saturate},
};

use crate::{
    look, run,
    server::{limit, serve, workers},
};

const SECOND: Duration = Duration::from_secs(1);

fn search(from: f64, to: f64) -> Saturate {
    Saturate::per_second(from, to)
        .until_p95(Duration::from_millis(300))
        .step_time(SECOND)
        .settle(SECOND)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_duration_ends_a_search_and_what_it_knew_is_told() {
    let url = serve(workers(7, Duration::from_millis(20))).await;
    let scenario = Scenario::new()
        .base_url(&url)
        .journey::<look>((), search(100.0, 3200.0));
    let report = Run::new(scenario)
        .duration(8 * SECOND)
        .execute()
        .await
        .unwrap();

    let finding = &report.findings[0];
    assert_eq!(finding.conclusion, Conclusion::Unfinished, "{finding:#?}");
    assert!(finding.found >= Some(100.0), "{finding:#?}");
    let points = report.series.points.iter();
    let planned_late = points.filter(|point| point.at > 8.5 && point.planned_starts > 0);
    assert_eq!(planned_late.count(), 0);
    assert_ne!(report.verdict, Verdict::Failed, "{:?}", report.reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_duration_ends_a_hold() {
    let url = serve(limit(90.0, 10.0)).await;
    let hold = HoldErrorRate::at(0.1)
        .per_second(50, 1000)
        .starting_at(100)
        .over(60 * SECOND);
    let scenario = Scenario::new().base_url(&url).journey::<look>((), hold);
    let report = Run::new(scenario)
        .duration(5 * SECOND)
        .execute()
        .await
        .unwrap();

    assert!((5.0..10.0).contains(&report.duration_seconds));
    assert_eq!(report.findings.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_generators_own_limit_puts_the_finding_in_doubt_and_ends_with_3() {
    let url = serve(workers(50, Duration::from_millis(100))).await;
    let scenario = Scenario::new()
        .base_url(&url)
        .journey::<look>((), search(100.0, 200.0));
    // Of journeys that take 100 ms, two at once are twenty a second.
    let report = Run::new(scenario)
        .workers(1)
        .max_in_flight(2)
        .max_start_delay(SECOND / 2)
        .execute()
        .await
        .unwrap();

    let finding = &report.findings[0];
    assert!(
        finding
            .doubts
            .iter()
            .any(|doubt| doubt.contains("the limit may be the load generator's")),
        "{finding:#?}"
    );
    assert_eq!(report.verdict, Verdict::Invalid, "{:?}", report.reasons);
    assert_eq!(report.exit_code(), 3);
    let reasons = report.reasons.join("\n");
    assert!(reasons.contains("is in doubt"), "{reasons}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_system_within_the_generators_limit_is_not_in_doubt() {
    let url = serve(workers(50, Duration::from_millis(100))).await;
    let report = run(&url, search(50.0, 100.0)).await;
    let finding = &report.findings[0];
    assert_eq!(finding.conclusion, Conclusion::AtLeast, "{finding:#?}");
    assert_eq!(finding.found, Some(100.0));
}

#[test]
fn the_plan_shows_the_bounds_of_what_follows_the_results() {
    let plan = |scenario: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_saturate"))
            .args(["scenario", "plan", scenario])
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let limit = plan("limit");
    assert!(
        limit.contains("It follows the results from 5s on, between 100 and 50,000 per second"),
        "{limit}"
    );
    assert!(limit.contains("raised while"), "{limit}");
    let edge = plan("edge");
    assert!(edge.contains("between 1 and 2,000 users"), "{edge}");
    assert!(edge.contains("holds http.p95 = 20ms"), "{edge}");
}
