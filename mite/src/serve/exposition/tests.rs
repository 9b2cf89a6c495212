//! What is written of a run, in each form.

use std::time::{Duration, SystemTime};

use super::*;
use crate::{
    families::{EntryNow, Now, RunState, Standing},
    id::EntryId,
    stats::{
        ErrorKey, HttpKey, JourneyKey, JourneyStatistics, Latency, MetricLabels, MetricValue,
        RequestStatistics, Statistics, UserMetric, metric::MetricKind,
    },
};

/// A run with a secret in its names.
struct Run {
    now: Now,
    totals: Statistics,
}

impl Source for Run {
    fn now(&self) -> &Now {
        &self.now
    }

    fn totals(&self) -> &Statistics {
        &self.totals
    }

    fn masked(&self, text: &str) -> String {
        text.replace("hunter2", "***")
    }
}

fn run() -> Run {
    let mut totals = Statistics::default();
    let mut journey = JourneyStatistics {
        started: 4,
        completed: 3,
        failed: 1,
        ..JourneyStatistics::default()
    };
    for millis in [1, 2, 30] {
        journey.response_time.record(Duration::from_millis(millis));
    }
    let key = JourneyKey {
        entry: EntryId(0),
        journey: "shop::sign_in".into(),
    };
    totals.journeys.insert(key, journey);
    for (name, status) in [
        ("GET /a?key=hunter2", 200),
        ("GET /a?key=***", 200),
        ("GET /b", 500),
    ] {
        let mut row = RequestStatistics {
            count: 1,
            ..RequestStatistics::default()
        };
        row.time.record(Duration::from_millis(5));
        let key = HttpKey {
            journey: "shop::sign_in".into(),
            transaction: "sign \"in\"\n\\".into(),
            name: name.into(),
            method: "GET".into(),
            status: Some(status),
        };
        totals.http.requests_by.add(key, row);
    }
    for message in ["order 17 is lost", "order 18 is lost"] {
        let key = ErrorKey {
            kind: "timeout".into(),
            journey: "shop::sign_in".into(),
            transaction: String::new().into(),
            location: "src/main.rs:12".into(),
            message: message.into(),
        };
        totals.errors.add(key, 2);
    }
    Run {
        now: Now {
            scenario: "shop::evening".into(),
            state: RunState::Running,
            started_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
            elapsed: Duration::from_secs(3),
            measured: Duration::from_secs(2),
            planned: None,
            runners: 1,
            workers: 2,
            entries: vec![EntryNow {
                journey: "shop::sign_in".into(),
                users: 7,
                required_users: Some(8.0),
                required_rate: None,
            }],
            thresholds: vec![Standing {
                expression: "http.p99 < 250ms".into(),
                value: None,
                passing: false,
            }],
            volume_factor: 1.5,
            cpu_seconds: 0.25,
        },
        totals,
    }
}

fn text(format: Format) -> String {
    let bytes = expose(&run(), &"0.005,0.05".parse().unwrap(), format);
    String::from_utf8(bytes).unwrap()
}

#[test]
fn errors_are_told_apart_by_kind_and_place_and_not_by_message() {
    let text = text(Format::Text);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("mite_journey_error"))
        .collect();
    assert_eq!(
        lines,
        [
            "mite_journey_error_total{test=\"shop::evening\",journey=\"shop::sign_in\",\
          transaction=\"\",location=\"src/main.rs:12\",ex_type=\"timeout\"} 4"
        ]
    );
    assert!(!text.contains("is lost"));
}

#[test]
fn secrets_are_masked_and_what_is_the_same_then_is_one_series() {
    let text = text(Format::Text);
    assert!(!text.contains("hunter2"));
    let row = "mite_http_response_total{test=\"shop::evening\",journey=\"shop::sign_in\",\
               transaction=\"sign \\\"in\\\"\\n\\\\\",name=\"GET /a?key=***\",method=\"GET\",\
               response_code=\"200\"} 2\n";
    assert!(text.contains(row), "{text}");
}

#[test]
fn a_histogram_has_its_buckets_its_sum_and_its_count() {
    let text = text(Format::Text);
    let name = "mite_journey_response_time_seconds";
    let labels = "test=\"shop::evening\",journey=\"shop::sign_in\",entry=\"0\",outcome=\"success\"";
    for line in [
        format!("# TYPE {name} histogram"),
        format!("{name}_bucket{{{labels},le=\"0.005\"}} 2"),
        format!("{name}_bucket{{{labels},le=\"0.05\"}} 3"),
        format!("{name}_bucket{{{labels},le=\"+Inf\"}} 3"),
        format!("{name}_sum{{{labels}}} 0.033"),
        format!("{name}_count{{{labels}}} 3"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn openmetrics_has_its_own_names_for_counters_and_an_end() {
    let text = text(Format::OpenMetrics);
    for line in [
        "# TYPE mite_http_response counter",
        "# TYPE mite info",
        "# UNIT mite_http_response_time_seconds seconds",
        "mite_run_state{test=\"shop::evening\",state=\"running\"} 1",
        "mite_run_start_time_seconds{test=\"shop::evening\"} 1.5",
        "mite_required_count{test=\"shop::evening\",journey=\"shop::sign_in\",entry=\"0\"} 8",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn every_name_is_there_once_and_every_series_too() {
    let text = text(Format::Text);
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let key = match line.strip_prefix("# ") {
            Some(head) => head.split(' ').take(2).collect::<Vec<_>>().join(" "),
            None => line.rsplit_once(' ').unwrap().0.to_owned(),
        };
        assert!(seen.insert(key), "{line}");
    }
}

/// A run with metrics of its own whose names and labels are in each other's way.
fn clashing() -> Run {
    let mut run = run();
    let mut add = |name: &str, kind, value: &MetricValue, labels: &[&str]| {
        let metric = run.totals.metrics.entry(name.into());
        let metric = metric.or_insert_with(|| UserMetric {
            kind,
            series: Default::default(),
        });
        let labels = labels.iter().map(|&label| (label.into(), "x".into()));
        metric
            .series
            .add(MetricLabels(labels.collect()), value.clone());
    };
    let mut samples = Latency::default();
    samples.record(Duration::from_secs(2));
    let histogram = MetricValue::Histogram(samples);
    let gauge = MetricValue::Gauge {
        value: 1.0,
        at: Duration::ZERO,
    };
    let counter = MetricValue::Counter {
        sum: Default::default(),
        events: 1,
    };
    let taken = [
        "le",
        "label_le",
        "test",
        "label_label_le",
        "__name__",
        "shop",
    ];
    add("basket", MetricKind::Values, &histogram, &taken);
    for ending in ["bucket", "count", "sum", "total", "created"] {
        add(
            &format!("basket_{ending}"),
            MetricKind::Gauge,
            &gauge,
            &taken,
        );
    }
    add("basket_count_total", MetricKind::Counter, &counter, &[]);
    add("order", MetricKind::Latency, &histogram, &[]);
    add("order_seconds", MetricKind::Gauge, &gauge, &[]);
    add("order_seconds_sum", MetricKind::Counter, &counter, &[]);
    add("sold", MetricKind::Counter, &counter, &[]);
    add("sold_total", MetricKind::Gauge, &gauge, &[]);
    run
}

#[test]
fn names_and_labels_in_each_others_way_are_told_apart() {
    for format in [Format::Text, Format::OpenMetrics] {
        let text = expose(&clashing(), &ClassicBuckets::default(), format);
        let text = String::from_utf8(text).unwrap();
        let mut families = std::collections::BTreeMap::new();
        let mut series = std::collections::BTreeSet::new();
        let mut family = "";
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                family = head.split(' ').next().unwrap();
                assert_eq!(families.insert(family, family), None, "{line}");
            }
            if line.starts_with('#') {
                continue;
            }
            let (name, labels) = line.split_once('{').unwrap();
            let owner = *families.entry(name).or_insert(family);
            assert_eq!(owner, family, "{line}");
            let (labels, _) = labels.rsplit_once('}').unwrap();
            assert!(series.insert((name, labels)), "{line}");
            let mut names = std::collections::BTreeSet::new();
            if !name.starts_with("mite_") {
                for label in labels.split(',') {
                    let (label, _) = label.split_once('=').unwrap();
                    assert!(names.insert(label), "{line}");
                }
            }
        }
        // A counter, its latest value, and the like: no two of twelve have become one.
        let own = text.lines().filter(|line| line.starts_with("# TYPE "));
        let own = own.filter(|line| !line.contains(" mite"));
        assert_eq!(own.count(), 12, "{text}");
    }
}

#[test]
fn a_name_of_ten_megabytes_is_cut() {
    let mut run = run();
    run.now.scenario = "long".repeat(2_500_000);
    let bytes = expose(&run, &ClassicBuckets::default(), Format::Text);
    assert!(bytes.len() < 200_000, "{}", bytes.len());
}

#[test]
fn the_protobuf_form_has_every_family_after_its_length() {
    let bytes = expose(&run(), &ClassicBuckets::default(), Format::Protobuf);
    let mut rest = bytes.as_slice();
    let mut names = Vec::new();
    while !rest.is_empty() {
        let length = variable(&mut rest) as usize;
        let (mut message, after) = rest.split_at(length);
        rest = after;
        assert_eq!(variable(&mut message), 1 << 3 | 2, "the name comes first");
        let length = variable(&mut message) as usize;
        names.push(String::from_utf8(message[..length].to_vec()).unwrap());
    }
    let text = text(Format::Text);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let in_text: Vec<_> = types.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, in_text);
}

fn variable(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            break;
        }
    }
    number
}
