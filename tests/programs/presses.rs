//! A load for tests to run as a process of its own, against servers that fail. The config says
//! what it is: so many `users`, so many starts a second (`rate`) or both, for so many `seconds`.

use std::{process::ExitCode, time::Duration};

use mite::{
    Config, Context, Scenario,
    http::{Connections, Network, Settings},
    journey, scenario,
    volume::Constant,
};

/// A user who asks again and again.
#[journey]
async fn stay(ctx: &Context) -> mite::Result {
    ask(ctx, "stay").await
}

/// A visitor who asks once.
#[journey]
async fn come(ctx: &Context) -> mite::Result {
    ask(ctx, "come").await
}

/// Asks for the path of this journey, and keeps its connection for a while if it is its own.
async fn ask(ctx: &Context, who: &str) -> mite::Result {
    let config = ctx.config();
    let path = config.text("path").unwrap_or_default().replace("{}", who);
    let mut request = ctx.http().get(path);
    if config.get_or("discard", false)? {
        request = request.discard_body();
    }
    request.send().await?.expect_status(200)?;
    ctx.pause(milliseconds(config, "hold_ms")?.unwrap_or_default())
        .await;
    Ok(())
}

/// The load that the config says.
#[scenario]
fn press(config: &mut Config) -> mite::Result<Scenario> {
    let time = Duration::from_secs(config.get("seconds")?);
    let (users, rate) = (config.get_or("users", 0)?, config.get_or("rate", 0)?);
    let mut scenario = Scenario::new().http(settings(config)?);
    if users > 0 {
        scenario = scenario.journey::<stay>((), Constant::users(users, time));
    }
    if rate > 0 {
        scenario = scenario.journey::<come>((), Constant::per_second(rate, time));
    }
    Ok(scenario)
}

fn settings(config: &Config) -> mite::Result<Settings> {
    let mut network = Network::new();
    if let Some(limit) = milliseconds(config, "connect_timeout_ms")? {
        network = network.connect_timeout(limit);
    }
    let connections = match config.text("connections") {
        Some("per_journey") => Connections::per_journey(),
        Some("none") => Connections::none(),
        _ => Connections::shared(),
    };
    let mut settings = Settings::new().network(network).connections(connections);
    if let Some(limit) = milliseconds(config, "timeout_ms")? {
        settings = settings.timeout(limit);
    }
    if config.contains("max_body_size") {
        settings = settings.max_body_size(config.get("max_body_size")?);
    }
    Ok(settings)
}

fn milliseconds(config: &Config, key: &str) -> mite::Result<Option<Duration>> {
    if !config.contains(key) {
        return Ok(None);
    }
    Ok(Some(Duration::from_millis(config.get(key)?)))
}

fn main() -> ExitCode {
    mite::main()
}
