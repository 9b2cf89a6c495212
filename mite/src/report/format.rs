//! The formats a report can be written in, by the ending of the file.

use std::path::Path;

use super::{data::Report, error::ReportError, json::Json, page::Html};

/// One way to write a report.
pub(crate) trait Format: Send + Sync {
    /// The bytes of the file.
    fn render(&self, report: &Report) -> Result<Vec<u8>, ReportError>;
}

/// The endings that choose a format.
const FORMATS: &[(&str, &dyn Format)] = &[("json", &Json), ("html", &Html)];

/// The format that the ending of `path` chooses.
pub(crate) fn by_ending(path: &Path) -> Result<&'static dyn Format, ReportError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    FORMATS
        .iter()
        .find(|(known, _)| {
            ending
                .as_ref()
                .is_some_and(|ending| ending.eq_ignore_ascii_case(known))
        })
        .map(|(_, format)| *format)
        .ok_or_else(|| ReportError::Ending {
            path: path.to_owned(),
            found: ending.map_or_else(
                || "it has no ending".to_owned(),
                |ending| format!("it ends in .{ending}"),
            ),
            known: known(),
        })
}

fn known() -> String {
    FORMATS
        .iter()
        .map(|(ending, _)| format!(".{ending}"))
        .collect::<Vec<_>>()
        .join(", ")
}
