//! Stages of a plan in the report, from a real run.

use std::time::Duration;

use mite::{
    Context, Run, Scenario, journey,
    volume::{Constant, Nothing},
};

const SECOND: Duration = Duration::from_secs(1);

/// Takes more than a second.
#[journey]
async fn wander(ctx: &Context) -> mite::Result {
    ctx.pause(1200 * SECOND / 1000).await;
    Ok(())
}

/// Takes next to no time.
#[journey]
async fn glance(ctx: &Context) -> mite::Result {
    ctx.pause(SECOND / 100).await;
    Ok(())
}

fn scenario() -> Scenario {
    Scenario::new()
        .warm_up(SECOND)
        .journey::<wander>(
            (),
            Constant::per_second(10, 3 * SECOND).named("calm")
                + Constant::per_second(50, 2 * SECOND).named("peak"),
        )
        .journey::<glance>(
            (),
            Nothing::over(3 * SECOND) + Constant::users(2, SECOND).named("calm"),
        )
}

#[tokio::test]
async fn a_stage_has_what_ended_in_it_and_the_last_one_what_came_after_the_plan() {
    let scenario = scenario()
        .threshold(r#"journey{stage="peak",journey="wander"}.count >= 100"#)
        .threshold(r#"service_time{stage="calm",journey="wander"}.min > 1s"#)
        .threshold(r#"journey{stage="peak"}.count < 50"#);
    let report = Run::new(scenario).workers(1).execute().await.unwrap();
    let passed: Vec<_> = report.thresholds.iter().map(|row| row.passed).collect();
    assert_eq!(passed, [true, true, false], "{:?}", report.thresholds);

    let names: Vec<_> = report.stages.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["calm", "peak"]);
    let [calm, peak] = ["calm", "peak"].map(|name| report.stage(name).unwrap());
    // The first second is the warm-up; the fourth is in both stages, by one volume each.
    assert_eq!((calm.from, calm.until, calm.seconds), (1.0, 4.0, 3.0));
    assert_eq!((peak.from, peak.until, peak.seconds), (3.0, 5.0, 2.0));
    assert_eq!((calm.planned_starts, peak.planned_starts), (70, 100));

    let wander = |stage: &mite::report::StageSummary| {
        let row = stage
            .journeys
            .iter()
            .find(|row| row.journey.ends_with("::wander"));
        row.unwrap().clone()
    };
    assert_eq!(wander(peak).started, 100);
    assert!(
        wander(peak).completed >= 100,
        "those that ended after the plan too"
    );
    assert!(wander(peak).response_time.p50 >= Some(1.2));
    let total = report.journey("wander").unwrap();
    assert_eq!(
        total.completed, 130,
        "those begun in the warm-up have ended after it"
    );
    assert!(
        calm.users > 10.0 && peak.users > 50.0,
        "{} {}",
        calm.users,
        peak.users
    );

    let warm_up = &report.series.points[0];
    assert_eq!(
        (warm_up.stage.as_deref(), warm_up.starts),
        (Some("calm"), 10)
    );
    assert_eq!(total.started, 120, "without those of the warm-up");
    let both = &report.series.points[3];
    assert_eq!(both.stage.as_deref(), Some("peak, calm"));
}

#[tokio::test]
async fn a_threshold_on_a_stage_that_is_not_in_the_plan_is_refused_before_the_start() {
    let wrong = scenario().threshold(r#"journey{stage="peek"}.p99 < 2s"#);
    let error = mite::run(wrong).await.unwrap_err().to_string();
    assert!(
        error.contains(r#"no stage "peek" (did you mean "peak"?); it has calm, peak"#),
        "{error}"
    );
}
