//! Runs in which all goes well: every request, byte and connection is in the log.

use std::time::Duration;

use mite::{
    Context, Run, Scenario,
    datapool::Recyclable,
    journey,
    volume::{Constant, one_shot},
};

use crate::{
    check::assert_same_traffic,
    server::{FILE_SIZE, Nginx},
};

const SECOND: Duration = Duration::from_secs(1);

/// Looks at the front page, at an article and at something long.
#[journey]
async fn browse(ctx: &Context) -> mite::Result {
    ctx.transaction("front page", async {
        ctx.http().get("/").send().await?.expect_status(200)?;
        Ok(())
    })
    .await?;
    ctx.pause(Duration::from_millis(3)).await;
    let item = ctx.rng().u32(1..=3);
    ctx.http()
        .get(format!("/item/{item}"))
        .send()
        .await?
        .expect_status(200)?;
    let file = ctx.http().get("/file").send().await?.expect_status(200)?;
    mite::ensure!(file.bytes().len() == FILE_SIZE);
    Ok(())
}

/// Asks twice, with a pause between the two.
#[journey]
async fn dawdle(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    ctx.pause(Duration::from_millis(150)).await;
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    Ok(())
}

/// Stores a body of this size.
#[journey]
async fn store(ctx: &Context, size: usize) -> mite::Result {
    ctx.http()
        .post("/store")
        .body(vec![b'b'; size])
        .send()
        .await?
        .expect_status(201)?;
    Ok(())
}

/// Makes several requests at the same time.
#[journey]
async fn fan_out(ctx: &Context) -> mite::Result {
    let get = |url| ctx.http().get(url).send();
    let (a, b, c) = tokio::join!(get("/"), get("/item/1"), get("/file"));
    for answer in [a, b, c] {
        answer?.expect_status(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_closed_volume_is_counted_exactly() {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<browse>((), Constant::users(8, 2 * SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.errors, []);
    let browse = report.journey("browse").unwrap();
    assert!(browse.completed > 100, "{browse:?}");
    assert_eq!(
        (browse.started, browse.failed),
        (browse.completed, 0),
        "a closed run ends with its journeys"
    );
    assert_eq!(log.len(), 3 * browse.completed);
    assert_eq!(report.transactions[0].count, browse.completed);
    assert_eq!(report.series.points[1].users, 8, "all of them are there");
    // nginx closes a connection after its thousandth request.
    let most = 8 + log.len() / 1000;
    assert!(log.connections() <= most, "{}", log.connections());
}

#[tokio::test]
async fn an_open_volume_is_counted_exactly() {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<browse>((), Constant::per_second(100, 3 * SECOND));
    let report = Run::new(scenario).workers(3).execute().await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.errors, []);
    let browse = report.journey("browse").unwrap();
    assert_eq!((browse.started, browse.dropped), (300, 0));
    assert_eq!((browse.completed, log.len()), (300, 900));
}

#[tokio::test]
async fn requests_made_at_the_same_time_are_counted_exactly() {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<fan_out>((), Constant::users(3, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.errors, []);
    assert_eq!(log.len(), 3 * report.journeys[0].completed);
    assert!(log.connections() > 3, "{}", log.connections());
}

#[tokio::test]
async fn a_server_that_closes_connections_often_causes_no_error() {
    let nginx = Nginx::with("keepalive_requests 3;");
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<browse>((), Constant::users(4, 2 * SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!((report.errors.as_slice(), report.http.failed), (&[][..], 0));
    assert!(log.connections() >= log.len() / 3);
}

#[tokio::test]
async fn a_server_without_kept_connections_causes_no_error() {
    let nginx = Nginx::with("keepalive_timeout 0;");
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<browse>((), Constant::users(4, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.errors, []);
    assert_eq!(log.connections(), log.len());
    assert_eq!(report.http.connections.reused, 0);
}

#[tokio::test]
async fn a_connection_that_went_stale_is_replaced_unseen() {
    let nginx = Nginx::with("keepalive_timeout 50ms;");
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<dawdle>((), Constant::users(6, 2 * SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!((report.errors.as_slice(), report.http.failed), (&[][..], 0));
    // Six users without a kept connection would have them all; now and then one finds a fresh one.
    assert!(log.connections() > 12, "{} connections", log.connections());
}

#[tokio::test]
async fn bodies_are_counted_exactly() {
    let nginx = Nginx::start();
    let sizes = [0_usize, 1, 1000, 100_000, 1_000_000];
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<store>(Recyclable::new(sizes), Constant::per_second(50, SECOND))
        .journey::<store>(Recyclable::new([10_usize]), one_shot());
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.errors, []);
    assert_eq!(report.journeys.len(), 2);
    assert_eq!(
        report
            .journeys
            .iter()
            .map(|row| row.entry)
            .collect::<Vec<_>>(),
        [Some(0), Some(1)]
    );
    assert_eq!((log.len(), log.with_status(201)), (51, 51));
}
