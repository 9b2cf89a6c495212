//! What the live display shows, as much of it as the terminal has room for.

use std::time::Duration;

use super::{
    super::{
        human, lines,
        progress::{Progress, State},
        style::{Style, Tone},
        text,
    },
    tables::{names, speeds},
    thresholds::thresholds,
};

/// Thresholds shown on a usual terminal, and on a high one; failing ones come first.
const USUAL_THRESHOLDS: usize = 5;
const MOST_THRESHOLDS: usize = 12;
/// Narrower displays keep figures closer together.
const ROOMY: usize = 60;
/// The widest bar.
const WIDEST_BAR: usize = 40;
/// The narrowest bar that still says something.
const NARROWEST_BAR: usize = 8;
/// The part of its core from which on a worker is too busy to be believed.
const BUSY: f64 = 0.9;
/// A loop lag that is worth a word.
const LAGGING: Duration = Duration::from_millis(20);

/// The lines of the display, at most `rows` of them.
pub(super) fn frame(progress: &Progress, style: Style, rows: usize) -> Vec<String> {
    let bar = bar(progress, style);
    let load = load(progress, style);
    let trouble = trouble(progress, style);
    let fixed = bar.len() + load.len() + trouble.len();
    let most = (rows / 4).clamp(USUAL_THRESHOLDS, MOST_THRESHOLDS);
    let wanted = progress.thresholds.len().min(most);
    let mut speeds = speeds(progress, style);
    if fixed + speeds.len() + wanted > rows {
        speeds = speed(progress, style);
    }
    let left = rows.saturating_sub(fixed + speeds.len());
    let thresholds = thresholds(&progress.thresholds, style, left.clamp(1, most));
    // Where a terminal becomes narrower, what breaks into more rows than it has is out of reach.
    let taken = fixed + speeds.len() + thresholds.len();
    let names = names(progress, style, (rows * 3 / 5).saturating_sub(taken));
    let parts = [bar, load, speeds, trouble, names, thresholds];
    let all: usize = parts.iter().map(Vec::len).sum();
    if all <= rows {
        return parts.concat();
    }
    // On a terminal this low the first line of each says most.
    let firsts = parts.into_iter().filter_map(|part| part.into_iter().next());
    firsts.take(rows).collect()
}

/// Figures side by side, on as many lines as it takes.
fn fill(figures: &[String], style: Style) -> Vec<String> {
    let gap = if style.width < ROOMY { "  " } else { "   " };
    let lines = text::flow(figures.iter().map(String::as_str), gap, style.width);
    let lines = lines.iter().map(|line| text::cut_end(line, style.width));
    lines.collect()
}

/// The bar against the plan, or the time alone when the plan has no end.
fn bar(progress: &Progress, style: Style) -> Vec<String> {
    let elapsed = human::clock(progress.elapsed);
    let time = match progress.planned_end {
        Some(end) => format!("{elapsed} / {}", human::clock(end)),
        None => elapsed,
    };
    let state = state(progress);
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

/// What the run is about: `warm-up`, `peak, 0:19 left`, `stopping for 0:03`.
fn state(progress: &Progress) -> String {
    match progress.state {
        State::Starting => "starting".to_owned(),
        State::Stopping { since } => {
            let waited = human::clock(progress.elapsed.saturating_sub(since));
            format!("stopping for {waited}")
        }
        State::Running => {
            let warm_up = progress.warming_up.then(|| "warm-up".to_owned());
            let stage = progress.stage.as_deref().map(text::clean);
            let left = progress.stage_end.map(|end| {
                let left = human::clock(end.saturating_sub(progress.elapsed));
                format!("{left} left")
            });
            let facts: Vec<_> = [warm_up, stage, left].into_iter().flatten().collect();
            facts.join(", ")
        }
    }
}

/// What was asked for and what came of it, and how the generator bears it.
fn load(progress: &Progress, style: Style) -> Vec<String> {
    let mut facts = vec![lines::users(progress), lines::starts(progress)];
    let busy = progress.workers_busy;
    facts.extend(busy.map(|busy| format!("workers {:.0} % busy", busy * 100.0)));
    let lag = progress.loop_lag_p99.filter(|lag| *lag >= LAGGING);
    facts.extend(lag.map(|lag| format!("loop lag p99 {}", human::time(lag.as_secs_f64()))));
    let lines = fill(&facts, style);
    if busy.is_none_or(|busy| busy < BUSY) {
        return lines;
    }
    let paint = |line: &String| style.paint(Tone::Doubtful, line);
    lines.iter().map(paint).collect()
}

/// The last second alone, where there is no room for more.
fn speed(progress: &Progress, style: Style) -> Vec<String> {
    let requests = format!("requests {}/s", human::number(progress.now.per_second));
    let facts = [vec![requests], lines::percentiles(progress)].concat();
    fill(&facts, style)
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
    let tone = match (progress.errors, facts.len()) {
        (0, 1) => None,
        (0, _) => Some(Tone::Doubtful),
        _ => Some(Tone::Bad),
    };
    let lines = fill(&facts, style).into_iter();
    lines
        .map(|line| tone.map_or_else(|| line.clone(), |tone| style.paint(tone, &line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ThresholdNow, fixture};

    fn drawn(progress: &Progress, width: usize) -> String {
        drawn_in(progress, width, 49)
    }

    fn drawn_in(progress: &Progress, width: usize, rows: usize) -> String {
        let style = Style {
            width,
            colour: false,
            unicode: true,
        };
        let lines = frame(progress, style, rows);
        assert!(lines.len() <= rows, "{lines:?}");
        for line in &lines {
            assert!(text::width(line) <= width, "{line}");
        }
        lines.join("\n")
    }

    #[test]
    fn a_quiet_run_takes_few_lines() {
        insta::assert_snapshot!(drawn(&fixture::progress(), 79), @r"
        ━━━━━━━━────────────────────────────────  0:12 / 1:00
        users 10   starts 500/s   workers 43 % busy
        Requests   per s  failed/s     p50     p95     p99     max
          now        998         0  1.20ms  3.40ms  8.00ms  12.0ms
          so far   1,002         0  1.10ms  3.10ms  7.90ms  31.0ms
        errors 0
        ✓ http.p99 < 250ms  7.90ms
        ");
    }

    #[test]
    fn a_run_in_trouble_says_so_at_any_width() {
        let progress = fixture::progress_in_trouble();
        insta::assert_snapshot!(drawn(&progress, 79), @r#"
        ━━━━━━━━━━━━━━━━━━━━━━━━━━━─────────────  0:41 / 1:00  peak, 0:09 left
        users 1,840 of 2,000   starts 480/s of 500/s   workers 93 % busy
        loop lag p99 34.0ms
        Requests   per s  failed/s     p50     p95     p99     max
          now        998      57.0  1.20ms  3.40ms   1.95s   2.01s
          so far   1,002         0  1.10ms  3.10ms  7.90ms  31.0ms
        errors 1,234 (57/s)   start delay p99 940ms   waiting for room 12   dropped 3
        waiting for data: sign_in, browse
        Failing and slowest    per s   failed  p95 now     p95
          POST /login            332    1,234    1.95s   1.21s
          GET /item/:id          332        0    240ms   310ms
          GET /basket            332        0   3.00ms  4.00ms
        ✗ http.p99 < 250ms over 10s abort after 30s  1.95s  broke at 0:38
        · http{name="GET /basket"}.p99.9 < 1s  no sample yet
        ✓ errors.rate < 5%  1.21 %
        "#);
        insta::assert_snapshot!(drawn(&progress, 49), @r#"
        ━━━━━━━━━━━━━──────  0:41 / 1:00  peak, 0:09 left
        users 1,840 of 2,000  starts 480/s of 500/s
        workers 93 % busy  loop lag p99 34.0ms
        Requests   per s  failed/s     p95     p99
          now        998      57.0  3.40ms   1.95s
          so far   1,002         0  3.10ms  7.90ms
        errors 1,234 (57/s)  start delay p99 940ms
        waiting for room 12  dropped 3
        waiting for data: sign_in, browse
        Failing and slowest    per s   failed     p95
          POST /login            332    1,234   1.21s
          GET /item/:id          332        0   310ms
          GET /basket            332        0  4.00ms
        ✗ http.p99 < 250ms ove…10s abort after 30s  1.95s
        · http{name="GET /…et"}.p99.9 < 1s  no sample yet
        ✓ errors.rate < 5%  1.21 %
        "#);
        insta::assert_snapshot!(drawn(&progress, 24), @r"
        0:41 / 1:00  peak, 0:09…
        users 1,840 of 2,000
        starts 480/s of 500/s
        workers 93 % busy
        loop lag p99 34.0ms
        Requests   per s     p99
          now        998   1.95s
          so far   1,002  7.90ms
        errors 1,234 (57/s)
        start delay p99 940ms
        waiting for room 12
        dropped 3
        waiting for data: sign_…
        Failing …slowest     p95
          POST /login      1.21s
          GET /item/:id    310ms
          GET /basket     4.00ms
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
        let drawn = drawn_in(&progress, 79, 14);
        let thresholds: Vec<_> = drawn.lines().skip(6).collect();
        assert_eq!(thresholds[0], "✗ http.p40 < 1s  500ms  broke at 0:12");
        assert_eq!(thresholds[1], "✗ http.p20 < 1s  500ms  broke at 0:30");
        assert_eq!(thresholds.last(), Some(&"  … and 3 more thresholds"));
        assert_eq!(thresholds.len(), 5);
    }

    #[test]
    fn a_display_is_never_higher_than_the_terminal_and_tells_what_matters_most_in_any() {
        let progress = Progress {
            thresholds: (0..50)
                .map(|number| ThresholdNow {
                    expression: format!("http.p99 < {number}ms"),
                    value: Some(0.0305),
                    passing: number > 30,
                    broke_at: (number <= 30).then_some(Duration::from_secs(number)),
                })
                .collect(),
            names: fixture::many_names(),
            ..fixture::progress_in_trouble()
        };
        for width in [29, 59, 79, 119, 199] {
            for rows in 1..60 {
                let drawn = drawn_in(&progress, width, rows);
                assert!(
                    drawn.lines().next().unwrap().contains("0:41 / 1:00"),
                    "{drawn}"
                );
                let broken = drawn.contains("✗ http.p99 < 0ms");
                assert!(rows < 5 || broken, "{rows} rows: {drawn}");
                assert!(rows < 5 || drawn.contains("errors 1,234"), "{drawn}");
            }
        }
        insta::assert_snapshot!(drawn_in(&progress, 79, 23), @r"
        ━━━━━━━━━━━━━━━━━━━━━━━━━━━─────────────  0:41 / 1:00  peak, 0:09 left
        users 1,840 of 2,000   starts 480/s of 500/s   workers 93 % busy
        loop lag p99 34.0ms
        Requests   per s  failed/s     p50     p95     p99     max
          now        998      57.0  1.20ms  3.40ms   1.95s   2.01s
          so far   1,002         0  1.10ms  3.10ms  7.90ms  31.0ms
        errors 1,234 (57/s)   start delay p99 940ms   waiting for room 12   dropped 3
        waiting for data: sign_in, browse
        ✗ http.p99 < 0ms  30.5ms  broke at 0:00
        ✗ http.p99 < 1ms  30.5ms  broke at 0:01
        ✗ http.p99 < 2ms  30.5ms  broke at 0:02
        ✗ http.p99 < 3ms  30.5ms  broke at 0:03
          … and 46 more thresholds, 27 broken
        ");
        insta::assert_snapshot!(drawn_in(&progress, 39, 7), @r"
        ━━━━━━───  0:41 / 1:00  peak, 0:09 left
        users 1,840 of 2,000
        requests 998/s  p50 1.20ms  p95 3.40ms
        errors 1,234 (57/s)
        ✗ http.p99 < 0ms  30.5ms  broke at 0:00
        ");
    }

    #[test]
    fn figures_keep_their_places_while_they_change() {
        let mut places = std::collections::BTreeSet::new();
        for factor in [0, 1, 9, 90] {
            let mut progress = fixture::progress_in_trouble();
            for speed in [&mut progress.now, &mut progress.overall] {
                speed.per_second *= f64::from(factor) / 10.0;
                speed.p99 = speed.p99.map(|time| time * factor);
            }
            let drawn = drawn(&progress, 79);
            let row = drawn.lines().find(|line| line.starts_with("  so far"));
            places.insert(text::width(row.unwrap()));
        }
        assert_eq!(places.len(), 1, "{places:?}");
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
        users 10   starts 500/s   workers 43 % busy
        Requests   per s  failed/s     p50     p95     p99     max
          now        998         0  1.20ms  3.40ms  8.00ms  12.0ms
          so far   1,002         0  1.10ms  3.10ms  7.90ms  31.0ms
        errors 0
        ✓ http.p99 < 250ms  7.90ms
        ");
    }
}
