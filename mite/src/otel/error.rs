//! What is wrong with how a run is to be exported.

use thiserror::Error;

/// What is wrong with how a run is to be exported, found before it begins.
#[derive(Debug, Error)]
pub(crate) enum OtelError {
    /// An address that nothing can be sent to.
    #[error(
        "{name} is no address of a collector: {mistake}; it is a URL such as http://127.0.0.1:4318"
    )]
    Address {
        /// The option or the variable.
        name: String,
        /// What is wrong with it.
        mistake: String,
    },
    /// Another protocol than the one there is.
    #[error(
        "{name} asks for {protocol}, which mite does not speak; it sends http/protobuf, for which \
         collectors mostly listen on port 4318"
    )]
    Protocol {
        /// The option or the variable.
        name: String,
        /// What it asks for.
        protocol: String,
    },
    /// Which journeys to trace makes no sense.
    #[error("--trace {0}")]
    Sampling(String),
    /// A variable of the environment makes no sense.
    #[error("the environment variable {name} {mistake}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong with it, and what would be right.
        mistake: String,
    },
    /// Something is said of traces, and nowhere are they sent.
    #[error(
        "--trace says which journeys to trace, and nobody says where to; give the collector's \
         address with --otlp, such as --otlp http://127.0.0.1:4318"
    )]
    NoAddress,
    /// There can be no thread.
    #[error("cannot start the thread that exports to OpenTelemetry: {0}")]
    Thread(std::io::Error),
}
