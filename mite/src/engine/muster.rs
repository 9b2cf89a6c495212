//! Who runs the journeys: a runner in this process, or those that come over the network.

#[cfg(feature = "nats")]
mod remote;

use std::{sync::Arc, time::Duration};

use tokio::task::spawn_local;

use super::{
    RunError, Settings,
    ledger::Succession,
    telemetry::{Ready, Telemetry},
};
use crate::{
    clock::RunClock,
    event::Keep,
    id::RunnerId,
    link::{self, ControllerEnd, Heard, Message, Recruit},
    runner::{self, RunnerEntry, RunnerSettings, TapFactory},
    stats::metric::Metric,
    trace::TraceSettings,
};

/// The runners that are there when a run begins, and the clock they go by.
pub(super) struct Muster {
    pub(super) link: ControllerEnd,
    pub(super) clock: RunClock,
    pub(super) runners: Vec<(RunnerId, Recruit)>,
    /// What the controller's clock shows when the run begins; runners on other machines are told.
    pub(super) begin: Option<Duration>,
    pub(super) telemetry: Telemetry,
    /// Who keeps on other machines what runners send.
    #[cfg(feature = "nats")]
    pub(super) elsewhere: Option<super::elsewhere::Elsewhere>,
}

/// Who looks at what the runner of this process does, and keeps what it gives.
pub(super) struct LookedAt {
    pub(super) tap: Option<TapFactory>,
    pub(super) keep: Option<Arc<dyn Keep>>,
}

/// Starts the runner of this process, or waits for those that are to come.
///
/// # Errors
/// When there can be no runner.
pub(super) async fn muster(
    settings: &Settings,
    entries: Vec<RunnerEntry>,
    metrics: Vec<Metric>,
    looked_at: LookedAt,
    telemetry: Ready,
    #[cfg_attr(not(feature = "nats"), expect(unused_variables))] succession: &mut Succession,
) -> Result<Muster, RunError> {
    #[cfg(feature = "nats")]
    if let Some(bus) = &settings.bus {
        return remote::runners(settings, bus, &entries, telemetry, succession).await;
    }
    let clock = RunClock::start();
    let telemetry = telemetry.start(clock, settings)?;
    let trace = telemetry.traces();
    let mut link = start_runner(settings, clock, entries, metrics, looked_at, trace);
    match link.receive().await {
        Some(Heard {
            runner,
            message: Message::Hello(recruit),
            ..
        }) => Ok(Muster {
            link,
            clock,
            runners: vec![(runner, recruit)],
            begin: None,
            telemetry,
            #[cfg(feature = "nats")]
            elsewhere: None,
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
    metrics: Vec<Metric>,
    LookedAt { tap, keep }: LookedAt,
    trace: Option<TraceSettings>,
) -> ControllerEnd {
    let (controller_end, runner_end) = link::local();
    // A worker without room for a single journey could start none of its share.
    let workers = settings.workers.min(settings.max_in_flight).max(1);
    let settings = RunnerSettings {
        clock,
        entries,
        config: settings.config.clone(),
        metrics,
        series_cap: settings.series_cap,
        workers,
        max_in_flight: settings.max_in_flight,
        spawn_rate: settings.spawn_rate,
        max_start_delay: settings.max_start_delay,
        precise: settings.precise,
        seed: settings.seed,
        tap,
        keep,
        trace,
        machine: None,
        leaving: None,
        sent: None,
    };
    let workers = u32::try_from(workers).unwrap_or(u32::MAX);
    runner_end.send(Message::Hello(Recruit {
        workers,
        // There is no other.
        weight: 1,
        max_in_flight: settings.max_in_flight as u64,
        host: String::new(),
    }));
    spawn_local(async move {
        if let Err(error) = runner::serve(settings, runner_end).await {
            tracing::error!("the runner cannot start its threads: {error}");
        }
    });
    controller_end
}
