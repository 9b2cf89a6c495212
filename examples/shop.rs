//! An evening in a small shop: several journeys, data from a file, a ramp, a steady rate, metrics of
//! its own and thresholds.
//!
//! ```console
//! cargo run --release --example shop -- scenario plan evening
//! cargo run --release --example shop -- scenario test evening --duration 20s --report evening.json
//! cargo run --release --example shop -- journey run sign_in --datapool users --debugging
//! ```

use std::{process::ExitCode, time::Duration};

use mite::{
    Context, Scenario, datapool,
    datapool::{Once, Recyclable},
    journey,
    metric::{Counter, Histogram},
    scenario,
    volume::{Constant, Ramp},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Serialize, Deserialize)]
struct User {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Session {
    token: String,
}

#[derive(Deserialize)]
struct Basket {
    items: Vec<String>,
}

mite::metrics! {
    Counter::new("orders").on("order").label("kind");
    Histogram::new("order_value").on("order").value("value");
}

/// Signs in and looks at an empty basket.
#[journey]
async fn sign_in(ctx: &Context, user: User) -> mite::Result {
    ctx.transaction("sign in", async {
        let session: Session = ctx
            .http()
            .post("/login")
            .json(&user)
            .send()
            .await?
            .expect_status(200)?
            .json()?;
        mite::ensure!(
            session.token.ends_with(&user.name),
            "this is somebody else's session"
        );
        Ok(())
    })
    .await?;
    ctx.pause(Duration::from_millis(200)).await;
    ctx.transaction("basket", async {
        let basket: Basket = ctx.http().get("/basket").send().await?.json()?;
        mite::ensure!(basket.items.is_empty(), "a new user's basket is not empty");
        Ok(())
    })
    .await
}

/// Looks at a few articles, thinking in between.
#[journey]
async fn browse(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    for _ in 0..ctx.rng().u32(1..=3) {
        ctx.pause(Duration::from_millis(ctx.rng().u64(100..300)))
            .await;
        let url = format!("/item/{}", ctx.rng().u32(1..=500));
        ctx.http()
            .get(&url)
            .name("GET /item/:id")
            .send()
            .await?
            .expect_status(200)?;
    }
    Ok(())
}

/// Pays with a voucher that can be used one time.
#[journey]
async fn order(ctx: &Context, voucher: u32) -> mite::Result {
    ctx.transaction("order", async {
        let answer = ctx
            .http()
            .post("/orders")
            .json(&json!({ "voucher": voucher }))
            .send()
            .await?;
        answer.expect_status(201)?;
        let kind = if voucher.is_multiple_of(10) {
            "large"
        } else {
            "small"
        };
        ctx.send("order", json!({ "kind": kind, "value": voucher % 90 + 10 }))
    })
    .await
}

/// The customers of the shop, from a file.
#[datapool]
fn users() -> Recyclable<User> {
    Recyclable::from_csv(examples::file("users.csv"))
}

/// Vouchers, each good for one order.
#[datapool]
fn vouchers() -> Once<u32> {
    Once::new(1000..)
}

/// Five minutes like a Saturday evening.
#[scenario]
fn evening() -> Scenario {
    Scenario::new()
        .base_url(examples::shop_url())
        .journey::<sign_in>(
            users(),
            Ramp::users(0, 8, MINUTE).named("opening")
                + Constant::users(8, 3 * MINUTE).named("evening")
                + Ramp::over(MINUTE).to(0).named("closing"),
        )
        .journey::<browse>((), Constant::per_second(50, 5 * MINUTE).poisson())
        .journey::<order>(vouchers(), Constant::per_second(5, 5 * MINUTE))
        .threshold("http.p99 < 250ms")
        .threshold("http{name=\"POST /orders\"}.p95 < 100ms")
        .threshold("errors.rate < 1%")
}

fn main() -> ExitCode {
    mite::main_with(|config| {
        config.set_default("base_url", examples::shop_url());
    })
}
