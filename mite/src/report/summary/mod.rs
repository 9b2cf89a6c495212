//! What a person reads when a run is over: in ten seconds, with the verdict last, where the eye is.

mod capacity;
mod clocks;
mod errors;
mod journeys;
mod machinery;
mod phases;
mod stages;
mod tables;

use std::time::Duration;

use super::{
    bound,
    data::{Report, Verdict},
    human,
    names::Names,
    parts::ThresholdSummary,
    style::{Style, Tone},
    telling, text,
};

/// Narrower summaries leave out when a threshold broke; the reasons tell it.
const ROOMY: usize = 60;
/// Thresholds shown, the broken ones before others; and reasons, which are sentences.
const MOST_THRESHOLDS: usize = 20;
const MOST_REASONS: usize = 8;

/// The summary, with a line end at its end.
pub(crate) fn render(report: &Report, style: Style) -> String {
    let summary = Summary {
        report,
        style,
        names: Names::of(report),
    };
    let sections = [
        summary.heading(),
        summary.changes(),
        summary.journeys(),
        summary.stages(),
        summary.transactions(),
        summary.requests(),
        summary.phases(),
        summary.metrics(),
        summary.errors(),
        summary.machinery(),
        summary.findings(),
        summary.thresholds(),
        summary.reasons(),
        summary.verdict(),
    ];
    let text = sections
        .iter()
        .filter(|section| !section.is_empty())
        .map(|section| section.join("\n") + "\n")
        .collect::<Vec<_>>()
        .join("\n");
    style.finish(text)
}

struct Summary<'a> {
    report: &'a Report,
    style: Style,
    names: Names<'a>,
}

impl Summary<'_> {
    fn heading(&self) -> Vec<String> {
        let report = self.report;
        let started = report.started.replace('T', " ").replace('Z', " UTC");
        let lasted = human::span(seconds(report.duration_seconds));
        let when = format!("{started}, {lasted}");
        let scenario = text::clean(&report.scenario);
        if text::width(&scenario) + 2 + text::width(&when) <= self.style.width {
            let scenario = self.style.paint(Tone::Heading, &scenario);
            return vec![format!(
                "{scenario}  {}",
                self.style.paint(Tone::Quiet, &when)
            )];
        }
        let scenario = text::cut_middle(&scenario, self.style.width);
        vec![
            self.style.paint(Tone::Heading, &scenario),
            self.style.paint(Tone::Quiet, &when),
        ]
    }

    /// That the load was not all as it was planned.
    fn changes(&self) -> Vec<String> {
        let changes = &self.report.volume_changes;
        let Some(last) = changes.last() else {
            return Vec::new();
        };
        let at = human::span(seconds(last.at));
        let factor = human::number(last.factor);
        let times = match changes.len() {
            1 => "once".to_owned(),
            times => format!("{times} times, the last time"),
        };
        let text =
            format!("The volume was changed {times} to {factor} times the plan, after {at}.");
        text::wrap(&text, self.style.width)
    }

    fn thresholds(&self) -> Vec<String> {
        let all = &self.report.thresholds;
        let rows = telling::thresholds(all, MOST_THRESHOLDS);
        let values: Vec<String> = rows.iter().map(|row| self.found(row)).collect();
        let value_room = values.iter().map(|value| text::width(value)).max();
        let Some(value_room) = value_room else {
            return Vec::new();
        };
        let name_room = rows
            .iter()
            .map(|row| text::width(&row.expression))
            .max()
            .unwrap_or(0)
            .min(self.style.width.saturating_sub(value_room + 6));
        let mut lines = vec![self.style.paint(Tone::Heading, "Thresholds")];
        for (row, value) in rows.iter().zip(values) {
            let sign = if row.passed {
                self.style.paint(Tone::Good, "✓")
            } else {
                self.style.paint(Tone::Bad, "✗")
            };
            let name = text::cut_middle(&text::clean(&row.expression), name_room);
            let blank =
                name_room.saturating_sub(text::width(&name)) + 2 + value_room - text::width(&value);
            lines.push(format!("  {sign} {name}{:blank$}{value}", ""));
        }
        lines.extend(self.more(all.len() - rows.len(), "threshold"));
        lines
    }

    /// What was measured, and when it was too much, where there is room to say it.
    fn found(&self, row: &ThresholdSummary) -> String {
        let value = bound::measured(row);
        match bound::broke_at(row) {
            Some(broke) if self.style.width >= ROOMY => format!("{value}, {broke}"),
            _ => value,
        }
    }

    fn verdict(&self) -> Vec<String> {
        let (tone, word) = match self.report.verdict {
            Verdict::Passed => (Tone::Good, "✓ passed"),
            Verdict::Failed => (Tone::Bad, "✗ failed"),
            Verdict::Invalid => (
                Tone::Doubtful,
                "✗ invalid: the load was not what was asked for",
            ),
            Verdict::Running => (Tone::Quiet, "… still running"),
            Verdict::Interrupted => (Tone::Doubtful, "✗ interrupted before the end"),
        };
        vec![self.style.paint(tone, word)]
    }

    /// Why the verdict is what it is, before it: what is last stays on the screen.
    fn reasons(&self) -> Vec<String> {
        let reasons = &self.report.reasons;
        if reasons.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![self.style.paint(Tone::Heading, "Reasons")];
        for reason in reasons.iter().take(MOST_REASONS) {
            lines.extend(self.remark(&text::clean(reason)));
        }
        lines.extend(self.more(reasons.len().saturating_sub(MOST_REASONS), "reason"));
        lines
    }

    /// A sentence in lines that stand in by two.
    fn remark(&self, sentence: &str) -> Vec<String> {
        text::wrap(sentence, self.style.width.saturating_sub(4))
            .iter()
            .enumerate()
            .map(|(index, line)| format!("  {} {line}", if index == 0 { "·" } else { " " }))
            .collect()
    }

    fn more(&self, left_out: usize, what: &str) -> Option<String> {
        (left_out > 0).then(|| {
            let more = human::plural(left_out as u64, &format!("more {what}"));
            let short = format!("  … and {more}");
            let places = [" in the report (--report FILE.html)", " in the report", ""];
            let mut lines = places.map(|place| format!("{short}{place}")).into_iter();
            let line = lines.find(|line| text::width(line) <= self.style.width);
            self.style.paint(Tone::Quiet, &line.unwrap_or(short))
        })
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
