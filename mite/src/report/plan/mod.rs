//! A scenario's plan drawn as text: the volume over time, and the totals.

mod axis;
mod canvas;
mod scale;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::{axis::Axis, canvas::Canvas, scale::Scale};
use super::{
    human,
    style::{Style, Tone},
    table::{Column, Row, Table},
    text,
};
use crate::volume::{Unit, schedule::Outline};

/// What a plan looks like for one line of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct PlanEntry {
    /// The journey.
    pub(crate) journey: String,
    /// Its volume.
    pub(crate) outline: Outline,
}

impl PlanEntry {
    /// Whether the results have a say in it.
    fn follows(&self) -> bool {
        !self.outline.bounds.is_empty()
    }
}

/// The plan of the scenario `name`: a chart for each entry, all on one scale of time, and a table.
pub(crate) fn draw(name: &str, entries: &[PlanEntry], style: Style) -> String {
    let mut lines = vec![
        style.paint(Tone::Heading, &text::clean(name)),
        String::new(),
    ];
    let charts: Vec<Scale> = entries.iter().map(Scale::of).collect();
    let gutter = charts.iter().map(Scale::label_width).max().unwrap_or(1);
    let span = entries.iter().map(shown).max().unwrap_or_default();
    let canvas = Canvas {
        style,
        gutter,
        axis: Axis {
            columns: style.width.saturating_sub(gutter + 3).max(10),
            span: span.max(Duration::from_nanos(1)),
        },
    };
    for (entry, scale) in entries.iter().zip(&charts) {
        canvas.draw(entry, scale, &mut lines);
        lines.push(String::new());
    }
    lines.extend(totals(entries).render(style));
    let mut drawn = style.finish(lines.join("\n"));
    drawn.push('\n');
    drawn
}

/// How much of the entry there is to show.
fn shown(entry: &PlanEntry) -> Duration {
    let last = entry.outline.points.last().map(|&(at, _)| at);
    entry.outline.duration.or(last).unwrap_or_default()
}

/// A time as the command line takes it: `1m30s`.
fn duration(duration: Duration) -> String {
    let text = humantime::format_duration(duration).to_string();
    text.replace(' ', "")
}

fn totals(entries: &[PlanEntry]) -> Table {
    let column = |title| Column {
        title,
        worth: u8::MAX,
        always: false,
        least: 0,
    };
    let columns = vec![column("duration"), column("starts"), column("peak")];
    let mut table = Table::new("Plan", columns);
    for entry in entries {
        let peak = human::number(entry.outline.peak);
        let most = if entry.follows() { "≤ " } else { "" };
        table.push(Row {
            name: text::clean(&entry.journey),
            figures: vec![
                entry.outline.duration.map_or_else(
                    || "open".to_owned(),
                    |known| format!("{most}{}", duration(known)),
                ),
                entry.outline.starts.map(human::count).unwrap_or_default(),
                match entry.outline.unit {
                    Unit::Users if entry.outline.peak == 1.0 => "1 user".to_owned(),
                    Unit::Users => format!("{most}{peak} users"),
                    Unit::PerSecond => format!("{most}{peak}/s"),
                },
            ],
            remark: None,
        });
    }
    if entries.len() > 1 {
        table.push(Row {
            name: "all".to_owned(),
            figures: vec![whole_duration(entries), whole_starts(entries)],
            remark: None,
        });
    }
    table
}

/// How long the longest entry lasts, if all say so.
fn whole_duration(entries: &[PlanEntry]) -> String {
    let durations: Option<Vec<Duration>> =
        entries.iter().map(|entry| entry.outline.duration).collect();
    let longest = durations.and_then(|durations| durations.into_iter().max());
    let most = if entries.iter().any(PlanEntry::follows) {
        "≤ "
    } else {
        ""
    };
    longest.map_or_else(
        || "open".to_owned(),
        |known| format!("{most}{}", duration(known)),
    )
}

/// The starts of all entries together, where each has a number of them.
fn whole_starts(entries: &[PlanEntry]) -> String {
    let starts: Option<Vec<u64>> = entries.iter().map(|entry| entry.outline.starts).collect();
    starts
        .map(|starts| human::count(starts.into_iter().sum()))
        .unwrap_or_default()
}
