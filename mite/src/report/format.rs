//! The formats a report can be written in, by the ending of the file.

use std::path::Path;

use super::{
    data::Report,
    error::ReportError,
    hgrm,
    json::Json,
    junit::Junit,
    markdown::Markdown,
    page::Html,
    record::{Begin, Csv, IntervalLog},
};
use crate::stats::Statistics;

/// One way to write a report.
pub(crate) trait Format: Send + Sync {
    /// The bytes of the file.
    fn render(&self, report: &Report) -> Result<Vec<u8>, ReportError>;

    /// Whether it shows the run in stretches, name by name.
    fn has_batches(&self) -> bool {
        false
    }
}

/// How the file of a format comes about.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// Of the report, when the run is over.
    Report(&'static dyn Format),
    /// Of all that was counted, when the run is over.
    Totals(fn(&Statistics) -> String),
    /// A second at a time, while the run goes on.
    Stream(Begin),
}

impl Way {
    /// Whether it shows the run in stretches, name by name.
    pub(super) fn has_batches(self) -> bool {
        matches!(self, Way::Report(format) if format.has_batches())
    }
}

/// The endings that choose a format.
const FORMATS: &[(&str, Way)] = &[
    ("json", Way::Report(&Json)),
    ("html", Way::Report(&Html)),
    ("md", Way::Report(&Markdown)),
    ("xml", Way::Report(&Junit)),
    ("csv", Way::Stream(Csv::begin)),
    ("hlog", Way::Stream(IntervalLog::begin)),
    ("hgrm", Way::Totals(hgrm::render)),
];

/// The format that the ending of `path` chooses.
pub(super) fn by_ending(path: &Path) -> Result<Way, ReportError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    FORMATS
        .iter()
        .find(|(known, _)| {
            ending
                .as_ref()
                .is_some_and(|ending| ending.eq_ignore_ascii_case(known))
        })
        .map(|(_, way)| *way)
        .ok_or_else(|| ending_error(path, FORMATS.iter().map(|(ending, _)| *ending)))
}

/// An ending that names none of the formats there are.
pub(super) fn ending_error(path: &Path, known: impl Iterator<Item = &'static str>) -> ReportError {
    let known: Vec<_> = known.map(|ending| format!(".{ending}")).collect();
    ReportError::Ending {
        path: path.to_owned(),
        found: path.extension().map_or_else(
            || "it has no ending".to_owned(),
            |ending| format!("it ends in .{}", ending.display()),
        ),
        known: known.join(", "),
    }
}
