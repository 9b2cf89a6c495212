//! What a person reads when a run is over: in ten seconds, with the verdict last, where the eye is.

use std::time::Duration;

use super::{
    data::{Report, Verdict},
    human,
    names::Names,
    parts::{ErrorSummary, JourneySummary, MetricSummary, MetricValue, ThresholdSummary},
    style::{Style, Tone},
    table::{Column, Row, Table},
    text,
};
use crate::stats::LatencySummary;

/// Rows of transactions and of requests shown; the others are in the report.
const MOST_ROWS: usize = 20;
/// Rows of errors shown.
const MOST_ERRORS: usize = 10;
/// The share of a journey's volume whose absence is worth a line.
const LEAST_UNMET: f64 = 0.001;

/// The summary, with a line end at its end.
pub(crate) fn render(report: &Report, style: Style) -> String {
    let summary = Summary {
        report,
        style,
        names: Names::of(report),
    };
    let sections = [
        summary.heading(),
        summary.journeys(),
        summary.transactions(),
        summary.requests(),
        summary.metrics(),
        summary.errors(),
        summary.machinery(),
        summary.thresholds(),
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

    fn journeys(&self) -> Vec<String> {
        let mut table = Table::new(
            "Journeys",
            [
                vec![
                    figure("started", u8::MAX).always(),
                    figure("completed", 5),
                    figure("failed", u8::MAX),
                    figure("dropped", 9),
                    figure("interrupted", 4),
                ],
                times(),
            ]
            .concat(),
        );
        for row in &self.report.journeys {
            let counts = [
                row.started,
                row.completed,
                row.failed,
                row.dropped,
                row.interrupted,
            ];
            table.push(Row {
                name: self.entry(row),
                figures: [
                    counts.map(human::count).to_vec(),
                    percentiles(&row.response_time),
                ]
                .concat(),
                remark: None,
            });
        }
        let mut lines = table.render(self.style);
        for row in &self.report.journeys {
            for sentence in [self.unmet(row), self.waited(row)].into_iter().flatten() {
                lines.extend(self.remark(&sentence));
            }
        }
        lines
    }

    /// One sentence where the service time alone would tell a rosier tale.
    fn waited(&self, row: &JourneySummary) -> Option<String> {
        let response = row.response_time.p99?;
        let service = row.service_time.p99?;
        if response < service * 1.5 || response - service < 0.010 {
            return None;
        }
        let delay = row.start_delay.p99.unwrap_or(response - service);
        Some(format!(
            "{}: its response time, counted from when each start was due, is far above its service \
             time, p99 {} and {}: starts came late, p99 {}, for there was more load than room for \
             it. Users would have felt the response time.",
            self.entry(row),
            human::time(response),
            human::time(service),
            human::time(delay),
        ))
    }

    fn unmet(&self, row: &JourneySummary) -> Option<String> {
        (row.unmet >= LEAST_UNMET).then(|| {
            let share = human::percent(row.unmet);
            format!(
                "{}: {share} of its planned volume did not come about.",
                self.entry(row)
            )
        })
    }

    fn entry(&self, row: &JourneySummary) -> String {
        let name = self.names.journey(&row.journey);
        match row.entry {
            Some(entry) => format!("{name} #{entry}"),
            None => name,
        }
    }

    fn transactions(&self) -> Vec<String> {
        let columns = [
            vec![figure("count", u8::MAX).always(), figure("failed", 9)],
            times(),
        ];
        let mut table = Table::new("Transactions", columns.concat());
        let mut rows: Vec<_> = self
            .report
            .transactions
            .iter()
            .filter(|row| row.count > 0)
            .collect();
        let left_out = keep_busiest(&mut rows, |row| row.count);
        for row in rows {
            let counts = [row.count, row.errors].map(human::count).to_vec();
            table.push(Row {
                name: self.names.place(&row.journey, &row.transaction),
                figures: [counts, percentiles(&row.time)].concat(),
                remark: None,
            });
        }
        let mut lines = table.render(self.style);
        lines.extend(self.more(left_out, "transaction"));
        lines
    }

    fn requests(&self) -> Vec<String> {
        let http = &self.report.http;
        let columns = [
            vec![
                figure("count", u8::MAX).always(),
                figure("per s", 5),
                figure("failed", 9),
            ],
            times(),
        ];
        let mut table = Table::new("Requests", columns.concat());
        let mut rows: Vec<_> = http
            .requests_by_name
            .iter()
            .filter(|row| row.count > 0)
            .collect();
        let names = rows.len();
        let left_out = keep_busiest(&mut rows, |row| row.count);
        for row in rows {
            let failures: Vec<String> = row
                .failures
                .iter()
                .filter(|(_, count)| **count > 0)
                .map(|(why, count)| format!("{} × {}", human::count(*count), text::clean(why)))
                .collect();
            table.push(Row {
                name: text::clean(&row.label()),
                figures: self.request_figures(row.count, row.failed(), &row.time),
                remark: (!failures.is_empty()).then(|| format!("failed: {}", failures.join(", "))),
            });
        }
        if names != 1 && http.requests > 0 {
            table.push(Row {
                name: "all".into(),
                figures: self.request_figures(http.requests, http.failed, &http.time),
                remark: None,
            });
        }
        let mut lines = table.render(self.style);
        lines.extend(self.more(left_out, "request name"));
        lines
    }

    fn request_figures(&self, count: u64, failed: u64, time: &LatencySummary) -> Vec<String> {
        let measured = self.report.duration_seconds - self.report.series.warm_up_seconds;
        let rate = if measured > 0.0 {
            human::rate(count as f64 / measured)
        } else {
            String::new()
        };
        let counts = vec![human::count(count), rate, human::count(failed)];
        [counts, percentiles(time)].concat()
    }

    fn metrics(&self) -> Vec<String> {
        let columns = [
            vec![figure("value", u8::MAX), figure("count", u8::MAX)],
            times(),
        ];
        let mut table = Table::new("Metrics", columns.concat());
        let metrics = &self.report.metrics;
        for metric in metrics.iter().take(MOST_ROWS) {
            let figures = match &metric.value {
                MetricValue::Value(value) => vec![human::number(*value)],
                MetricValue::Latency(times) => distribution(times, human::time),
                MetricValue::Values(values) => distribution(values, human::number),
            };
            table.push(Row {
                name: series_name(metric),
                figures,
                remark: None,
            });
        }
        let mut lines = table.render(self.style);
        lines.extend(self.more(metrics.len().saturating_sub(MOST_ROWS), "metric"));
        lines
    }

    fn errors(&self) -> Vec<String> {
        let mut rows: Vec<&ErrorSummary> = self.report.errors.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.count));
        let left_out = rows.len().saturating_sub(MOST_ERRORS);
        rows.truncate(MOST_ERRORS);
        let Some(most) = rows.first() else {
            return Vec::new();
        };
        let count_room = text::width(&human::count(most.count));
        let indent = " ".repeat(2 + count_room + 2);
        let room = self.style.width.saturating_sub(indent.len());
        let mut lines = vec![self.style.paint(Tone::Heading, "Errors")];
        for row in rows {
            let what = format!("{}: {}", text::clean(&row.kind), text::clean(&row.message));
            let place = [
                text::clean(&row.location),
                format!("in {}", self.names.place(&row.journey, &row.transaction)),
            ];
            lines.push(format!(
                "  {:>count_room$}  {}",
                human::count(row.count),
                text::cut_end(&what, room)
            ));
            let place = place
                .iter()
                .filter(|part| !part.is_empty())
                .map(String::as_str);
            for line in text::flow(place, ", ", room) {
                let line = text::cut_middle(&line, room);
                lines.push(format!("{indent}{}", self.style.paint(Tone::Quiet, &line)));
            }
        }
        lines.extend(self.more(left_out, "error row"));
        lines
    }

    /// Connections, bytes, and what the generator has to say about itself.
    fn machinery(&self) -> Vec<String> {
        let facts = [
            ("Connections", self.connections()),
            ("Bytes", self.bytes()),
            ("Generator", self.generator()),
        ];
        let mut lines = Vec::new();
        for (title, facts) in facts {
            let indent = " ".repeat(13);
            let room = self.style.width.saturating_sub(indent.len());
            for (index, line) in text::flow(facts.iter().map(String::as_str), ", ", room)
                .iter()
                .enumerate()
            {
                let title = if index == 0 { title } else { "" };
                let title = self.style.paint(Tone::Heading, &format!("{title:<13}"));
                lines.push(format!("{title}{line}"));
            }
        }
        let generator = &self.report.generator;
        let mut notes: Vec<String> = generator
            .notes
            .iter()
            .map(|note| text::clean(note))
            .collect();
        if generator.saturated {
            notes.push(
                "The processors were busy to the limit: part of the times may be the generator's \
                 own. Take more runners or less load."
                    .into(),
            );
        }
        if !generator.starved.is_empty() {
            let starved: Vec<String> = generator
                .starved
                .iter()
                .map(|journey| self.names.journey(journey))
                .collect();
            notes.push(format!(
                "Waited for data, because the pool was empty: {}.",
                starved.join(", ")
            ));
        }
        for note in notes {
            lines.extend(self.remark(&note));
        }
        lines
    }

    fn connections(&self) -> Vec<String> {
        let connections = self.report.http.connections;
        let mut facts = Vec::new();
        if connections.opened > 0 {
            facts.push(format!("{} opened", human::count(connections.opened)));
            facts.push(format!(
                "{} on kept ones",
                human::plural(connections.reused, "request")
            ));
        }
        if connections.failed > 0 {
            facts.push(format!("{} failed", human::count(connections.failed)));
        }
        facts
    }

    fn bytes(&self) -> Vec<String> {
        let http = &self.report.http;
        if http.bytes_sent + http.bytes_received == 0 {
            return Vec::new();
        }
        vec![
            format!("{} sent", human::bytes(http.bytes_sent)),
            format!("{} received", human::bytes(http.bytes_received)),
        ]
    }

    fn generator(&self) -> Vec<String> {
        let generator = &self.report.generator;
        if generator.workers == 0 {
            return Vec::new();
        }
        let mut facts = vec![
            human::plural(generator.runners.into(), "runner"),
            human::plural(generator.workers.into(), "worker"),
        ];
        if generator.cpu_seconds > 0.0 {
            facts.push(format!("{} of CPU", human::time(generator.cpu_seconds)));
        }
        if generator.steal_seconds > 0.0 {
            facts.push(format!(
                "{} stolen by the host",
                human::time(generator.steal_seconds)
            ));
        }
        if generator.peak_rss_bytes > 0 {
            facts.push(format!(
                "{} at most",
                human::bytes(generator.peak_rss_bytes)
            ));
        }
        if let Some(lag) = generator.loop_lag.p99 {
            facts.push(format!("loop lag p99 {}", human::time(lag)));
        }
        facts
    }

    fn thresholds(&self) -> Vec<String> {
        let rows = &self.report.thresholds;
        let values: Vec<String> = rows.iter().map(measured).collect();
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
        lines
    }

    fn verdict(&self) -> Vec<String> {
        let (tone, word) = match self.report.verdict {
            Verdict::Passed => (Tone::Good, "✓ passed"),
            Verdict::Failed => (Tone::Bad, "✗ failed"),
            Verdict::Invalid => (
                Tone::Doubtful,
                "✗ invalid: the load was not what was asked for",
            ),
            Verdict::Interrupted => (Tone::Doubtful, "✗ interrupted before the end"),
        };
        let mut lines = vec![self.style.paint(tone, word)];
        for reason in &self.report.reasons {
            lines.extend(self.remark(&text::clean(reason)));
        }
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
            let line = format!("  … and {more} in the report (--report FILE.json)");
            self.style
                .paint(Tone::Quiet, &text::cut_end(&line, self.style.width))
        })
    }
}

/// What a threshold measured, in the unit it was written in.
pub(crate) fn measured(threshold: &ThresholdSummary) -> String {
    threshold.value.map_or_else(
        || "no sample".into(),
        |value| in_unit_of(&threshold.expression, value),
    )
}

/// `value` in the unit of the bound that `expression` names.
pub(crate) fn in_unit_of(expression: &str, value: f64) -> String {
    // A label's value may hold anything, an operator too.
    let comparison = expression.rsplit('}').next().unwrap_or(expression);
    let bound = comparison
        .split_once(['<', '>', '='])
        .map_or("", |(_, bound)| bound.trim_start_matches(['=', ' ']));
    let unit = bound
        .trim_start_matches(|sign: char| sign.is_ascii_digit() || ".,_ -".contains(sign))
        .split_whitespace()
        .next()
        .unwrap_or_default();
    match unit {
        "%" => human::percent(value),
        _ if unit.starts_with(['n', 'u', 'µ', 'm', 's', 'h']) => human::time(value),
        _ => human::number(value),
    }
}

fn figure(title: &'static str, worth: u8) -> Column {
    Column {
        title,
        worth,
        always: false,
    }
}

fn times() -> Vec<Column> {
    vec![
        figure("p50", 6),
        figure("p95", 7),
        figure("p99", 8),
        figure("max", 3),
    ]
}

fn percentiles(time: &LatencySummary) -> Vec<String> {
    figures_of(time, human::time)
}

fn figures_of(summary: &LatencySummary, show: impl Fn(f64) -> String) -> Vec<String> {
    [summary.p50, summary.p95, summary.p99, summary.max]
        .map(|value| value.map(&show).unwrap_or_default())
        .to_vec()
}

fn distribution(summary: &LatencySummary, show: impl Fn(f64) -> String) -> Vec<String> {
    let counts = vec![String::new(), human::count(summary.count)];
    [counts, figures_of(summary, show)].concat()
}

/// `orders{shop="north"}`.
fn series_name(metric: &MetricSummary) -> String {
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    if labels.is_empty() {
        text::clean(&metric.name)
    } else {
        text::clean(&format!("{}{{{}}}", metric.name, labels.join(",")))
    }
}

/// Keeps the busiest rows, in their order, and says how many it took out.
fn keep_busiest<T>(rows: &mut Vec<&T>, count: impl Fn(&T) -> u64) -> usize {
    let left_out = rows.len().saturating_sub(MOST_ROWS);
    if left_out > 0 {
        rows.sort_by_key(|row| std::cmp::Reverse(count(row)));
        rows.truncate(MOST_ROWS);
    }
    left_out
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
