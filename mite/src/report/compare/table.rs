//! A comparison for the terminal.

use super::{Comparison, Difference, Figure, Level, LimitResult};
use crate::report::{
    human,
    style::{Style, Tone},
    table::{Column, Row, Table},
    text,
};

/// Series shown beside those of all the run; the others are in the JSON.
const MOST: usize = 200;

/// The comparison, with a line end at its end.
pub(crate) fn render(comparison: &Comparison, style: Style) -> String {
    let mut lines = heading(comparison, style);
    let columns = ["before", "after", "change", "interval"].map(|title| Column {
        title,
        worth: u8::MAX,
        always: true,
        least: 0,
    });
    let mut table = Table::new("Figure", columns.to_vec());
    for row in shown(comparison).take(MOST) {
        table.push(Row {
            name: format!("{} {}", verdict(row), name(row)),
            figures: figures(row).to_vec(),
            remark: remark(row),
        });
    }
    let rows = table.render(style).into_iter();
    lines.extend(rows.map(|line| painted(line, style)));
    let left_out = shown(comparison).count().saturating_sub(MOST);
    if left_out > 0 {
        let more = human::plural(left_out as u64, "more figure");
        lines.push(format!("  … and {more} in the JSON (--report FILE.json)"));
    }
    lines.push(String::new());
    lines.extend(text::wrap(&conclusion(comparison), style.width));
    for limit in &comparison.limits {
        let (sign, tone) = if limit.passed {
            ("✓", Tone::Good)
        } else {
            ("✗", Tone::Bad)
        };
        let sign = style.paint(tone, sign);
        lines.push(format!(
            "  {sign} {}  {}",
            text::clean(&limit.expression),
            found(limit)
        ));
    }
    style.finish(lines.join("\n") + "\n")
}

fn heading(comparison: &Comparison, style: Style) -> Vec<String> {
    let scenario = text::clean(&comparison.scenario);
    let run = |what: &str, run: &super::ComparedRun| {
        let started = run.started.replace('T', " ").replace('Z', " UTC");
        let measured = human::time(run.measured_seconds);
        format!("  {what}  {started}, {measured}, {}", run.verdict)
    };
    vec![
        style.paint(Tone::Heading, &text::cut_middle(&scenario, style.width)),
        style.paint(Tone::Quiet, &run("before", &comparison.before)),
        style.paint(Tone::Quiet, &run("after ", &comparison.after)),
        String::new(),
    ]
}

/// What there is to show: figures that are zero in both runs say nothing.
pub(super) fn shown(comparison: &Comparison) -> impl Iterator<Item = &Difference> {
    let rows = comparison.differences.iter();
    rows.filter(|row| row.before.unwrap_or(0.0) != 0.0 || row.after.unwrap_or(0.0) != 0.0)
}

/// `GET /basket p99`.
pub(super) fn name(row: &Difference) -> String {
    let figure = row.figure.name().replace('_', " ");
    format!("{} {figure}", text::clean(&row.label()))
}

/// `+` for better, `!` for worse, `?` for what cannot be told, and `=` for no difference.
pub(super) fn verdict(row: &Difference) -> &'static str {
    match (row.low, row.is_beyond_noise(), row.is_worse()) {
        (None, ..) => "?",
        (_, false, _) => "=",
        (_, true, true) => "✗",
        (_, true, false) => "✓",
    }
}

/// Before, after, change and interval.
pub(super) fn figures(row: &Difference) -> [String; 4] {
    let unit = if row.figure == Figure::ErrorRate {
        " pp"
    } else {
        " %"
    };
    let change = row.change.map(|change| signed(change) + unit);
    let interval = row
        .low
        .zip(row.high)
        .map(|(low, high)| interval(low, high) + unit);
    [
        value(row.figure, row.before),
        value(row.figure, row.after),
        change.unwrap_or_default(),
        interval.unwrap_or_else(|| "unknown".to_owned()),
    ]
}

fn value(figure: Figure, value: Option<f64>) -> String {
    match (value, figure) {
        (None, _) => "none".to_owned(),
        (Some(value), Figure::Rate) => format!("{}/s", human::rate(value)),
        (Some(value), Figure::ErrorRate) => human::percent(value),
        (Some(value), _) => human::time(value),
    }
}

/// Where the difference changed while the runs went on: `changed in the second run: 10.1ms, from
/// 36.0s on 61.2ms`.
pub(super) fn remark(row: &Difference) -> Option<String> {
    let (first, others) = row.levels.split_first()?;
    let apart = |of: fn(&Level) -> Option<f64>| {
        let values = row.levels.iter().filter_map(of);
        let (low, high) = values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| {
            (low.min(value), high.max(value))
        });
        high - low
    };
    let (which, of): (_, fn(&Level) -> Option<f64>) =
        if apart(|level| level.before) > apart(|level| level.after) {
            ("first", |level| level.before)
        } else {
            ("second", |level| level.after)
        };
    let shown = |level: &Level| value(row.figure, of(level));
    let mut text = format!("changed within the {which} run: {}", shown(first));
    for level in others {
        let from = human::time(level.from);
        text += &format!(", from {from} on {}", shown(level));
    }
    Some(text)
}

/// `+2.1 … +8.4`.
fn interval(low: f64, high: f64) -> String {
    format!("{} … {}", signed(low), signed(high))
}

/// A share in percent with its sign: `+2.1`, `-0.25`.
fn signed(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        size if size >= 100.0 => format!("{percent:+.0}"),
        size if size >= 0.095 || size == 0.0 => format!("{percent:+.1}"),
        _ => format!("{percent:+.3}"),
    }
}

/// What was found of a limit.
pub(super) fn found(limit: &LimitResult) -> String {
    let unit = if limit.expression.trim_end().ends_with("pp") {
        "pp"
    } else {
        "%"
    };
    let noise = if limit.beyond_noise {
        "beyond noise"
    } else {
        "within noise"
    };
    let (change, interval) = (signed(limit.change), interval(limit.low, limit.high));
    format!("{change} {unit} ({interval}), {noise}")
}

/// How many figures changed, in a sentence.
pub(super) fn conclusion(comparison: &Comparison) -> String {
    let judged: Vec<_> = shown(comparison).filter(|row| row.low.is_some()).collect();
    let unknown = shown(comparison).count() - judged.len();
    let worse = judged.iter().filter(|row| row.is_worse()).count();
    let better = judged.iter().filter(|row| row.is_beyond_noise()).count() - worse;
    let by_chance = judged.len() as f64 * (1.0 - comparison.confidence);
    let unknown = match unknown {
        0 => String::new(),
        unknown => format!(
            " Of {} nothing can be told.",
            human::plural(unknown as u64, "figure")
        ),
    };
    format!(
        "{worse} worse and {better} better beyond noise at {}, of {}; by chance alone it would be \
         about {by_chance:.0}.{unknown}",
        human::percent(comparison.confidence),
        human::plural(judged.len() as u64, "figure"),
    )
}

fn painted(line: String, style: Style) -> String {
    match line.trim_start().chars().next() {
        Some('✗') => style.paint(Tone::Bad, &line),
        Some('✓') => style.paint(Tone::Good, &line),
        _ => line,
    }
}
