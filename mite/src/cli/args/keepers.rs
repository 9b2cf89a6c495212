//! The arguments of those who keep what runners elsewhere send, and who show what a controller
//! elsewhere knows.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use tracing::Level;

use super::{NatsArguments, archive::size, level, some_time};

#[derive(Debug, Args)]
pub(in crate::cli) struct CollectorArguments {
    #[command(flatten)]
    pub(in crate::cli) nats: NatsArguments,
    /// The directory for files of events, which is made if need be
    #[arg(long, value_name = "DIR", default_value = "collector_data")]
    pub(in crate::cli) collect: PathBuf,
    /// The form of collected events: msgpack or jsonl
    #[arg(long, value_name = "FORM", default_value = "msgpack", value_parser = ["msgpack", "jsonl"])]
    pub(in crate::cli) collect_format: String,
    /// How large a file of collected events becomes before the next one is begun
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub(in crate::cli) collect_roll_size: u64,
    /// How long a file of collected events is written before the next one is begun
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = some_time)]
    pub(in crate::cli) collect_roll_time: Duration,
    #[command(flatten)]
    pub(in crate::cli) keeper: KeeperArguments,
    /// Leave after one test, instead of waiting for the next
    #[arg(long)]
    pub(in crate::cli) once: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RecorderArguments {
    #[command(flatten)]
    pub(in crate::cli) nats: NatsArguments,
    /// The directory for what journeys record, a file a name, which is made if need be
    #[arg(long, value_name = "DIR", default_value = "recorder_data")]
    pub(in crate::cli) record: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) keeper: KeeperArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExporterArguments {
    #[command(flatten)]
    pub(in crate::cli) nats: NatsArguments,
    /// Where to serve /metrics and /health; port 0 is any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9301")]
    pub(in crate::cli) metrics: String,
    /// What to log to stderr: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn", value_parser = level)]
    pub(in crate::cli) log_level: Level,
    /// Say nothing but errors
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
}

/// What all who keep something take.
#[derive(Debug, Args)]
pub(in crate::cli) struct KeeperArguments {
    /// How much the stream on NATS holds at most of what is not written yet
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub(in crate::cli) stream_size: u64,
    /// On how many servers of a NATS cluster the stream is kept
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(in crate::cli) stream_replicas: u8,
    /// How much may wait in each runner for room in the stream
    #[arg(long, value_name = "SIZE", default_value = "32MiB", value_parser = size)]
    pub(in crate::cli) runner_buffer: u64,
    /// What to log to stderr: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn", value_parser = level)]
    pub(in crate::cli) log_level: Level,
    /// Say nothing but errors
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
}
