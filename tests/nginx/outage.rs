//! A server that goes away in the middle of a run and comes back.

use std::time::Duration;

use mite::{Context, Run, Scenario, journey, volume::Constant};
use tests::agreement::assert_consistent;

use crate::server::Nginx;

const SECOND: Duration = Duration::from_secs(1);

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    ctx.pause(Duration::from_millis(5)).await;
    Ok(())
}

/// Looks at an article.
#[journey]
async fn read(ctx: &Context) -> mite::Result {
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    Ok(())
}

#[tokio::test]
async fn an_outage_shows_as_errors_and_the_volume_goes_on() {
    let mut nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<look>((), Constant::users(10, 5 * SECOND))
        .journey::<read>((), Constant::per_second(50, 5 * SECOND));
    let run = tokio::spawn(Run::new(scenario).execute());
    tokio::time::sleep(SECOND).await;
    let nginx = tokio::task::spawn_blocking(|| {
        nginx.restart_after(SECOND);
        nginx
    });
    let nginx = nginx.await.unwrap();
    let report = run.await.unwrap().unwrap();
    let log = nginx.finish();

    assert_consistent(&report);
    // A request that met the server's end may have been written and never read.
    let answered: u64 = report
        .http
        .requests_by
        .iter()
        .filter(|row| row.status.is_some())
        .map(|row| row.count)
        .sum();
    assert_eq!((answered, log.with_status(200)), (log.len(), log.len()));
    for error in &report.errors {
        let kind = error.kind.as_str();
        assert!(["connect", "reset", "closed"].contains(&kind), "{error:?}");
    }
    let read = report.journey("read").unwrap();
    assert_eq!(
        (read.started, read.dropped),
        (250, 0),
        "starts do not wait for servers"
    );
    assert_eq!(read.completed, log.count("/item/1"));
    assert!(read.failed > 25, "{read:?}");

    let look = report.journey("look").unwrap();
    assert_eq!(look.completed, log.count("/"));
    // A user tries after 0.1, 0.3, 0.7 and 1.5 seconds; ten of them without waiting would try tens
    // of thousands of times in a second.
    assert!((10..100).contains(&look.failed), "{look:?}");
    let failed = report.http.connections.failed;
    assert!(
        failed <= look.failed + read.failed,
        "{failed} attempts to connect"
    );

    let at = |second: u64| &report.series.points[second as usize];
    let last = at(4);
    assert!(last.requests > 50, "it goes on after the outage: {last:?}");
    assert_eq!(last.errors, 0, "{last:?}");
}
