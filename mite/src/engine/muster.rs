//! Who runs the journeys: a runner in this process, or those that come over the network.

use std::{sync::Arc, time::Duration};

use tokio::task::spawn_local;

use super::{
    RunError, Settings,
    telemetry::{Ready, Telemetry},
};
use crate::{
    clock::RunClock,
    event::Keep,
    id::RunnerId,
    link::{self, ControllerEnd, Message, Recruit},
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
) -> Result<Muster, RunError> {
    #[cfg(feature = "nats")]
    if let Some(bus) = &settings.bus {
        return remote::runners(settings, bus, &entries, telemetry).await;
    }
    let clock = RunClock::start();
    let telemetry = telemetry.start(clock, settings)?;
    let trace = telemetry.traces();
    let mut link = start_runner(settings, clock, entries, metrics, looked_at, trace);
    match link.receive().await {
        Some((runner, Message::Hello(recruit))) => Ok(Muster {
            link,
            clock,
            runners: vec![(runner, recruit)],
            begin: None,
            telemetry,
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
    };
    let workers = u32::try_from(workers).unwrap_or(u32::MAX);
    runner_end.send(Message::Hello(Recruit {
        workers,
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

#[cfg(feature = "nats")]
mod remote {
    use std::{collections::BTreeMap, time::Duration};

    use tokio::time::Instant;

    use super::{Muster, RunError, Settings};
    use crate::{
        clock::RunClock,
        engine::{remote::fingerprint, settings::Bus, telemetry::Ready},
        link::{
            Message, Order,
            nats::{self, AssignedEntry, Assignment},
        },
        runner::RunnerEntry,
    };

    /// How long after the last runner has come the run begins: time enough for all to hear of it.
    const NOTICE: Duration = Duration::from_secs(1);

    /// Waits for as many runners as were asked for, and lets them begin together.
    pub(super) async fn runners(
        settings: &Settings,
        bus: &Bus,
        entries: &[RunnerEntry],
        telemetry: Ready,
    ) -> Result<Muster, RunError> {
        let entries = entries.iter().map(|entry| AssignedEntry {
            journey: entry.journey.name().to_owned(),
            policy: entry.policy,
        });
        let assignment = Assignment {
            scenario: settings.name.clone(),
            entries: entries.collect(),
            config: settings.config.clone(),
            series_cap: settings.series_cap,
            spawn_rate: settings.spawn_rate,
            max_start_delay: settings.max_start_delay,
            seed: settings.seed,
        };
        let epoch = Instant::now();
        let opened = nats::open(bus.options.clone(), assignment, fingerprint(), epoch).await;
        let mut link = opened.map_err(|error| RunError::Link(error.to_string()))?;
        let mut here = BTreeMap::new();
        while here.len() < bus.wait_for {
            match link.receive().await {
                Some((runner, Message::Hello(recruit))) => {
                    here.insert(runner, recruit);
                    tracing::info!("{} of {} runners are there", here.len(), bus.wait_for);
                }
                Some((runner, Message::Lost | Message::Bye | Message::Died)) => {
                    here.remove(&runner);
                }
                Some(_) => {}
                None => return Err(RunError::Link("the link over NATS has ended".to_owned())),
            }
        }
        let at = epoch.elapsed() + NOTICE;
        for runner in here.keys() {
            link.send(*runner, Order::Begin { at });
        }
        let clock = RunClock::beginning_at(epoch + at);
        Ok(Muster {
            link,
            clock,
            runners: here.into_iter().collect(),
            begin: Some(at),
            telemetry: telemetry.start(clock, settings)?,
        })
    }
}
