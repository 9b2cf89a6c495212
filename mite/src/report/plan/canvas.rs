//! One chart: the levels of an entry over time, its stages, and what the results decide.

use std::{fmt::Write as _, time::Duration};

use super::{PlanEntry, axis::Axis, duration, scale::Scale, shown};
use crate::{
    report::{
        human,
        style::{Style, Tone},
        text,
    },
    volume::{Bounds, Unit},
};

/// Where charts are drawn: what they have in common.
pub(super) struct Canvas {
    pub(super) style: Style,
    /// The room for labels left of the charts.
    pub(super) gutter: usize,
    pub(super) axis: Axis,
}

impl Canvas {
    /// Adds the chart of an entry.
    pub(super) fn draw(&self, entry: &PlanEntry, scale: &Scale, lines: &mut Vec<String>) {
        let counted = match entry.outline.unit {
            Unit::Users => "users",
            Unit::PerSecond => "starts per second",
        };
        let room = self.style.width.saturating_sub(counted.len() + 2);
        let journey = text::cut_middle(&text::clean(&entry.journey), room);
        lines.push(format!(
            "{}, {counted}",
            self.style.paint(Tone::Heading, &journey)
        ));
        let levels: Vec<(f64, f64)> = (0..self.axis.columns)
            .map(|column| (self.level_in(entry, column), self.bound_in(entry, column)))
            .collect();
        for row in (0..scale.rows).rev() {
            let cells: String = levels
                .iter()
                .map(|(level, bound)| {
                    let open = bound / scale.step > row as f64;
                    match self.cell(level / scale.step, row) {
                        ' ' if open => self.sign('░', '?'),
                        cell => cell,
                    }
                })
                .collect();
            self.push(&scale.label(row), self.sign('│', '|'), &cells, lines);
        }
        let ticks = self.axis.ticks();
        let line = self
            .axis
            .line(&ticks, self.sign('┬', '+'), self.sign('─', '-'));
        self.push("0", self.sign('└', '+'), &line, lines);
        self.push("", ' ', &self.axis.labels(&ticks), lines);
        if entry
            .outline
            .stages
            .iter()
            .any(|(_, name)| !name.is_empty())
        {
            self.push("", ' ', &self.stages(entry), lines);
        }
        for (from, until, bounds) in &entry.outline.bounds {
            lines.extend(self.follows(*from, *until, bounds));
        }
        if entry.outline.duration.is_none() {
            let shown = duration(shown(entry));
            lines.push(format!(
                "The model decides as it runs, or has no end: the first {shown} are shown."
            ));
        }
    }

    fn push(&self, label: &str, edge: char, cells: &str, lines: &mut Vec<String>) {
        let line = format!("{label:>width$} {edge}{cells}", width = self.gutter);
        lines.push(line.trim_end().to_owned());
    }

    /// The highest level within a column, so that none is too short to be seen.
    fn level_in(&self, entry: &PlanEntry, column: usize) -> f64 {
        let (start, end) = (self.axis.time(column), self.axis.time(column + 1));
        let corners = entry
            .outline
            .points
            .iter()
            .zip(entry.outline.points.iter().skip(1));
        corners
            .filter(|(from, to)| from.0.max(start) < to.0.min(end))
            .flat_map(|(from, to)| {
                let level_at = |at: Duration| {
                    let length = (to.0 - from.0).as_secs_f64();
                    let share = at.saturating_sub(from.0).as_secs_f64() / length;
                    from.1 + (to.1 - from.1) * share
                };
                [level_at(from.0.max(start)), level_at(to.0.min(end))]
            })
            .fold(0.0, f64::max)
    }

    /// The highest bound within a column, where the results decide.
    fn bound_in(&self, entry: &PlanEntry, column: usize) -> f64 {
        let (start, end) = (self.axis.time(column), self.axis.time(column + 1));
        let within = entry.outline.bounds.iter();
        within
            .filter(|(from, until, _)| *from < end && start < *until)
            .map(|(.., bounds)| bounds.high)
            .fold(0.0, f64::max)
    }

    /// What is known of a stretch that the results decide about.
    fn follows(&self, from: Duration, until: Duration, bounds: &Bounds) -> Vec<String> {
        let sentence = format!(
            "{} It follows the results from {} on, between {} and {} {}, for {} at most: {}.",
            self.sign('░', '?'),
            duration(from),
            human::number(bounds.low),
            human::number(bounds.high),
            match bounds.unit {
                Unit::Users => "users",
                Unit::PerSecond => "per second",
            },
            duration(until - from),
            text::clean(&bounds.aim),
        );
        text::wrap(&sentence, self.style.width)
    }

    /// The sign for a level, counted in rows, in one row.
    fn cell(&self, level: f64, row: usize) -> char {
        const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const ASCII: [char; 9] = [' ', '.', '.', '.', ':', ':', ':', '#', '#'];
        let eighths = ((level - row as f64) * 8.0).round().clamp(0.0, 8.0);
        let least = if row == 0 && level > 0.0 { 1.0 } else { 0.0 };
        let signs = if self.style.unicode { BLOCKS } else { ASCII };
        signs
            .get(eighths.max(least) as usize)
            .copied()
            .unwrap_or(' ')
    }

    /// The stages below the times they last: `├ peak ───┤`.
    fn stages(&self, entry: &PlanEntry) -> String {
        let end = self.axis.column(shown(entry));
        let ends = entry
            .outline
            .stages
            .iter()
            .skip(1)
            .map(|&(at, _)| self.axis.column(at))
            .chain([end]);
        let mut line = String::new();
        for ((from, name), end) in entry.outline.stages.iter().zip(ends) {
            let from = self.axis.column(*from);
            let blank = from.saturating_sub(text::width(&line));
            let _ = write!(line, "{:blank$}", "");
            line.push_str(&self.stage(&text::clean(name), end.saturating_sub(from)));
        }
        line
    }

    /// A stage in exactly `room` columns.
    fn stage(&self, name: &str, room: usize) -> String {
        const FRAME: usize = 4;
        if name.is_empty() {
            return " ".repeat(room);
        }
        let name = text::cut_end(name, room.saturating_sub(FRAME).max(1));
        let Some(rest) = room.checked_sub(FRAME + text::width(&name)) else {
            return text::cut_end(&name, room);
        };
        let rule = self.sign('─', '-').to_string().repeat(rest);
        let (left, right) = (self.sign('├', '|'), self.sign('┤', '|'));
        format!("{left} {name} {rule}{right}")
    }

    fn sign(&self, sign: char, ascii: char) -> char {
        if self.style.unicode { sign } else { ascii }
    }
}
