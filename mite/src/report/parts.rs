//! The rows a report is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spread::Spread;
use crate::stats::LatencySummary;

/// A threshold and whether it held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThresholdSummary {
    /// The threshold as it was written.
    pub expression: String,
    /// What was measured, times in seconds and shares between 0 and 1; absent without a sample.
    pub value: Option<f64>,
    /// Whether it held; without a sample it did not.
    pub passed: bool,
    /// The age of the run from which on it did not hold, in seconds; with `over`, when the first
    /// window that broke it was over. Absent when it held, when it is a lower bound that never did,
    /// or without a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broke_at: Option<f64>,
}

/// How the runs of one journey went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JourneySummary {
    /// The full name of the journey.
    pub journey: String,
    /// Which entry of the scenario this is, from 0; only there when the journey has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u32>,
    /// Runs that began.
    pub started: u64,
    /// Runs that ended well.
    pub completed: u64,
    /// Runs that a failure ended.
    pub failed: u64,
    /// Planned runs that were given up before they began.
    pub dropped: u64,
    /// Runs that the end of the test cut off.
    pub interrupted: u64,
    /// From the actual start to the end, of completed runs.
    pub service_time: LatencySummary,
    /// From the *intended* start to the end, of completed runs: what a user would have felt.
    pub response_time: LatencySummary,
    /// From the intended start to the actual one; empty in the closed model.
    pub start_delay: LatencySummary,
    /// How the response times spread; absent from a stage's rows, and without a completed run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Spread>,
    /// What starts that were due waited for.
    #[serde(default)]
    pub waits: WaitSummary,
    /// The share of the planned volume that did not come about, between 0 and 1: of the planned
    /// starts in the open model, of the time users should have spent in flight in the closed one.
    #[serde(default)]
    pub unmet: f64,
}

/// Response times of several entries of the scenario together; percentiles of their rows would not
/// add up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResponseTimes {
    /// The full name of the journey whose entries these are; absent for all of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journey: Option<String>,
    /// From the *intended* start to the end, of completed runs.
    pub response_time: LatencySummary,
}

/// What starts of the open model that were due waited for, those too that were given up in the end:
/// seconds, the waits of all of them added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitSummary {
    /// For their worker, which came late: it was busy, blocked, or not given the processor.
    pub worker: f64,
    /// For room: as many journeys were in flight as `--max-in-flight` allows.
    pub room: f64,
    /// For data: the pool had nothing to give.
    pub data: f64,
}

/// How the runs of one transaction went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransactionSummary {
    /// The full name of the journey.
    pub journey: String,
    /// The name, outer names first, joined with ` :: `.
    pub transaction: String,
    /// How many came to an end.
    pub count: u64,
    /// How many of these a failure ended, their own or one further in.
    pub errors: u64,
    /// How long those without a failure took.
    pub time: LatencySummary,
}

/// A metric of your own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricSummary {
    /// Its name.
    pub name: String,
    /// What kind of metric it is.
    pub kind: MetricKind,
    /// What tells this series from the others of the same name.
    pub labels: BTreeMap<String, String>,
    /// What was measured; in the JSON one key of `value`, `latency` and `values`.
    #[serde(flatten)]
    pub value: MetricValue,
}

/// The kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down; the last one counts.
    Gauge,
    /// It has a distribution.
    Histogram,
}

/// What a metric has come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MetricValue {
    /// A counter or a gauge.
    Value(f64),
    /// A histogram of times, in seconds.
    Latency(LatencySummary),
    /// A histogram of anything else, in its own unit.
    Values(LatencySummary),
}

/// Failures that are the same but for what varies from one to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorSummary {
    /// `error`, `exception`, `panic`, or a more telling word such as `timeout`.
    pub kind: String,
    /// The full name of the journey.
    pub journey: String,
    /// The innermost transaction it passed; empty outside any.
    pub transaction: String,
    /// Where in the source, as `src/main.rs:12`.
    pub location: String,
    /// What they said; `(more)` when there were too many different ones.
    pub message: String,
    /// How many there were.
    pub count: u64,
}

/// What is known about the load generator itself, all runners together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GeneratorSummary {
    /// Processes that ran journeys.
    pub runners: u32,
    /// Their worker threads, all together.
    pub workers: u32,
    /// Journeys that might be in flight at once, of each runner.
    #[serde(default)]
    pub max_in_flight: u64,
    /// How much later than due the workers' loops came round.
    pub loop_lag: LatencySummary,
    /// Processor time used.
    pub cpu_seconds: f64,
    /// The most memory any one runner held at a time.
    pub peak_rss_bytes: u64,
    /// Whether a worker used more than 90 % of its core in more than a tenth of the seconds, so
    /// that the times may be the generator's own.
    pub saturated: bool,
    /// The part of its core that the work of the busiest worker used, without what was spent on
    /// watching the clock; like all that may be absent, because the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busiest_worker_cpu: Option<f64>,
    /// The part of the machine's processors that was in use, by whomever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_cpu: Option<f64>,
    /// Processor time that the host gave to others.
    #[serde(default)]
    pub steal_seconds: f64,
    /// The part of its periods in which the container's CPU limit stopped the generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<f64>,
    /// The least memory that was left to the machine, or to the container if it has a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_left_bytes: Option<u64>,
    /// The most files, connections among them, that a runner had open at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// How many it may have open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files_limit: Option<u64>,
    /// The most TCP sockets that the machine had at a time, closed ones that still hold their port
    /// (`TIME_WAIT`) included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_sockets: Option<u64>,
    /// The ports there are for connections from one address to one server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_ports: Option<u64>,
    /// The part of the machine's TCP segments that had to be sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmitted: Option<f64>,
    /// Connections that could not be opened for want of something of the generator's own.
    #[serde(default)]
    pub own_errors: OwnErrors,
    /// What makes the numbers doubtful, whoever is to blame: a limit passed each; what makes the
    /// run invalid first.
    #[serde(default)]
    pub suspicions: Vec<Suspicion>,
    /// Journeys that at some time had to wait for data from their pool.
    #[serde(default)]
    pub starved: Vec<String>,
    /// When another controller went on with the run, because the one before was gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takeovers: Vec<TakeoverSummary>,
    /// What else should be known, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Who ran the journeys, where that were runners on machines of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_runner: Vec<RunnerSummary>,
}

/// Another controller went on with the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TakeoverSummary {
    /// How old the run was when it did.
    pub at_seconds: f64,
    /// How long there had been none.
    pub gap_seconds: f64,
}

/// A runner on a machine of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunnerSummary {
    /// The name of its machine.
    pub host: String,
    /// Its worker threads.
    pub workers: u32,
    /// Its part of the volume, against the weights of the others that were there.
    #[serde(default)]
    pub weight: u32,
    /// How old the run was when it came.
    pub joined_seconds: f64,
    /// How old it was when it left; absent when it was there to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_seconds: Option<f64>,
    /// Whether nothing was heard of it any more, so that what it did last is not in the report.
    pub lost: bool,
    /// Processor time it had used when it last told; like all that follows, absent when it never
    /// did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// The most memory it held at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_bytes: Option<u64>,
    /// The part of its machine's processors that was in use, by whomever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_cpu: Option<f64>,
    /// Processor time that the host of its machine gave to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_seconds: Option<f64>,
    /// By how much its first reading of the controller's clock, by which it goes, may be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_error_seconds: Option<f64>,
    /// How far its last reading of that clock is from the first; absent where there was none after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_drift_seconds: Option<f64>,
}

/// What became of the traces of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TraceSummary {
    /// Journeys that were traced, from their start to their end.
    pub sampled: u64,
    /// Those of which the collector has taken the trace.
    pub exported: u64,
    /// Those of which it has not: it was too slow, could not be reached or did not want it.
    pub dropped: u64,
    /// The spans it has taken: journeys, transactions and requests.
    pub spans: u64,
}

/// What became of the events of a run that were to be collected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollectSummary {
    /// The directory; absent where collectors elsewhere write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The stream of NATS from which collectors elsewhere take them; absent in one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Events of this run in the files of the directory, or that were put into the stream.
    pub events: u64,
    /// Events that happened and are not there.
    pub missing: u64,
    /// The files of this run; absent where collectors elsewhere write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// The bytes in them, or of the records that were put into the stream.
    pub bytes: u64,
}

/// What became of what journeys recorded under one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordSummary {
    /// The name.
    pub name: String,
    /// Items that this run has written, whether or not they were purged later.
    pub items: u64,
    /// Items that were recorded and are in no file.
    pub missing: u64,
}

/// Connections that could not be opened for want of something of the generator's own, by what it
/// was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnErrors {
    /// File descriptors.
    pub descriptors: u64,
    /// Local ports or addresses to connect from.
    pub ports: u64,
    /// Memory or buffers of the kernel.
    pub memory: u64,
}

/// A limit that was passed, which makes the load another than the one asked for, or the numbers
/// doubtful.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Suspicion {
    /// What it is about, such as `start_delay`, `loop_lag` or `steal`.
    pub name: String,
    /// What was measured, times in seconds and shares between 0 and 1.
    pub value: f64,
    /// The limit it has passed, in the same unit.
    pub limit: f64,
    /// Whether it makes the run invalid; if not, it is a warning.
    pub invalid: bool,
    /// Who is to blame for it.
    #[serde(default)]
    pub cause: Cause,
    /// What it is, how much, what it does to the numbers and what to do about it.
    pub message: String,
}

/// Who is to blame for a limit that was passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Cause {
    /// The load generator, or the machine it runs on.
    #[default]
    Generator,
    /// The system under test or the network to it, if the limit on journeys in flight is not too
    /// low for it.
    Server,
    /// A datapool that is too small or too slow.
    Data,
    /// The scenario or the options of its run, which cannot go together.
    Scenario,
}

/// From when on the volume was another than the plan's: asked for while the run went on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeChange {
    /// How old the run was, in seconds.
    pub at: f64,
    /// How much of the plan as it was written was asked for from then on; 1 is all of it. Entries
    /// whose volume follows the results are left alone.
    pub factor: f64,
}

/// How the run went over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Series {
    /// The time between two points; 1.
    pub interval_seconds: u64,
    /// Points up to this age of the run lie in the warm-up: they count in no total.
    #[serde(default)]
    pub warm_up_seconds: f64,
    /// The points, in order.
    pub points: Vec<SeriesPoint>,
}

/// One interval of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesPoint {
    /// How old the run was at the end of the interval, in seconds.
    pub at: f64,
    /// The name of the stage, if it has one.
    pub stage: Option<String>,
    /// Journeys in flight at the end of the interval.
    pub users: u64,
    /// How many there should have been at its beginning; absent unless every entry is of the closed
    /// model.
    #[serde(default)]
    pub target_users: Option<u64>,
    /// Starts that fell due in it; 0 in the closed model.
    pub planned_starts: u64,
    /// Journeys that began in it.
    pub starts: u64,
    /// Requests that ended in it.
    pub requests: u64,
    /// Those of them that failed.
    #[serde(default)]
    pub failed_requests: u64,
    /// Journeys that failed in it.
    pub errors: u64,
    /// Starts given up in it.
    pub dropped: u64,
    /// Times of the successful requests that ended in it.
    pub http: SeriesTimes,
    /// From the *intended* start to the end, of the journeys that were completed in it.
    #[serde(default)]
    pub response_time: SeriesTimes,
    /// From the actual start to the end, of the same.
    #[serde(default)]
    pub service_time: SeriesTimes,
}

/// Times of one interval, in seconds; each is absent when there was nothing to time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesTimes {
    /// The median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// 95 % were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// 99 % were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// A webhook that was told of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookSummary {
    /// The URL it was told under, without user, password and query.
    pub url: String,
    /// What it calls the run; absent where it has not said so in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}
