//! A run with so many series, and what its statistics cost then.
//!
//! ```console
//! series 10000 10   # ten thousand transactions, ten seconds
//! ```
//!
//! Prints one line of JSON.

use std::{
    env,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use mite::{Context, Error, Report, Run, Scenario, bench::Recorder, journey, volume::Constant};
use serde_json::json;

/// Starts each second: few enough for one core to do them all, so that the load is the same
/// however many series there are.
const STARTS: u64 = 50_000;

/// How many transactions there are. It stands here since a look into the config costs more than
/// what is measured.
static SERIES: AtomicU64 = AtomicU64::new(1);

/// A transaction with one of so many names.
#[journey]
async fn named(ctx: &Context) -> mite::Result {
    let number = ctx.rng().u64(0..SERIES.load(Ordering::Relaxed));
    ctx.transaction(format!("transaction {number}"), async { Ok(()) })
        .await
}

fn main() -> ExitCode {
    match measure() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("series: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure() -> mite::Result<serde_json::Value> {
    let mut arguments = env::args().skip(1);
    let mut number = |what: &str| {
        let text = arguments.next().unwrap_or_default();
        text.parse::<u64>()
            .ok()
            .filter(|&number| number > 0)
            .ok_or_else(|| Error::other(format!("{what} is a whole number above 0, not {text:?}")))
    };
    let series = number("the number of series")?;
    let seconds = number("the number of seconds")?;
    SERIES.store(series, Ordering::Relaxed);
    let (taken, merged) = snapshots(series);
    let report = run(series, Duration::from_secs(seconds))?;
    let journeys = report.journeys.iter().map(|row| row.completed);
    Ok(json!({
        "series": report.transactions.len(),
        "journeys": journeys.sum::<u64>(),
        "duration_seconds": report.duration_seconds,
        "cpu_seconds": report.generator.cpu_seconds,
        "peak_rss_bytes": report.generator.peak_rss_bytes,
        "loop_lag_max": report.generator.loop_lag.max,
        "take_seconds": taken.as_secs_f64(),
        "merge_seconds": merged.as_secs_f64(),
    }))
}

/// How long it takes to hand over a second in which every series had a sample, and to add it to
/// one like it.
fn snapshots(series: u64) -> (Duration, Duration) {
    let mut recorder = Recorder::new(usize::try_from(series).unwrap_or(usize::MAX));
    let mut second = || {
        for number in 0..series {
            let transaction = recorder.transaction(&format!("transaction {number}"));
            recorder.transaction_ended(transaction, Duration::from_micros(number % 1000));
        }
        let began = Instant::now();
        let snapshot = recorder.take();
        (snapshot, began.elapsed())
    };
    let (mut total, _) = second();
    let (next, taken) = second();
    let began = Instant::now();
    total.merge(next);
    (taken, began.elapsed())
}

fn run(series: u64, duration: Duration) -> mite::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let scenario = Scenario::new().journey::<named>((), Constant::per_second(STARTS, duration));
    let run = Run::new(scenario)
        .workers(1)
        .series_cap(usize::try_from(series)?);
    Ok(runtime.block_on(run.execute())?)
}
