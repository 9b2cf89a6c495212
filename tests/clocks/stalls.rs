//! A server that stalls: what the report says of it, and what the journeys themselves saw.
//!
//! Of evenly spaced starts, a fifth come due during the stall, and one that comes due `t` seconds
//! before its end takes `t`: at p90 it takes 0.50 s, at p95 0.75 s, at p99 0.95 s. A machine that is
//! busy with other things adds to that, and takes nothing away. So the server writes down when it
//! really held its answers and when it gave each, and each journey keeps its own times too: the
//! report has to agree with those however busy the machine is.

use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mite::{
    Context, Report, Run, Scenario, journey,
    report::LatencySummary,
    volume::{Observed, Volume, VolumeModel, Window},
};
use tests::holds::{Starts, in_order, quantile};

use crate::server::{PERIOD, Stalling};

const PER_SECOND: u32 = 1000;
/// Whole periods of the server.
const LOADED: Duration = PERIOD.saturating_mul(2);
const STARTS: u32 = 10_000;
/// What a machine that is busy with other things may need to get through what is left.
const PATIENCE: Duration = Duration::from_secs(60);

/// The rate for whole periods, and then nothing until all that was started has come to its end: what
/// still waits at the end of a plan is dropped.
struct Steady;

impl VolumeModel for Steady {
    fn volume(&mut self, window: Window, observed: &Observed) -> Volume {
        if window.start < LOADED {
            Volume::PerSecond(PER_SECOND.into())
        } else if observed.completed < STARTS.into() && window.start < LOADED + PATIENCE {
            Volume::PerSecond(0.0)
        } else {
            Volume::Stop
        }
    }
}

/// Two loads at once would be in each other's way.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

static STARTED: AtomicUsize = AtomicUsize::new(0);
static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// One journey, by its own watch.
#[derive(Clone, Copy)]
struct Seen {
    number: usize,
    started: Instant,
    ended: Instant,
}

/// Looks at the front page.
#[journey]
async fn look(ctx: &Context) -> mite::Result {
    let started = Instant::now();
    // On one worker they start in the order in which they come due.
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let path = format!("/{number}");
    let request = ctx.http().get(path).name("GET /:number");
    request.send().await?.expect_status(200)?;
    seen().push(Seen {
        number,
        started,
        ended: Instant::now(),
    });
    Ok(())
}

fn seen() -> MutexGuard<'static, Vec<Seen>> {
    SEEN.lock().unwrap()
}

/// What is to be told from the report, in seconds and in order of length.
struct Truth {
    /// By the server's own holds, and nothing else.
    holds: Vec<f64>,
    /// From when each start was due until the server answered it, by the server's watch.
    answered: Vec<f64>,
    /// Until the journey had its answer, by its own.
    seen: Vec<f64>,
}

impl Truth {
    fn of(server: &Stalling, seen: &[Seen]) -> Self {
        let starts = Starts::seen(
            PER_SECOND,
            seen.iter().map(|seen| (seen.number, seen.started)),
        );
        let since_due = |number, at: Instant| (at - starts.due(number)).as_secs_f64();
        let answers = server.answers();
        assert_eq!(answers.len(), seen.len());
        Self {
            holds: starts.waits(seen.len(), &server.holds()),
            answered: in_order(answers.iter().map(|one| since_due(one.number, one.at))),
            seen: in_order(seen.iter().map(|one| since_due(one.number, one.ended))),
        }
    }

    /// The stall is there in full, and nothing else is that the journeys did not see themselves.
    ///
    /// Unless the compiler has optimized it, a client takes so long for each of a thousand answers
    /// that come at once that they wait for each other, and what it does in order to measure is most
    /// of what it measures; the rest goes by the holds alone.
    fn assert_told(&self, times: &LatencySummary) {
        for (name, part, measured, stall) in [
            ("p90", 0.90, times.p90, 0.50),
            ("p95", 0.95, times.p95, 0.75),
            ("p99", 0.99, times.p99, 0.95),
        ] {
            let measured = measured.unwrap();
            let [holds, answered, seen] =
                [&self.holds, &self.answered, &self.seen].map(|times| quantile(times, part));
            let told = format!(
                "{name} is {measured}; by the holds {holds}, when answered {answered}, as seen {seen}"
            );
            eprintln!("{told}");
            assert!(holds >= stall * 0.99, "no stall of a second: {told}");
            assert!(measured >= holds * 0.95, "{told}");
            assert!(measured >= answered * 0.99, "{told}");
            assert!((measured - seen).abs() <= seen * 0.05, "{told}");
            if cfg!(not(debug_assertions)) {
                assert!(measured <= holds * 1.05, "{told}");
            }
        }
    }
}

/// Runs whole periods of the server.
async fn run(change: impl FnOnce(Run) -> Run) -> (Report, Truth) {
    let _alone = ALONE.lock().await;
    STARTED.store(0, Ordering::Relaxed);
    seen().clear();
    let server = Stalling::start();
    let scenario = Scenario::new()
        .base_url(server.url())
        .journey::<look>((), Steady);
    let run = change(Run::new(scenario).workers(1).max_start_delay(PATIENCE));
    let report = run.execute().await.unwrap();
    let row = &report.journeys[0];
    let planned = u64::from(STARTS);
    assert_eq!(
        (row.started, row.dropped),
        (planned, 0),
        "{:?}",
        report.reasons
    );
    assert_eq!(row.completed, planned, "{:?}", report.errors);
    assert_eq!(row.start_delay.count, planned);
    let truth = Truth::of(&server, &seen());
    (report, truth)
}

#[tokio::test]
async fn with_room_for_all_in_flight_both_times_show_the_stall() {
    let (report, truth) = run(|run| run).await;
    let row = &report.journeys[0];
    truth.assert_told(&row.response_time);
    let service = &row.service_time;
    assert!(service.p99 >= Some(0.475), "{service:?}");
    assert_eq!(row.waits.room, 0.0);
}

#[tokio::test]
async fn with_fifty_in_flight_only_the_response_time_shows_the_stall() {
    let (report, truth) = run(|run| run.max_in_flight(50)).await;
    let row = &report.journeys[0];
    truth.assert_told(&row.response_time);
    // No more than fifty answers come at once, so even a slow client has each soon after the server
    // gave it.
    for (part, measured) in [
        (0.90, row.response_time.p90),
        (0.95, row.response_time.p95),
        (0.99, row.response_time.p99),
    ] {
        let answered = quantile(&truth.answered, part);
        let measured = measured.unwrap();
        assert!(
            measured <= answered * 1.05,
            "{part}: {measured}, {answered}"
        );
    }
    // Fifty of five thousand are held, a hundredth part; the others never met the stall.
    let service = row.service_time.p95.unwrap();
    let response = row.response_time.p95.unwrap();
    assert!(service < response / 3.0, "{service}, {response}");
    // Of the two stalls each is a second with a thousand starts, and half of it is waited through.
    assert!(row.waits.room > 800.0, "{:?}", row.waits);
    assert!(row.waits.room > row.waits.worker, "{:?}", row.waits);
    // Its one item comes a moment after the first order.
    assert!(row.waits.data < 1.0, "{:?}", row.waits);
    let points = report.series.points.iter();
    let slow = points
        .filter(|point| point.response_time.p95 > Some(0.8))
        .count();
    assert!(
        slow >= 2,
        "each stall is seen in its second: {:?}",
        report.series
    );
}
