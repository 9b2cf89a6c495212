//! Two reports that cannot be compared, and why not.

use super::LEAST_SECONDS;

/// Why two reports cannot be compared, or a file is no report.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The text is no report.
    #[error("it is no JSON report of mite: {0}")]
    NoReport(String),
    /// It is a report of another version of the format.
    #[error(
        "it has version {0} of the report's format, and this mite reads version 1; compare with \
         the mite that wrote it"
    )]
    Schema(u64),
    /// They are of different scenarios.
    #[error(
        "they are of different scenarios, {before} and {after}; only runs of one scenario can be \
         compared"
    )]
    Scenario {
        /// The scenario of the first.
        before: String,
        /// The scenario of the second.
        after: String,
    },
    /// The journeys differ.
    #[error("only one of them runs the journey {0}, so they are not of the same plan")]
    Journey(String),
    /// The volumes differ.
    #[error(
        "their volumes differ: {what} are {before:.0} in the first and {after:.0} in the second; \
         under another load other times are to be expected"
    )]
    Volume {
        /// What differs.
        what: &'static str,
        /// In the first.
        before: f64,
        /// In the second.
        after: f64,
    },
    /// The volume follows the results.
    #[error(
        "the volume of the {0} run followed its own results, so no two runs have the same; \
         compare what they found (findings) instead"
    )]
    Adaptive(Which),
    /// One took longer.
    #[error(
        "the first measured {before:.0} s and the second {after:.0} s; only runs of the same length \
         can be compared"
    )]
    Length {
        /// The first, in seconds.
        before: f64,
        /// The second, in seconds.
        after: f64,
    },
    /// A run was invalid.
    #[error("the {which} run was invalid, so its numbers say little about the system{why}")]
    Invalid {
        /// Which one.
        which: Which,
        /// Its first reason, after a colon; empty if it has none.
        why: String,
    },
    /// A run was too short.
    #[error(
        "the {which} run measured {seconds:.0} s; it takes at least {LEAST_SECONDS} s without the \
         warm-up to tell a difference from chance"
    )]
    TooShort {
        /// Which one.
        which: Which,
        /// How long it was, in seconds.
        seconds: f64,
    },
    /// A report does not tell how much its figures vary.
    #[error(
        "the {0} report has no `batches`, which tell how much a run varies by itself: it was not \
         written by --report FILE.json, or by an older mite; run it again"
    )]
    NoBatches(Which),
    /// The lists of a series are not of the same length.
    #[error("the `batches` of the {0} report are damaged: their lists differ in length")]
    Damaged(Which),
    /// The confidence makes no sense.
    #[error("a confidence of {0} makes no sense; give one from 0.5 to 0.999, such as 0.95")]
    Confidence(f64),
    /// A limit makes no sense.
    #[error("the limit `{expression}`: {why}")]
    Limit {
        /// As it was written.
        expression: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

/// Which of two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Which {
    /// The one compared with.
    First,
    /// The one that is new.
    Second,
}

impl std::fmt::Display for Which {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Which::First => "first",
            Which::Second => "second",
        })
    }
}
