//! What has to be true of every report.

use mite::{Report, report::RequestSummary};

/// The numbers of a report agree with each other, as they must without a warm-up.
pub fn assert_consistent(report: &Report) {
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
        .map(RequestSummary::failed)
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
