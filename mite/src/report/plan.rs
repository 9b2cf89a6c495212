//! A scenario's plan drawn as text: the volume over time, and the totals.

use std::{fmt::Write as _, time::Duration};

use super::{
    human,
    style::{Style, Tone},
    table::{Column, Row, Table},
    text,
};
use crate::volume::{Bounds, Unit};

/// The most rows a chart has.
const ROWS: f64 = 6.0;
/// How far two labels of the time axis are apart at least.
const TICK_ROOM: f64 = 10.0;

/// What a plan looks like for one line of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct PlanEntry {
    /// The journey.
    pub(crate) journey: String,
    /// What the levels count.
    pub(crate) unit: Unit,
    /// The corners of the level in order of time; two at one time where it jumps.
    pub(crate) points: Vec<(Duration, f64)>,
    /// Where each stage begins; an empty name where none is meant any more.
    pub(crate) stages: Vec<(Duration, String)>,
    /// When it ends; absent when the model decides that as it runs.
    pub(crate) duration: Option<Duration>,
    /// The planned starts; absent for users and without a duration.
    pub(crate) starts: Option<u64>,
    /// The highest level.
    pub(crate) peak: f64,
    /// Where the results decide, in order: from when until when, and within which bounds.
    pub(crate) bounds: Vec<(Duration, Duration, Bounds)>,
}

impl PlanEntry {
    /// Whether the results have a say in it.
    fn follows(&self) -> bool {
        !self.bounds.is_empty()
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
        columns: style.width.saturating_sub(gutter + 3).max(10),
        span: span.max(Duration::from_nanos(1)),
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
    let last = entry.points.last().map(|&(at, _)| at);
    entry.duration.or(last).unwrap_or_default()
}

/// What one row of a chart stands for.
struct Scale {
    step: f64,
    rows: usize,
}

impl Scale {
    /// The roundest step with which the peak fits into the rows.
    fn of(entry: &PlanEntry) -> Self {
        let least = entry.peak / ROWS;
        if !least.is_normal() || least < 0.0 {
            return Self { step: 1.0, rows: 1 };
        }
        let power = 10_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step * (1.0 + 1e-9) >= least)
            .unwrap_or(least);
        let step = match entry.unit {
            Unit::Users => step.max(1.0),
            Unit::PerSecond => step,
        };
        let rows = (entry.peak / step - 1e-9).ceil().max(1.0) as usize;
        Self { step, rows }
    }

    /// What stands beside row `row`, counted from below: the level at its upper edge.
    fn label(&self, row: usize) -> String {
        human::number(self.step * (row + 1) as f64)
    }

    fn label_width(&self) -> usize {
        (0..self.rows)
            .map(|row| text::width(&self.label(row)))
            .max()
            .unwrap_or(1)
    }
}

/// Where charts are drawn: what they have in common.
struct Canvas {
    style: Style,
    gutter: usize,
    columns: usize,
    span: Duration,
}

impl Canvas {
    fn draw(&self, entry: &PlanEntry, scale: &Scale, lines: &mut Vec<String>) {
        let counted = match entry.unit {
            Unit::Users => "users",
            Unit::PerSecond => "starts per second",
        };
        let room = self.style.width.saturating_sub(counted.len() + 2);
        let journey = text::cut_middle(&text::clean(&entry.journey), room);
        lines.push(format!(
            "{}, {counted}",
            self.style.paint(Tone::Heading, &journey)
        ));
        let levels: Vec<(f64, f64)> = (0..self.columns)
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
        let ticks = self.ticks();
        self.push("0", self.sign('└', '+'), &self.axis(&ticks), lines);
        self.push("", ' ', &self.times(&ticks), lines);
        if entry.stages.iter().any(|(_, name)| !name.is_empty()) {
            self.push("", ' ', &self.stages(entry), lines);
        }
        for (from, until, bounds) in &entry.bounds {
            lines.extend(self.follows(*from, *until, bounds));
        }
        if entry.duration.is_none() {
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
        let time = |column: usize| self.span.mul_f64(column as f64 / self.columns as f64);
        let (start, end) = (time(column), time(column + 1));
        let corners = entry.points.iter().zip(entry.points.iter().skip(1));
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
        let time = |column: usize| self.span.mul_f64(column as f64 / self.columns as f64);
        let (start, end) = (time(column), time(column + 1));
        let within = entry.bounds.iter();
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

    /// The columns that get a label, and the time each stands for.
    fn ticks(&self) -> Vec<(usize, Duration)> {
        let least = self.span.mul_f64(TICK_ROOM / self.columns as f64);
        let step = round_step(least);
        let mut ticks = Vec::new();
        let mut at = Duration::ZERO;
        while at < self.span {
            ticks.push((self.column(at), at));
            at += step;
        }
        ticks
    }

    fn column(&self, at: Duration) -> usize {
        let share = at.as_secs_f64() / self.span.as_secs_f64();
        ((share * self.columns as f64).round() as usize).min(self.columns)
    }

    fn axis(&self, ticks: &[(usize, Duration)]) -> String {
        (0..self.columns)
            .map(|column| {
                if ticks.iter().any(|&(tick, _)| tick == column) {
                    self.sign('┬', '+')
                } else {
                    self.sign('─', '-')
                }
            })
            .collect()
    }

    fn times(&self, ticks: &[(usize, Duration)]) -> String {
        let mut line = String::new();
        for &(column, at) in ticks {
            let label = duration(at);
            if column + label.len() <= self.columns {
                let blank = column.saturating_sub(line.len());
                let _ = write!(line, "{:blank$}{label}", "");
            }
        }
        line
    }

    /// The stages below the times they last: `├ peak ───┤`.
    fn stages(&self, entry: &PlanEntry) -> String {
        let end = self.column(shown(entry));
        let ends = entry
            .stages
            .iter()
            .skip(1)
            .map(|&(at, _)| self.column(at))
            .chain([end]);
        let mut line = String::new();
        for ((from, name), end) in entry.stages.iter().zip(ends) {
            let from = self.column(*from);
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

/// The shortest round time that is not shorter than `least`.
fn round_step(least: Duration) -> Duration {
    const MILLISECOND: Duration = Duration::from_millis(1);
    const ROUND_SECONDS: [u64; 16] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200,
    ];
    const DAY: u32 = 86_400;
    if least < Duration::from_secs(1) {
        return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
            .into_iter()
            .map(|factor| MILLISECOND * factor)
            .find(|step| *step >= least)
            .unwrap_or(Duration::from_secs(1));
    }
    let round = ROUND_SECONDS
        .into_iter()
        .map(Duration::from_secs)
        .find(|step| *step >= least);
    round.unwrap_or_else(|| {
        let days = least.as_secs_f64() / f64::from(DAY);
        Duration::from_secs(u64::from(DAY)).saturating_mul(days.ceil() as u32)
    })
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
    };
    let columns = vec![column("duration"), column("starts"), column("peak")];
    let mut table = Table::new("Plan", columns);
    for entry in entries {
        let peak = human::number(entry.peak);
        let most = if entry.follows() { "≤ " } else { "" };
        table.push(Row {
            name: text::clean(&entry.journey),
            figures: vec![
                entry.duration.map_or_else(
                    || "open".to_owned(),
                    |known| format!("{most}{}", duration(known)),
                ),
                entry.starts.map(human::count).unwrap_or_default(),
                match entry.unit {
                    Unit::Users if entry.peak == 1.0 => "1 user".to_owned(),
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
    let durations: Option<Vec<Duration>> = entries.iter().map(|entry| entry.duration).collect();
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
    let starts: Option<Vec<u64>> = entries.iter().map(|entry| entry.starts).collect();
    starts
        .map(|starts| human::count(starts.into_iter().sum()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn style(width: usize, unicode: bool) -> Style {
        Style {
            width,
            colour: false,
            unicode,
        }
    }

    fn sign_in() -> PlanEntry {
        PlanEntry {
            journey: "shop::sign_in".into(),
            unit: Unit::Users,
            points: vec![
                (Duration::ZERO, 10.0),
                (MINUTE, 10.0),
                (MINUTE, 10.0),
                (6 * MINUTE, 1000.0),
                (6 * MINUTE, 1000.0),
                (56 * MINUTE, 1000.0),
                (56 * MINUTE, 1000.0),
                (61 * MINUTE, 0.0),
            ],
            stages: vec![(6 * MINUTE, "peak".into()), (56 * MINUTE, String::new())],
            duration: Some(61 * MINUTE),
            starts: None,
            peak: 1000.0,
            bounds: Vec::new(),
        }
    }

    fn browse() -> PlanEntry {
        PlanEntry {
            journey: "shop::browse".into(),
            unit: Unit::PerSecond,
            points: vec![(Duration::ZERO, 2.5), (30 * MINUTE, 2.5)],
            stages: Vec::new(),
            duration: Some(30 * MINUTE),
            starts: Some(4500),
            peak: 2.5,
            bounds: Vec::new(),
        }
    }

    #[test]
    fn a_plan_is_drawn_on_one_scale_of_time_with_its_totals() {
        let drawn = draw("shop::evening", &[sign_in(), browse()], style(80, true));
        insta::assert_snapshot!(drawn);
        assert!(drawn.lines().all(|line| text::width(line) <= 80));
    }

    #[test]
    fn a_plan_without_a_known_end_says_how_much_is_shown() {
        let open = PlanEntry {
            points: (0..10_u32)
                .flat_map(|at| {
                    [
                        (at * MINUTE, f64::from(at)),
                        ((at + 1) * MINUTE, f64::from(at)),
                    ]
                })
                .collect(),
            duration: None,
            starts: None,
            peak: 9.0,
            ..browse()
        };
        insta::assert_snapshot!(draw("shop::search", &[open], style(60, true)));
    }

    #[test]
    fn what_follows_the_results_is_shown_within_its_bounds() {
        let search = PlanEntry {
            points: vec![
                (Duration::ZERO, 50.0),
                (MINUTE, 50.0),
                (MINUTE, 50.0),
                (11 * MINUTE, 50.0),
            ],
            duration: Some(11 * MINUTE),
            starts: None,
            peak: 400.0,
            bounds: vec![(
                MINUTE,
                11 * MINUTE,
                Bounds::new(
                    Unit::PerSecond,
                    50.0,
                    400.0,
                    "raised while http.p99 < 250ms",
                ),
            )],
            ..browse()
        };
        insta::assert_snapshot!(draw("shop::limit", &[search], style(60, true)));
    }

    #[test]
    fn a_narrow_terminal_without_unicode_gets_ascii() {
        let mut entry = sign_in();
        entry.stages.insert(0, (Duration::ZERO, "warm up".into()));
        let drawn = draw("shop::evening", &[entry], style(40, false));
        assert!(drawn.is_ascii(), "{drawn}");
        insta::assert_snapshot!(drawn);
    }

    #[test]
    fn what_is_very_short_or_low_can_still_be_seen() {
        let spike = PlanEntry {
            points: vec![
                (Duration::ZERO, 0.001),
                (MINUTE, 0.001),
                (MINUTE, 50.0),
                (MINUTE + Duration::from_millis(1), 50.0),
                (MINUTE + Duration::from_millis(1), 0.0),
                (2 * MINUTE, 0.0),
            ],
            duration: Some(2 * MINUTE),
            starts: Some(1),
            peak: 50.0,
            ..browse()
        };
        let drawn = draw("spike", &[spike], style(40, true));
        let rows: Vec<&str> = drawn.lines().filter(|line| line.contains('│')).collect();
        assert_eq!(rows.len(), 5);
        assert!(
            rows.iter().all(|row| row.matches('█').count() == 1),
            "{drawn}"
        );
        assert!(rows[4].contains("▁▁▁"), "{drawn}");
    }

    #[test]
    fn nothing_to_draw_is_no_reason_to_fail() {
        let nothing = PlanEntry {
            points: Vec::new(),
            duration: Some(Duration::ZERO),
            starts: Some(0),
            peak: 0.0,
            ..browse()
        };
        assert!(draw("empty", &[nothing], style(40, true)).contains("shop::browse"));
        assert!(draw("empty", &[], style(40, true)).starts_with("empty"));
    }

    #[test]
    fn the_steps_of_the_time_axis_are_round() {
        for (least, step) in [
            ("0ms", "1ms"),
            ("3ms", "5ms"),
            ("1s", "1s"),
            ("7s", "10s"),
            ("8m", "10m"),
            ("5h", "6h"),
            ("13h", "1day"),
            ("80h", "4days"),
        ] {
            let least = humantime::parse_duration(least).unwrap();
            assert_eq!(duration(round_step(least)), step);
        }
    }
}
