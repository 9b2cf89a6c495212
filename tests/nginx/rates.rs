//! The open model starts exactly what its rate adds up to, however slow the machine.

use std::time::Duration;

use mite::{
    Context, Scenario, journey,
    volume::{Constant, Ramp},
};

use crate::{check::assert_same_traffic, server::Nginx};

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

/// Looks at an article.
#[journey]
async fn read(ctx: &Context) -> mite::Result {
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    Ok(())
}

#[tokio::test]
async fn ten_seconds_at_a_rate_and_on_a_ramp_start_exactly_what_they_say() {
    let nginx = Nginx::start();
    let seconds = Duration::from_secs;
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<look>((), Constant::per_second(1000, seconds(10)))
        .journey::<read>((), Ramp::per_second(0, 100, seconds(10)));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.errors, []);
    for (journey, path, starts) in [("look", "/", 10_000), ("read", "/item/1", 500)] {
        let row = report.journey(journey).unwrap();
        assert_eq!((row.started, row.dropped), (starts, 0), "{journey}");
        assert_eq!(
            (row.completed, log.count(path)),
            (starts, starts),
            "{journey}"
        );
        assert_eq!(row.start_delay.count, starts);
    }
    let planned: u64 = report
        .series
        .points
        .iter()
        .map(|point| point.planned_starts)
        .sum();
    assert_eq!(planned, 10_500);
}

#[tokio::test]
async fn a_duration_cuts_a_rate_short_and_does_not_stretch_it() {
    let nginx = Nginx::start();
    let seconds = Duration::from_secs;
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<look>((), Ramp::per_second(0, 100, seconds(10)));
    let report = mite::Run::new(scenario)
        .duration(seconds(2))
        .execute()
        .await
        .unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!((report.journeys[0].started, log.len()), (20, 20));
}
