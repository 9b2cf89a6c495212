//! Whose connections they are, how many, and how long they are kept; as nginx counts them.

use std::time::Duration;

use futures_util::future::join_all;
use mite::{
    Context, Run, Scenario,
    http::{Connections, Settings},
    journey,
    volume::Constant,
};
use tests::nginx::{Log, Nginx};

use crate::run::{at_with, fields, passes, timings};

/// Makes two requests, one after the other.
#[journey]
async fn two_requests(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    ctx.pause(Duration::from_millis(40)).await;
    Ok(())
}

/// What a single user leaves in the log of the server, and how often it came.
async fn one_user(connections: Connections) -> (u64, Log) {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .http(Settings::new().connections(connections))
        .journey::<two_requests>((), Constant::users(1, Duration::from_millis(400)));
    let report = Run::new(scenario).workers(1).execute().await.unwrap();
    let log = nginx.finish();
    assert_eq!(report.errors, []);
    let runs = report.journeys[0].completed;
    assert!(runs > 1, "{:?}", report.journeys);
    assert_eq!(log.len(), 2 * runs);
    assert_eq!(report.http.connections.opened, log.connections());
    assert_eq!(
        report.http.connections.reused,
        log.len() - log.connections()
    );
    (runs, log)
}

#[tokio::test]
async fn connections_are_shared_by_the_runs_of_a_worker() {
    let (_, log) = one_user(Connections::shared()).await;
    assert_eq!(log.connections(), 1);
}

#[tokio::test]
async fn each_run_can_have_connections_of_its_own() {
    let (runs, log) = one_user(Connections::per_journey()).await;
    assert_eq!(log.connections(), runs);
    let second = log.count_of(|line| line.connection_requests == 2);
    assert_eq!(second, runs);
}

#[tokio::test]
async fn each_request_can_have_a_connection_of_its_own() {
    let (runs, log) = one_user(Connections::none()).await;
    assert_eq!(log.connections(), 2 * runs);
}

#[tokio::test]
async fn a_session_can_choose_for_itself() {
    #[journey]
    async fn chooses(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.get("/").send().await?;
        http.connections(Connections::none());
        http.get("/").send().await?;
        http.get("/").send().await?;
        http.connections(Connections::shared());
        http.get("/").send().await?;
        Ok(())
    }
    let nginx = Nginx::start();
    let recorded = passes::<chooses>((), at_with(nginx.url(), &Settings::new())).await;
    assert_eq!(fields(&recorded, "reused"), [false, false, false, true]);
    assert_eq!(nginx.finish().connections(), 3);
}

/// Makes ten requests at once.
#[journey]
async fn ten_at_once(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    for answer in join_all((0..10).map(|_| http.get("/file").send())).await {
        answer?.expect_status(200)?;
    }
    Ok(())
}

/// Makes ten requests at once, and says on how many connections and how many had to wait.
async fn ten_requests(client: Settings) -> (u64, usize) {
    let nginx = Nginx::start();
    let recorded = passes::<ten_at_once>((), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    assert_eq!((log.len(), log.with_status(200)), (10, 10));
    let timings = timings(&recorded);
    let waited = timings.iter().filter(|timings| timings.waiting.is_some());
    (log.connections(), waited.count())
}

#[tokio::test]
async fn requests_at_once_have_a_connection_each_unless_there_is_a_limit() {
    assert_eq!(ten_requests(Settings::new()).await, (10, 0));
}

#[tokio::test]
async fn no_more_connections_to_a_host_are_opened_than_allowed() {
    let two = Connections::shared().max_per_host(2);
    assert_eq!(ten_requests(Settings::new().connections(two)).await, (2, 8));
    let two = Connections::per_journey().max_per_host(2);
    assert_eq!(ten_requests(Settings::new().connections(two)).await, (2, 8));
    // New ones for each, but two at a time.
    let two = Connections::none().max_per_host(2);
    assert_eq!(
        ten_requests(Settings::new().connections(two)).await,
        (10, 8)
    );
}

#[tokio::test]
async fn no_more_requests_to_a_host_are_under_way_than_allowed() {
    let three = Settings::new().max_requests_per_host(3);
    assert_eq!(ten_requests(three).await, (3, 7));
}

/// Makes two requests at once, and two more when a while has passed.
#[journey]
async fn two_and_two_later(ctx: &Context) -> mite::Result {
    for _ in 0..2 {
        ctx.http().get("/").send().await?.expect_status(200)?;
        ctx.http().get("/").send().await?.expect_status(200)?;
        ctx.pause(Duration::from_millis(700)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_that_was_idle_too_long_or_is_too_old_is_replaced() {
    let half_a_second = Duration::from_millis(500);
    let connections = async |connections: Connections| {
        let nginx = Nginx::start();
        let client = Settings::new().connections(connections);
        passes::<two_and_two_later>((), at_with(nginx.url(), &client)).await;
        nginx.finish().connections()
    };
    let (kept, idle, old) = tokio::join!(
        connections(Connections::shared()),
        connections(Connections::shared().idle_timeout(half_a_second)),
        connections(Connections::shared().max_lifetime(half_a_second)),
    );
    assert_eq!((kept, idle, old), (1, 2, 2));
}
