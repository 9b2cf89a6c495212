//! `list`: what this program knows.

use std::fmt::Write as _;

use super::{
    exit::{Exit, Failure},
    output::print,
};
use crate::{
    journey::{Definition, lookup::Registered, registry::journeys},
    scenario::registry::{datapools, scenarios},
};

/// Prints journeys, scenarios and datapools with their first doc line and place.
pub(super) fn list() -> Result<Exit, Failure> {
    let mut text = String::new();
    section(&mut text, "Journeys", &journeys());
    section(&mut text, "Scenarios", &scenarios());
    section(&mut text, "Datapools", &datapools());
    if text.is_empty() {
        text.push_str("There is nothing here yet: write an async fn and put #[journey] on it.\n");
    }
    print(&text)?;
    Ok(Exit::Passed)
}

fn section<E: Registered>(text: &mut String, title: &str, entries: &[&E]) {
    if entries.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{title}");
    for entry in entries {
        let Definition {
            name,
            file,
            line,
            doc,
        } = entry.definition();
        let _ = writeln!(text, "  {name}  ({file}:{line})");
        if !doc.is_empty() {
            let _ = writeln!(text, "      {doc}");
        }
    }
}
