//! The arguments as they are typed.

mod archive;
#[cfg(feature = "nats")]
mod keepers;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use tracing::Level;

use archive::RECORD;
pub(super) use archive::{ArchiveArguments, Files};
#[cfg(feature = "nats")]
pub(super) use keepers::{
    CollectorArguments, ExporterArguments, KeeperArguments, RecorderArguments,
};

/// A load test made with mite
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true, after_help = EXITS)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXITS: &str = "\
A command ends with 0 when all is well, 1 when a threshold or a journey failed, 2 when the command,
the config or the scenario is wrong, 3 when the load asked for was not produced, and 130 when it was
interrupted. Times are written 250ms, 10s or 1m30s.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the journeys, scenarios and datapools of this program
    List,
    /// Run one journey, once or at a volume
    #[command(subcommand)]
    Journey(JourneyCommand),
    /// Run a scenario, or look at its plan
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Run a scenario on runners that are reached over NATS, and judge how it did
    #[cfg(feature = "nats")]
    Controller(Box<ControllerArguments>),
    /// Run journeys for a controller that is reached over NATS, test after test
    #[cfg(feature = "nats")]
    Runner(RunnerArguments),
    /// Write down the events of runners elsewhere, run after run; it is started before the controller
    #[cfg(feature = "nats")]
    Collector(Box<CollectorArguments>),
    /// Write down what journeys of runners elsewhere record for a later run; it is started before the
    /// controller
    #[cfg(feature = "nats")]
    Recorder(Box<RecorderArguments>),
    /// Serve Prometheus what a controller elsewhere knows of its run, run after run
    #[cfg(feature = "nats")]
    Exporter(Box<ExporterArguments>),
    /// Say what changed between two runs of a scenario, and whether it is more than chance
    Compare(Compare),
    /// Show files of collected events or recorded items, MessagePack, as lines of JSON
    Cat(Files),
    /// Turn lines of JSON into MessagePack, the way back from cat
    Uncat(Files),
}

const FAIL_IF: &str = "What may not happen, such as 'http.p99 > +10%', 'http.rate < -5%' or \
                       'errors.rate > +1pp'; ends with 1 when it does, beyond the noise of the \
                       runs; repeatable";

#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The JSON report of the run to compare with
    #[arg(value_name = "A.json")]
    pub(super) before: PathBuf,
    /// The JSON report of the new run
    #[arg(value_name = "B.json")]
    pub(super) after: PathBuf,
    #[arg(long, value_name = "EXPR", help = FAIL_IF)]
    pub(super) fail_if: Vec<String>,
    /// Write the comparison; the ending chooses its format: .md or .json; repeatable
    #[arg(long, value_name = "FILE")]
    pub(super) report: Vec<PathBuf>,
    /// With which probability an interval holds the true change, from 0.5 to 0.999
    #[arg(long, value_name = "P", default_value_t = 0.95, value_parser = confidence, allow_negative_numbers = true)]
    pub(super) confidence: f64,
}

fn confidence(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.5..=0.999).contains(&number) => Ok(number),
        _ => Err("it has to be a number from 0.5 to 0.999, such as 0.95".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum JourneyCommand {
    /// Run a journey once and show each transaction, each request and the failure with its place
    Run(JourneyRun),
    /// Run a journey at a volume and judge how it did
    Test(Box<JourneyTest>),
}

#[derive(Debug, Subcommand)]
pub(super) enum ScenarioCommand {
    /// Draw the volume of a scenario over time; sends nothing
    Plan(ScenarioPlan),
    /// Run a scenario in this process and judge how it did
    Test(Box<ScenarioTest>),
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
    #[arg(long, value_name = "DIR", help = RECORD)]
    pub(super) record: Option<PathBuf>,
    /// Seed of all random numbers [default: a new one each run]
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct JourneyTest {
    /// The journey; the end of its name will do where that is unambiguous
    pub(super) name: String,
    /// Where its data comes from, for a journey that takes data
    #[arg(long, value_name = "NAME")]
    pub(super) datapool: Option<String>,
    /// How many users run it at the same time [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = count, allow_negative_numbers = true)]
    pub(super) users: Option<u64>,
    /// How many start each second, whatever the server does
    #[arg(long, value_name = "R", value_parser = positive, allow_negative_numbers = true)]
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
    /// Look at the first part of the run only, as --duration cuts it
    #[arg(long, value_name = "TIME", value_parser = some_time)]
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

#[cfg(feature = "nats")]
#[derive(Debug, Args)]
pub(super) struct ControllerArguments {
    #[command(flatten)]
    pub(super) nats: NatsArguments,
    /// How many runners have to be there before the run begins
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count, allow_negative_numbers = true)]
    pub(super) wait_for_runners: u64,
    /// How many collectors have to be there; those that are there are used in any case
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(super) wait_for_collectors: u64,
    /// Keep the state of the run in JetStream: when this controller is started again after it was
    /// killed, or another stands by, the run goes on
    #[arg(long)]
    pub(super) durable: bool,
    /// Wait while another controller leads, and go on with its run if it is gone; as --durable
    #[arg(long)]
    pub(super) standby: bool,
    #[command(flatten)]
    pub(super) test: ScenarioTest,
}

#[cfg(feature = "nats")]
#[derive(Debug, Args)]
pub(super) struct RunnerArguments {
    #[command(flatten)]
    pub(super) nats: NatsArguments,
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = workers, allow_negative_numbers = true)]
    pub(super) workers: Option<usize>,
    /// Its part of the volume, against the weights of other runners [default: its workers]
    #[arg(long, value_name = "W", value_parser = weight, allow_negative_numbers = true)]
    pub(super) weight: Option<u32>,
    /// How many journeys are in flight at once at most, in this runner
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = count, allow_negative_numbers = true)]
    pub(super) max_in_flight: u64,
    /// Watch the clock all the time instead of sleeping until a start is due
    #[arg(long)]
    pub(super) precise: bool,
    /// How long to keep the volume up when nothing is heard of the controller
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(super) orphan_grace: Duration,
    /// How long journeys may go on when the runner is told to end (Ctrl-C, SIGTERM)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) graceful_stop: Duration,
    /// Leave after one test, instead of waiting for the next
    #[arg(long)]
    pub(super) once: bool,
    /// What to log to stderr: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn", value_parser = level)]
    pub(super) log_level: Level,
    /// Say nothing but errors
    #[arg(long)]
    pub(super) quiet: bool,
}

#[cfg(feature = "nats")]
const NATS: &str = "Where NATS is: nats://host:4222, tls://host, with user:password@ or token@ \
                    before the host if it wants one (percent-encoded); several servers of a \
                    cluster with commas between them";

#[cfg(feature = "nats")]
#[derive(Debug, Args)]
pub(super) struct NatsArguments {
    #[arg(
        long,
        help = NATS,
        value_name = "URL",
        env = "MITE_NATS_URL",
        hide_env_values = true,
        value_delimiter = ',',
        required = true
    )]
    pub(super) nats: Vec<String>,
    /// What tells this test from others on the same NATS
    #[arg(
        long,
        value_name = "NAME",
        env = "MITE_NATS_PREFIX",
        default_value = "mite"
    )]
    pub(super) nats_prefix: String,
    /// A credentials file, as nsc writes it
    #[arg(long, value_name = "FILE", env = "MITE_NATS_CREDENTIALS")]
    pub(super) nats_credentials: Option<PathBuf>,
    /// Certificates of the authorities to trust, in place of the system's; asks for TLS
    #[arg(long, value_name = "FILE", env = "MITE_NATS_CA")]
    pub(super) nats_ca: Option<PathBuf>,
    /// The certificate to show to NATS; asks for TLS
    #[arg(
        long,
        value_name = "FILE",
        env = "MITE_NATS_CERT",
        requires = "nats_key"
    )]
    pub(super) nats_cert: Option<PathBuf>,
    /// The key of that certificate
    #[arg(
        long,
        value_name = "FILE",
        env = "MITE_NATS_KEY",
        requires = "nats_cert"
    )]
    pub(super) nats_key: Option<PathBuf>,
}

/// What every command that sends something takes.
#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// Do not verify TLS certificates
    #[arg(long)]
    pub(super) insecure: bool,
    /// The addresses of a host at a port, in place of those its name has; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDRESS", value_parser = resolve_entry)]
    pub(super) resolve: Vec<String>,
    /// Show each request and answer with head, body and curl line, and stop at the first failure;
    /// at a volume, with one worker
    #[arg(long)]
    pub(super) debugging: bool,
    /// What to log to stderr: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn", value_parser = level)]
    pub(super) log_level: Level,
}

fn resolve_entry(text: &str) -> Result<String, String> {
    crate::net::resolve_entry(text).map(|_| text.to_owned())
}

const CONFIG: &str = "A setting for journeys and scenarios, stronger than MITE_CONF_KEY=VALUE in \
                      the environment; repeatable";

#[derive(Debug, Args)]
pub(super) struct ConfigArguments {
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value, help = CONFIG)]
    pub(super) config: Vec<(String, String)>,
    /// Settings from a TOML file, weaker than --config and the environment
    #[arg(long, value_name = "FILE")]
    pub(super) config_file: Option<PathBuf>,
}

const OTLP: &str = "Send traces and metrics to the OpenTelemetry collector at this address, by OTLP \
                    over HTTP, such as http://127.0.0.1:4318; stronger than \
                    OTEL_EXPORTER_OTLP_ENDPOINT";

/// The variable that stands for `--metrics-token`.
pub(super) const METRICS_TOKEN: &str = "MITE_METRICS_TOKEN";

/// The variable that stands for `--metrics-buckets`.
pub(super) const METRICS_BUCKETS: &str = "MITE_HTTP_HISTOGRAM_BUCKETS";

/// What a run at a volume takes.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// End the run after this time, which cuts a plan short and never stretches it [default: the
    /// end of the plan; 1m for a journey]
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(super) duration: Option<Duration>,
    /// What has to hold beside the thresholds of the scenario, such as 'http.p99 < 250ms';
    /// repeatable
    #[arg(long, value_name = "EXPR")]
    pub(super) threshold: Vec<String>,
    /// Write a report; the ending chooses its format: .json, .html, .md, .xml for
    /// JUnit, .csv, or .hlog and .hgrm for HdrHistogram; repeatable
    #[arg(long, value_name = "FILE")]
    pub(super) report: Vec<PathBuf>,
    /// Serve a dashboard at / and Prometheus' metrics at /metrics while the run goes on: an address
    /// and port such as 127.0.0.1:9301, or a port for this machine only
    #[arg(long, value_name = "ADDR")]
    pub(super) metrics: Option<String>,
    /// What has to be known to stop the run or change its volume over HTTP; better given in the
    /// environment [default: none for this machine only, else one that is made and shown]
    #[arg(
        long,
        value_name = "TOKEN",
        env = METRICS_TOKEN,
        hide_env_values = true
    )]
    pub(super) metrics_token: Option<String>,
    /// How long to serve the last numbers when the run is over
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub(super) metrics_linger: Duration,
    /// Upper bounds of the classic buckets of Prometheus' histograms in seconds [default:
    /// 0.001,0.0025,0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30]
    #[arg(long, value_name = "SECONDS,...", env = METRICS_BUCKETS)]
    pub(super) metrics_buckets: Option<String>,
    /// Post the start of the run to URL/start, which may answer with an id, and its end with the
    /// verdict to URL/end; better given in the environment where it holds a secret
    #[arg(
        long,
        value_name = "URL",
        env = "MITE_LOGGING_URL",
        hide_env_values = true
    )]
    pub(super) logging_webhook: Option<String>,
    #[command(flatten)]
    pub(super) archive: ArchiveArguments,
    #[arg(long, value_name = "URL", help = OTLP)]
    pub(super) otlp: Option<String>,
    /// Which journeys to trace: a share of them such as 1% or 0.01, at most so many a second such
    /// as 10/s, or 0 for none [default: 10/s]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(super) trace: Option<String>,
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = workers, allow_negative_numbers = true)]
    pub(super) workers: Option<usize>,
    /// How many users are added each second at most
    #[arg(long, value_name = "R", default_value_t = 1000.0, value_parser = positive, allow_negative_numbers = true)]
    pub(super) spawn_rate: f64,
    /// How many journeys are in flight at once at most
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = count, allow_negative_numbers = true)]
    pub(super) max_in_flight: u64,
    /// How late a start may be before it is dropped
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(super) max_start_delay: Duration,
    /// How long journeys in flight may go on when the run is over
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) graceful_stop: Duration,
    /// Seed of all random numbers [default: a new one each run]
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Watch the clock all the time instead of sleeping until a start is due, for starts on time to
    /// some microseconds; uses a whole core for each worker
    #[arg(long)]
    pub(super) precise: bool,
    /// Show the summary only, no progress
    #[arg(long)]
    pub(super) quiet: bool,
}

/// The longest time that is taken for meant; one that is added to a clock must not overflow it.
const LONGEST: Duration = Duration::from_secs(1000 * 24 * 60 * 60);

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err("it is too long; 1000days is the longest".to_owned()),
        Err(_) => Err(
            "a time is written as numbers with their units, like 250ms, 10s or 1m30s".to_owned(),
        ),
    }
}

fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it has to be longer than nothing, like 10s".to_owned()),
        time => Ok(time),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("it has to be a number above zero".to_owned()),
    }
}

fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("it has to be a whole number above zero".to_owned()),
    }
}

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=1024).contains(&number) => Ok(number),
        _ => Err("it has to be a whole number from 1 to 1024".to_owned()),
    }
}

#[cfg(feature = "nats")]
fn weight(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if (1..=1024).contains(&number) => Ok(number),
        _ => Err("it has to be a whole number from 1 to 1024".to_owned()),
    }
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "it has to be a whole number".to_owned())
}

fn level(text: &str) -> Result<Level, String> {
    text.parse()
        .map_err(|_| "it has to be error, warn, info, debug or trace".to_owned())
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
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert!(some_time("0s").is_err());
    }

    #[test]
    fn a_time_that_is_too_long_is_no_time() {
        assert!(duration("30000years").unwrap_err().contains("1000days"));
    }
}
