//! From what was typed to what the engine takes.

use std::path::Path;

use super::{
    args::{
        ArchiveArguments, Common, ConfigArguments, METRICS_BUCKETS, METRICS_TOKEN, RunArguments,
    },
    exit::Failure,
};
use crate::{
    config::{Config, INSECURE, Origin, RESOLVE},
    engine::Run,
    scenario::Scenario,
};

/// What variables of the environment that are settings begin with.
const PREFIX: &str = "MITE_CONF_";

/// The config from the program, the file, the environment and the command line.
pub(super) fn config(mut config: Config, arguments: &ConfigArguments) -> Result<Config, Failure> {
    if let Some(path) = &arguments.config_file {
        read_file(&mut config, path)?;
    }
    for (name, value) in std::env::vars_os() {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        if key.is_empty() {
            return Err(Failure::new(format!(
                "the environment variable {PREFIX} names no setting; write {PREFIX}key=value"
            )));
        }
        let value = value.to_str().ok_or_else(|| {
            Failure::new(format!(
                "the environment variable {PREFIX}{key} is not valid UTF-8; a setting is a text"
            ))
        })?;
        config.put(key.to_owned(), value.to_owned(), Origin::Environment);
    }
    for (key, value) in &arguments.config {
        config.put(key.clone(), value.clone(), Origin::CommandLine);
    }
    Ok(config)
}

/// The config of a command that sends something.
pub(super) fn sending_config(defaults: Config, common: &Common) -> Result<Config, Failure> {
    let mut config = config(defaults, &common.config)?;
    if common.insecure {
        config.put(INSECURE.to_owned(), "true".into(), Origin::CommandLine);
    }
    if !common.resolve.is_empty() {
        let entries = common.resolve.join("\n");
        config.put(RESOLVE.to_owned(), entries, Origin::CommandLine);
    }
    Ok(config)
}

/// A run of `scenario` as the arguments want it.
pub(super) fn run(
    scenario: Scenario,
    config: Config,
    arguments: &RunArguments,
) -> Result<Run, Failure> {
    if let Some(option) = unserved(arguments) {
        return Err(Failure::new(format!(
            "{option} says how metrics are served, and nobody says where; give the address with \
             --metrics, such as --metrics 9301"
        )));
    }
    let mut scenario = scenario;
    for threshold in &arguments.threshold {
        scenario = scenario.threshold(threshold);
    }
    let mut run = Run::new(scenario)
        .config(config)
        .spawn_rate(arguments.spawn_rate)
        .max_in_flight(usize::try_from(arguments.max_in_flight).unwrap_or(usize::MAX))
        .max_start_delay(arguments.max_start_delay)
        .graceful_stop(arguments.graceful_stop)
        .precise(arguments.precise)
        .metrics_linger(arguments.metrics_linger);
    if let Some(address) = &arguments.metrics {
        run = run.metrics(address);
    }
    if let Some(token) = &arguments.metrics_token {
        run = run.metrics_token(token);
    }
    if let Some(bounds) = &arguments.metrics_buckets {
        run = run.metrics_buckets(bounds);
    }
    if let Some(url) = &arguments.logging_webhook {
        run = run.logging_webhook(url);
    }
    if let Some(workers) = arguments.workers {
        run = run.workers(workers);
    }
    if let Some(duration) = arguments.duration {
        run = run.duration(duration);
    }
    if let Some(seed) = arguments.seed {
        run = run.seed(seed);
    }
    for path in &arguments.report {
        run = run.report(path);
    }
    telemetry(archive(run, &arguments.archive), arguments)
}

/// What is written down beside the reports.
fn archive(mut run: Run, arguments: &ArchiveArguments) -> Run {
    if let Some(directory) = &arguments.collect {
        run = run
            .collect(directory)
            .collect_format(&arguments.collect_format)
            .collect_roll_size(arguments.collect_roll_size)
            .collect_roll_time(arguments.collect_roll_time);
    }
    if let Some(directory) = &arguments.record {
        run = run.record(directory);
    }
    run
}

/// What was typed about the serving of metrics that are not served.
fn unserved(arguments: &RunArguments) -> Option<&'static str> {
    if arguments.metrics.is_some() {
        return None;
    }
    // The environment may be that of many runs, of which some serve nothing.
    let typed = |value: &Option<String>, variable| {
        value.is_some() && std::env::var(variable).ok() != *value
    };
    if typed(&arguments.metrics_token, METRICS_TOKEN) {
        return Some("--metrics-token");
    }
    if typed(&arguments.metrics_buckets, METRICS_BUCKETS) {
        return Some("--metrics-buckets");
    }
    (!arguments.metrics_linger.is_zero()).then_some("--metrics-linger")
}

/// What is told to OpenTelemetry.
#[cfg(feature = "otel")]
fn telemetry(mut run: Run, arguments: &RunArguments) -> Result<Run, Failure> {
    run = run.otlp_of_environment();
    if let Some(address) = &arguments.otlp {
        run = run.otlp(address);
    }
    if let Some(rate) = &arguments.trace {
        run = run.trace(rate);
    }
    Ok(run)
}

/// What is told to OpenTelemetry: nothing without the feature.
#[cfg(not(feature = "otel"))]
fn telemetry(run: Run, arguments: &RunArguments) -> Result<Run, Failure> {
    let option = match (&arguments.otlp, &arguments.trace) {
        (None, None) => return Ok(run),
        (Some(_), _) => "--otlp",
        (None, Some(_)) => "--trace",
    };
    Err(Failure::new(format!(
        "{option} needs the feature `otel` of mite, without which this program was built; switch it \
         on in its Cargo.toml, mite = {{ …, features = [\"otel\"] }}, and build it again"
    )))
}

fn read_file(config: &mut Config, path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read the config file {shown}: {error}")))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            text.bytes()
                .take(span.start)
                .filter(|b| *b == b'\n')
                .count()
                + 1
        });
        let message = error.message();
        Failure::new(format!(
            "the config file {shown} is not TOML: line {line}: {message}"
        ))
    })?;
    flatten(config, "", &table)
        .map_err(|failure| Failure::new(format!("the config file {shown}: {failure}")))
}

/// Nested tables become keys joined with a dot: `[db] host = …` is `db.host`.
fn flatten(config: &mut Config, prefix: &str, table: &toml::Table) -> Result<(), Failure> {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        let text = match value {
            toml::Value::Table(table) => {
                flatten(config, &format!("{key}."), table)?;
                continue;
            }
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(answer) => answer.to_string(),
            toml::Value::Datetime(time) => time.to_string(),
            toml::Value::Array(_) => {
                return Err(Failure::new(format!(
                    "{key} is a list; a setting is a text, a number, true or false"
                )));
            }
        };
        config.put(key, text, Origin::File);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(feature = "otel"))]
    #[test]
    fn what_is_for_opentelemetry_says_which_feature_it_needs() {
        use clap::Parser;

        #[derive(Debug, Parser)]
        struct Typed {
            #[command(flatten)]
            run: RunArguments,
        }

        for option in ["--otlp=http://joe:swordfish@127.0.0.1:4318", "--trace=1%"] {
            let typed = Typed::parse_from(["load", option]);
            let failure = run(Scenario::new(), Config::default(), &typed.run).unwrap_err();
            let text = format!("{failure:?}");
            assert!(text.contains("feature `otel`"), "{text}");
            assert!(!text.contains("swordfish"), "{text}");
        }
    }

    #[test]
    fn tables_of_the_config_file_become_dotted_keys() {
        let table = "url = \"http://x\"\n[db]\nport = 5432\ntls = true"
            .parse()
            .unwrap();
        let mut config = Config::default();
        flatten(&mut config, "", &table).unwrap();
        let seen: Vec<_> = config
            .iter_masked()
            .map(|(key, value)| (key, value.into_owned()))
            .collect();
        assert_eq!(
            seen,
            [("db.port", "5432"), ("db.tls", "true"), ("url", "http://x")]
                .map(|(key, value)| (key, value.to_owned()))
        );
    }
}
