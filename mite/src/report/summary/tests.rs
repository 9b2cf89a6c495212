//! What the summary looks like for runs of every kind.

use super::*;
use crate::report::{
    LatencySummary,
    findings::FindingSummary,
    fixture::{self, request, threshold, times},
    http::HttpSummary,
    parts::{ErrorSummary, GeneratorSummary, Suspicion},
};
use crate::volume::Conclusion;

fn shown(report: &Report, width: usize) -> String {
    let style = Style {
        width,
        colour: false,
        unicode: true,
    };
    let text = render(report, style);
    for line in text.lines() {
        assert!(text::width(line) <= width, "wider than {width}: {line}");
        assert_eq!(line, line.trim_end(), "blanks at the end of {line:?}");
    }
    text
}

fn failed() -> Report {
    let mut report = fixture::full();
    report.findings.clear();
    report.volume_changes.clear();
    report.verdict = Verdict::Failed;
    report.thresholds = vec![
        threshold("http.p99 < 10ms", Some(0.016), false),
        threshold(
            "http{name=\"GET /basket\",status=\"200\"}.p99.9 < 1s over 10s",
            Some(0.024),
            true,
        ),
        threshold("transaction.rate > 1000/s", None, false),
    ];
    report.reasons = vec![
        "http.p99 < 10ms did not hold: it was 16.0ms".into(),
        "transaction.rate > 1000/s had no sample".into(),
    ];
    let more = (0..20).map(|index| ErrorSummary {
        kind: "exception".into(),
        journey: "shop::browse".into(),
        transaction: String::new(),
        location: format!("src/journeys/browse/catalogue.rs:{}", 100 + index),
        message: "ParseIntError: invalid digit found\nin string \"\u{1b}[31mseventeen\" of the \
                  answer to GET /catalogue/17/articles?sort=price"
            .into(),
        count: 1200 - index,
    });
    report.errors.extend(more);
    report
}

#[test]
fn a_run_that_passed_is_calm() {
    insta::assert_snapshot!(shown(&fixture::passed(), 80));
}

#[test]
fn a_run_that_failed_names_what_failed_and_where() {
    insta::assert_snapshot!(shown(&failed(), 120));
    insta::assert_snapshot!(shown(&failed(), 80));
    insta::assert_snapshot!(shown(&failed(), 60));
}

#[test]
fn an_invalid_run_says_that_the_load_was_not_there() {
    let mut report = fixture::passed();
    report.verdict = Verdict::Invalid;
    report.reasons = vec![
        "12.5 % of the planned starts did not happen: 4,120 were dropped and 130 never began"
            .into(),
    ];
    report.generator = GeneratorSummary {
        saturated: true,
        busiest_worker_cpu: Some(0.97),
        suspicions: vec![
            Suspicion {
                invalid: true,
                message: report.reasons[0].clone(),
                ..Suspicion::default()
            },
            Suspicion {
                message:
                    "A worker thread used more than 90 % of its core in 55 of 60 seconds (the \
                          busiest 97 % on average): part of the times is the generator's own. Use \
                          a release build, more cores than these 2 workers have, or ask for less."
                        .into(),
                ..Suspicion::default()
            },
        ],
        starved: vec!["shop::sign_in".into()],
        ..report.generator
    };
    let row = &mut report.journeys[0];
    row.dropped = 4120;
    row.unmet = 0.125;
    row.service_time = times(29_990, 0.002);
    row.response_time = times(29_990, 0.24);
    row.start_delay = times(30_000, 0.239);
    row.waits = fixture::waits(40.0, 900.0, 0.0);
    report.generator.max_in_flight = 50;
    insta::assert_snapshot!(shown(&report, 80));
}

#[test]
fn an_interrupted_run_shows_what_it_had() {
    let mut report = fixture::passed();
    report.verdict = Verdict::Interrupted;
    report.duration_seconds = 17.4;
    report.reasons = vec!["Ctrl-C after 17.4s of 1m00s".into()];
    report.journeys[0].interrupted = 12;
    insta::assert_snapshot!(shown(&report, 80));
}

#[test]
fn an_empty_run_is_a_few_lines() {
    insta::assert_snapshot!(shown(&fixture::empty(), 80));
}

#[test]
fn what_was_found_is_told_with_its_uncertainty_and_its_doubts() {
    let mut report = fixture::empty();
    let found = fixture::capacity();
    let ended = |conclusion, low: Option<f64>, high: Option<f64>| FindingSummary {
        conclusion,
        found: low,
        low,
        high,
        entry: None,
        doubts: Vec::new(),
        ..fixture::capacity()
    };
    report.findings = vec![
        found,
        ended(Conclusion::AtLeast, Some(3200.0), None),
        ended(Conclusion::Below, None, Some(870.0)),
        ended(Conclusion::Unfinished, Some(435.0), Some(870.0)),
        ended(Conclusion::Unfinished, None, None),
        fixture::held(),
        FindingSummary {
            conclusion: Conclusion::Below,
            ..fixture::held()
        },
    ];
    let text = shown(&report, 80);
    for sentence in [
        "browse #1: 842/s with http.p99 < 250ms, errors.rate < 1%. 842/s was surely good;",
        "at 870/s, p99 261ms, not below 250ms.",
        "In doubt: at 870/s 12 starts were dropped.",
        "browse: at least 3,200/s, the upper bound",
        "browse: less than 870/s, the lower bound",
        "browse: between 435/s and 870/s when the time was up",
        "browse: nothing was found before the time was up.",
        "browse: 227/s on average, 210/s to 240/s, for errors.rate = 1%; it came to 1.04 %.",
        "errors.rate = 1% was not reached; the lower bound is too high",
    ] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(sentence), "{sentence} in {text}");
    }
}

#[test]
fn of_many_request_names_the_busiest_are_shown() {
    let mut report = fixture::empty();
    report.http = HttpSummary {
        requests: 201_000,
        time: times(201_000, 0.004),
        requests_by_name: (1..=200)
            .map(|page| request(&format!("page {page}"), "GET", page * 10, 0.004))
            .collect(),
        ..HttpSummary::default()
    };
    let text = shown(&report, 80);
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.contains("GET page"))
        .collect();
    assert_eq!(rows.len(), 20);
    assert!(rows[0].contains("GET page 200 "), "{text}");
    assert!(rows[19].contains("GET page 181 "), "{text}");
    assert!(
        text.contains("… and 180 more request names in the report"),
        "{text}"
    );
    assert!(text.contains("  all           201,000"), "{text}");
}

#[test]
fn names_that_fail_or_are_slow_are_shown_however_rare_they_are() {
    let mut report = fixture::empty();
    let mut rows: Vec<_> = (1..=200)
        .map(|page| request(&format!("page {page}"), "GET", 1000 + page, 0.004))
        .collect();
    rows[2].failures = [("500".to_owned(), 2)].into();
    rows[6].time = times(3, 2.5);
    report.http.requests_by_name = rows;
    let text = shown(&report, 80);
    for name in [
        "GET page 3 ",
        "GET page 7 ",
        "GET page 200 ",
        "GET page 190 ",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(text.contains("… and 180 more request names"), "{text}");
    assert!(text.contains("those that fail most, the slowest"), "{text}");
}

#[test]
fn fifty_thresholds_leave_the_verdict_on_the_screen() {
    let mut report = fixture::empty();
    report.verdict = Verdict::Failed;
    report.thresholds = (0..50)
        .map(|number| threshold(&format!("http.p50 < {number}ms"), Some(0.0305), number > 30))
        .collect();
    report.reasons = (0..31)
        .map(|number| format!("http.p50 < {number}ms did not hold: it was 30.5ms"))
        .collect();
    for width in [30, 80] {
        let text = shown(&report, width);
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(rows.last(), Some(&"✗ failed"), "{text}");
        let reasons = rows.iter().position(|row| *row == "Reasons").unwrap();
        assert!(rows.len() - reasons < 22, "{text}");
        assert!(text.contains("… and 23 more reasons"), "{text}");
        assert!(text.contains("… and 30 more thresholds"), "{text}");
        assert!(
            !text.contains('✓'),
            "broken ones come before others: {text}"
        );
    }
}

#[test]
fn a_section_without_anything_in_it_is_left_out() {
    let mut report = fixture::passed();
    report.transactions.iter_mut().for_each(|row| row.count = 0);
    report.thresholds.clear();
    let text = shown(&report, 80);
    for heading in ["Transactions", "Thresholds", "Errors"] {
        assert!(!text.contains(heading), "{heading} in {text}");
    }
}

#[test]
fn what_never_happened_to_requests_and_sizes_that_are_the_same_are_left_out() {
    let mut report = fixture::passed();
    let http = &mut report.http;
    http.phases.tls = LatencySummary::default();
    http.connections.tls_handshakes = 0;
    http.versions.remove("HTTP/2.0");
    http.encoded_body_bytes = http.decoded_body_bytes;
    let text = shown(&report, 80);
    assert!(text.contains("\n  connect "), "{text}");
    for absent in ["tls", "TLS", "HTTP/", "decoded", "transport errors"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}

#[test]
fn transport_errors_are_told_also_when_nothing_was_ever_written() {
    let mut report = fixture::empty();
    report.http.errors = [("dns", 2), ("connect", 1204), ("timeout", 7), ("tls", 1)]
        .map(|(kind, count)| (kind.to_owned(), count))
        .into();
    insta::assert_snapshot!(shown(&report, 60), @r"
    shop::evening  2026-11-22 20:00:00 UTC, 1m00s

    Requests
      transport errors: 1,204 × connect, 7 × timeout, 2 × dns,
                        1 × tls

    Generator    1 runner, 2 workers

    ✓ passed
    ");
}

#[test]
fn response_and_service_time_are_compared_only_where_they_differ() {
    let mut report = fixture::passed();
    report.journeys[0].response_time = times(1, 0.008);
    assert!(!shown(&report, 80).contains("service time"));
    report.journeys[0].response_time = times(1, 0.5);
    assert!(shown(&report, 80).contains("sign_in: response time p99 2.00s, service"));
    report.journeys[0].service_time = times(1, 0.45);
    let text = shown(&report, 80);
    assert!(text.contains("\n    service time"), "{text}");
    assert!(!text.contains("would have felt"), "{text}");
}

#[test]
fn a_difference_is_told_at_the_percentile_that_shows_it_with_its_causes() {
    let mut report = fixture::passed();
    report.generator.max_in_flight = 50;
    let row = &mut report.journeys[0];
    row.response_time = times(30_000, 0.24);
    row.service_time = LatencySummary {
        p99: row.response_time.p99,
        ..times(30_000, 0.002)
    };
    row.start_delay = times(30_000, 0.238);
    for (waits, cause) in [
        (
            fixture::waits(4.0, 95.0, 0.0),
            "starts waited 595ms at p95 for room (--max-in-flight 50 was reached). A user",
        ),
        (
            fixture::waits(30.0, 10.0, 60.0),
            "for data (its datapool had none to give), for their worker (it was busy or blocked, \
             loop lag p99 200µs) and for room (--max-in-flight 50 was reached).",
        ),
        (
            fixture::waits(0.0, 0.0, 0.0),
            "starts waited 595ms at p95 for their turn.",
        ),
    ] {
        report.journeys[0].waits = waits;
        let text = shown(&report, 80)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(
            text.contains("sign_in: response time p95 600ms, service time p95 5.00ms:"),
            "{text}"
        );
        assert!(text.contains(cause), "{text}");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = failed();
    let style = Style {
        width: 80,
        colour: true,
        unicode: true,
    };
    let coloured = render(&report, style);
    assert!(coloured.contains("\u{1b}[1;31m✗ failed\u{1b}[0m"));
    let plain = ["0", "1", "2", "1;31", "1;32", "1;33"]
        .iter()
        .fold(coloured, |text, code| {
            text.replace(&format!("\u{1b}[{code}m"), "")
        });
    let trimmed: String = plain
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    assert_eq!(trimmed, shown(&report, 80));
}

#[test]
fn a_volume_that_was_changed_is_told_at_the_top() {
    let text = shown(&fixture::full(), 80);
    let lines: Vec<_> = text.lines().skip(1).take(2).collect();
    assert_eq!(
        lines,
        [
            "",
            "The volume was changed once to 1.1 times the plan, after 40.5s."
        ]
    );
}
