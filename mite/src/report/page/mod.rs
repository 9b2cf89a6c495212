//! The report as one page of HTML, which needs nothing but itself; and the same page without a report,
//! which shows the run under way.
//!
//! Its script draws it from the JSON report that is embedded in it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::{data::Report, error::ReportError, format::Format};

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// In one scope of its own; what comes later may use what comes before.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("script/words.js"),
    include_str!("script/elements.js"),
    include_str!("script/table.js"),
    include_str!("script/axis.js"),
    include_str!("script/timeline.js"),
    include_str!("script/thinned.js"),
    include_str!("script/paper.js"),
    include_str!("script/pointer.js"),
    include_str!("script/chart.js"),
    include_str!("script/distribution.js"),
    include_str!("script/onset.js"),
    include_str!("script/heat.js"),
    include_str!("script/series.js"),
    include_str!("script/verdict.js"),
    include_str!("script/course.js"),
    include_str!("script/names.js"),
    include_str!("script/rows.js"),
    include_str!("script/requests.js"),
    include_str!("script/faults.js"),
    include_str!("script/generator.js"),
    include_str!("script/plan.js"),
    include_str!("script/live.js"),
    include_str!("script/start.js"),
    "})();\n",
);

/// One file of HTML.
pub(crate) struct Html;

impl Format for Html {
    fn render(&self, report: &Report) -> Result<Vec<u8>, ReportError> {
        let json = serde_json::to_string(report).map_err(|error| ReportError::Render {
            format: "HTML",
            message: error.to_string(),
        })?;
        Ok(page(&embedded(&json), "'none'").into_bytes())
    }

    fn has_batches(&self) -> bool {
        true
    }
}

/// The page of a run under way.
///
/// It listens to the server-sent events of `/api/events` of the server it came from: `update` with
/// the JSON report so far, whose `series` has only the seconds since the message before, and `end`
/// with the last one. Now and then it asks for `/api/batches`, which are those of the report. It
/// sends `POST /api/stop`, and
/// where `GET /api/volume` is answered `{"adjustable": true, "factor": 1.0}`, `POST /api/volume` with
/// `{"factor": 1.1}`. What follows `#token=` in its address goes with each request as a bearer token.
pub(crate) fn live() -> String {
    page("", "'self'")
}

/// JSON that a script element may hold: nothing in it can end the element or begin a comment.
fn embedded(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// The page with a report, which may send requests to `connections` alone.
fn page(report: &str, connections: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    // Whatever a name might smuggle in, only the script and the style that we wrote are followed.
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src {connections}; img-src data:; \
         base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE),
    );
    FRAME
        .replace("%policy%", &policy)
        .replace("%style%", STYLE)
        .replace("%script%", SCRIPT)
        .replace("%report%", report)
}

#[cfg(test)]
mod tests;
