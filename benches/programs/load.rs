//! A load test as a user would write it, for the scripts to measure: with the command line, every
//! statistic and the report, and journeys that do next to nothing.
//!
//! ```console
//! load journey test get --users 100 --workers 1 --config base_url=http://127.0.0.1:8080
//! ```

use std::{process::ExitCode, time::Duration};

use mite::{Context, journey};

/// One request in a transaction.
#[journey]
async fn get(ctx: &Context) -> mite::Result {
    ctx.transaction("get", async {
        ctx.http().get("/").send().await?.expect_status(200)?;
        Ok(())
    })
    .await
}

/// One request in a transaction, and a pause of `think_seconds`.
#[journey]
async fn visit(ctx: &Context) -> mite::Result {
    get(ctx).await?;
    let seconds = ctx.config().get_or("think_seconds", 1.0)?;
    ctx.pause(Duration::from_secs_f64(seconds)).await;
    Ok(())
}

/// Nothing but a start and an end.
#[journey]
async fn nothing(_ctx: &Context) -> mite::Result {
    Ok(())
}

/// Two transactions, one inside the other, and an event of its own that nobody counts.
#[journey]
async fn nested(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        ctx.transaction("inner", async { ctx.send("step", 1) })
            .await
    })
    .await
}

/// Waits for longer than any run lasts.
#[journey]
async fn idle(ctx: &Context) -> mite::Result {
    ctx.pause(Duration::from_secs(3600)).await;
    Ok(())
}

/// Says how many bytes the future of `idle` has.
#[journey]
async fn idle_size(ctx: &Context) -> mite::Result {
    println!("{}", size_of_val(&idle(ctx)));
    Ok(())
}

fn main() -> ExitCode {
    mite::main()
}
