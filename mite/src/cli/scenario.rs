//! `scenario plan` and `scenario test`.

use std::{sync::Arc, time::Duration};

use super::{
    args::{Common, RunArguments, ScenarioPlan, ScenarioTest},
    build::build,
    console::Console,
    exit::{Exit, Failure},
    logging,
    output::{print, tell},
    settings, signals,
};
use crate::{
    config::Config,
    engine::{self, Run, RunError},
    report::{self, Report, Style},
    scenario::registry,
    stats::metric,
};

/// How long a journey is tested when nothing is said.
pub(super) const DEFAULT_DURATION: Duration = Duration::from_secs(60);

/// Runs a scenario and shows its summary.
pub(super) fn test(arguments: &ScenarioTest, defaults: Config) -> Result<Exit, Failure> {
    test_on(arguments, defaults, |run| run)
}

/// The same of a run that takes place where `place` says.
pub(super) fn test_on(
    arguments: &ScenarioTest,
    defaults: Config,
    place: impl FnOnce(Run) -> Run,
) -> Result<Exit, Failure> {
    let entry = registry::find_scenario(&arguments.name)?;
    let mut config = settings::sending_config(defaults, &arguments.common)?;
    let scenario = build("scenario", entry.definition.name, entry.build, &mut config)?;
    run(
        entry.definition.name,
        place(settings::run(scenario, config, &arguments.run)?),
        &arguments.common,
        &arguments.run,
    )
}

/// Draws the volume of a scenario.
pub(super) fn plan(arguments: &ScenarioPlan, defaults: Config) -> Result<Exit, Failure> {
    let entry = registry::find_scenario(&arguments.name)?;
    let mut config = settings::config(defaults, &arguments.config)?;
    let scenario = build("scenario", entry.definition.name, entry.build, &mut config)?;
    scenario.check(&metric::all_registered()?)?;
    let entries = engine::plan(scenario, arguments.duration)?;
    print(&report::plan::draw(
        entry.definition.name,
        &entries,
        Style::of_stdout(),
    ))?;
    Ok(Exit::Passed)
}

/// Runs something under `name` and shows its summary.
pub(super) fn run(
    name: &str,
    run: Run,
    common: &Common,
    arguments: &RunArguments,
) -> Result<Exit, Failure> {
    let (observer, printer) = report::choose(arguments.quiet || common.debugging);
    logging::start(common.log_level, printer.clone());
    let mut run = run.name(name).observer(observer);
    if common.debugging {
        run = debugging(run);
    }
    if !arguments.quiet && !common.debugging {
        run = run.announce_token();
    }
    let served = run.served();
    let stop = run.stop_handle();
    let watch = signals::watch(stop, (!arguments.quiet).then_some(printer));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = run.execute() => Ok(outcome),
            watched = watch => Err(match watched {
                Ok(()) => Failure::new("the watch for signals ended"),
                Err(error) => Failure::new(format!("cannot watch for Ctrl-C: {error}")),
            }),
        }
    })?;
    let exit = end(outcome);
    let lingers =
        arguments.metrics.is_some() && exit.is_ok() && !arguments.metrics_linger.is_zero();
    if lingers && !arguments.quiet {
        let time = report::human::span(arguments.metrics_linger);
        tell(&format!(
            "the last numbers are served for {time}; Ctrl-C ends that"
        ));
    }
    runtime.block_on(async {
        tokio::select! {
            // It is dropped, and says nothing.
            _ = served => {}
            _ = signals::any() => {}
        }
    });
    exit
}

/// Shows what a run came to.
fn end(outcome: Result<Report, RunError>) -> Result<Exit, Failure> {
    match outcome {
        Ok(report) => {
            show(&report);
            Ok(report.verdict.into())
        }
        Err(RunError::NotWritten { report, message }) => {
            show(&report);
            Err(Failure::new(message))
        }
        Err(error @ RunError::Interrupted) => {
            tell(&error.to_string());
            Ok(Exit::Interrupted)
        }
        Err(error @ RunError::NotNeeded) => {
            tell(&error.to_string());
            Ok(Exit::Passed)
        }
        Err(error) => Err(error.into()),
    }
}

/// The verdict holds whether or not its summary can be shown.
fn show(report: &Report) {
    if let Err(failure) = print(&report::render(report, Style::of_stdout())) {
        tell(&format!("error: {failure}"));
    }
}

/// One worker that shows all it does and stops at the first failure.
fn debugging(run: Run) -> Run {
    let stop = run.stop_handle();
    // The config is the one that the setup has seen, with the secrets that it added.
    run.workers(1).tap(Arc::new(move |config, _| {
        let stop = stop.clone();
        Box::new(Console::debugging(config.clone()).until_failure(move || stop.stop_at_failure()))
    }))
}
