//! The report in GitHub-flavoured Markdown, short enough for a pull request.

pub(super) mod language;

use std::fmt::Write as _;

use self::language::{code, plain, table};
use super::{
    bound,
    data::{Report, Verdict},
    error::ReportError,
    format::Format,
    human,
    names::Names,
    telling::{self, MOST_ROWS},
};
use crate::stats::LatencySummary;

/// Errors shown.
const MOST_ERRORS: usize = 10;
/// Verdict, thresholds, key figures, the most frequent errors, and doubts about the generator.
pub(crate) struct Markdown;

impl Format for Markdown {
    fn render(&self, report: &Report) -> Result<Vec<u8>, ReportError> {
        Ok(render(report).into_bytes())
    }
}

fn render(report: &Report) -> String {
    let names = Names::of(report);
    let sections = [
        heading(report),
        thresholds(report),
        figures(report),
        journeys(report, &names),
        requests(report),
        errors(report, &names),
        doubts(report),
    ];
    let sections: Vec<_> = sections
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    sections.join("\n")
}

fn heading(report: &Report) -> String {
    let sign = match report.verdict {
        Verdict::Passed => "✅",
        Verdict::Failed => "❌",
        _ => "⚠️",
    };
    let mut text = format!(
        "## {sign} {}: {}\n\n{}, {}\n",
        plain(&report.scenario),
        report.verdict,
        plain(&report.started),
        human::time(report.duration_seconds),
    );
    if !report.reasons.is_empty() {
        text.push('\n');
    }
    for reason in &report.reasons {
        let _ = writeln!(text, "- {}", plain(reason));
    }
    text
}

fn thresholds(report: &Report) -> String {
    let shown = telling::thresholds(&report.thresholds, MOST_ROWS);
    let rows = shown.iter().map(|row| {
        let sign = if row.passed { "✅" } else { "❌" };
        let broke = bound::broke_at(row).unwrap_or_default();
        vec![
            sign.to_owned(),
            code(&row.expression),
            bound::measured(row),
            broke,
        ]
    });
    let rows: Vec<_> = rows.collect();
    let mut text = table("### Thresholds", &["", "Threshold", "Found", ""], &rows, 0);
    let broken = report.thresholds.iter().filter(|row| !row.passed).count();
    let how = match broken.saturating_sub(MOST_ROWS) {
        0 => "all of which hold".to_owned(),
        unseen => format!("{} of them broken", human::count(unseen as u64)),
    };
    let left_out = report.thresholds.len().saturating_sub(rows.len());
    if left_out > 0 {
        let more = human::plural(left_out as u64, "more threshold");
        let _ = writeln!(text, "\n… and {more} in the JSON report, {how}");
    }
    text
}

fn figures(report: &Report) -> String {
    let http = &report.http;
    let measured = report.duration_seconds - report.series.warm_up_seconds;
    let rate = |count: u64| {
        if measured > 0.0 {
            format!("{}/s", human::rate(count as f64 / measured))
        } else {
            String::new()
        }
    };
    let sum = |of: fn(&super::JourneySummary) -> u64| report.journeys.iter().map(of).sum::<u64>();
    let finished = sum(|row| row.completed + row.failed);
    let failed = sum(|row| row.failed);
    let mut rows = vec![
        vec![
            "Journeys".to_owned(),
            human::count(finished),
            rate(finished),
        ],
        vec![
            "Failed journeys".to_owned(),
            human::count(failed),
            part(failed, finished),
        ],
    ];
    if http.requests > 0 {
        rows.push(vec![
            "Requests".into(),
            human::count(http.requests),
            rate(http.requests),
        ]);
        let share = part(http.failed, http.requests);
        rows.push(vec![
            "Failed requests".into(),
            human::count(http.failed),
            share,
        ]);
    }
    let dropped = sum(|row| row.dropped);
    if dropped > 0 {
        rows.push(vec![
            "Dropped starts".into(),
            human::count(dropped),
            String::new(),
        ]);
    }
    table("### Figures", &["", "", ""], &rows, 2)
}

fn part(of: u64, all: u64) -> String {
    if all == 0 {
        return String::new();
    }
    human::percent(of as f64 / all as f64)
}

const TIMES: [&str; 4] = ["p50", "p95", "p99", "max"];

fn times(times: &LatencySummary) -> impl Iterator<Item = String> {
    let shown = [times.p50, times.p95, times.p99, times.max];
    shown
        .into_iter()
        .map(|time| time.map(human::time).unwrap_or_default())
}

fn journeys(report: &Report, names: &Names<'_>) -> String {
    let mut told: Vec<_> = report.journeys.iter().collect();
    let left_out = telling::keep(&mut told, |row| {
        (row.started, row.failed, row.response_time.p95)
    });
    let rows = told.into_iter().map(|row| {
        let counts = [row.started, row.failed].map(human::count);
        let name = code(&names.entry(&row.journey, row.entry));
        std::iter::once(name)
            .chain(counts)
            .chain(times(&row.response_time))
            .collect()
    });
    let rows: Vec<Vec<_>> = rows.collect();
    let head = [&["Journey", "Started", "Failed"][..], &TIMES].concat();
    let text = table("### Journeys (response time)", &head, &rows, head.len() - 1);
    text + &rest(left_out, "journey")
}

fn requests(report: &Report) -> String {
    let mut told: Vec<_> = report.http.requests_by_name.iter().collect();
    let left_out = telling::keep(&mut told, |row| (row.count, row.failed(), row.time.p95));
    let rows = told.into_iter().map(|row| {
        let counts = [row.count, row.failed()].map(human::count);
        std::iter::once(code(&row.label()))
            .chain(counts)
            .chain(times(&row.time))
            .collect()
    });
    let rows: Vec<Vec<_>> = rows.collect();
    let head = [&["Request", "Count", "Failed"][..], &TIMES].concat();
    let text = table("### Requests", &head, &rows, head.len() - 1);
    text + &rest(left_out, "request name")
}

/// How many rows are not shown, and what is special about the others.
fn rest(left_out: usize, what: &str) -> String {
    if left_out == 0 {
        return String::new();
    }
    let more = human::plural(left_out as u64, &format!("more {what}"));
    format!(
        "\n… and {more} in the JSON report; shown are those that fail most, the slowest by p95, and \
         the busiest\n"
    )
}

fn errors(report: &Report, names: &Names<'_>) -> String {
    let rows = report.errors.iter().take(MOST_ERRORS).map(|row| {
        let place = code(&names.place(&row.journey, &row.transaction));
        let message = code(&row.message);
        vec![
            place,
            code(&row.kind),
            message,
            code(&row.location),
            human::count(row.count),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let mut text = table(
        "### Errors",
        &["Where", "Kind", "Message", "Place", "Count"],
        &rows,
        1,
    );
    let more = report.errors.len().saturating_sub(MOST_ERRORS);
    if more > 0 {
        let _ = writeln!(
            text,
            "\n… and {} in the JSON report",
            human::plural(more as u64, "more")
        );
    }
    text
}

fn doubts(report: &Report) -> String {
    let generator = &report.generator;
    let mut text = String::new();
    for suspicion in &generator.suspicions {
        let sign = if suspicion.invalid {
            "**invalid**: "
        } else {
            ""
        };
        let _ = writeln!(text, "- {sign}{}", plain(&suspicion.message));
    }
    for note in &generator.notes {
        let _ = writeln!(text, "- {}", plain(note));
    }
    if text.is_empty() {
        return text;
    }
    format!("### Doubts\n\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_report_for_a_pull_request_says_what_came_out_and_why() {
        let mut report = fixture::full();
        report.verdict = Verdict::Failed;
        report.reasons = vec!["the threshold http.p99 < 250ms does not hold".into()];
        let mut broken = fixture::threshold("http.p99 < 250ms over 10s", Some(1.95), false);
        broken.broke_at = Some(41.0);
        report.thresholds[0] = broken;
        insta::assert_snapshot!(render(&report), @r"
        ## ❌ shop::evening: failed

        2026-11-22T20:00:00Z, 60.0s

        - the threshold http.p99 &lt; 250ms does not hold

        ### Thresholds

        |  | Threshold | Found |  |
        | --- | --- | --- | --- |
        | ❌ | `http.p99 < 250ms over 10s` | 1.95s | broke at 41.0s |
        | ✅ | `errors.rate < 1%` | 0.025 % |  |

        ### Figures

        |  |  |  |
        | --- | ---: | ---: |
        | Journeys | 58,998 | 1,073/s |
        | Failed journeys | 8 | 0.0136 % |
        | Requests | 118,998 | 2,164/s |
        | Failed requests | 6 | 0.00504 % |
        | Dropped starts | 1 |  |

        ### Journeys (response time)

        | Journey | Started | Failed | p50 | p95 | p99 | max |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: |
        | `sign_in #0` | 30,000 | 8 | 8.50ms | 21.2ms | 34.0ms | 68.0ms |
        | `browse` | 29,000 | 0 | 4.00ms | 10.0ms | 16.0ms | 32.0ms |

        ### Requests

        | Request | Count | Failed | p50 | p95 | p99 | max |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: |
        | `GET /basket` | 89,006 | 6 | 4.00ms | 10.0ms | 16.0ms | 32.0ms |
        | `POST /login` | 29,992 | 0 | 8.00ms | 20.0ms | 32.0ms | 64.0ms |

        ### Errors

        | Where | Kind | Message | Place | Count |
        | --- | --- | --- | --- | ---: |
        | `sign_in › basket` | `error` | `a new user's basket is not empty` | `src/main.rs:12` | 8 |

        ### Doubts

        - The CPU limit of the container stopped the generator in 25 % of its periods.
        - The limit of open files is 1,024.
        ");
    }

    /// The lines of a table, by the heading above it.
    fn section<'a>(text: &'a str, title: &str) -> Vec<&'a str> {
        let (_, rest) = text.split_once(&format!("### {title}\n")).unwrap();
        let part = rest.split("\n### ").next().unwrap();
        part.lines().filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn a_broken_threshold_is_shown_however_many_hold() {
        let mut report = fixture::full();
        let held = || fixture::threshold("errors.rate < 1%", Some(0.0), true);
        report.thresholds = std::iter::repeat_with(held).take(26).collect();
        let broken = fixture::threshold("http.p95 < 1ms", Some(0.2), false);
        report.thresholds.push(broken.clone());
        let text = render(&report);
        let rows = section(&text, "Thresholds");
        assert!(
            rows.contains(&"| ❌ | `http.p95 < 1ms` | 200ms |  |"),
            "{text}"
        );
        let rest = "… and 7 more thresholds in the JSON report, all of which hold";
        assert!(rows.contains(&rest), "{text}");

        report.thresholds = vec![broken; 25];
        let text = render(&report);
        let rest = "… and 5 more thresholds in the JSON report, 5 of them broken";
        assert!(section(&text, "Thresholds").contains(&rest), "{text}");
    }

    #[test]
    fn a_rare_request_that_is_slow_or_fails_is_shown_among_many() {
        let mut report = fixture::full();
        let one = report.http.requests_by_name[0].clone();
        let named = |name: String, count| {
            let mut row = one.clone();
            (row.name, row.count) = (name, count);
            row.failures.clear();
            row
        };
        let busy = (0..40).map(|number| named(format!("/busy/{number}"), 1000 - number));
        let mut slow = named("/slow".into(), 3);
        slow.time = fixture::times(3, 9.0);
        let mut failing = named("/failing".into(), 2);
        failing.failures.insert("500".into(), 2);
        report.http.requests_by_name = busy.chain([slow, failing]).collect();
        let text = render(&report);
        let rows = section(&text, "Requests");
        for name in ["/slow`", "/failing`", "/busy/0`"] {
            assert!(rows.iter().any(|row| row.contains(name)), "{name}: {text}");
        }
        assert_eq!(rows.iter().filter(|row| row.contains("`GET")).count(), 20);
        assert!(
            rows.last()
                .unwrap()
                .starts_with("… and 22 more request names in")
        );
    }

    #[test]
    fn entries_of_one_journey_are_told_apart_and_the_worst_of_many_are_shown() {
        let mut report = fixture::full();
        let mut journeys = Vec::new();
        for entry in 0..30 {
            let mut row = report.journeys[0].clone();
            (row.entry, row.started, row.failed) = (Some(entry), u64::from(1000 - entry), 0);
            journeys.push(row);
        }
        journeys[29].failed = 1;
        report.journeys = journeys;
        let text = render(&report);
        let rows = section(&text, "Journeys (response time)");
        for name in ["| `sign_in #0` | 1,000 |", "| `sign_in #29` | 971 | 1 |"] {
            assert!(
                rows.iter().any(|row| row.starts_with(name)),
                "{name}: {text}"
            );
        }
        assert!(
            rows.last()
                .unwrap()
                .starts_with("… and 10 more journeys in")
        );
    }

    #[test]
    fn a_run_that_did_nothing_has_a_verdict() {
        let text = render(&fixture::empty());
        assert!(text.starts_with("## ✅ shop::evening: passed\n"), "{text}");
        assert!(!text.contains("### Requests"), "{text}");
    }
}
