//! The tables of the summary: what ran, how often, and how long it took.

use super::Summary;
use crate::report::{
    human,
    parts::{JourneySummary, MetricSummary, MetricValue},
    style::Tone,
    table::{Column, Row, Table},
    text,
};
use crate::stats::LatencySummary;

/// Rows of a table shown; the others are in the report.
const MOST_ROWS: usize = 20;
/// The share of a journey's volume whose absence is worth a line.
const LEAST_UNMET: f64 = 0.001;

impl Summary<'_> {
    pub(super) fn journeys(&self) -> Vec<String> {
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
                name: self.entry(&row.journey, row.entry),
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
            self.entry(&row.journey, row.entry),
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
                self.entry(&row.journey, row.entry)
            )
        })
    }

    /// The journey, and which of its entries where it has several.
    pub(super) fn entry(&self, journey: &str, entry: Option<u32>) -> String {
        let name = self.names.journey(journey);
        match entry {
            Some(entry) => format!("{name} #{entry}"),
            None => name,
        }
    }

    pub(super) fn transactions(&self) -> Vec<String> {
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

    pub(super) fn requests(&self) -> Vec<String> {
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
        lines.extend(self.transport_errors(lines.is_empty()));
        lines
    }

    /// What kept answers away, under the requests, or alone when none was ever written.
    fn transport_errors(&self, alone: bool) -> Vec<String> {
        let mut kinds: Vec<_> = self.report.http.errors.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let facts: Vec<String> = kinds
            .iter()
            .map(|(kind, count)| format!("{} × {}", human::count(**count), text::clean(kind)))
            .collect();
        if facts.is_empty() {
            return Vec::new();
        }
        let title = "  transport errors: ";
        let room = self.style.width.saturating_sub(text::width(title));
        let heading = alone.then(|| self.style.paint(Tone::Heading, "Requests"));
        let facts = text::flow(facts.iter().map(String::as_str), ", ", room);
        let blank = " ".repeat(text::width(title));
        let titles = std::iter::once(title).chain(std::iter::repeat(blank.as_str()));
        let lines = titles
            .zip(facts)
            .map(|(title, line)| format!("{title}{line}"));
        heading.into_iter().chain(lines).collect()
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

    pub(super) fn metrics(&self) -> Vec<String> {
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
}

pub(super) fn figure(title: &'static str, worth: u8) -> Column {
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
