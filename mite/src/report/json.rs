//! The report as JSON.

use super::{data::Report, error::ReportError, format::Format};

/// Indented by two spaces, with a line end at the end.
pub(crate) struct Json;

impl Format for Json {
    fn render(&self, report: &Report) -> Result<Vec<u8>, ReportError> {
        let mut bytes = serde_json::to_vec_pretty(report).map_err(|error| ReportError::Render {
            format: "JSON",
            message: error.to_string(),
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn has_batches(&self) -> bool {
        true
    }
}
