//! How the thresholds stand, on the live display.

use std::time::Duration;

use super::super::{
    bound, human,
    progress::ThresholdNow,
    style::{Style, Tone},
    text,
};

/// Those that do not hold first, on at most `room` lines.
pub(super) fn thresholds(thresholds: &[ThresholdNow], style: Style, room: usize) -> Vec<String> {
    let mut rows: Vec<&ThresholdNow> = thresholds.iter().collect();
    // Whatever broke first says most about the others.
    rows.sort_by_key(|row| (row.passing, row.broke_at.unwrap_or(Duration::MAX)));
    let fit = if rows.len() <= room {
        room
    } else {
        room.saturating_sub(1).max(1)
    };
    let rest = rows.get(fit..).unwrap_or_default();
    let more = (!rest.is_empty() && fit < room).then(|| {
        let more = human::plural(rest.len() as u64, "more threshold");
        let broken = rest.iter().filter(|row| is_broken(row)).count();
        let broken = match broken {
            0 => String::new(),
            broken => format!(", {broken} broken"),
        };
        let line = text::cut_end(&format!("  … and {more}{broken}"), style.width);
        style.paint(Tone::Quiet, &line)
    });
    let shown = rows.iter().take(fit.min(room));
    shown.map(|row| threshold(row, style)).chain(more).collect()
}

fn is_broken(row: &ThresholdNow) -> bool {
    !row.passing && row.value.is_some()
}

fn threshold(row: &ThresholdNow, style: Style) -> String {
    let value = row.value.map_or_else(
        || "no sample yet".to_owned(),
        |value| bound::in_unit_of(&row.expression, value),
    );
    let expression = text::clean(&row.expression);
    let whole = text::width(&expression) + text::width(&value) + 4;
    let broke = row
        .broke_at
        .map(|at| format!("  broke at {}", human::clock(at)));
    let broke = broke.filter(|broke| whole + text::width(broke) <= style.width);
    let value = value + &broke.unwrap_or_default();
    let room = style.width.saturating_sub(text::width(&value) + 4);
    let name = text::cut_middle(&expression, room);
    let sign = match (row.value, row.passing) {
        (None, _) => style.paint(Tone::Quiet, "·"),
        (_, true) => style.paint(Tone::Good, "✓"),
        (_, false) => style.paint(Tone::Bad, "✗"),
    };
    format!("{sign} {name}  {value}")
}
