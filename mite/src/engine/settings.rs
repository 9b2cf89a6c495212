//! The options of a run.

use std::{path::PathBuf, thread::available_parallelism, time::Duration};

use crate::{archive::CollectOptions, config::Config, outbound::Address, serve, stats};

/// The options of a run, with their defaults.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) workers: usize,
    pub(crate) spawn_rate: f64,
    pub(crate) max_in_flight: usize,
    pub(crate) max_start_delay: Duration,
    pub(crate) graceful_stop: Duration,
    pub(crate) duration: Option<Duration>,
    pub(crate) precise: bool,
    pub(crate) seed: u64,
    /// What the run is called where others are told of it, 32 hexadecimal digits.
    pub(crate) run: String,
    pub(crate) series_cap: usize,
    pub(crate) reports: Vec<PathBuf>,
    pub(crate) serve: serve::Options,
    /// Where events are collected, if they are.
    pub(crate) collect: CollectOptions,
    /// Where journeys record for a later run, if they may.
    pub(crate) record: Option<PathBuf>,
    /// Who is told of the run, or what is wrong with the URL.
    pub(crate) webhook: Option<Result<Address, String>>,
    #[cfg(feature = "otel")]
    pub(crate) otel: crate::otel::Options,
    /// Where the runners are, unless there is one in this process.
    #[cfg(feature = "nats")]
    pub(crate) bus: Option<Bus>,
}

/// A run whose runners are other processes.
#[cfg(feature = "nats")]
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    /// How to reach them.
    pub(crate) options: crate::link::nats::Options,
    /// How many have to be there before the run begins.
    pub(crate) wait_for: usize,
    /// Whether what happens is kept, so that another controller can go on with the run.
    pub(crate) durable: bool,
    /// Whether it waits until no other controller leads.
    pub(crate) stands_by: bool,
    /// How many collectors have to be.
    pub(crate) collectors: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "scenario".to_owned(),
            config: Config::default(),
            workers: available_parallelism().map_or(1, usize::from),
            spawn_rate: 1000.0,
            max_in_flight: 100_000,
            max_start_delay: Duration::from_secs(10),
            graceful_stop: Duration::from_secs(30),
            duration: None,
            precise: false,
            seed: fastrand::u64(..),
            run: format!("{:032x}", fastrand::u128(..)),
            series_cap: stats::DEFAULT_CAP,
            reports: Vec::new(),
            serve: serve::Options::default(),
            collect: CollectOptions::default(),
            record: None,
            webhook: None,
            #[cfg(feature = "otel")]
            otel: crate::otel::Options::default(),
            #[cfg(feature = "nats")]
            bus: None,
        }
    }
}
