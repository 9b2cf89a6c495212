//! `controller` and `runner`: one test over many machines.

use std::thread::available_parallelism;

use tokio::sync::mpsc::unbounded_channel;

use super::{
    args::{ControllerArguments, NatsArguments, RunnerArguments},
    exit::{Exit, Failure},
    logging,
    output::tell,
    scenario, signals,
};
use crate::{
    config::Config,
    engine::{self, Bus, RunnerNews, RunnerOptions},
    link::nats::Options,
    report::Printer,
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
            durable: arguments.durable || arguments.standby,
            stands_by: arguments.standby,
        })
    })
}

/// Does what controllers want until it is told to go.
pub(super) fn runner(arguments: &RunnerArguments) -> Result<Exit, Failure> {
    logging::start(arguments.log_level, Printer::plain());
    let workers = arguments.workers;
    let options = RunnerOptions {
        bus: options(&arguments.nats),
        workers: workers.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
        max_in_flight: usize::try_from(arguments.max_in_flight).unwrap_or(usize::MAX),
        precise: arguments.precise,
        orphan_grace: arguments.orphan_grace,
        once: arguments.once,
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
        tokio::pin!(serving);
        loop {
            tokio::select! {
                biased;
                Some(news) = news.recv() => match news {
                    RunnerNews::Waiting => say(&format!("waiting for a controller at {at}")),
                    RunnerNews::Joined(scenario) => say(&format!("running {scenario}")),
                    RunnerNews::Over => say("the run is over"),
                },
                ended = &mut serving => return Ok(ended.map(|()| Exit::Passed)?),
                _ = signals::any() => return Ok(Exit::Interrupted),
            }
        }
    })
}

fn options(arguments: &NatsArguments) -> Options {
    Options {
        urls: arguments.nats.clone(),
        prefix: arguments.nats_prefix.clone(),
        credentials: arguments.nats_credentials.clone(),
        authorities: arguments.nats_ca.clone(),
        certificate: arguments.nats_cert.clone().zip(arguments.nats_key.clone()),
    }
}
