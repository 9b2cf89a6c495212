//! What the summary says of what was found out: capacities, and volumes that held a target.

use super::Summary;
use crate::{
    report::{findings::FindingSummary, human, style::Tone, text},
    volume::{Conclusion, FindingKind, Unit},
};

impl Summary<'_> {
    /// A sentence or two for each finding, and why it may be doubted.
    pub(super) fn findings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (title, is_capacity) in [("Capacity", true), ("Held", false)] {
            let findings = self.report.findings.iter();
            let these: Vec<_> = findings
                .filter(|finding| (finding.kind == FindingKind::Capacity) == is_capacity)
                .collect();
            if these.is_empty() {
                continue;
            }
            lines.push(self.style.paint(Tone::Heading, title));
            for finding in these {
                let name = self.entry(&finding.journey, finding.entry);
                let found = if is_capacity {
                    capacity(finding)
                } else {
                    held(finding)
                };
                lines.extend(self.remark(&text::clean(&format!("{name}: {found}"))));
                for doubt in &finding.doubts {
                    lines.extend(self.remark(&text::clean(&format!("In doubt: {doubt}."))));
                }
            }
        }
        lines
    }
}

fn capacity(finding: &FindingSummary) -> String {
    let unit = finding.unit;
    let amount = |amount: f64| amount_of(amount, unit);
    let criterion = &finding.criterion;
    let bad = finding
        .steps
        .iter()
        .find(|step| !step.good && Some(step.volume) == finding.high);
    let why = bad
        .and_then(|step| step.why.as_deref())
        .unwrap_or("it was surely bad");
    match (finding.conclusion, finding.low, finding.high) {
        (Conclusion::AtLeast, Some(low), _) => format!(
            "at least {}, the upper bound, with {criterion}.",
            amount(finding.found.unwrap_or(low))
        ),
        (Conclusion::Below, _, Some(high)) => format!(
            "less than {}, the lower bound, with {criterion}: {why}.",
            amount(high)
        ),
        (Conclusion::Found, Some(low), Some(high)) => format!(
            "{} with {criterion}. {} was surely good; at {}, {why}.",
            amount(finding.found.unwrap_or(low)),
            amount(low),
            amount(high)
        ),
        (_, Some(low), Some(high)) => format!(
            "between {} and {} when the time was up, with {criterion}; at {}, {why}.",
            amount(low),
            amount(high),
            amount(high)
        ),
        (_, Some(low), None) => format!(
            "at least {} when the time was up, with {criterion}.",
            amount(finding.found.unwrap_or(low))
        ),
        _ => "nothing was found before the time was up.".to_owned(),
    }
}

fn held(finding: &FindingSummary) -> String {
    let amount = |amount: f64| amount_of(amount, finding.unit);
    let criterion = &finding.criterion;
    match (finding.conclusion, finding.found) {
        (Conclusion::Found, Some(found)) => {
            let range = match (finding.low, finding.high) {
                (Some(low), Some(high)) => {
                    format!(", {} to {}", amount(low), amount(high))
                }
                _ => String::new(),
            };
            let measured = finding.measured.map(|measured| match finding.kind {
                FindingKind::HeldErrorRate => human::percent(measured),
                _ => human::time(measured),
            });
            let measured = measured.map(|measured| format!("; it came to {measured}"));
            format!(
                "{} on average{range}, for {criterion}{}.",
                amount(found),
                measured.unwrap_or_default()
            )
        }
        (Conclusion::AtLeast, _) => {
            format!("{criterion} was not reached; the upper bound is too low for it.")
        }
        (Conclusion::Below, _) => {
            format!("{criterion} was not reached; the lower bound is too high for it.")
        }
        _ => format!("{criterion} was not reached before the time was up."),
    }
}

fn amount_of(amount: f64, unit: Unit) -> String {
    let number = human::number(amount);
    match unit {
        Unit::PerSecond => format!("{number}/s"),
        Unit::Users if amount == 1.0 => "1 user".to_owned(),
        Unit::Users => format!("{number} users"),
    }
}
