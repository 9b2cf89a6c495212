//! The table of stages: what came of each part of the plan that has a name.

use super::{
    Summary,
    clocks::differ,
    tables::{figure, percentiles, times},
};
use crate::report::{
    human,
    stage::StageSummary,
    table::{Row, Table},
    text,
};
use crate::stats::LatencySummary;

/// Stages shown; the others are in the report.
const MOST_STAGES: usize = 12;

impl Summary<'_> {
    /// For each stage, the requests and the journeys that ended in it.
    pub(super) fn stages(&self) -> Vec<String> {
        let columns = [
            vec![
                figure("count", 8),
                figure("per s", 9),
                figure("failed", 10),
                figure("dropped", 5),
            ],
            times(),
        ];
        let mut table = Table::new("Stages", columns.concat());
        let stages = &self.report.stages;
        for stage in stages.iter().take(MOST_STAGES) {
            for row in self.stage(stage) {
                table.push(row);
            }
        }
        let mut lines = table.render(self.style);
        lines.extend(self.more(stages.len().saturating_sub(MOST_STAGES), "stage"));
        lines
    }

    fn stage(&self, stage: &StageSummary) -> Vec<Row> {
        let lasted = human::span(super::seconds(stage.seconds));
        let mut rows = vec![Row {
            name: format!("{} ({lasted})", text::clean(&stage.name)),
            ..Row::default()
        }];
        let http = &stage.http;
        if http.requests > 0 {
            let counts = [Some(http.requests), Some(http.failed), None];
            rows.push(figures(stage, "requests", counts, &http.time));
        }
        for row in &stage.journeys {
            let counts = [Some(row.started), Some(row.failed), Some(row.dropped)];
            let name = self.entry(&row.journey, row.entry);
            rows.push(figures(stage, &name, counts, &row.response_time));
            if differ(row).is_some() {
                rows.push(figures(
                    stage,
                    "  service time",
                    [None; 3],
                    &row.service_time,
                ));
            }
        }
        rows
    }
}

/// A row of what ended in a stage: how many, failed and dropped, and how long they took.
fn figures(
    stage: &StageSummary,
    name: &str,
    [count, failed, dropped]: [Option<u64>; 3],
    time: &LatencySummary,
) -> Row {
    let rate = count.filter(|_| stage.seconds > 0.0);
    let rate = rate.map(|count| human::rate(count as f64 / stage.seconds));
    let shown = |count: Option<u64>| count.map(human::count).unwrap_or_default();
    let counts = vec![
        shown(count),
        rate.unwrap_or_default(),
        shown(failed),
        shown(dropped),
    ];
    Row {
        name: format!("  {name}"),
        figures: [counts, percentiles(time)].concat(),
        remark: None,
    }
}
