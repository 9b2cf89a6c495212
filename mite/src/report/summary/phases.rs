//! Where the time of requests goes, in the summary.

use super::Summary;
use super::tables::figure;
use crate::report::{
    human,
    table::{Row, Table},
};
use crate::stats::LatencySummary;

impl Summary<'_> {
    /// A row for each phase that happened, with its share of the time of all requests.
    pub(super) fn phases(&self) -> Vec<String> {
        let http = &self.report.http;
        let all = seconds(&http.time) + seconds(&http.failed_time);
        let columns = vec![
            figure("count", 4),
            figure("share", 5),
            figure("mean", u8::MAX),
            figure("p50", 6),
            figure("p95", 7),
            figure("p99", 8),
            figure("max", 3),
        ];
        let mut table = Table::new("Phases", columns);
        for (phase, times) in http.phases.iter().filter(|(_, times)| times.count > 0) {
            let share = if all > 0.0 {
                human::share(seconds(times) / all)
            } else {
                String::new()
            };
            let figures = [times.mean, times.p50, times.p95, times.p99, times.max]
                .map(|time| time.map(human::time).unwrap_or_default());
            table.push(Row {
                name: phase.replace('_', " "),
                figures: [vec![human::count(times.count), share], figures.to_vec()].concat(),
                remark: None,
            });
        }
        table.render(self.style)
    }
}

/// All samples together.
fn seconds(times: &LatencySummary) -> f64 {
    times.mean.unwrap_or(0.0) * times.count as f64
}
