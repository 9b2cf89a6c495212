//! `controller`, `runner` and `exporter`: one test over many machines.

use std::thread::available_parallelism;

use tokio::sync::{mpsc::unbounded_channel, watch};

use super::{
    args::{ControllerArguments, ExporterArguments, NatsArguments, RunnerArguments},
    exit::{Exit, Failure},
    logging,
    output::tell,
    scenario, signals,
};
use crate::{
    config::Config,
    engine::{self, Bus, RunnerNews, RunnerOptions, Served},
    link::nats::Options,
    report::Printer,
    runner::{Leaving, Wish},
};

/// Runs a scenario on runners elsewhere and shows its summary.
pub(super) fn controller(
    arguments: &ControllerArguments,
    defaults: Config,
) -> Result<Exit, Failure> {
    let wait_for = usize::try_from(arguments.wait_for_runners).unwrap_or(usize::MAX);
    scenario::test_on(&arguments.test, defaults, |run| {
        run.over(Bus {
            options: options(&arguments.nats),
            wait_for,
            collectors: usize::try_from(arguments.wait_for_collectors).unwrap_or(usize::MAX),
            durable: arguments.durable || arguments.standby,
            stands_by: arguments.standby,
        })
    })
}

/// Does what controllers want until it is told to go.
pub(super) fn runner(arguments: &RunnerArguments) -> Result<Exit, Failure> {
    logging::start(arguments.log_level, Printer::plain());
    let workers = arguments.workers;
    let (wish, wishes) = watch::channel(Wish::Stay);
    let options = RunnerOptions {
        bus: options(&arguments.nats),
        workers: workers.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
        weight: arguments.weight,
        max_in_flight: usize::try_from(arguments.max_in_flight).unwrap_or(usize::MAX),
        precise: arguments.precise,
        orphan_grace: arguments.orphan_grace,
        once: arguments.once,
        leaving: Leaving {
            wishes,
            grace: arguments.graceful_stop,
        },
    };
    let at = options.bus.shown();
    let (sender, mut news) = unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let say = |line: &str| {
        if !arguments.quiet {
            tell(line);
        }
    };
    runtime.block_on(async {
        let serving = engine::run_tests(options, sender);
        let told_to_end = signals::watch_runner(wish, say);
        tokio::pin!(serving, told_to_end);
        loop {
            tokio::select! {
                biased;
                Some(news) = news.recv() => match news {
                    RunnerNews::Waiting => say(&format!("waiting for a controller at {at}")),
                    RunnerNews::Joined(scenario) => say(&format!("taking part in {scenario}")),
                    RunnerNews::Begun(scenario) => say(&format!("running {scenario}")),
                    RunnerNews::Over => say("the run is over"),
                    RunnerNews::Left => say("has left the run"),
                },
                ended = &mut serving => return Ok(match ended? {
                    Served::Once => Exit::Passed,
                    Served::ToldToEnd => Exit::Interrupted,
                }),
                // There is no telling it to end, or it has been told three times.
                _ = &mut told_to_end => return Ok(Exit::Interrupted),
            }
        }
    })
}

/// Serves what a controller elsewhere knows until it is told to end.
pub(super) fn exporter(arguments: &ExporterArguments) -> Result<Exit, Failure> {
    logging::start(arguments.log_level, Printer::plain());
    let options = options(&arguments.nats);
    let at = options.shown();
    let ready = |url: &str| {
        if !arguments.quiet {
            tell(&format!("metrics of the run at {at}: {url}metrics"));
        }
    };
    let stop = async {
        // Where there can be no watch it ends at once, rather than never.
        let _ = signals::any().await;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let address = arguments.metrics.clone();
    runtime.block_on(engine::export(&options, address, ready, stop))?;
    Ok(Exit::Interrupted)
}

pub(super) fn options(arguments: &NatsArguments) -> Options {
    Options {
        urls: arguments.nats.clone(),
        prefix: arguments.nats_prefix.clone(),
        credentials: arguments.nats_credentials.clone(),
        authorities: arguments.nats_ca.clone(),
        certificate: arguments.nats_cert.clone().zip(arguments.nats_key.clone()),
    }
}
