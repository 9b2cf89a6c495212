//! A process that is nothing but a runner: it does what a controller elsewhere wants, run after run.

use std::{sync::Arc, thread, time::Duration};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{mpsc::UnboundedSender, oneshot},
    time::{sleep, sleep_until},
};

use super::{
    RunError,
    sending::Sending,
    suspect::Watch,
    system::{host_name, raise_descriptor_limit},
};
use crate::{
    clock::RunClock,
    id::RunnerId,
    journey::{Runnable, registry},
    link::{
        Cover, Message, Order, Recruit, RunnerEnd, Snapshot,
        nats::{self, Assignment, Fingerprint, Options, Post},
    },
    runner::{self, Leaving, RunnerEntry, RunnerSettings, Wish},
    stats::{CpuTime, MachineFigures, Statistics, metric},
};

/// How long a runner waits that no controller had a use for, before it says hello again.
const AGAIN: Duration = Duration::from_secs(1);

/// What a runner is told on its command line.
#[derive(Clone, Debug)]
pub(crate) struct RunnerOptions {
    /// Where the controller is looked for.
    pub(crate) bus: Options,
    /// Worker threads.
    pub(crate) workers: usize,
    /// Its part of the volume, against the weights of others; as many as workers if it is not said.
    pub(crate) weight: Option<u32>,
    /// Journeys in flight at once.
    pub(crate) max_in_flight: usize,
    /// Whether workers go round all the time rather than sleep until something is due.
    pub(crate) precise: bool,
    /// How long it keeps its volume when nothing is heard of the controller.
    pub(crate) orphan_grace: Duration,
    /// Whether it leaves after the first run.
    pub(crate) once: bool,
    /// How it is told to end, and how long journeys in flight may go on then.
    pub(crate) leaving: Leaving,
}

/// Something that a runner tells a person.
#[derive(Clone, Debug)]
pub(crate) enum RunnerNews {
    /// There is no controller yet.
    Waiting,
    /// It has joined those who are to run this scenario.
    Joined(String),
    /// The run has begun, or was on already.
    Begun(String),
    /// The run is over.
    Over,
    /// It has left the run, which goes on.
    Left,
}

/// Why a runner serves no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// It was there for one run only, and that is over.
    Once,
    /// It was told to end.
    ToldToEnd,
}

/// What this program is made of.
pub(crate) fn fingerprint() -> Fingerprint {
    let journeys = registry::journeys().into_iter().map(|journey| {
        let name = journey.definition.name.to_owned();
        (name, journey.data_type().to_string())
    });
    Fingerprint {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        journeys: journeys.collect(),
    }
}

/// Serves controllers, one after the other, on a thread of its own, until it is told to end.
///
/// # Errors
/// When NATS cannot be reached, or a controller does not take this runner.
pub(crate) async fn run_tests(
    options: RunnerOptions,
    news: UnboundedSender<RunnerNews>,
) -> Result<Served, RunError> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("mite-engine".to_owned())
        .spawn(move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build_local(LocalOptions::default());
            let ended = match runtime {
                Ok(runtime) => runtime.block_on(serve(&options, &news)),
                Err(error) => Err(RunError::Thread(error)),
            };
            let _ = sender.send(ended);
        })
        .map_err(RunError::Thread)?;
    receiver.await.map_err(|_| RunError::Panicked)?
}

async fn serve(
    options: &RunnerOptions,
    news: &UnboundedSender<RunnerNews>,
) -> Result<Served, RunError> {
    raise_descriptor_limit();
    let fingerprint = fingerprint();
    let tell = |what| {
        // Whoever listened may have gone.
        let _ = news.send(what);
    };
    loop {
        let joining = nats::join(&options.bus, &fingerprint, options.orphan_grace, || {
            tell(RunnerNews::Waiting);
        });
        let post = tokio::select! {
            post = joining => post.map_err(|error| RunError::Link(error.to_string()))?,
            _ = options.leaving.wished(Wish::Stay) => return Ok(Served::ToldToEnd),
        };
        let scenario = post.assignment.scenario.clone();
        tell(RunnerNews::Joined(scenario.clone()));
        let took_part = run_one(options, post, || tell(RunnerNews::Begun(scenario))).await?;
        let wish = *options.leaving.wishes.borrow();
        if wish > Wish::Stay {
            tell(RunnerNews::Left);
            return Ok(Served::ToldToEnd);
        }
        if !took_part {
            // Its controller is gone, or has no use for it any more.
            sleep(AGAIN).await;
            continue;
        }
        tell(RunnerNews::Over);
        if options.once {
            return Ok(Served::Once);
        }
    }
}

/// Takes part in one run, from its beginning to its end; whether there was one for it.
async fn run_one(
    options: &RunnerOptions,
    post: Post,
    begins_now: impl FnOnce(),
) -> Result<bool, RunError> {
    let Post {
        mut end,
        assignment,
        epoch,
        clock,
        farewell,
    } = post;
    let error = clock.borrow().error;
    tracing::info!("the clock of the controller is known to {error:?}");
    let workers = options.workers.min(options.max_in_flight).max(1);
    let threads = u32::try_from(workers).unwrap_or(u32::MAX);
    let recruit = Recruit {
        workers: threads,
        weight: options.weight.unwrap_or(threads),
        max_in_flight: options.max_in_flight as u64,
        host: host_name(),
    };
    end.send(Message::Hello(recruit.clone()));
    let begins = tokio::select! {
        begins = begin(&mut end) => begins,
        _ = options.leaving.wished(Wish::Stay) => None,
    };
    let Some((at, runner)) = begins else {
        // The controller may have begun meanwhile, and be waiting for what the workers did.
        end.send(nothing_done(recruit.workers));
        end.send(Message::Bye);
        drop(end);
        let _ = farewell.await;
        return Ok(false);
    };
    begins_now();
    let started = epoch + at;
    let sending = Sending::start(&options.bus, &assignment, runner.0)?;
    let watch = Arc::new(Watch::start());
    let machine = Arc::new(move || {
        let clock = *clock.borrow();
        MachineFigures {
            clock_error: Some(clock.error.as_secs_f64()),
            clock_drift: clock.drift.map(|drift| drift.as_secs_f64()),
            ..watch.so_far()
        }
    });
    let settings = RunnerSettings {
        clock: RunClock::beginning_at(started),
        entries: entries(&assignment)?,
        config: assignment.config,
        metrics: metric::all_registered()?,
        series_cap: assignment.series_cap,
        workers,
        max_in_flight: options.max_in_flight,
        spawn_rate: assignment.spawn_rate,
        max_start_delay: assignment.max_start_delay,
        precise: options.precise,
        seed: assignment.seed,
        tap: sending.tap(),
        keep: Some(sending.keep()),
        trace: None,
        machine: Some(machine),
        leaving: Some(options.leaving.clone()),
        sent: sending.sent(),
    };
    // All begin together.
    sleep_until(started).await;
    let served = runner::serve(settings, end).await;
    // It has panicked, if it did not end by itself; then there is nobody to say goodbye to.
    let _ = farewell.await;
    served.map_err(RunError::Thread)?;
    Ok(true)
}

/// When the run begins; `None` when it will not for this runner.
async fn begin(end: &mut RunnerEnd) -> Option<(Duration, RunnerId)> {
    loop {
        match end.receive().await? {
            Order::Begin { at, runner } => return Some((at, runner)),
            Order::Cut | Order::Drain { .. } => return None,
            _ => {}
        }
    }
}

/// The last statistics of workers that were never started.
fn nothing_done(workers: u32) -> Message {
    let cover = |worker| Cover {
        worker,
        first: 0,
        until: 0,
        last: true,
        cpu: CpuTime::default(),
    };
    Message::Snapshot(Box::new(Snapshot {
        covers: (0..workers).map(cover).collect(),
        statistics: Statistics::default(),
    }))
}

fn entries(assignment: &Assignment) -> Result<Vec<RunnerEntry>, RunError> {
    let entries = assignment.entries.iter().map(|entry| {
        let journey = registry::find_journey(&entry.journey)
            .map_err(|error| RunError::Link(error.to_string()))?;
        Ok(RunnerEntry {
            journey: Runnable::from(journey),
            policy: entry.policy,
        })
    });
    entries.collect()
}
