//! Models that follow the results, against servers whose limit is known exactly.
//!
//! What the servers do is a matter of timers, not of processors, so the truth holds on a busy machine.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod holds;
mod limits;
mod saturate;
mod server;

use mite::{Context, Report, Run, Scenario, journey, volume::VolumeModel};

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    Ok(())
}

async fn run(url: &str, volume: impl VolumeModel) -> Report {
    let scenario = Scenario::new().base_url(url).journey::<look>((), volume);
    Run::new(scenario).execute().await.unwrap()
}

/// The mean of the starts a second that were asked for in the last half of the run.
fn mean_of_last_half(report: &Report) -> f64 {
    let points = &report.series.points;
    // The last second may be less than one, or be spent waiting for journeys to end.
    let planned: Vec<_> = points.iter().map(|point| point.planned_starts).collect();
    let end = planned.iter().rposition(|&starts| starts > 0).unwrap();
    let last = &planned[end / 2..end];
    last.iter().sum::<u64>() as f64 / last.len() as f64
}

/// Whether two amounts differ by no more than `share` of the second.
#[track_caller]
fn assert_within(found: f64, truth: f64, share: f64) {
    assert!(
        (found / truth - 1.0).abs() <= share,
        "{found} is not within {share} of {truth}"
    );
}
