//! `list`: what this program knows.

use std::fmt::Write as _;

use super::{
    exit::{Exit, Failure},
    output::print,
};
use crate::{
    journey::registry::journeys,
    scenario::registry::{datapools, scenarios},
};

/// Prints journeys, scenarios and datapools with their first doc line and place.
pub(super) fn list() -> Result<Exit, Failure> {
    let mut text = String::new();
    section(
        &mut text,
        "Journeys",
        journeys().iter().map(|e| (e.name, e.doc, e.file, e.line)),
    );
    section(
        &mut text,
        "Scenarios",
        scenarios().iter().map(|e| (e.name, e.doc, e.file, e.line)),
    );
    section(
        &mut text,
        "Datapools",
        datapools().iter().map(|e| (e.name, e.doc, e.file, e.line)),
    );
    if text.is_empty() {
        text.push_str("There is nothing here yet: write an async fn and put #[journey] on it.\n");
    }
    print(&text)?;
    Ok(Exit::Passed)
}

type Row = (&'static str, &'static str, &'static str, u32);

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = Row>) {
    let rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{title}");
    for (name, doc, file, line) in rows {
        let _ = writeln!(text, "  {name}  ({file}:{line})");
        if !doc.is_empty() {
            let _ = writeln!(text, "      {doc}");
        }
    }
}
