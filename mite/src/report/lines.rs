//! Progress as plain lines, for logs and pipes.

use std::{io::Write, time::Duration};

use super::{
    data::Report,
    human,
    observer::{Observer, RunInfo},
    progress::{Progress, State},
    text,
};

/// The time between two lines.
const EVERY: Duration = Duration::from_secs(2);
/// Progress comes once a second, give or take; the second one after a line is due.
const TOLERANCE: Duration = Duration::from_millis(250);

/// A start delay that is worth a word.
const LATE: Duration = Duration::from_millis(10);

/// Writes a line every two seconds, and one when the run begins to stop.
pub(crate) struct Lines<W> {
    out: W,
    last: Option<(Duration, bool)>,
}

impl<W: Write + Send> Lines<W> {
    /// Lines that go to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out, last: None }
    }

    /// A log that cannot be written must not end the run.
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }
}

impl<W: Write + Send> Observer for Lines<W> {
    fn started(&mut self, run: &RunInfo) {
        self.line(&introduction(run));
    }

    fn progress(&mut self, progress: &Progress) {
        let stopping = matches!(progress.state, State::Stopping { .. });
        let due = self.last.is_none_or(|(last, was_stopping)| {
            progress.elapsed + TOLERANCE >= last + EVERY || stopping != was_stopping
        });
        if due {
            self.last = Some((progress.elapsed, stopping));
            self.line(&line(progress));
        }
    }

    fn note(&mut self, text: &str) {
        self.line(text);
    }

    fn ended(&mut self, _: &Report) {}
}

/// The run in one line, before it begins.
fn introduction(run: &RunInfo) -> String {
    let mut facts = facts(run);
    facts.extend(run.dashboard.clone());
    facts.join("  ")
}

/// What a run is.
pub(crate) fn facts(run: &RunInfo) -> Vec<String> {
    let mut facts = vec![text::clean(&run.scenario)];
    if let Some(planned) = run.planned {
        facts.push(human::span(planned));
    }
    if run.runners > 1 {
        facts.push(human::plural(run.runners as u64, "runner"));
    }
    facts.push(human::plural(run.workers as u64, "worker"));
    facts
}

fn line(progress: &Progress) -> String {
    let mut facts = vec![human::span(progress.elapsed)];
    match (progress.state, &progress.stage) {
        (State::Starting, _) => facts.push("starting".into()),
        (State::Stopping { .. }, _) => facts.push("stopping".into()),
        (State::Running, Some(stage)) => facts.push(text::clean(stage)),
        (State::Running, None) => {}
    }
    facts.extend([
        users(progress),
        starts(progress),
        format!("requests {}/s", human::number(progress.now.per_second)),
    ]);
    let percentiles = percentiles(progress);
    if !percentiles.is_empty() {
        facts.push(percentiles.join(" "));
    }
    facts.push(format!("errors {}", human::count(progress.errors)));
    facts.extend(late(progress));
    facts.extend(dropped(progress));
    facts.extend(starved(progress));
    facts.join("  ")
}

/// `users 8 of 10`, or `users 10` when that is the target.
pub(crate) fn users(progress: &Progress) -> String {
    let users = human::count(progress.users);
    match progress.target_users {
        Some(target) if target != progress.users => {
            format!("users {users} of {}", human::count(target))
        }
        _ => format!("users {users}"),
    }
}

/// `starts 480/s of 500/s`, or `starts 500/s` when that is the plan.
pub(crate) fn starts(progress: &Progress) -> String {
    let starts = human::number(progress.starts_per_second);
    match progress.planned_starts_per_second.map(human::number) {
        Some(planned) if planned != starts => format!("starts {starts}/s of {planned}/s"),
        _ => format!("starts {starts}/s"),
    }
}

/// `p50 1.20ms` and so on, as far as there are any.
pub(crate) fn percentiles(progress: &Progress) -> Vec<String> {
    [
        ("p50", progress.now.p50),
        ("p95", progress.now.p95),
        ("p99", progress.now.p99),
    ]
    .into_iter()
    .filter_map(|(name, time)| {
        time.map(|time| format!("{name} {}", human::time(time.as_secs_f64())))
    })
    .collect()
}

/// `start delay p99 940ms` and `waiting for room 480`, unless starts are nearly in time.
pub(crate) fn late(progress: &Progress) -> Vec<String> {
    let delay = progress.start_delay_p99.filter(|delay| *delay >= LATE);
    let delay = delay.map(|delay| format!("start delay p99 {}", human::time(delay.as_secs_f64())));
    let waiting = progress.waiting_for_room.round() as u64;
    let waiting = (waiting > 0).then(|| format!("waiting for room {}", human::count(waiting)));
    delay.into_iter().chain(waiting).collect()
}

/// `dropped 3`, unless none was.
pub(crate) fn dropped(progress: &Progress) -> Option<String> {
    (progress.dropped > 0).then(|| format!("dropped {}", human::count(progress.dropped)))
}

/// `waiting for data: sign_in`, unless none does.
pub(crate) fn starved(progress: &Progress) -> Option<String> {
    let starved: Vec<String> = progress
        .starved
        .iter()
        .map(|name| text::clean(name))
        .collect();
    (!starved.is_empty()).then(|| format!("waiting for data: {}", starved.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Speed, fixture};

    fn written(act: impl FnOnce(&mut Lines<&mut Vec<u8>>)) -> String {
        let mut out = Vec::new();
        act(&mut Lines::new(&mut out));
        String::from_utf8(out).unwrap()
    }

    fn at(seconds: f64) -> Progress {
        Progress {
            elapsed: Duration::from_secs_f64(seconds),
            ..fixture::progress()
        }
    }

    #[test]
    fn a_line_says_how_the_last_second_was() {
        let line = written(|lines| lines.progress(&at(12.0)));
        insta::assert_snapshot!(line, @r"
        12.0s  users 10  starts 500/s  requests 998/s  p50 1.20ms p95 3.40ms p99 8.00ms  errors 0
        ");
    }

    #[test]
    fn what_is_not_as_planned_is_told() {
        let line = written(|lines| {
            lines.progress(&Progress {
                state: State::Running,
                stage: Some("peak".into()),
                target_users: Some(20),
                planned_starts_per_second: Some(1000.0),
                now: Speed {
                    per_second: 998.0,
                    ..Speed::default()
                },
                errors: 1234,
                start_delay_p99: Some(Duration::from_millis(940)),
                waiting_for_room: 479.6,
                dropped: 3,
                starved: vec!["sign_in".into()],
                ..at(75.0)
            });
        });
        insta::assert_snapshot!(line, @r"
        1m15s  peak  users 10 of 20  starts 500/s of 1,000/s  requests 998/s  errors 1,234  start delay p99 940ms  waiting for room 480  dropped 3  waiting for data: sign_in
        ");
    }

    #[test]
    fn a_line_comes_every_two_seconds_and_when_the_run_begins_to_stop() {
        let text = written(|lines| {
            for second in [1.0, 2.01, 2.99, 4.02, 4.98] {
                lines.progress(&at(second));
            }
            lines.progress(&Progress {
                state: State::Stopping {
                    since: Duration::from_secs(6),
                },
                ..at(6.0)
            });
        });
        let starts: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(starts, ["1.0s", "3.0s", "5.0s", "6.0s"], "{text}");
    }

    #[test]
    fn the_introduction_tells_what_is_known() {
        let run = RunInfo {
            scenario: "shop::evening".into(),
            planned: Some(Duration::from_secs(60)),
            entries: 2,
            runners: 1,
            workers: 2,
            dashboard: None,
        };
        assert_eq!(introduction(&run), "shop::evening  1m00s  2 workers");
    }
}
