//! What has to be true of a report and the log of the server it is about.

use std::collections::BTreeMap;

use mite::Report;
use tests::agreement::assert_consistent;

use crate::server::Log;

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
