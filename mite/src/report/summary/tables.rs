//! The tables of the summary: what ran, how often, and how long it took.

use std::cmp::Reverse;

use super::Summary;
use crate::report::{
    human,
    parts::{MetricSummary, MetricValue},
    style::Tone,
    table::{Column, Row, Table},
    telling::{self, MOST_ROWS},
    text,
};
use crate::stats::LatencySummary;

impl Summary<'_> {
    pub(super) fn transactions(&self) -> Vec<String> {
        let columns = [
            vec![figure("count", 8).always(), figure("failed", 9)],
            times(),
        ];
        let mut table = Table::new("Transactions", columns.concat());
        let mut rows: Vec<_> = self
            .report
            .transactions
            .iter()
            .filter(|row| row.count > 0)
            .collect();
        let left_out = telling::keep(&mut rows, |row| (row.count, row.errors, row.time.p95));
        for row in rows {
            let counts = [row.count, row.errors].map(human::count).to_vec();
            table.push(Row {
                name: self.names.place(&row.journey, &row.transaction),
                figures: [counts, percentiles(&row.time)].concat(),
                remark: None,
            });
        }
        let mut lines = table.render(self.style);
        lines.extend(self.rest(left_out, "transaction"));
        lines
    }

    pub(super) fn requests(&self) -> Vec<String> {
        let http = &self.report.http;
        let columns = [
            vec![
                figure("count", 8).always(),
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
        let left_out = telling::keep(&mut rows, |row| (row.count, row.failed(), row.time.p95));
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
        lines.extend(self.rest(left_out, "request name"));
        lines.extend(self.transport_errors(lines.is_empty()));
        lines
    }

    /// How many rows are not shown, and what is special about the others.
    fn rest(&self, left_out: usize, what: &str) -> Vec<String> {
        let Some(more) = self.more(left_out, what) else {
            return Vec::new();
        };
        let shown = "Shown are those that fail most, the slowest by p95, and the busiest.";
        let shown = text::wrap(shown, self.style.width.saturating_sub(4));
        let shown = shown
            .iter()
            .map(|line| self.style.paint(Tone::Quiet, &format!("    {line}")));
        std::iter::once(more).chain(shown).collect()
    }

    /// What kept answers away, under the requests, or alone when none was ever written.
    fn transport_errors(&self, alone: bool) -> Vec<String> {
        let mut kinds: Vec<_> = self.report.http.errors.iter().collect();
        kinds.sort_by_key(|(_, count)| Reverse(**count));
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
        least: 0,
    }
}

pub(super) fn times() -> Vec<Column> {
    vec![
        figure("p50", 6),
        figure("p95", 7),
        figure("p99", u8::MAX),
        figure("max", 3),
    ]
}

pub(super) fn percentiles(time: &LatencySummary) -> Vec<String> {
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
