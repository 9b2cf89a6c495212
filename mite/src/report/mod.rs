//! What a run has shown: the report, and what a person sees of it.
//!
//! [`Report`] is plain data that every run ends with. It is written to files, put into words for the
//! terminal, and asked by tests of your own; while the run lasts, its progress is shown.

mod batches;
mod bound;
mod compare;
mod data;
mod error;
mod findings;
mod format;
mod hgrm;
mod http;
pub(crate) mod human;
mod json;
mod junit;
mod lines;
mod live;
mod markdown;
mod names;
mod observer;
pub(crate) mod page;
mod parts;
pub(crate) mod plan;
mod progress;
pub(crate) mod record;
mod screen;
mod sink;
mod spread;
mod stage;
mod style;
mod summary;
mod table;
mod target;
mod telling;
pub(crate) mod text;

pub use crate::stats::LatencySummary;
pub use batches::{BatchKind, BatchRow, Batches};
pub use compare::{
    CompareError, ComparedRun, Comparison, Difference, Figure, Level, Limit, LimitResult, Which,
};
pub use data::{Report, Verdict};
pub use findings::{FindingSummary, StepSummary};
pub use http::{ConnectionSummary, HttpSummary, PhaseSummary, RequestRow, RequestSummary};
pub use parts::{
    Cause, CollectSummary, ErrorSummary, GeneratorSummary, JourneySummary, MetricKind,
    MetricSummary, MetricValue, OwnErrors, RecordSummary, ResponseTimes, RunnerSummary, Series,
    SeriesPoint, SeriesTimes, Suspicion, TakeoverSummary, ThresholdSummary, TraceSummary,
    TransactionSummary, VolumeChange, WaitSummary, WebhookSummary,
};
pub use spread::Spread;
pub use stage::{StageHttp, StageSummary};

pub(crate) use compare::{ComparisonFiles, table as comparison_table};
pub(crate) use error::ReportError;
pub(crate) use http::label as request_label;
pub(crate) use observer::{Observer, RunInfo, choose};
pub(crate) use progress::{NameNow, Progress, Speed, State, ThresholdNow};
pub(crate) use record::{Batching, RecordedFile, RecordedSecond, Recorder};
pub(crate) use screen::Printer;
pub(crate) use sink::Sinks;
pub(crate) use style::{Style, Tone};
pub(crate) use summary::render;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod schema_tests;
