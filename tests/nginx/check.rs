//! What has to be true of every report, and of a report and the log of the server it is about.

use std::collections::BTreeMap;

use mite::Report;

use crate::server::Log;

/// The numbers of a report agree with each other, as they must without a warm-up.
pub(crate) fn assert_consistent(report: &Report) {
    let http = &report.http;
    for row in &report.journeys {
        assert_eq!(
            row.started,
            row.completed + row.failed + row.interrupted,
            "{row:?}"
        );
        assert_eq!(row.service_time.count, row.completed, "{row:?}");
        assert_eq!(row.response_time.count, row.completed, "{row:?}");
    }
    let by_row: u64 = http.requests_by.iter().map(|row| row.count).sum();
    let by_name: u64 = http.requests_by_name.iter().map(|row| row.count).sum();
    assert_eq!((by_row, by_name), (http.requests, http.requests));
    let failed: u64 = http
        .requests_by_name
        .iter()
        .map(mite::report::RequestSummary::failed)
        .sum();
    assert_eq!(failed, http.failed);
    assert_eq!(http.failed_time.count, http.failed);
    assert_eq!(http.time.count, http.requests - http.failed);

    let started: u64 = report.journeys.iter().map(|row| row.started).sum();
    let failed: u64 = report.journeys.iter().map(|row| row.failed).sum();
    let dropped: u64 = report.journeys.iter().map(|row| row.dropped).sum();
    let points = &report.series.points;
    let in_series = [
        points.iter().map(|point| point.requests).sum(),
        points.iter().map(|point| point.starts).sum(),
        points.iter().map(|point| point.errors).sum(),
        points.iter().map(|point| point.dropped).sum::<u64>(),
    ];
    assert_eq!(in_series, [http.requests, started, failed, dropped]);
}

/// The requests of a report are those of the log: their number, and how many of each method, path
/// and status. Names have to be `METHOD path`.
pub(crate) fn assert_same_requests(report: &Report, log: &Log) {
    assert_consistent(report);
    assert_eq!(report.http.requests, log.len());
    let mut reported: BTreeMap<(String, u16), u64> = BTreeMap::new();
    for row in &report.http.requests_by {
        // nginx writes 499 for a client that went away.
        let status = row.status.unwrap_or(499);
        *reported.entry((row.name.clone(), status)).or_default() += row.count;
    }
    let mut served: BTreeMap<(String, u16), u64> = BTreeMap::new();
    for line in &log.0 {
        let name = format!("{} {}", line.method, line.uri);
        *served.entry((name, line.status)).or_default() += 1;
    }
    assert_eq!(reported, served);
}

/// As [`assert_same_requests`], with every byte and every connection, of a run over plain HTTP in
/// which nothing was cut.
pub(crate) fn assert_same_traffic(report: &Report, log: &Log) {
    assert_same_requests(report, log);
    let http = &report.http;
    assert_eq!(http.bytes_received, log.bytes_sent(), "bytes received");
    assert_eq!(http.bytes_sent, log.request_length(), "bytes sent");
    assert_eq!(http.connections.opened, log.connections(), "connections");
    assert_eq!(http.connections.reused, log.len() - log.connections());
    assert_eq!(http.connections.failed, 0);
}
