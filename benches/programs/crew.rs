//! A controller, and as many runners as one likes that only pretend to work.
//!
//! ```console
//! crew controller evening --nats nats://127.0.0.1:4222 --wait-for-runners 500 --metrics 9301
//! crew simulate nats://127.0.0.1:4222 500 20
//! ```
//!
//! The second takes part as five hundred runners that report twenty names each second, and prints a
//! line of JSON at the end: when each heard of each new volume, in seconds since the epoch.

use std::{
    env,
    process::ExitCode,
    time::{Duration, UNIX_EPOCH},
};

use mite::{Context, Scenario, bench::simulate, journey, scenario, volume::Constant};

/// Is never run.
#[journey]
async fn pretend(_ctx: &Context) -> mite::Result {
    Ok(())
}

/// A thousand starts a second for ten minutes.
#[scenario]
fn evening() -> Scenario {
    let plan = Constant::per_second(1000, Duration::from_secs(600));
    Scenario::new().journey::<pretend>((), plan)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["simulate", url, runners, names] = arguments.as_slice() else {
        return mite::main();
    };
    let (Ok(runners), Ok(names)) = (runners.parse(), names.parse()) else {
        eprintln!("crew: say how many runners and how many names, such as 500 20");
        return ExitCode::from(2);
    };
    match simulate(url, runners, names) {
        Ok(heard) => {
            let since = heard.iter().map(|at| at.duration_since(UNIX_EPOCH));
            let seconds: Vec<_> = since.flatten().map(|at| at.as_secs_f64()).collect();
            println!("{}", serde_json::json!(seconds));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("crew: {error}");
            ExitCode::from(2)
        }
    }
}
