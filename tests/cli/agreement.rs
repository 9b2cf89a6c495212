//! One run, and every number of it in every file and on every page.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use tests::asking::Asked;

use crate::{
    csv::{self, Row},
    exposition::{Sample, samples, sum},
    program::{Running, command},
    server::Server,
};

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn every_number_of_a_run_is_the_same_wherever_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start();
    let base_url = format!("base_url={}", server.url);
    let files = ["json", "html", "csv", "md", "xml"];
    let files = files.map(|ending| directory.path().join(format!("run.{ending}")));
    let mut arguments = vec!["scenario", "test", "orders", "--config", &base_url];
    for file in &files {
        arguments.extend(["--report", file.to_str().unwrap()]);
    }
    arguments.extend(["--metrics", "127.0.0.1:0", "--metrics-linger", "1h"]);
    let mut running = Running::start(&mut command(&arguments));
    let asked = Asked::named_in(&running.wait_for("http://"));
    let last = asked.report_when(|report| report["verdict"] != "running");
    let metrics = samples(&asked.get("/metrics").text());
    running.signal("INT");
    let ended = running.end();
    ended.has_not_crashed();

    let [json, html, table, markdown, junit] = files.each_ref().map(|path| read(path));
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(last, report, "the last report that is served");
    assert_eq!(
        server.requests(),
        160,
        "two requests for each of eighty orders"
    );
    // One second of four is warm-up; on a busy machine a request may end in another.
    let requests = number(&report["http"]["requests"]);
    assert!((100.0..=130.0).contains(&requests), "{requests}");
    assert!(number(&report["http"]["failed"]) > 0.0);

    page(&html, &report);
    let measured = csv::rows(&table).into_iter();
    let measured: Vec<_> = measured.filter(|row| row["warm_up"] == "false").collect();
    counts(&measured, &report);
    metrics_in_table(&measured, &report);
    exposed(&metrics, &report);
    exposed_metrics(&metrics, &report);
    in_markdown(&markdown, &report);
    let threshold = format!("{requests}");
    assert!(
        markdown.contains(&format!("| `http.count > 10` | {threshold} |")),
        "{markdown}"
    );
    assert!(
        junit.contains("<testcase name=\"http.count &gt; 10\""),
        "{junit}"
    );
    let written = format!("{requests} requests");
    assert!(
        ended.stdout.contains(&format!("{requests}")),
        "{written}: {ended}"
    );
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// What the page draws is the report itself.
fn page(html: &str, report: &Value) {
    let (_, rest) = html.split_once("id=\"report\">").unwrap();
    let (embedded, _) = rest.split_once("</script>").unwrap();
    let embedded: Value = serde_json::from_str(embedded).unwrap();
    assert_eq!(&embedded, report);
}

fn total(rows: &[Row], column: &str, wanted: &[(&str, &str)]) -> f64 {
    let these = rows
        .iter()
        .filter(|row| wanted.iter().all(|(column, value)| row[*column] == *value));
    these.map(|row| row[column].parse().unwrap_or(0.0)).sum()
}

/// The table adds up to the totals of each series.
fn counts(rows: &[Row], report: &Value) {
    let http = &report["http"];
    let ended = |row: &Value| {
        ["completed", "failed", "interrupted"]
            .map(|key| number(&row[key]))
            .iter()
            .sum::<f64>()
    };
    for row in list(&report["journeys"]) {
        for (kind, name) in [("journey", text(&row["journey"])), ("run", "")] {
            let of = [("kind", kind), ("journey", name)];
            assert_eq!(
                total(rows, "count", &of),
                ended(row) - number(&row["interrupted"])
            );
            assert_eq!(total(rows, "errors", &of), number(&row["failed"]));
            assert_eq!(total(rows, "starts", &of), number(&row["started"]));
            assert_eq!(total(rows, "dropped", &of), number(&row["dropped"]));
        }
    }
    let of = [("kind", "http")];
    assert_eq!(total(rows, "count", &of), number(&http["requests"]));
    assert_eq!(total(rows, "errors", &of), number(&http["failed"]));
    for row in list(&report["transactions"]) {
        let of = [
            ("kind", "transaction"),
            ("transaction", text(&row["transaction"])),
        ];
        assert_eq!(total(rows, "count", &of), number(&row["count"]));
        assert_eq!(total(rows, "errors", &of), number(&row["errors"]));
    }
    for row in list(&http["requests_by"]) {
        let status = row["status"].to_string();
        let of = [
            ("kind", "request"),
            ("transaction", text(&row["transaction"])),
            ("name", text(&row["name"])),
            ("method", text(&row["method"])),
            ("status", &status),
        ];
        assert_eq!(total(rows, "count", &of), number(&row["count"]), "{row}");
    }
    for point in list(&report["series"]["points"]) {
        let at = point["at"].to_string();
        let at = at.trim_end_matches(".0");
        let of = [("kind", "http"), ("time", at)];
        if number(&point["at"]) > number(&report["series"]["warm_up_seconds"]) {
            assert_eq!(
                total(rows, "count", &of),
                number(&point["requests"]),
                "{point}"
            );
            for percentile in ["p50", "p95", "p99", "max"] {
                let time = point["http"][percentile].as_f64().unwrap_or(0.0);
                assert_eq!(total(rows, percentile, &of), time, "{point}");
            }
        }
    }
}

fn labels_of(row: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(row["labels"].clone()).unwrap()
}

/// Metrics of the user's own: sums in billionths, as they are added up.
fn metrics_in_table(rows: &[Row], report: &Value) {
    let billionths = |number: f64| (number * 1e9).round() as i64;
    assert_eq!(list(&report["metrics"]).len(), 7, "{}", report["metrics"]);
    for metric in list(&report["metrics"]) {
        let these: Vec<_> = rows
            .iter()
            .filter(|row| {
                row["kind"] == text(&metric["kind"]) && row["name"] == text(&metric["name"])
            })
            .filter(|row| {
                let labels: BTreeMap<String, String> =
                    serde_json::from_str(&row["labels"]).unwrap();
                labels == labels_of(metric)
            })
            .collect();
        assert!(these.len() >= 3, "a row for each second: {metric}");
        let mut values = these
            .iter()
            .filter_map(|row| row["value"].parse::<f64>().ok());
        let counts: f64 = these
            .iter()
            .filter_map(|row| row["count"].parse::<f64>().ok())
            .sum();
        match text(&metric["kind"]) {
            "counter" => {
                let sum: i64 = values.map(billionths).sum();
                assert_eq!(sum, billionths(number(&metric["value"])), "{metric}");
            }
            "gauge" => assert_eq!(values.next_back(), metric["value"].as_f64()),
            _ => {
                let of = if metric["latency"].is_null() {
                    "values"
                } else {
                    "latency"
                };
                assert_eq!(counts, number(&metric[of]["count"]), "{metric}");
            }
        }
    }
}

/// What Prometheus gets when the run is over.
fn exposed(metrics: &[Sample], report: &Value) {
    let http = &report["http"];
    for (name, truth) in [
        ("mite_http_response_total", &http["requests"]),
        ("mite_http_failed_total", &http["failed"]),
        ("mite_http_sent_bytes_total", &http["bytes_sent"]),
        ("mite_http_received_bytes_total", &http["bytes_received"]),
        (
            "mite_http_connections_opened_total",
            &http["connections"]["opened"],
        ),
        (
            "mite_http_connections_reused_total",
            &http["connections"]["reused"],
        ),
    ] {
        assert_eq!(sum(metrics, name, &[]), number(truth), "{name}");
    }
    for row in list(&http["requests_by"]) {
        let status = row["status"].to_string();
        let of = [
            ("transaction", text(&row["transaction"])),
            ("name", text(&row["name"])),
            ("method", text(&row["method"])),
            ("response_code", &status),
        ];
        assert_eq!(
            sum(metrics, "mite_http_response_total", &of),
            number(&row["count"]),
            "{row}"
        );
    }
    for row in list(&report["journeys"]) {
        let of = [("journey", text(&row["journey"]))];
        assert_eq!(
            sum(metrics, "mite_journey_started_total", &of),
            number(&row["started"])
        );
        assert_eq!(
            sum(metrics, "mite_journey_dropped_total", &of),
            number(&row["dropped"])
        );
        for outcome in ["completed", "failed", "interrupted"] {
            let of = [of[0], ("outcome", outcome)];
            assert_eq!(
                sum(metrics, "mite_journey_ended_total", &of),
                number(&row[outcome])
            );
        }
    }
    for row in list(&report["transactions"]) {
        let of = [("transaction", text(&row["transaction"]))];
        assert_eq!(
            sum(metrics, "mite_transaction_total", &of),
            number(&row["count"])
        );
        let of = [of[0], ("had_error", "true")];
        assert_eq!(
            sum(metrics, "mite_transaction_total", &of),
            number(&row["errors"])
        );
    }
    let failures: f64 = list(&report["errors"])
        .iter()
        .map(|row| number(&row["count"]))
        .sum();
    assert_eq!(sum(metrics, "mite_journey_error_total", &[]), failures);
    let good = [("outcome", "success")];
    let count = sum(metrics, "mite_http_response_time_seconds_count", &good);
    assert_eq!(count, number(&http["time"]["count"]));
    let seconds = sum(metrics, "mite_http_response_time_seconds_sum", &good);
    let mean = number(&http["time"]["mean"]);
    assert!(
        (seconds / count - mean).abs() <= 1e-9 + mean * 1e-9,
        "{seconds} s"
    );
    let threshold = [("threshold", "http.count > 10")];
    let value = sum(metrics, "mite_threshold_value", &threshold);
    assert_eq!(value, number(&report["thresholds"][0]["value"]));
}

fn exposed_metrics(metrics: &[Sample], report: &Value) {
    for metric in list(&report["metrics"]) {
        let labels = labels_of(metric);
        let of: Vec<_> = labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let name = text(&metric["name"]);
        let (name, truth) = match text(&metric["kind"]) {
            "counter" => (format!("{name}_total"), &metric["value"]),
            "gauge" => (name.to_owned(), &metric["value"]),
            _ if metric["latency"].is_null() => {
                (format!("{name}_count"), &metric["values"]["count"])
            }
            _ => (format!("{name}_seconds_count"), &metric["latency"]["count"]),
        };
        assert_eq!(sum(metrics, &name, &of), number(truth), "{name}");
    }
}

/// The cells of a Markdown table, by its title.
fn cells(markdown: &str, title: &str) -> Vec<Vec<String>> {
    let (_, rest) = markdown.split_once(&format!("### {title}")).unwrap();
    let lines = rest
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    let cells = |line: &str| {
        let line = line.trim_matches('|');
        line.split(" | ")
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    };
    lines.map(cells).collect()
}

fn shown_count(cell: &str) -> f64 {
    cell.replace(',', "")
        .parse()
        .unwrap_or_else(|_| panic!("{cell:?}"))
}

/// Three digits of a time.
#[track_caller]
fn assert_time(cell: &str, truth: &Value) {
    let units = [("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let unit = units.iter().find(|(unit, _)| cell.ends_with(unit));
    let (unit, factor) = unit.unwrap_or_else(|| panic!("{cell:?}"));
    let shown = cell.trim_end_matches(unit).parse::<f64>().unwrap() * factor;
    let truth = number(truth);
    assert!(
        (shown - truth).abs() <= truth * 0.005 + 1e-9,
        "{cell} for {truth}"
    );
}

fn in_markdown(markdown: &str, report: &Value) {
    let figures = cells(markdown, "Figures");
    let figure = |name: &str| {
        let row = figures.iter().find(|row| row[0] == name);
        shown_count(&row.unwrap_or_else(|| panic!("{name}: {figures:?}"))[1])
    };
    let http = &report["http"];
    assert_eq!(figure("Requests"), number(&http["requests"]));
    assert_eq!(figure("Failed requests"), number(&http["failed"]));
    let failed: f64 = list(&report["journeys"])
        .iter()
        .map(|row| number(&row["failed"]))
        .sum();
    assert_eq!(figure("Failed journeys"), failed);

    let times = ["p50", "p95", "p99", "max"];
    let rows = cells(markdown, "Journeys");
    for (cells, row) in rows.iter().zip(list(&report["journeys"])) {
        assert_eq!(shown_count(&cells[1]), number(&row["started"]));
        assert_eq!(shown_count(&cells[2]), number(&row["failed"]));
        for (cell, percentile) in cells[3..].iter().zip(times) {
            assert_time(cell, &row["response_time"][percentile]);
        }
    }
    let rows = cells(markdown, "Requests");
    let names = list(&http["requests_by_name"]);
    assert_eq!(rows.len(), names.len());
    for (cells, row) in rows.iter().zip(names) {
        assert!(
            cells[0].ends_with(text(&row["name"])),
            "{cells:?} for {row}"
        );
        assert_eq!(shown_count(&cells[1]), number(&row["count"]));
        for (cell, percentile) in cells[3..].iter().zip(times) {
            assert_time(cell, &row["time"][percentile]);
        }
    }
    let errors = cells(markdown, "Errors");
    for (cells, row) in errors.iter().zip(list(&report["errors"])) {
        assert_eq!(
            shown_count(cells.last().unwrap()),
            number(&row["count"]),
            "{row}"
        );
    }
}
