//! A comparison in GitHub-flavoured Markdown, for a pull request.

use std::fmt::Write as _;

use super::{Comparison, Difference, table};
use crate::report::{
    human,
    markdown::language::{self, code, plain},
};

/// Rows of a table; the others are in the JSON.
const MOST_ROWS: usize = 200;

/// What changed beyond noise first, then everything, folded away.
pub(crate) fn render(comparison: &Comparison) -> String {
    let sign = if comparison.passed() { "✅" } else { "❌" };
    let mut text = format!(
        "## {sign} {}: compared\n\n{}\n",
        plain(&comparison.scenario),
        plain(&table::conclusion(comparison))
    );
    for (what, run) in [("Before", &comparison.before), ("After", &comparison.after)] {
        let (started, measured) = (plain(&run.started), human::time(run.measured_seconds));
        let _ = write!(text, "\n- {what}: {started}, {measured}, {}", run.verdict);
    }
    text.push('\n');
    let limits: Vec<_> = comparison
        .limits
        .iter()
        .map(|limit| {
            let sign = if limit.passed { "✅" } else { "❌" };
            vec![
                sign.to_owned(),
                code(&limit.expression),
                table::found(limit),
            ]
        })
        .collect();
    section(
        &mut text,
        &table_of("### Limits", &["", "Must not happen", "Found"], &limits, 0),
    );
    let changed = table::shown(comparison).filter(|row| row.is_beyond_noise());
    let changed: Vec<_> = changed.map(cells).collect();
    section(&mut text, &table_of("### Beyond noise", &HEAD, &changed, 4));
    let all: Vec<_> = table::shown(comparison).map(cells).collect();
    let all = table_of("<details><summary>All figures</summary>", &HEAD, &all, 4);
    if !all.is_empty() {
        section(&mut text, &format!("{all}\n</details>\n"));
    }
    text
}

const HEAD: [&str; 6] = ["", "Figure", "Before", "After", "Change", "Interval"];

fn cells(row: &Difference) -> Vec<String> {
    let sign = match table::verdict(row) {
        "✗" => "🔴",
        "✓" => "🟢",
        other => other,
    };
    let name = code(&table::name(row));
    let remark = table::remark(row).map(|remark| format!("<br>{}", plain(&remark)));
    let name = [sign.to_owned(), name + &remark.unwrap_or_default()];
    name.into_iter().chain(table::figures(row)).collect()
}

/// A table of at most so many rows.
fn table_of(title: &str, head: &[&str], rows: &[Vec<String>], figures: usize) -> String {
    let shown = rows.get(..MOST_ROWS).unwrap_or(rows);
    let mut text = language::table(title, head, shown, figures);
    let more = rows.len() - shown.len();
    if more > 0 {
        let _ = writeln!(
            text,
            "\n… and {} in the JSON report",
            human::plural(more as u64, "more row")
        );
    }
    text
}

fn section(text: &mut String, section: &str) {
    if !section.is_empty() {
        text.push('\n');
        text.push_str(section);
    }
}
