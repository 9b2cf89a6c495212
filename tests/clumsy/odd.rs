//! Journeys that count, and one that puts into every name and message what could break a file.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mite::{
    Context, Scenario, journey,
    metric::{Counter, Gauge, Histogram},
    scenario,
    volume::Constant,
};
use serde_json::json;

/// What means something to one format or another. `ODD` is where the test looks for it.
const ODD: &str = "ODD</script><script>owned=1</script><img src=x onerror=owned=1>\"'`|\\\\|\\\
                   ]]>--><!--&lt;&amp;${x}{{x}}%0a@all #1\r\n=1+1\tend\u{1b}[2J\u{1b}]0;owned\u{7}\
                   \u{202e}\u{feff}\u{0}\u{85}\u{2028}ü🦀";

mite::metrics! {
    Counter::new("orders").on("order");
    Counter::new("sold").on("order").value("items").label("shop");
    Gauge::new("last_order").on("order").value("items");
    Histogram::new("order_items").on("order").value("items");
    Histogram::new("order_took").on("order").seconds("took").label("shop");
}

/// Orders something, and pays one time in four with a bad card.
#[journey]
async fn order(ctx: &Context) -> mite::Result {
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    let round = ROUNDS.fetch_add(1, Ordering::Relaxed);
    ctx.transaction("order", async {
        ctx.http().get("/basket").send().await?.expect_status(200)?;
        let shop = if round.is_multiple_of(2) {
            "north"
        } else {
            "south"
        };
        let order = json!({"shop": shop, "items": 0.1 * (round + 1) as f64, "took": 0.25});
        ctx.send("order", order)?;
        let status = if round % 4 == 3 { 402 } else { 200 };
        let paid = ctx.http().post(format!("/status/{status}")).name("pay");
        paid.send().await?.expect_status(200)?;
        Ok(())
    })
    .await
}

/// Eighty orders in four seconds, the first of which is warm-up.
#[scenario]
fn orders() -> Scenario {
    Scenario::new()
        .warm_up(Duration::from_secs(1))
        .journey::<order>(
            (),
            Constant::per_second(20, Duration::from_secs(4)).named("peak"),
        )
        .threshold("http.count > 10")
}

/// Says odd things wherever it can.
#[journey]
async fn odd(ctx: &Context) -> mite::Result {
    let long = format!("{ODD}{}", "x".repeat(10_000_000));
    ctx.transaction(ODD, async {
        ctx.http().get("/").name(ODD).send().await?;
        ctx.http().get("/").name(long.clone()).send().await?;
        ctx.send("order", json!({"shop": ODD, "items": 1, "took": 0.25}))?;
        ctx.send(
            "order",
            json!({"shop": long.clone(), "items": 1, "took": 0.25}),
        )?;
        ctx.transaction(&long, async { Ok(()) }).await?;
        Ok(())
    })
    .await?;
    let failure = mite::Error::failure(ODD);
    Err(failure.field("said", long).field(ODD, ODD))
}

/// Two odd journeys.
#[scenario]
fn oddities() -> Scenario {
    Scenario::new()
        .journey::<odd>(
            (),
            Constant::per_second(2, Duration::from_secs(1)).named(ODD),
        )
        .threshold("errors.count < 1")
}
