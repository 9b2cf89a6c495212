//! How many orders a second does the small shop take, and how many articles at 20 ms?
//!
//! ```console
//! cargo run --release --example saturate -- scenario plan limit
//! cargo run --release --example saturate -- scenario test limit --report limit.json
//! cargo run --release --example saturate -- scenario test edge
//! ```

use std::{process::ExitCode, time::Duration};

use mite::{
    Context, Scenario, journey, scenario,
    volume::{Constant, HoldLatency, Saturate},
};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

/// Places an order.
#[journey]
async fn order(ctx: &Context) -> mite::Result {
    let order = json!({ "voucher": ctx.rng().u32(..) });
    let answer = ctx.http().post("/orders").json(&order).send().await?;
    answer.expect_status(201)?;
    Ok(())
}

/// Looks at an article.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    let url = format!("/item/{}", ctx.rng().u32(1..=500));
    let page = ctx.http().get(&url).name("GET /item/:id").send().await?;
    page.expect_status(200)?;
    Ok(())
}

/// Raises the orders until one in a hundred takes longer than 100 ms.
#[scenario]
fn limit() -> Scenario {
    Scenario::new().journey::<order>(
        (),
        Constant::per_second(100, 5 * SECOND).named("warm-up")
            + Saturate::per_second(100, 50_000)
                .until_p99(Duration::from_millis(100))
                .until_throughput_stops()
                .step_time(5 * SECOND)
                .at_most(300 * SECOND)
                .named("search"),
    )
}

/// Keeps as many visitors in the shop as see an article within 20 ms at p95.
#[scenario]
fn edge() -> Scenario {
    Scenario::new().journey::<look>(
        (),
        HoldLatency::p95(Duration::from_millis(20))
            .users(1, 2000)
            .starting_at(10)
            .over(60 * SECOND)
            .named("edge"),
    )
}

fn main() -> ExitCode {
    mite::main_with(|config| {
        config.set_default("base_url", examples::shop_url());
    })
}
