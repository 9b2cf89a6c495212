//! A first load test: a journey that only tells, and one that asks a web server.
//!
//! ```console
//! cargo run --release --example quickstart -- list
//! cargo run --release --example quickstart -- journey run browse
//! cargo run --release --example quickstart -- scenario test quickstart
//! ```

use std::{process::ExitCode, time::Duration};

use mite::{
    Context, Scenario, datapool,
    datapool::Recyclable,
    journey, scenario,
    volume::{Constant, Ramp},
};
use serde_json::json;

/// Sends a message and waits for half a second.
#[journey]
async fn hello(ctx: &Context, first: u32, second: u32) -> mite::Result {
    ctx.transaction("test1", async {
        let content = ctx.config().get_or("test_msg", "Not set".to_owned())?;
        ctx.send(
            "test_message",
            json!({ "content": content, "sum": first + second }),
        )?;
        ctx.pause(Duration::from_millis(500)).await;
        Ok(())
    })
    .await
}

/// Looks at the front page and at one article.
#[journey]
async fn browse(ctx: &Context) -> mite::Result {
    ctx.transaction("front page", async {
        ctx.http().get("/").send().await?.expect_status(200)?;
        Ok(())
    })
    .await?;
    ctx.transaction("article", async {
        let url = format!("/item/{}", ctx.rng().u32(1..=500));
        let item: serde_json::Value = ctx
            .http()
            .get(&url)
            .name("GET /item/:id")
            .send()
            .await?
            .expect_status(200)?
            .json()?;
        mite::ensure!(
            item.get("price").is_some_and(|price| price != 0),
            "the article costs nothing: {item}"
        );
        Ok(())
    })
    .await
}

/// Pairs of numbers to add.
#[datapool]
fn numbers() -> Recyclable<(u32, u32)> {
    Recyclable::new((0..5000).map(|i| (i, i + 2)))
}

/// Ten users that say hello, and up to 200 visits a second to a small shop.
#[scenario]
fn quickstart() -> Scenario {
    let seconds = Duration::from_secs;
    Scenario::new()
        .journey::<hello>(numbers(), Constant::users(10, seconds(30)))
        .journey::<browse>(
            (),
            Ramp::per_second(0, 200, seconds(5)).named("ramp")
                + Constant::per_second(200, seconds(25)).named("steady"),
        )
        .threshold("http.p99 < 250ms")
        .threshold("errors.rate < 1%")
}

fn main() -> ExitCode {
    mite::main_with(|config| {
        config.set_default("base_url", examples::shop_url());
    })
}
