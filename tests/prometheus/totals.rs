//! Totals and percentiles, asked of Prometheus.

use mite::Report;
use tests::{asking::free_address, nginx::Nginx, prometheus::Prometheus};

use crate::load::{BUCKETS, run};

const NATIVE: &[&str] = &["--enable-feature=native-histograms"];

#[test]
fn totals_are_those_of_the_report_and_never_went_back() {
    let nginx = Nginx::start();
    let address = free_address();
    let classic = Prometheus::scraping(&address, &[]);
    let native = Prometheus::scraping(&address, NATIVE);
    let report = run(&nginx, &address);
    for prometheus in [&classic, &native] {
        prometheus.wait_for("mite_run_state{state=\"over\"} == 1");
        sums(prometheus, &report);
        places(prometheus, &report);
        for counter in [
            "mite_http_response_total",
            "mite_http_received_bytes_total",
            "mite_transaction_total",
            "mite_journey_started_total",
            "mite_journey_error_total",
            "mite_generator_cpu_seconds_total",
            "items_sold_total",
        ] {
            let went_back = prometheus.query(&format!("resets({counter}[5m]) > 0"));
            assert_eq!(went_back, [], "{counter} went back");
        }
        let seen = prometheus.value("count_over_time(mite_runner_count[5m])");
        assert!(seen >= 3.0, "it was scraped while it went on: {seen}");
    }
    classic_percentiles(&classic, &report);
    native_percentiles(&native, &report);
}

fn sums(prometheus: &Prometheus, report: &Report) {
    let http = &report.http;
    let transactions = || report.transactions.iter();
    let journeys = || report.journeys.iter();
    for (query, truth) in [
        ("sum(mite_http_response_total)", http.requests),
        ("mite_http_failed_total", http.failed),
        ("mite_http_sent_bytes_total", http.bytes_sent),
        ("mite_http_received_bytes_total", http.bytes_received),
        (
            "mite_http_connections_opened_total",
            http.connections.opened,
        ),
        (
            "mite_http_connections_failed_total",
            http.connections.failed,
        ),
        (
            "sum(mite_transaction_total)",
            transactions().map(|row| row.count).sum(),
        ),
        (
            "sum(mite_transaction_total{had_error=\"true\"})",
            transactions().map(|row| row.errors).sum(),
        ),
        (
            "sum(mite_journey_started_total)",
            journeys().map(|row| row.started).sum(),
        ),
        (
            "sum(mite_journey_ended_total{outcome=\"completed\"})",
            journeys().map(|row| row.completed).sum(),
        ),
        (
            "sum(mite_journey_ended_total{outcome=\"failed\"})",
            journeys().map(|row| row.failed).sum(),
        ),
        (
            "sum(mite_journey_dropped_total)",
            journeys().map(|row| row.dropped).sum(),
        ),
        (
            "sum(mite_journey_error_total)",
            report.errors.iter().map(|row| row.count).sum(),
        ),
        (
            "items_sold_total{shop=\"north\"}",
            2 * journeys().next().unwrap().completed,
        ),
        ("last_basket", 2),
    ] {
        assert!(
            truth > 0 || query.contains("dropped"),
            "{query}: there is nothing to compare"
        );
        assert_eq!(prometheus.value(query), truth as f64, "{query}");
    }
}

/// Which failures there were, and where.
fn places(prometheus: &Prometheus, report: &Report) {
    for row in &report.errors {
        let query = format!(
            "sum(mite_journey_error_total{{test=\"shop::evening\",journey=\"{}\",\
             transaction=\"{}\",location=\"{}\",ex_type=\"{}\"}})",
            row.journey, row.transaction, row.location, row.kind
        );
        let same = |other: &&mite::report::ErrorSummary| {
            (
                &other.journey,
                &other.transaction,
                &other.location,
                &other.kind,
            ) == (&row.journey, &row.transaction, &row.location, &row.kind)
        };
        let truth: u64 = report.errors.iter().filter(same).map(|row| row.count).sum();
        assert_eq!(prometheus.value(&query), truth as f64, "{query}");
    }
    for row in &report.http.requests_by {
        let query = format!(
            "mite_http_response_total{{journey=\"{}\",transaction=\"{}\",name=\"{}\",\
             response_code=\"{}\"}}",
            row.journey,
            row.transaction.replace('"', "\\\""),
            row.name,
            row.status
                .map(|status| status.to_string())
                .unwrap_or_default()
        );
        assert_eq!(prometheus.value(&query), row.count as f64, "{query}");
    }
}

fn classic_percentiles(prometheus: &Prometheus, report: &Report) {
    let metric = "mite_http_response_time_seconds";
    let count = prometheus.value(&format!("sum({metric}_count{{outcome=\"success\"}})"));
    assert_eq!(count, report.http.time.count as f64);
    let sum = prometheus.value(&format!("sum({metric}_sum{{outcome=\"success\"}})"));
    let truth = report.http.time.mean.unwrap() * count;
    assert!((sum / truth - 1.0).abs() < 1e-6, "{sum} for {truth}");
    for (quantile, truth) in [(0.5, report.http.time.p50), (0.99, report.http.time.p99)] {
        let truth = truth.unwrap();
        let shown = prometheus.value(&format!(
            "histogram_quantile({quantile}, sum by (le) ({metric}_bucket{{outcome=\"success\"}}))"
        ));
        // No classic histogram knows more than the bucket.
        let upper = BUCKETS
            .iter()
            .position(|bound| truth <= *bound * 1.001)
            .unwrap();
        let lower = upper.checked_sub(1).map_or(0.0, |lower| BUCKETS[lower]);
        let bucket = lower * 0.999..=BUCKETS[upper] * 1.001;
        assert!(
            bucket.contains(&shown),
            "{shown} for {truth}, not in {bucket:?}"
        );
    }
}

fn native_percentiles(prometheus: &Prometheus, report: &Report) {
    let good = "sum(mite_http_response_time_seconds{outcome=\"success\"})";
    let count = prometheus.value(&format!("histogram_count({good})"));
    assert_eq!(count, report.http.time.count as f64);
    for (quantile, truth) in [(0.5, report.http.time.p50), (0.99, report.http.time.p99)] {
        let truth = truth.unwrap();
        let shown = prometheus.value(&format!("histogram_quantile({quantile}, {good})"));
        // A bucket is 2.2 % wide, and which of the samples a percentile is may be one off.
        assert!(
            (shown / truth - 1.0).abs() < 0.05,
            "{quantile}: {shown} for {truth}"
        );
    }
    let sizes = prometheus.value("histogram_quantile(0.5, basket_size)");
    assert!((sizes / 2.0 - 1.0).abs() < 0.03, "{sizes}");
}
