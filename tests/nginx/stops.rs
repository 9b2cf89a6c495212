//! Runs that end while requests are in flight: what is cut is counted, and the server saw it too.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use mite::{
    Context, Run, Scenario, journey,
    report::Verdict,
    volume::{Constant, one_shot},
};

use crate::{
    check::{assert_same_requests, assert_same_traffic},
    server::Nginx,
};

const SECOND: Duration = Duration::from_secs(1);

/// Asks for something that takes sixteen seconds.
#[journey]
async fn trickle(ctx: &Context) -> mite::Result {
    ctx.transaction("trickle", async {
        ctx.http()
            .get("/trickle")
            .send()
            .await?
            .expect_status(200)?;
        Ok(())
    })
    .await
}

/// Asks for something that never comes.
#[journey]
async fn wait(ctx: &Context) -> mite::Result {
    ctx.http().get("/silent").send().await?;
    Ok(())
}

/// Asks for something that never comes, for a moment.
#[journey]
async fn hurry(ctx: &Context) -> mite::Result {
    ctx.http()
        .get("/silent")
        .timeout(Duration::from_millis(300))
        .send()
        .await?;
    Ok(())
}

/// Asks for something that never comes, and for something else meanwhile that does.
#[journey]
async fn lose_patience(ctx: &Context) -> mite::Result {
    let silent = ctx.http().get("/silent");
    tokio::select! {
        answer = silent.send() => { answer?; }
        () = ctx.pause(Duration::from_millis(100)) => {}
    }
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

/// An nginx with `/silent`, which an upstream takes and never answers.
fn with_silence() -> (Nginx, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = upstream.local_addr().unwrap();
    let location = format!("location = /silent {{ proxy_pass http://{address}; }}");
    (Nginx::with(&location), upstream)
}

#[tokio::test]
async fn what_outlasts_the_graceful_stop_is_interrupted() {
    let (nginx, _upstream) = with_silence();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<trickle>((), Constant::users(3, SECOND))
        .journey::<wait>((), Constant::per_second(10, SECOND))
        .journey::<look>((), Constant::users(2, SECOND));
    let began = Instant::now();
    let report = Run::new(scenario)
        .graceful_stop(Duration::from_millis(500))
        .execute()
        .await
        .unwrap();
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1500), "{took:?}");
    assert!(took < 8 * SECOND, "{took:?}");
    let log = nginx.finish();

    assert_eq!(report.http.requests, log.len());
    for (journey, path, cut) in [("trickle", "/trickle", 3), ("wait", "/silent", 10)] {
        let row = report.journey(journey).unwrap();
        assert_eq!(
            (row.started, row.interrupted, row.failed),
            (cut, cut, 0),
            "{journey}"
        );
        assert_eq!(log.count(path), cut, "{journey}");
        let request = report.request(&format!("GET {path}")).unwrap();
        assert_eq!((request.count, request.failed()), (cut, cut));
        let mut errors = report.errors.iter();
        let error = errors.find(|error| error.journey == row.journey).unwrap();
        assert_eq!((error.kind.as_str(), error.count), ("interrupted", cut));
    }
    let look = report.journey("look").unwrap();
    assert_eq!((look.interrupted, look.failed), (0, 0));
    assert_eq!(log.count("/"), look.completed);
    assert_eq!(report.errors.len(), 2, "{:?}", report.errors);
    let silent = report
        .http
        .requests_by
        .iter()
        .find(|row| row.name == "GET /silent");
    assert_eq!(silent.unwrap().status, None);
}

#[tokio::test]
async fn a_request_that_times_out_is_counted_and_fails_its_journey() {
    let (nginx, _upstream) = with_silence();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<hurry>((), Constant::per_second(20, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_requests(&report, &log);
    let row = report.journey("hurry").unwrap();
    assert_eq!(
        (row.started, row.failed, log.count("/silent")),
        (20, 20, 20)
    );
    let [error] = &report.errors[..] else {
        panic!("one row: {:?}", report.errors);
    };
    assert_eq!((error.kind.as_str(), error.count), ("timeout", 20));
    let request = report.request("GET /silent").unwrap();
    assert_eq!(request.failures.values().sum::<u64>(), 20);
    let spent = request.failed_time.p50.unwrap();
    assert!((0.29..2.0).contains(&spent), "{spent}");
}

#[tokio::test]
async fn a_request_a_journey_gives_up_is_counted_and_does_not_fail_it() {
    let (nginx, _upstream) = with_silence();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<lose_patience>((), Constant::per_second(20, SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_requests(&report, &log);
    let row = report.journey("lose_patience").unwrap();
    assert_eq!((row.completed, row.failed), (20, 0));
    assert_eq!((log.count("/silent"), log.count("/")), (20, 20));
    assert_eq!(report.http.failed, 20);
}

#[tokio::test]
async fn a_run_that_is_stopped_lets_its_requests_end() {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<look>((), Constant::users(4, 60 * SECOND));
    let run = Run::new(scenario);
    let stop = run.stop_handle();
    let (report, ()) = tokio::join!(run.execute(), async {
        tokio::time::sleep(SECOND).await;
        stop.stop();
    });
    let report = report.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(report.errors, []);
    assert_eq!(report.journeys[0].interrupted, 0);
    assert!(
        report.duration_seconds < 10.0,
        "{}",
        report.duration_seconds
    );
}

#[tokio::test]
async fn a_run_that_is_cut_counts_what_was_in_flight() {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<trickle>((), one_shot())
        .journey::<look>((), Constant::users(8, 60 * SECOND));
    let run = Run::new(scenario);
    let stop = run.stop_handle();
    let (report, ()) = tokio::join!(run.execute(), async {
        tokio::time::sleep(SECOND).await;
        stop.cut();
    });
    let report = report.unwrap();
    let log = nginx.finish();

    assert_eq!(report.http.requests, log.len());
    assert_eq!(report.verdict, Verdict::Interrupted);
    let interrupted = |name| report.journey(name).unwrap().interrupted;
    assert_eq!((interrupted("trickle"), log.count("/trickle")), (1, 1));
    assert!(interrupted("look") <= 8);
    assert!(
        report.duration_seconds < 10.0,
        "{}",
        report.duration_seconds
    );
}
