//! A run with so many series, and what its statistics cost then.
//!
//! ```console
//! series 10000 10      # ten thousand transactions, ten seconds
//! series 10000 taken   # goes as far as that and no further, for counting instructions
//! ```
//!
//! The first prints one line of JSON. The second is `filled`, `taken` or `merged`: what one of them
//! takes more than the one before is what taking or merging a second takes.

use std::{
    env,
    process::{self, ExitCode},
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

/// How far to go with the snapshots of two seconds.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Step {
    /// The second of them has been counted.
    Filled,
    /// It has been handed over.
    Taken,
    /// It has been added to the first.
    Merged,
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
    let series = number(
        "the number of series",
        &arguments.next().unwrap_or_default(),
    )?;
    let until = arguments.next().unwrap_or_default();
    let step = match until.as_str() {
        "filled" => Some(Step::Filled),
        "taken" => Some(Step::Taken),
        "merged" => Some(Step::Merged),
        _ => None,
    };
    let (taken, merged) = snapshots(series, step);
    let seconds = number("the number of seconds", &until)?;
    SERIES.store(series, Ordering::Relaxed);
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

fn number(what: &str, text: &str) -> mite::Result<u64> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Error::other(format!("{what} is a whole number above 0, not {text:?}")))
}

/// How long it takes to hand over a second in which every series had a sample, and to add it to
/// one like it; after a step that is given the process ends.
fn snapshots(series: u64, step: Option<Step>) -> (Duration, Duration) {
    let until = step.unwrap_or(Step::Merged);
    let mut recorder = Recorder::new(usize::try_from(series).unwrap_or(usize::MAX));
    let fill = |recorder: &mut Recorder| {
        for number in 0..series {
            let transaction = recorder.transaction(&format!("transaction {number}"));
            recorder.transaction_ended(transaction, Duration::from_micros(number % 1000));
        }
    };
    fill(&mut recorder);
    let mut total = recorder.take();
    fill(&mut recorder);
    let began = Instant::now();
    let next = (until >= Step::Taken).then(|| recorder.take());
    let taken = began.elapsed();
    let began = Instant::now();
    let left = match next {
        Some(next) if until >= Step::Merged => {
            total.merge(next);
            None
        }
        next => next,
    };
    let merged = began.elapsed();
    if step.is_some() {
        // What it would take to give everything back is not to be counted.
        process::exit(0);
    }
    drop(left);
    (taken, merged)
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
