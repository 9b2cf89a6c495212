//! Why a run did not take place.

use thiserror::Error;

use crate::{
    datapool::DataPoolError,
    report::{Report, ReportError},
    scenario::ScenarioError,
    serve::ServeError,
    stats::metric::MetricError,
};

/// Why a run did not take place, or why its report was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A metric makes no sense.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A datapool cannot be opened.
    #[error("the datapool of {journey}: {source}")]
    DataPool {
        /// The journey the data is for.
        journey: String,
        /// What is wrong.
        source: DataPoolError,
    },
    /// The scenario's setup failed.
    #[error("the setup of the scenario failed: {message} ({location})")]
    Setup {
        /// Why, secrets masked.
        message: String,
        /// `file:line` in the setup's source.
        location: String,
    },
    /// A report could not be written, as was found before anything started.
    #[error("{0}")]
    Report(String),
    /// A report, collected events or recorded data could not be written when the run was over; here
    /// it is.
    #[error("{message}")]
    NotWritten {
        /// The report.
        report: Box<Report>,
        /// Why it could not be written.
        message: String,
    },
    /// An option makes no sense.
    #[error("{0}")]
    Option(String),
    /// A thread or a runtime could not be started.
    #[error("cannot start a thread of the engine: {0}")]
    Thread(std::io::Error),
    /// The runners on other machines cannot be reached.
    #[error("{0}")]
    Link(String),
    /// Another controller leads the run from now on.
    #[error(
        "another controller has taken over the run, since nothing was heard of this one; it goes on \
         there"
    )]
    TakenOver,
    /// The run for whose controller this one stood by is over.
    #[error("the run is over; this controller was not needed")]
    NotNeeded,
    /// The run was stopped before its first journey.
    #[error("the run was interrupted before it began")]
    Interrupted,
    /// The engine itself failed: a bug in mite.
    #[error("the engine of mite panicked, which is a bug in mite; the message is on stderr")]
    Panicked,
}

impl From<ServeError> for RunError {
    fn from(error: ServeError) -> Self {
        RunError::Option(error.to_string())
    }
}

impl From<ReportError> for RunError {
    fn from(error: ReportError) -> Self {
        RunError::Report(error.to_string())
    }
}
