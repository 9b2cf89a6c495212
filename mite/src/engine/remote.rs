//! A process that is nothing but a runner: it does what a controller elsewhere wants, run after run.

use std::{sync::Arc, thread, time::Duration};

use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{mpsc::UnboundedSender, oneshot},
    time::sleep_until,
};

use super::{
    RunError,
    suspect::Watch,
    system::{host_name, raise_descriptor_limit},
};
use crate::{
    clock::RunClock,
    journey::{Runnable, registry},
    link::{
        Message, Order, Recruit,
        nats::{self, Assignment, Fingerprint, Options, Post},
    },
    runner::{self, RunnerEntry, RunnerSettings},
    stats::metric,
};

/// What a runner is told on its command line.
#[derive(Clone, Debug)]
pub(crate) struct RunnerOptions {
    /// Where the controller is looked for.
    pub(crate) bus: Options,
    /// Worker threads.
    pub(crate) workers: usize,
    /// Journeys in flight at once.
    pub(crate) max_in_flight: usize,
    /// Whether workers go round all the time rather than sleep until something is due.
    pub(crate) precise: bool,
    /// How long it keeps its volume when nothing is heard of the controller.
    pub(crate) orphan_grace: Duration,
    /// Whether it leaves after the first run.
    pub(crate) once: bool,
}

/// Something that a runner tells a person.
#[derive(Clone, Debug)]
pub(crate) enum RunnerNews {
    /// There is no controller yet.
    Waiting,
    /// It has joined a run of this scenario.
    Joined(String),
    /// The run is over.
    Over,
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

/// Serves controllers, one after the other, on a thread of its own.
///
/// # Errors
/// When NATS cannot be reached, or a controller does not take this runner.
pub(crate) async fn run_tests(
    options: RunnerOptions,
    news: UnboundedSender<RunnerNews>,
) -> Result<(), RunError> {
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
) -> Result<(), RunError> {
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
        let post = joining
            .await
            .map_err(|error| RunError::Link(error.to_string()))?;
        tell(RunnerNews::Joined(post.assignment.scenario.clone()));
        run_one(options, post).await?;
        tell(RunnerNews::Over);
        if options.once {
            return Ok(());
        }
    }
}

/// Takes part in one run, from its beginning to its end.
async fn run_one(options: &RunnerOptions, post: Post) -> Result<(), RunError> {
    let Post {
        mut end,
        assignment,
        epoch,
        error,
        farewell,
    } = post;
    tracing::info!("the clock of the controller is known to {error:?}");
    let workers = options.workers.min(options.max_in_flight).max(1);
    end.send(Message::Hello(Recruit {
        workers: u32::try_from(workers).unwrap_or(u32::MAX),
        max_in_flight: options.max_in_flight as u64,
        host: host_name(),
    }));
    let at = loop {
        match end.receive().await {
            Some(Order::Begin { at }) => break at,
            Some(Order::Cut | Order::Drain { .. }) | None => {
                end.send(Message::Bye);
                drop(end);
                let _ = farewell.await;
                return Ok(());
            }
            Some(_) => {}
        }
    };
    let started = epoch + at;
    let watch = Arc::new(Watch::start());
    let machine = Arc::new(move || watch.so_far());
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
        tap: None,
        keep: None,
        trace: None,
        machine: Some(machine),
    };
    // All begin together.
    sleep_until(started).await;
    let served = runner::serve(settings, end).await;
    // It has panicked, if it did not end by itself; then there is nobody to say goodbye to.
    let _ = farewell.await;
    served.map_err(RunError::Thread)
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
