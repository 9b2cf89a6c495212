//! The tables of the live display. Their columns are as wide as they may have to be, so that figures
//! stay in their places while they change.

use std::time::Duration;

use super::super::{
    human,
    progress::{Progress, Speed},
    style::{Style, Tone},
    table::{Column, Row, Table},
    text,
};

/// Names of requests shown at most, and the fewest that are worth a heading.
const MOST_NAMES: usize = 10;
const FEWEST_NAMES: usize = 2;

/// Requests of the last second above those of the whole run.
pub(super) fn speeds(progress: &Progress, style: Style) -> Vec<String> {
    let columns = vec![
        column("per s", u8::MAX, 6),
        column("failed/s", 7, 8),
        column("p50", 5, 6),
        column("p95", 6, 6),
        column("p99", 8, 6),
        column("max", 4, 6),
    ];
    let mut table = Table::new("Requests", columns);
    for (name, speed) in [("now", progress.now), ("so far", progress.overall)] {
        table.push(Row {
            name: name.to_owned(),
            figures: figures(speed),
            remark: None,
        });
    }
    table.render(style)
}

fn figures(speed: Speed) -> Vec<String> {
    let rates = [speed.per_second, speed.failed_per_second].map(human::rate);
    let times = [speed.p50, speed.p95, speed.p99, speed.max].map(time);
    [rates.to_vec(), times.to_vec()].concat()
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| human::time(time.as_secs_f64()))
}

/// Where to look first: names that fail, and then the slowest, where there are several at all.
pub(super) fn names(progress: &Progress, style: Style, room: usize) -> Vec<String> {
    let names = &progress.names;
    let shown = names.len().min(room.saturating_sub(1)).min(MOST_NAMES);
    if shown < FEWEST_NAMES {
        return Vec::new();
    }
    let columns = vec![
        column("per s", 6, 7),
        column("failed", 7, 7),
        column("p95 now", 5, 7),
        column("p95", u8::MAX, 6),
    ];
    let mut table = Table::new("Failing and slowest", columns);
    for row in names.iter().take(shown) {
        table.push(Row {
            name: text::clean(&row.name),
            figures: vec![
                human::rate(row.per_second),
                human::count(row.failed),
                time(row.p95_now),
                time(row.p95),
            ],
            remark: None,
        });
    }
    let failing = names.iter().take_while(|row| row.failed > 0).count();
    let lines = table.render(style).into_iter().enumerate();
    lines
        .map(|(index, line)| {
            if (1..=failing).contains(&index) {
                style.paint(Tone::Bad, &line)
            } else {
                line
            }
        })
        .collect()
}

fn column(title: &'static str, worth: u8, least: usize) -> Column {
    Column {
        title,
        worth,
        always: true,
        least,
    }
}
