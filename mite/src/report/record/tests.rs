//! Seconds to record, and files that break.

use std::fs;

use serde_json::json;

use super::*;
use crate::{
    event::What,
    id::{EntryId, TransactionId},
    stats::{
        HttpKey, JourneyKey, JourneyStatistics, RequestStatistics, TransactionKey,
        TransactionStatistics,
        metric::{Counter, Gauge, Histogram, Metric},
    },
};

/// A second in which nothing happened.
pub(super) fn idle(number: u64) -> RecordedSecond {
    RecordedSecond {
        from: Duration::from_secs(number),
        warming_up: false,
        point: SeriesPoint {
            at: number as f64 + 1.0,
            ..SeriesPoint::default()
        },
        statistics: Arc::default(),
    }
}

/// A second with eight runs of a journey of one request each, of which one failed; the others took
/// one to seven milliseconds.
pub(super) fn second(number: u64) -> RecordedSecond {
    let mut all = Statistics::default();
    let mut journey = JourneyStatistics {
        started: 9,
        completed: 7,
        failed: 1,
        dropped: 1,
        ..JourneyStatistics::default()
    };
    journey.users.in_flight = 3;
    let mut transaction = TransactionStatistics {
        count: 8,
        errors: 1,
        ..TransactionStatistics::default()
    };
    let mut request = RequestStatistics {
        count: 7,
        ..RequestStatistics::default()
    };
    let mut failed = RequestStatistics {
        count: 1,
        failed: 1,
        ..RequestStatistics::default()
    };
    for time in (1..8).map(Duration::from_millis) {
        for times in [
            &mut journey.response_time,
            &mut journey.service_time,
            &mut transaction.time,
            &mut request.time,
            &mut all.http.time,
        ] {
            times.record(time);
        }
    }
    failed.failed_time.record(Duration::from_millis(500));
    all.http.failed_time.record(Duration::from_millis(500));
    (all.http.requests, all.http.failed) = (8, 1);
    let name = JourneyKey {
        entry: EntryId(0),
        journey: "shop::buy".into(),
    };
    let transaction_name = TransactionKey {
        journey: "shop::buy".into(),
        transaction: "look".into(),
    };
    let key = |name: &str, status| HttpKey {
        journey: "shop::buy".into(),
        transaction: "look".into(),
        name: name.into(),
        method: "GET".into(),
        status: Some(status),
    };
    all.journeys.insert(name, journey);
    all.transactions.add(transaction_name, transaction);
    all.http.requests_by.add(key("GET /item/:id", 200), request);
    all.http
        .requests_by
        .add(key("GET /item, \"old\"\none", 500), failed);
    let mut second = idle(number);
    second.point.stage = Some("peak".into());
    (second.point.users, second.point.planned_starts) = (3, 10);
    (second.point.starts, second.point.requests) = (9, 8);
    (second.point.errors, second.point.dropped) = (1, 1);
    second.statistics = Arc::new(all);
    second
}

/// A second in which metrics of the user's own were counted, and nothing else.
pub(super) fn counted(number: u64) -> RecordedSecond {
    let metrics: Vec<Metric> = vec![
        Counter::new("items")
            .on("order")
            .value("items")
            .label("shop")
            .into(),
        Gauge::new("queue").on("order").value("queue").into(),
        Histogram::new("basket").on("order").value("items").into(),
        Histogram::new("paid").on("order").seconds("paid").into(),
    ];
    let journeys = vec!["shop::buy".into()];
    let mut recorder = crate::stats::Recorder::new(journeys, 10, metrics);
    for (at, order) in [
        (
            0,
            json!({"shop": "=north, \"1\"\n", "items": 0.1, "queue": 7, "paid": 0.25}),
        ),
        (
            1,
            json!({"shop": "hunter2", "items": 0.2, "queue": 9, "paid": 0.5}),
        ),
        (
            2,
            json!({"shop": "hunter2", "items": 1, "queue": -3, "paid": 0.5}),
        ),
    ] {
        let at = Duration::from_millis(1000 * number + at);
        let what = What::Custom {
            kind: "order",
            value: &order,
        };
        recorder.record(at, EntryId(0), TransactionId::ROOT, &what);
    }
    let mut second = idle(number);
    second.statistics = Arc::new(recorder.take());
    second
}

/// Takes a second, and then no more.
struct Full(u32);

impl Recording for Full {
    fn second(&mut self, _: &RecordedSecond) -> io::Result<()> {
        self.0 += 1;
        match self.0 {
            1 => Ok(()),
            2 => Err(io::ErrorKind::StorageFull.into()),
            _ => panic!("it is left alone"),
        }
    }
}

#[test]
fn a_file_that_breaks_is_told_once_and_costs_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let [broken, whole] = ["a.csv", "b.csv"].map(|name| directory.path().join(name));
    let config = Config::default();
    let beginning = Beginning {
        started: SystemTime::now(),
        config: &config,
    };
    let begin = |path, begin| RecordedFile::begin(path, begin, &beginning).unwrap();
    let mut files = [
        begin(&broken, |_, _| Ok(Box::new(Full(0)))),
        begin(&whole, Csv::begin),
    ];
    let told: Vec<_> = (0..5)
        .flat_map(|number| {
            files
                .each_mut()
                .map(|file| file.second(&second(number)).err())
        })
        .flatten()
        .collect();
    assert_eq!(told.len(), 1);
    let message = told[0].to_string();
    assert!(
        message.contains("a.csv any more, 1 s into the run"),
        "{message}"
    );
    assert!(message.contains("the run goes on"), "{message}");
    assert_eq!(
        fs::read_to_string(&whole).unwrap().matches(",run,").count(),
        5
    );
}
