//! A run with something in every metric.

use std::time::Duration;

use mite::{
    Context, Report, Run, Scenario, journey,
    metric::{Counter, Gauge, Histogram},
    volume::Constant,
};
use serde_json::json;
use tests::nginx::Nginx;

/// The buckets of the run: its times are short.
pub(crate) const BUCKETS: [f64; 9] = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 1.0];

mite::metrics! {
    Counter::new("items_sold").on("basket").value("items").label("shop");
    Histogram::new("server_time").on("basket").seconds("seconds");
    Histogram::new("basket_size").on("basket").value("items");
    Gauge::new("last_basket").on("basket").value("items");
}

#[journey]
async fn buy(ctx: &Context) -> mite::Result {
    ctx.transaction("shop \"north\"", async {
        ctx.http().get("/").send().await?.expect_status(200)?;
        ctx.http().get("/file").send().await?.expect_status(200)?;
        Ok(())
    })
    .await?;
    ctx.send(
        "basket",
        json!({"items": 2, "seconds": 0.25, "shop": "north"}),
    )
}

#[journey]
async fn lose(ctx: &Context) -> mite::Result {
    ctx.transaction("look", async {
        ctx.http()
            .get("/missing")
            .send()
            .await?
            .expect_status(200)?;
        Ok(())
    })
    .await
}

/// Asks where nobody listens.
#[journey]
async fn miss(ctx: &Context) -> mite::Result {
    ctx.http().get("http://127.0.0.1:1/").send().await?;
    Ok(())
}

/// Runs for some seconds, and serves what it shows at `address` for a minute more.
pub(crate) fn run(nginx: &Nginx, address: &str) -> Report {
    let time = Duration::from_secs(4);
    let scenario = Scenario::new()
        .base_url(nginx.url())
        .journey::<buy>((), Constant::per_second(60, time))
        .journey::<lose>((), Constant::per_second(10, time))
        .journey::<miss>((), Constant::users(1, time))
        .threshold("http.p99 < 10s");
    let bounds = BUCKETS.map(|bound| bound.to_string()).join(",");
    let run = Run::new(scenario)
        .name("shop::evening")
        .metrics(address)
        .metrics_linger(Duration::from_secs(60))
        .metrics_buckets(bounds);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(run.execute()).unwrap()
}
