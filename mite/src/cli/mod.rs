//! The command line of a user's binary.

mod args;
mod build;
mod cat;
mod compare;
mod console;
#[cfg(feature = "nats")]
mod distributed;
mod exit;
mod journey;
#[cfg(feature = "nats")]
mod keepers;
mod list;
mod logging;
mod output;
mod scenario;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command, JourneyCommand, ScenarioCommand};
use exit::{Exit, Failure};
use output::tell;

use crate::{config::Config, error::catch};

/// Runs the command line of a load test: `list`, `journey run`, `scenario test` and the rest.
///
/// Every journey, scenario and datapool linked into the binary is known by its name. `--help` tells
/// what there is; `--version` tells the version of mite. The exit code is
///
/// | code | meaning |
/// |---|---|
/// | 0 | passed |
/// | 1 | a threshold failed, or a journey did and no threshold is on errors |
/// | 2 | the command, the config or the scenario is wrong, or a report cannot be written |
/// | 3 | invalid: the load that was asked for was not produced |
/// | 130 | interrupted |
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     mite::main()
/// }
/// ```
pub fn main() -> ExitCode {
    main_with(|_| ())
}

/// As [`main`], with settings of the program's own: what `journey run` needs as well as a scenario.
///
/// What is [set as a default](Config::set_default) here, a scenario, a config file, the environment
/// and `--config` override, each stronger than the one before.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     mite::main_with(|config| {
///         config.set_default("base_url", "http://127.0.0.1:8080");
///     })
/// }
/// ```
pub fn main_with(defaults: impl FnOnce(&mut Config)) -> ExitCode {
    let mut config = Config::default();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Passed
            };
            return code.into();
        }
    };
    let settled = catch(|| defaults(&mut config))
        .map_err(|panic| Failure::new(format!("the settings of the program: {panic}")));
    match settled.and_then(|()| dispatch(arguments, config)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            tell(&format!("error: {failure}"));
            Exit::Usage.into()
        }
    }
}

fn dispatch(arguments: Arguments, config: Config) -> Result<Exit, Failure> {
    crate::journey::registry::check_duplicates()?;
    crate::scenario::registry::check_duplicates()?;
    match arguments.command {
        Command::List => list::list(),
        #[cfg(feature = "nats")]
        Command::Controller(arguments) => distributed::controller(&arguments, config),
        #[cfg(feature = "nats")]
        Command::Runner(arguments) => distributed::runner(&arguments),
        #[cfg(feature = "nats")]
        Command::Collector(arguments) => keepers::collector(&arguments),
        #[cfg(feature = "nats")]
        Command::Recorder(arguments) => keepers::recorder(&arguments),
        #[cfg(feature = "nats")]
        Command::Exporter(arguments) => distributed::exporter(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Cat(arguments) => cat::cat(&arguments),
        Command::Uncat(arguments) => cat::uncat(&arguments),
        Command::Journey(JourneyCommand::Run(arguments)) => journey::run(&arguments, config),
        Command::Journey(JourneyCommand::Test(arguments)) => journey::test(&arguments, config),
        Command::Scenario(ScenarioCommand::Plan(arguments)) => scenario::plan(&arguments, config),
        Command::Scenario(ScenarioCommand::Test(arguments)) => scenario::test(&arguments, config),
    }
}
