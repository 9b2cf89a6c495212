//! `scenario plan` and `scenario test`.

use std::{sync::Arc, time::Duration};

use super::{
    args::{Common, RunArguments, ScenarioPlan, ScenarioTest},
    console::Console,
    exit::{Exit, Failure},
    logging,
    output::show,
    settings, signals,
};
use crate::{
    config::Config,
    engine::{self, Run},
    report::{self, Style},
    scenario::{Scenario, registry},
    stats::metric,
};

/// Runs a scenario and shows its summary.
pub(super) fn test(arguments: &ScenarioTest, defaults: Config) -> Result<Exit, Failure> {
    let entry = registry::find_scenario(&arguments.name)?;
    let mut config = settings::sending_config(defaults, &arguments.common)?;
    let scenario = build(entry, &mut config)?;
    run(
        entry.name,
        scenario,
        config,
        &arguments.common,
        &arguments.run,
    )
}

/// Draws the volume of a scenario.
pub(super) fn plan(arguments: &ScenarioPlan, defaults: Config) -> Result<Exit, Failure> {
    let entry = registry::find_scenario(&arguments.name)?;
    let mut config = settings::config(defaults, &arguments.config)?;
    let scenario = build(entry, &mut config)?;
    scenario.check(&metric::all_registered()?)?;
    let entries = engine::plan(scenario, arguments.duration)?;
    show(&report::plan::draw(
        entry.name,
        &entries,
        Style::of_stdout(),
    ));
    Ok(Exit::Passed)
}

/// Runs `scenario` under `name` and shows its summary.
pub(super) fn run(
    name: &str,
    scenario: Scenario,
    config: Config,
    common: &Common,
    arguments: &RunArguments,
) -> Result<Exit, Failure> {
    let (observer, printer) = report::choose(arguments.quiet || common.debugging);
    logging::start(common.log_level, printer);
    let mut run = settings::run(scenario, config.clone(), arguments)
        .name(name)
        .observer(observer);
    if common.debugging {
        run = debugging(run, config);
    }
    let stop = run.stop_handle();
    let report = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            tokio::select! {
                report = run.execute() => report.map_err(Failure::from),
                watched = signals::watch(stop) => Err(match watched {
                    Ok(()) => Failure::new("the watch for signals ended"),
                    Err(error) => Failure::new(format!("cannot watch for Ctrl-C: {error}")),
                }),
            }
        })?;
    show(&report::render(&report, Style::of_stdout()));
    Ok(report.verdict.into())
}

/// One worker that shows all it does and stops at the first failure.
fn debugging(run: Run, config: Config) -> Run {
    let stop = run.stop_handle();
    run.workers(1).tap(Arc::new(move || {
        let stop = stop.clone();
        Box::new(Console::debugging(config.clone()).at_failure(move || stop.at_failure()))
    }))
}

fn build(entry: &registry::ScenarioEntry, config: &mut Config) -> Result<Scenario, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on((entry.build)(config)).map_err(|error| {
        Failure::new(format!(
            "the scenario {} cannot be built: {error}",
            entry.name
        ))
    })
}

/// How long a journey is tested when nothing is said.
pub(super) const DEFAULT_DURATION: Duration = Duration::from_secs(60);
