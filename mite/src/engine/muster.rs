//! Who runs the journeys: a runner in this process.

use tokio::task::spawn_local;

use super::{RunError, Settings};
use crate::{
    clock::RunClock,
    id::RunnerId,
    link::{self, ControllerEnd, Message},
    runner::{self, RunnerEntry, RunnerSettings, TapFactory},
    stats::metric::Metric,
    trace::TraceSettings,
};

/// The runner of a run, once it is there.
pub(super) struct Muster {
    pub(super) link: ControllerEnd,
    pub(super) runner: RunnerId,
    pub(super) workers: u32,
}

/// What a runner does for each journey besides running it.
pub(super) struct Instruments {
    pub(super) metrics: Vec<Metric>,
    pub(super) tap: Option<TapFactory>,
    pub(super) trace: Option<TraceSettings>,
}

/// Starts the runner of this process.
///
/// # Errors
/// When it does not come.
pub(super) async fn muster(
    settings: &Settings,
    clock: RunClock,
    entries: Vec<RunnerEntry>,
    instruments: Instruments,
) -> Result<Muster, RunError> {
    let mut link = start_runner(settings, clock, entries, instruments);
    match link.receive().await {
        Some((runner, Message::Hello { workers })) => Ok(Muster {
            link,
            runner,
            workers,
        }),
        _ => Err(RunError::Thread(std::io::Error::other(
            "the runner did not start",
        ))),
    }
}

fn start_runner(
    settings: &Settings,
    clock: RunClock,
    entries: Vec<RunnerEntry>,
    instruments: Instruments,
) -> ControllerEnd {
    let Instruments {
        metrics,
        tap,
        trace,
    } = instruments;
    let (controller_end, runner_end) = link::local();
    let settings = RunnerSettings {
        clock,
        entries,
        config: settings.config.clone(),
        metrics,
        series_cap: settings.series_cap,
        // A worker without room for a single journey could start none of its share.
        workers: settings.workers.min(settings.max_in_flight).max(1),
        max_in_flight: settings.max_in_flight,
        spawn_rate: settings.spawn_rate,
        max_start_delay: settings.max_start_delay,
        precise: settings.precise,
        seed: settings.seed,
        tap,
        trace,
    };
    spawn_local(async move {
        if let Err(error) = runner::serve(settings, runner_end).await {
            tracing::error!("the runner cannot start its threads: {error}");
        }
    });
    controller_end
}
