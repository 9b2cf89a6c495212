//! The table of journeys, with the two times each has.

use super::{
    Summary,
    clocks::differ,
    tables::{figure, percentiles, times},
};
use crate::report::{
    human,
    parts::JourneySummary,
    table::{Row, Table},
};

/// The share of a journey's volume whose absence is worth a line.
const LEAST_UNMET: f64 = 0.001;

impl Summary<'_> {
    pub(super) fn journeys(&self) -> Vec<String> {
        let columns = [
            vec![
                figure("started", 8).always(),
                figure("completed", 5),
                figure("failed", 10),
                figure("dropped", 9),
                figure("interrupted", 4),
            ],
            times(),
        ];
        let mut table = Table::new("Journeys", columns.concat());
        for row in &self.report.journeys {
            let counts = [
                row.started,
                row.completed,
                row.failed,
                row.dropped,
                row.interrupted,
            ];
            let counts = counts.map(human::count).to_vec();
            let blanks = vec![String::new(); counts.len()];
            table.push(Row {
                name: self.entry(&row.journey, row.entry),
                figures: [counts, percentiles(&row.response_time)].concat(),
                remark: None,
            });
            if has_two_times(row) {
                table.push(Row {
                    name: "  service time".into(),
                    figures: [blanks, percentiles(&row.service_time)].concat(),
                    remark: None,
                });
            }
        }
        let mut lines = table.render(self.style);
        for row in &self.report.journeys {
            for sentence in [self.unmet(row), self.waited(row)].into_iter().flatten() {
                lines.extend(self.remark(&sentence));
            }
        }
        lines
    }

    fn unmet(&self, row: &JourneySummary) -> Option<String> {
        (row.unmet >= LEAST_UNMET).then(|| {
            let name = self.entry(&row.journey, row.entry);
            let share = human::percent(row.unmet);
            let missing = format!("{name}: {share} of its planned volume did not come about");
            if row.dropped == 0 {
                return missing + ".";
            }
            format!(
                "{missing}: {} dropped after waiting for {}. They are in none of these times.",
                human::plural(row.dropped, "start"),
                self.causes(row.waits)
            )
        })
    }

    pub(super) fn entry(&self, journey: &str, entry: Option<u32>) -> String {
        self.names.entry(journey, entry)
    }
}

/// Whether service and response time differ in what is shown of them.
fn has_two_times(row: &JourneySummary) -> bool {
    differ(row).is_some() || percentiles(&row.service_time) != percentiles(&row.response_time)
}
