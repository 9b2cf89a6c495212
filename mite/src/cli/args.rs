//! The arguments as they are typed.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use tracing::Level;

/// Load tests as ordinary Rust.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    disable_help_subcommand = true,
    propagate_version = true
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the journeys, scenarios and datapools of this program
    List,
    /// Run one journey
    #[command(subcommand)]
    Journey(JourneyCommand),
    /// Run a scenario, or look at it
    #[command(subcommand)]
    Scenario(ScenarioCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum JourneyCommand {
    /// Run it once and show each transaction, each request and the failure with its place
    Run(JourneyRun),
    /// Run it at a volume
    Test(JourneyTest),
}

#[derive(Debug, Subcommand)]
pub(super) enum ScenarioCommand {
    /// Draw the volume over time; sends nothing
    Plan(ScenarioPlan),
    /// Run it in this process
    Test(ScenarioTest),
}

#[derive(Debug, Args)]
pub(super) struct JourneyRun {
    /// The journey; the end of its name will do where that is unambiguous
    pub(super) name: String,
    /// Where its data comes from, for a journey that takes data
    #[arg(long, value_name = "NAME")]
    pub(super) datapool: Option<String>,
    #[command(flatten)]
    pub(super) common: Common,
    /// Seed of all random numbers [default: a new one each run]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct JourneyTest {
    /// The journey; the end of its name will do where that is unambiguous
    pub(super) name: String,
    /// Where its data comes from, for a journey that takes data
    #[arg(long, value_name = "NAME")]
    pub(super) datapool: Option<String>,
    /// How many run it at the same time [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    pub(super) users: Option<u64>,
    /// How many start each second, whatever the server does
    #[arg(long, value_name = "R")]
    pub(super) rate: Option<f64>,
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Debug, Args)]
pub(super) struct ScenarioPlan {
    /// The scenario; the end of its name will do where that is unambiguous
    pub(super) name: String,
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// Look at the first so much of the run only
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct ScenarioTest {
    /// The scenario; the end of its name will do where that is unambiguous
    pub(super) name: String,
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

/// What every command that sends something takes.
#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// Do not verify TLS certificates
    #[arg(long)]
    pub(super) insecure: bool,
    /// Show each request and answer with head and body, and stop at the first failure
    #[arg(long)]
    pub(super) debugging: bool,
    /// What to log to stderr: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub(super) log_level: Level,
}

#[derive(Debug, Args)]
pub(super) struct ConfigArguments {
    /// A setting for journeys and scenarios; stronger than MITE_CONF_key=value in the environment
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) config: Vec<(String, String)>,
    /// Settings from a TOML file; weaker than --config and the environment
    #[arg(long, value_name = "FILE")]
    pub(super) config_file: Option<PathBuf>,
}

/// What a run at a volume takes.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// End the run after so much time; cuts a plan short, never stretches it
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Duration>,
    /// What has to hold, such as 'http.p99 < 250ms'; repeatable
    #[arg(long, value_name = "EXPR")]
    pub(super) threshold: Vec<String>,
    /// Write a report; the ending chooses the form: .json; repeatable
    #[arg(long, value_name = "FILE")]
    pub(super) report: Vec<PathBuf>,
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) workers: Option<u32>,
    /// How many users are added each second at most
    #[arg(long, value_name = "R", default_value_t = 1000.0, value_parser = positive)]
    pub(super) spawn_rate: f64,
    /// Journeys in flight at once at most
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_in_flight: u64,
    /// A start that is later than this is dropped
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) max_start_delay: Duration,
    /// How long journeys in flight may go on when the run is over
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) graceful_stop: Duration,
    /// Seed of all random numbers [default: a new one each run]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// No progress on stderr
    #[arg(long)]
    pub(super) quiet: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; a time is written like 250ms, 10s or 1m30s"))
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("it has to be a number above zero".to_owned()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a setting is written KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("90").unwrap_err().contains("1m30s"));
    }
}
