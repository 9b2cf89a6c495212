//! The live display: how the run is doing, drawn anew each second on a terminal.

use std::time::Duration;

use super::{
    bound,
    data::Report,
    human, lines,
    observer::{Observer, RunInfo},
    progress::{Progress, State, ThresholdNow},
    screen::Screen,
    style::{Style, Tone},
    text,
};

/// Thresholds shown; failing ones come first.
const MOST_THRESHOLDS: usize = 5;
/// Narrower displays keep figures closer together.
const ROOMY: usize = 60;
/// The widest bar.
const WIDEST_BAR: usize = 40;
/// The narrowest bar that still says something.
const NARROWEST_BAR: usize = 8;

/// Draws progress at the bottom of the terminal and takes it away at the end.
pub(crate) struct Live {
    screen: Screen,
    style: Style,
    scenario: String,
}

impl Live {
    /// A display on this screen.
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            style: Style::of_stderr(),
            scenario: String::new(),
        }
    }
}

impl Observer for Live {
    fn started(&mut self, run: &RunInfo) {
        self.scenario = text::clean(&run.scenario);
        let introduction = lines::introduction(run);
        self.screen.print(&introduction);
    }

    fn progress(&mut self, progress: &Progress) {
        self.screen.draw(|width| {
            let style = Style {
                width,
                ..self.style
            };
            frame(progress, style)
                .into_iter()
                .map(|line| style.finish(line))
                .collect()
        });
    }

    fn note(&mut self, text: &str) {
        self.screen.print(text);
    }

    fn ended(&mut self, _: &Report) {
        self.screen.clear();
    }
}

impl Drop for Live {
    /// A run that breaks off must not leave half a display above its error message.
    fn drop(&mut self) {
        self.screen.clear();
    }
}

/// The lines of the display.
fn frame(progress: &Progress, style: Style) -> Vec<String> {
    let mut lines = bar(progress, style);
    let load = [lines::users(progress), lines::starts(progress)];
    lines.extend(fill(&load, style));
    let requests = format!("requests {}/s", human::number(progress.requests_per_second));
    let speed: Vec<String> = [vec![requests], lines::percentiles(progress)].concat();
    lines.extend(fill(&speed, style));
    lines.extend(trouble(progress, style));
    lines.extend(thresholds(&progress.thresholds, style));
    lines
}

/// Figures side by side, on as many lines as it takes.
fn fill(figures: &[String], style: Style) -> Vec<String> {
    let gap = if style.width < ROOMY { "  " } else { "   " };
    text::flow(figures.iter().map(String::as_str), gap, style.width)
}

/// The bar against the plan, or the time alone when the plan has no end.
fn bar(progress: &Progress, style: Style) -> Vec<String> {
    let elapsed = human::clock(progress.elapsed);
    let time = match progress.planned_end {
        Some(end) => format!("{elapsed} / {}", human::clock(end)),
        None => elapsed,
    };
    let state = match progress.state {
        State::Starting => "starting".to_owned(),
        State::Stopping { since } => {
            let waited = human::clock(progress.elapsed.saturating_sub(since));
            format!("stopping for {waited}")
        }
        State::Running => progress
            .stage
            .as_deref()
            .map(text::clean)
            .unwrap_or_default(),
    };
    let label = if state.is_empty() {
        time
    } else {
        format!("{time}  {state}")
    };
    let room = style
        .width
        .saturating_sub(text::width(&label) + 2)
        .min(WIDEST_BAR);
    match progress.planned_end {
        Some(end) if room >= NARROWEST_BAR && end > Duration::ZERO => {
            let share = (progress.elapsed.as_secs_f64() / end.as_secs_f64()).min(1.0);
            let done = (share * room as f64).round() as usize;
            let rest = room.saturating_sub(done);
            vec![format!(
                "{}{}  {label}",
                style.paint(Tone::Heading, &"━".repeat(done)),
                style.paint(Tone::Quiet, &"─".repeat(rest)),
            )]
        }
        _ => vec![text::cut_end(&label, style.width)],
    }
}

/// Errors, and what else is not as it should be.
fn trouble(progress: &Progress, style: Style) -> Vec<String> {
    let errors = match progress.errors_last_second {
        0 => format!("errors {}", human::count(progress.errors)),
        now => format!(
            "errors {} ({}/s)",
            human::count(progress.errors),
            human::count(now)
        ),
    };
    let mut facts = vec![errors];
    facts.extend(lines::late(progress));
    facts.extend(lines::dropped(progress));
    facts.extend(lines::starved(progress));
    let tone = (progress.errors > 0).then_some(Tone::Bad);
    fill(&facts, style)
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let line = text::cut_end(&line, style.width);
            match tone {
                Some(tone) if index == 0 => style.paint(tone, &line),
                _ => line,
            }
        })
        .collect()
}

fn thresholds(thresholds: &[ThresholdNow], style: Style) -> Vec<String> {
    let mut rows: Vec<&ThresholdNow> = thresholds.iter().collect();
    // Whatever broke first says most about the others.
    rows.sort_by_key(|row| (row.passing, row.broke_at.unwrap_or(Duration::MAX)));
    let left_out = rows.len().saturating_sub(MOST_THRESHOLDS);
    let more = (left_out > 0).then(|| {
        let more = human::plural(left_out as u64, "more threshold");
        style.paint(
            Tone::Quiet,
            &text::cut_end(&format!("  … and {more}"), style.width),
        )
    });
    let shown = rows.iter().take(MOST_THRESHOLDS).map(|row| {
        let value = row.value.map_or_else(
            || "no sample yet".to_owned(),
            |value| bound::in_unit_of(&row.expression, value),
        );
        let whole = text::width(&text::clean(&row.expression)) + text::width(&value) + 4;
        let broke = row
            .broke_at
            .map(|at| format!("  broke at {}", human::clock(at)));
        let broke = broke.filter(|broke| whole + text::width(broke) <= style.width);
        let value = value + &broke.unwrap_or_default();
        let room = style.width.saturating_sub(text::width(&value) + 4);
        let name = text::cut_middle(&text::clean(&row.expression), room);
        let sign = match (row.value, row.passing) {
            (None, _) => style.paint(Tone::Quiet, "·"),
            (_, true) => style.paint(Tone::Good, "✓"),
            (_, false) => style.paint(Tone::Bad, "✗"),
        };
        format!("{sign} {name}  {value}")
    });
    shown.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, screen::tests::Glass};

    fn drawn(progress: &Progress, width: usize) -> String {
        let style = Style {
            width,
            colour: false,
            unicode: true,
        };
        let lines = frame(progress, style);
        for line in &lines {
            assert!(text::width(line) <= width, "{line}");
        }
        lines.join("\n")
    }

    #[test]
    fn a_quiet_run_takes_few_lines() {
        insta::assert_snapshot!(drawn(&fixture::progress(), 79), @r"
        ━━━━━━━━────────────────────────────────  0:12 / 1:00
        users 10   starts 500/s
        requests 998/s   p50 1.20ms   p95 3.40ms   p99 8.00ms
        errors 0
        ✓ http.p99 < 250ms  7.90ms
        ");
    }

    #[test]
    fn a_run_in_trouble_says_so_at_any_width() {
        let progress = fixture::progress_in_trouble();
        insta::assert_snapshot!(drawn(&progress, 79), @r#"
        ━━━━━━━━━━━━━━━━━━━━━━━━━━━─────────────  0:41 / 1:00  peak
        users 1,840 of 2,000   starts 480/s of 500/s
        requests 998/s   p50 1.20ms   p95 3.40ms   p99 1.95s
        errors 1,234 (57/s)   start delay p99 940ms   waiting for room 12   dropped 3
        waiting for data: sign_in, browse
        ✗ http.p99 < 250ms over 10s abort after 30s  1.95s  broke at 0:38
        · http{name="GET /basket"}.p99.9 < 1s  no sample yet
        ✓ errors.rate < 5%  1.21 %
        "#);
        insta::assert_snapshot!(drawn(&progress, 49), @r#"
        ━━━━━━━━━━━━━━━━━━━━━─────────  0:41 / 1:00  peak
        users 1,840 of 2,000  starts 480/s of 500/s
        requests 998/s  p50 1.20ms  p95 3.40ms  p99 1.95s
        errors 1,234 (57/s)  start delay p99 940ms
        waiting for room 12  dropped 3
        waiting for data: sign_in, browse
        ✗ http.p99 < 250ms ove…10s abort after 30s  1.95s
        · http{name="GET /…et"}.p99.9 < 1s  no sample yet
        ✓ errors.rate < 5%  1.21 %
        "#);
        insta::assert_snapshot!(drawn(&progress, 24), @r"
        0:41 / 1:00  peak
        users 1,840 of 2,000
        starts 480/s of 500/s
        requests 998/s
        p50 1.20ms  p95 3.40ms
        p99 1.95s
        errors 1,234 (57/s)
        start delay p99 940ms
        waiting for room 12
        dropped 3
        waiting for data: sign_…
        ✗ http.p9…ter 30s  1.95s
        · htt… 1s  no sample yet
        ✓ errors.…e < 5%  1.21 %
        ");
    }

    #[test]
    fn what_broke_first_is_shown_first_and_the_rest_is_counted() {
        let row = |number: u64, broke_at: Option<u64>| ThresholdNow {
            expression: format!("http.p{number} < 1s"),
            value: Some(0.5),
            passing: broke_at.is_none(),
            broke_at: broke_at.map(Duration::from_secs),
        };
        let progress = Progress {
            thresholds: vec![
                row(10, None),
                row(20, Some(30)),
                row(30, None),
                row(40, Some(12)),
                row(50, None),
                row(60, None),
                row(70, None),
            ],
            ..fixture::progress()
        };
        let drawn = drawn(&progress, 79);
        let thresholds: Vec<_> = drawn.lines().skip(4).collect();
        assert_eq!(thresholds[0], "✗ http.p40 < 1s  500ms  broke at 0:12");
        assert_eq!(thresholds[1], "✗ http.p20 < 1s  500ms  broke at 0:30");
        assert_eq!(thresholds.last(), Some(&"  … and 2 more thresholds"));
        assert_eq!(thresholds.len(), 6);
    }

    #[test]
    fn a_plan_without_an_end_has_no_bar() {
        let progress = Progress {
            planned_end: None,
            state: State::Stopping {
                since: Duration::from_secs(9),
            },
            ..fixture::progress()
        };
        insta::assert_snapshot!(drawn(&progress, 79), @r"
        0:12  stopping for 0:03
        users 10   starts 500/s
        requests 998/s   p50 1.20ms   p95 3.40ms   p99 8.00ms
        errors 0
        ✓ http.p99 < 250ms  7.90ms
        ");
    }

    #[test]
    fn after_the_end_only_the_introduction_and_the_notes_are_left() {
        let glass = Glass::new(80, 24);
        let mut live = Live::new(Screen::new(glass.clone()));
        live.started(&RunInfo {
            scenario: "shop::evening".into(),
            workers: 2,
            ..RunInfo::default()
        });
        live.progress(&fixture::progress());
        live.note("users.csv has come to its end");
        glass.resize(33);
        live.progress(&fixture::progress_in_trouble());
        assert!(glass.lines().len() > 4);
        live.ended(&fixture::full());
        let left = ["shop::evening  2 workers", "users.csv has come to its end"];
        assert_eq!(glass.lines(), left);
    }

    #[test]
    fn a_display_that_is_dropped_leaves_nothing_either() {
        let glass = Glass::new(80, 24);
        let mut live = Live::new(Screen::new(glass.clone()));
        live.progress(&fixture::progress());
        drop(live);
        assert!(glass.lines().is_empty());
    }
}
