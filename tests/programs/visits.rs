//! A load test for tests to run as a process of its own.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mite::{
    Context, Scenario,
    datapool::{Once, Recyclable},
    journey, scenario,
    volume::{Constant, HoldLatency, Saturate},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

/// Asks for something long that comes slowly.
#[journey]
async fn trickle(ctx: &Context) -> mite::Result {
    ctx.http()
        .get("/trickle")
        .send()
        .await?
        .expect_status(200)?;
    Ok(())
}

/// Visits for a minute.
#[scenario]
fn visits() -> Scenario {
    Scenario::new().journey::<look>((), Constant::users(6, MINUTE))
}

/// Visits for a minute, some of them slow.
#[scenario]
fn slow_visits() -> Scenario {
    Scenario::new()
        .journey::<look>((), Constant::per_second(100, MINUTE))
        .journey::<trickle>((), Constant::users(3, MINUTE))
}

/// Twenty visits a second for a minute.
#[scenario]
fn few_visits() -> Scenario {
    Scenario::new().journey::<look>((), Constant::per_second(20, MINUTE))
}

/// Reads an article that nobody else reads.
#[journey]
async fn read(ctx: &Context, article: u32) -> mite::Result {
    let url = format!("/item/{article}");
    ctx.http().get(&url).send().await?.expect_status(200)?;
    Ok(())
}

/// Says which process it is in.
#[journey]
async fn look_marked(ctx: &Context) -> mite::Result {
    let url = format!("/item/{}", std::process::id());
    ctx.http().get(&url).send().await?.expect_status(200)?;
    Ok(())
}

/// A hundred of these a second for a minute.
#[scenario]
fn marked_visits() -> Scenario {
    Scenario::new().journey::<look_marked>((), Constant::per_second(100, MINUTE))
}

/// A hundred visits a second for a minute.
#[scenario]
fn steady_visits() -> Scenario {
    Scenario::new().journey::<look>((), Constant::per_second(100, MINUTE))
}

/// Six hundred articles, each read once.
#[scenario]
fn readers() -> Scenario {
    Scenario::new().journey::<read>(Once::new(1..=600), Constant::per_second(100, MINUTE))
}

/// Looks at what it was lent, and keeps it for a moment.
#[journey]
async fn borrow(ctx: &Context, item: u32) -> mite::Result {
    let url = format!("/item/{item}");
    ctx.http().get(&url).send().await?.expect_status(200)?;
    ctx.pause(Duration::from_millis(200)).await;
    Ok(())
}

/// Six users of six items, which are lent again and again.
#[scenario]
fn borrowers() -> Scenario {
    Scenario::new().journey::<borrow>(Recyclable::new(1..=6), Constant::users(6, MINUTE))
}

/// Asks for one thing, and a second later for another.
#[journey]
async fn stay(ctx: &Context) -> mite::Result {
    for item in 1..=2 {
        let url = format!("/item/{item}");
        ctx.http().get(&url).send().await?.expect_status(200)?;
        if item == 1 {
            ctx.pause(Duration::from_secs(1)).await;
        }
    }
    Ok(())
}

/// Looks at the front page, and at its clock.
#[journey]
async fn dwell(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    ctx.pause(Duration::from_millis(200)).await;
    Ok(())
}

/// Forty stays a second for a minute, and six users who look again and again.
#[scenario]
fn stays() -> Scenario {
    Scenario::new()
        .journey::<stay>((), Constant::per_second(40, MINUTE))
        .journey::<dwell>((), Constant::users(6, MINUTE))
}

/// Asks for one thing, and for another after as many seconds as the setting `stay` says.
#[journey]
async fn stay_long(ctx: &Context) -> mite::Result {
    let stay = ctx.config().get("stay")?;
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    ctx.pause(Duration::from_secs(stay)).await;
    ctx.http().get("/item/2").send().await?.expect_status(200)?;
    Ok(())
}

/// Twenty of these a second for a minute.
#[scenario]
fn long_stays() -> Scenario {
    Scenario::new().journey::<stay_long>((), Constant::per_second(20, MINUTE))
}

/// Looks at the front page, and records which look it was.
#[journey]
async fn look_and_record(ctx: &Context) -> mite::Result {
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    ctx.http().get("/").send().await?.expect_status(200)?;
    let look = LOOKS.fetch_add(1, Ordering::Relaxed);
    ctx.record("looks", &(std::process::id(), look))
}

/// A hundred of these a second for a minute.
#[scenario]
fn recorded_visits() -> Scenario {
    Scenario::new().journey::<look_and_record>((), Constant::per_second(100, MINUTE))
}

/// Looks for what the server can take, with rather less than that.
#[scenario]
fn search() -> Scenario {
    Scenario::new()
        .journey::<look>(
            (),
            Saturate::per_second(100, 400)
                .until_p99(5 * SECOND)
                .step_time(2 * SECOND)
                .at_most(MINUTE),
        )
        .journey::<dwell>((), HoldLatency::p95(5 * SECOND).users(1, 8).over(MINUTE))
}

fn main() -> ExitCode {
    mite::main()
}
