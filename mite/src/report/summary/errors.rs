//! What failed and where, in the summary.

use super::Summary;
use crate::report::{human, parts::ErrorSummary, style::Tone, text};

/// Rows of errors shown; the others are in the report.
const MOST_ERRORS: usize = 10;

impl Summary<'_> {
    pub(super) fn errors(&self) -> Vec<String> {
        let mut rows: Vec<&ErrorSummary> = self.report.errors.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.count));
        let left_out = rows.len().saturating_sub(MOST_ERRORS);
        rows.truncate(MOST_ERRORS);
        let Some(most) = rows.first() else {
            return Vec::new();
        };
        let count_room = text::width(&human::count(most.count));
        let indent = " ".repeat(2 + count_room + 2);
        let room = self.style.width.saturating_sub(indent.len());
        let mut lines = vec![self.style.paint(Tone::Heading, "Errors")];
        for row in rows {
            let what = format!("{}: {}", text::clean(&row.kind), text::clean(&row.message));
            let place = [
                text::clean(&row.location),
                format!("in {}", self.names.place(&row.journey, &row.transaction)),
            ];
            lines.push(format!(
                "  {:>count_room$}  {}",
                human::count(row.count),
                text::cut_end(&what, room)
            ));
            let place = place
                .iter()
                .filter(|part| !part.is_empty())
                .map(String::as_str);
            for line in text::flow(place, ", ", room) {
                let line = text::cut_middle(&line, room);
                lines.push(format!("{indent}{}", self.style.paint(Tone::Quiet, &line)));
            }
        }
        lines.extend(self.more(left_out, "error row"));
        lines
    }
}
