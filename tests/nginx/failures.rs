//! Runs in which the server says no: what failed, how often and where.

use std::time::Duration;

use mite::{Context, Scenario, journey, report::Verdict, volume::Constant};

use crate::{check::assert_same_traffic, server::Nginx};

const SECOND: Duration = Duration::from_secs(1);

/// Meets a missing page that is all right, and then one time in two a page that is not.
#[journey]
async fn stumble(ctx: &Context) -> mite::Result {
    ctx.transaction("missing", async {
        ctx.http()
            .get("/missing")
            .ok_status(404)
            .send()
            .await?
            .expect_status(404)?;
        Ok(())
    })
    .await?;
    // Failed as a request, and no failure of the journey.
    ctx.http().get("/missing").send().await?;
    if ctx.rng().bool() {
        ctx.transaction("broken", async {
            ctx.http().get("/broken").send().await?.expect_status(200)?;
            Ok(())
        })
        .await?;
    }
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

#[tokio::test]
async fn failed_requests_and_journeys_are_counted_exactly() {
    let nginx = Nginx::start();
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<stumble>((), Constant::per_second(100, 2 * SECOND));
    let report = mite::run(scenario).await.unwrap();
    let log = nginx.finish();

    assert_same_traffic(&report, &log);
    let broken = log.with_status(500);
    assert!(broken > 20, "{broken}");
    let stumble = report.journey("stumble").unwrap();
    assert_eq!(
        (stumble.started, stumble.failed, stumble.completed),
        (200, broken, 200 - broken)
    );
    assert_eq!(log.with_status(404), 400);
    assert_eq!(
        report.http.failed,
        200 + broken,
        "404 was allowed once a journey"
    );

    let [row] = &report.errors[..] else {
        panic!("one failure, so one row: {:?}", report.errors);
    };
    assert_eq!((row.kind.as_str(), row.count), ("error", broken));
    assert_eq!(row.transaction, "broken");
    assert!(row.journey.ends_with("::stumble"), "{row:?}");
    assert!(row.location.contains("failures.rs:"), "{row:?}");
    assert!(row.message.contains("expected 200 OK, got 500"), "{row:?}");

    let transaction = |name| {
        let mut rows = report.transactions.iter();
        let row = rows.find(|row| row.transaction == name).unwrap();
        (row.count, row.errors)
    };
    assert_eq!(transaction("missing"), (200, 0));
    assert_eq!(transaction("broken"), (broken, broken));
    let missing = report.request("GET /missing").unwrap();
    assert_eq!((missing.count, missing.failed()), (400, 200));
    assert_eq!(missing.failures["404"], 200);
    // Too busy a machine makes it invalid, which comes first.
    assert_ne!(report.verdict, Verdict::Passed);
    let reason = format!("{broken} journeys failed");
    assert!(report.reasons.iter().any(|why| why.contains(&reason)));
}
