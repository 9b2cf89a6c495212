//! What a recorder counts, and that adding snapshots up loses nothing.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use ::http::{Method, Version};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{capped::MORE, http::HttpStatistics};
use super::{
    metric::{Counter, Gauge, Histogram, Metric},
    *,
};
use crate::{
    event::{Failure, HttpRequest, JourneyEnd, Outcome, PHASES, Timings, TransactionEnd, What},
    id::{EntryId, TransactionId},
};

const FIRST: EntryId = EntryId(0);
const ROOT: TransactionId = TransactionId::ROOT;
const MS: Duration = Duration::from_millis(1);

fn recorder(cap: usize, metrics: Vec<Metric>) -> Recorder {
    let journeys = ["shop::sign_in", "shop::browse", "shop::sign_in"];
    Recorder::new(journeys.map(Arc::from).to_vec(), cap, metrics)
}

/// Those of a request over a new connection without TLS.
static TIMINGS: LazyLock<Timings> = LazyLock::new(|| Timings {
    connect: Some(MS),
    sent: Some(MS),
    first_byte: Some(15 * MS),
    body: Some(3 * MS),
    total: 20 * MS,
    bytes_sent: 10,
    bytes_received: 100,
    encoded_body_bytes: 40,
    decoded_body_bytes: 90,
    version: Some(Version::HTTP_11),
    ..Timings::default()
});

fn request(name: &str, status: Option<u16>) -> HttpRequest<'_> {
    HttpRequest {
        name,
        method: &Method::GET,
        status,
        failed: status.is_none_or(|status| status >= 400),
        sent: true,
        error: None,
        timings: &TIMINGS,
        labels: &[],
    }
}

fn send(recorder: &mut Recorder, request: &HttpRequest<'_>) {
    recorder.record(Duration::ZERO, FIRST, ROOT, &What::Http(request));
}

fn fail(recorder: &mut Recorder, kind: &str, message: &str) {
    let failure = Failure {
        kind,
        message,
        location: "src/main.rs:12",
    };
    recorder.record(Duration::ZERO, FIRST, ROOT, &What::Failure(&failure));
}

fn custom(recorder: &mut Recorder, seconds: u64, kind: &str, value: &Value) {
    let what = What::Custom { kind, value };
    recorder.record(Duration::from_secs(seconds), FIRST, ROOT, &what);
}

fn journey(outcome: Outcome, time: Duration) -> JourneyEnd {
    JourneyEnd {
        outcome,
        service_time: time,
        response_time: time + 5 * MS,
        start_delay: Some(5 * MS),
    }
}

#[test]
fn quick_failures_do_not_flatter_the_times_of_journeys_and_transactions() {
    let mut recorder = recorder(10, Vec::new());
    let id = recorder.transaction(FIRST, ROOT, "sign in");
    for (outcome, failed, time) in [
        (Outcome::Completed, false, 100 * MS),
        (Outcome::Failed, true, MS),
        (Outcome::Interrupted, true, 2 * MS),
    ] {
        recorder.journey_started(FIRST, Some(5 * MS));
        let end = TransactionEnd { time, failed };
        recorder.record(time, FIRST, id, &What::Transaction(&end));
        recorder.record(time, FIRST, ROOT, &What::Journey(&journey(outcome, time)));
    }
    recorder.dropped(FIRST, 7);
    let taken = recorder.take();
    let (key, row) = taken.journeys.first_key_value().unwrap();
    assert_eq!((key.entry, key.journey.as_ref()), (FIRST, "shop::sign_in"));
    assert_eq!(
        (
            row.started,
            row.completed,
            row.failed,
            row.interrupted,
            row.dropped
        ),
        (3, 1, 1, 1, 7)
    );
    assert_eq!(row.service_time.min(), Some(100 * MS));
    assert_eq!(row.response_time.min(), Some(105 * MS));
    assert_eq!(row.failed_time.max(), Some(6 * MS));
    assert_eq!(row.start_delay.count(), 3);
    let (key, row) = taken.transactions.iter().next().unwrap();
    assert_eq!(key.transaction.as_ref(), "sign in");
    assert_eq!((row.count, row.errors, row.time.count()), (3, 2, 1));
    assert_eq!(row.failed_time.count(), 2);
}

#[test]
fn entries_of_one_journey_are_two_rows_but_share_their_transactions() {
    let mut recorder = recorder(10, Vec::new());
    let first = recorder.transaction(FIRST, ROOT, "sign in");
    assert_eq!(recorder.transaction(EntryId(2), ROOT, "sign in"), first);
    assert_ne!(recorder.transaction(EntryId(1), ROOT, "sign in"), first);
    assert_eq!(recorder.journey(EntryId(1)).as_ref(), "shop::browse");
    assert_eq!(recorder.take().journeys.len(), 3);
}

#[test]
fn nested_transactions_join_their_names() {
    let mut recorder = recorder(10, Vec::new());
    let outer = recorder.transaction(FIRST, ROOT, "buy");
    let inner = recorder.transaction(FIRST, outer, "pay");
    assert_eq!(recorder.path(inner).as_ref(), "buy :: pay");
    assert_eq!(recorder.path(ROOT).as_ref(), "");
    let alone = recorder.transaction(FIRST, ROOT, "pay");
    assert_eq!(recorder.path(alone).as_ref(), "pay");
    recorder.take();
    assert_eq!(recorder.transaction(FIRST, outer, "pay"), inner);
}

#[test]
fn a_request_never_written_is_no_request() {
    let mut recorder = recorder(10, Vec::new());
    let unsent = HttpRequest {
        sent: false,
        error: Some("connect"),
        ..request("GET /", None)
    };
    send(&mut recorder, &unsent);
    send(&mut recorder, &request("GET /", Some(503)));
    send(&mut recorder, &request("GET /", Some(200)));
    let http = recorder.take().http;
    assert_eq!((http.requests, http.failed), (2, 1));
    assert_eq!((http.time.count(), http.failed_time.count()), (1, 1));
    assert_eq!((http.bytes_sent, http.bytes_received), (20, 200));
    let statuses: Vec<_> = http.requests_by.iter().map(|(key, _)| key.status).collect();
    assert_eq!(statuses, [Some(200), Some(503)]);
    let (_, row) = http.requests_by.iter().next().unwrap();
    assert_eq!(
        ["connect", "dns", "first_byte"].map(|phase| row.phases.get(phase).unwrap().count()),
        [1, 0, 1]
    );
}

#[test]
fn phases_and_body_sizes_of_all_requests_are_those_of_the_rows_together() {
    let mut recorder = recorder(1, Vec::new());
    send(&mut recorder, &request("GET /", Some(200)));
    // Over the cap, so it shares the row of the rest.
    send(&mut recorder, &request("GET /other", Some(200)));
    let waited = Timings {
        waiting: Some(MS),
        connect: None,
        first_byte: None,
        body: None,
        total: 30 * MS,
        encoded_body_bytes: 0,
        decoded_body_bytes: 0,
        ..*TIMINGS
    };
    let cut = HttpRequest {
        timings: &waited,
        error: Some("timeout"),
        ..request("GET /", None)
    };
    send(&mut recorder, &cut);
    let http = recorder.take().http;
    let phases = http.phases();
    let of = |phase: &str| {
        let times = phases.get(phase).unwrap();
        (times.count(), times.max().unwrap_or_default())
    };
    assert_eq!(
        PHASES.map(of),
        [
            (1, MS),
            (0, Duration::ZERO),
            (2, MS),
            (0, Duration::ZERO),
            (3, MS),
            (2, 15 * MS),
            (2, 3 * MS)
        ]
    );
    assert_eq!(
        (http.encoded_body_bytes(), http.decoded_body_bytes()),
        (80, 180)
    );
    assert!(phases.get("total").is_none());
}

#[test]
fn transport_errors_are_counted_by_kind_whether_or_not_anything_was_written() {
    let mut recorder = recorder(10, Vec::new());
    for (kind, sent) in [("timeout", true), ("timeout", false), ("dns", false)] {
        let request = HttpRequest {
            error: Some(kind),
            sent,
            ..request("GET /", None)
        };
        send(&mut recorder, &request);
    }
    send(&mut recorder, &request("GET /", Some(503)));
    let http = recorder.take().http;
    let errors: Vec<_> = http.errors.iter().map(|(kind, n)| (&**kind, *n)).collect();
    assert_eq!(errors, [("dns", 1), ("timeout", 2)]);
    assert_eq!(http.requests, 2);
}

#[test]
fn transactions_of_the_same_path_share_a_row_however_they_are_nested() {
    let mut recorder = recorder(1000, Vec::new());
    let outer = recorder.transaction(FIRST, ROOT, "a");
    let nested = recorder.transaction(FIRST, outer, "b");
    let named = recorder.transaction(FIRST, ROOT, "a :: b");
    assert_ne!(nested, named);
    for transaction in [nested, named] {
        let end = TransactionEnd {
            failed: false,
            time: MS,
        };
        recorder.record(Duration::ZERO, FIRST, transaction, &What::Transaction(&end));
        let request = request("GET /", Some(200));
        recorder.record(Duration::ZERO, FIRST, transaction, &What::Http(&request));
    }
    let taken = recorder.take();
    let counts = taken.transactions.iter().map(|(_, row)| row.count);
    assert_eq!(counts.collect::<Vec<_>>(), [2]);
    let counts = taken.http.requests_by.iter().map(|(_, row)| row.count);
    assert_eq!(counts.collect::<Vec<_>>(), [2]);
}

#[test]
fn requests_are_counted_by_version_and_resumed_handshakes_among_all() {
    let mut recorder = recorder(10, Vec::new());
    for version in [Version::HTTP_11, Version::HTTP_2, Version::HTTP_2] {
        let timings = Timings {
            version: Some(version),
            ..*TIMINGS
        };
        let request = HttpRequest {
            timings: &timings,
            ..request("GET /", Some(200))
        };
        send(&mut recorder, &request);
    }
    for (tls_resumed, passed_over) in [(None, 0), (Some(false), 2), (Some(true), 1)] {
        recorder.connection_opened(tls_resumed, passed_over);
    }
    let mut http = Statistics::default();
    http.merge(recorder.take());
    http.merge(recorder.take());
    let http = http.http;
    let versions: Vec<_> = http.versions.iter().collect();
    assert_eq!(versions, [(Version::HTTP_11, 1), (Version::HTTP_2, 2)]);
    let connections = http.connections;
    assert_eq!(
        [
            connections.opened,
            connections.tls_handshakes,
            connections.tls_resumed,
            connections.fallbacks
        ],
        [3, 2, 1, 3]
    );
}

#[test]
fn a_request_given_up_is_counted_and_named_among_the_errors() {
    let mut recorder = recorder(10, Vec::new());
    let cut = HttpRequest {
        error: Some("interrupted"),
        ..request("GET /slow", None)
    };
    send(&mut recorder, &cut);
    let taken = recorder.take();
    assert_eq!((taken.http.requests, taken.http.failed), (1, 1));
    let (key, count) = taken.errors.iter().next().unwrap();
    assert_eq!(
        (key.kind.as_ref(), key.location.as_ref(), *count),
        ("interrupted", "", 1)
    );
    assert!(key.message.contains("GET /slow"), "{}", key.message);
}

#[test]
fn an_allowed_404_and_a_forbidden_one_keep_their_times_apart() {
    let mut recorder = recorder(10, Vec::new());
    send(&mut recorder, &request("GET /", Some(404)));
    send(
        &mut recorder,
        &HttpRequest {
            failed: false,
            ..request("GET /", Some(404))
        },
    );
    let taken = recorder.take();
    let (_, row) = taken.http.requests_by.iter().next().unwrap();
    assert_eq!((row.count, row.failed), (2, 1));
    assert_eq!((row.time.count(), row.failed_time.count()), (1, 1));
    assert_eq!(row.all_time().count(), 2);
}

#[test]
fn names_beyond_the_cap_share_a_visible_series_and_still_count_in_totals() {
    let mut recorder = recorder(2, Vec::new());
    for n in 0..10 {
        let name = format!("GET /item/{n}");
        send(&mut recorder, &request(&name, Some(200)));
        let id = recorder.transaction(FIRST, ROOT, &name);
        let end = TransactionEnd {
            time: MS,
            failed: false,
        };
        recorder.record(MS, FIRST, id, &What::Transaction(&end));
        if n >= 2 {
            let inner = recorder.transaction(FIRST, id, "inner");
            assert_eq!(recorder.path(inner).as_ref(), MORE);
        }
        fail(&mut recorder, "error", &format!("item {n} is missing"));
    }
    let taken = recorder.take();
    assert_eq!(taken.http.requests, 10);
    let rows: Vec<_> = taken.http.requests_by.iter().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[2].0.name.as_ref(), rows[2].1.count), (MORE, 8));
    let rows: Vec<_> = taken.transactions.iter().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[2].0.transaction.as_ref(), rows[2].1.count), (MORE, 8));
    let rows: Vec<_> = taken.errors.iter().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[2].0.message.as_ref(), *rows[2].1), (MORE, 8));
    assert_eq!(rows[2].0.location.as_ref(), "src/main.rs:12");
}

#[test]
fn paths_made_of_few_names_are_capped_too() {
    let mut recorder = recorder(2, Vec::new());
    let a = recorder.transaction(FIRST, ROOT, "a");
    let b = recorder.transaction(FIRST, a, "b");
    let c = recorder.transaction(FIRST, b, "a");
    let paths = [a, b, c].map(|id| recorder.path(id).to_string());
    assert_eq!(paths, ["a", "a :: b", MORE]);
}

#[test]
fn long_messages_are_cut_between_characters() {
    let mut recorder = recorder(10, Vec::new());
    fail(&mut recorder, "error", &"ü".repeat(10_000));
    fail(&mut recorder, "error", &"ü".repeat(20_000));
    let taken = recorder.take();
    let rows: Vec<_> = taken.errors.iter().collect();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].0.message.chars().count(), *rows[0].1), (500, 2));
}

#[test]
fn each_take_has_only_what_came_since_the_last() {
    let mut recorder = recorder(10, Vec::new());
    send(&mut recorder, &request("GET /", Some(200)));
    fail(&mut recorder, "error", "no");
    recorder.connection_opened(Some(true), 1);
    recorder.loop_lag(MS);
    assert_eq!(recorder.take().http.requests_by.iter().count(), 1);
    let second = recorder.take();
    assert_eq!(second.http, HttpStatistics::default());
    assert!(second.errors.is_empty());
    assert!(second.generator.loop_lag.is_empty());
}

#[test]
fn metrics_of_the_users_own_count_what_they_are_bound_to() {
    let mut recorder = recorder(
        10,
        vec![
            Counter::new("sold")
                .on("basket")
                .value("items")
                .label_as("at", "shop")
                .into(),
            Gauge::new("last").on("basket").value("total").into(),
            Histogram::new("took").on("basket").seconds("took").into(),
            Counter::new("not_found")
                .on("http")
                .filter(|event| event.field("status") == Some(json!(404)))
                .label("journey")
                .into(),
        ],
    );
    assert!(recorder.wants("basket") && !recorder.wants("order"));
    for (at, shop, total) in [(3, "york", 9.5), (2, "bath", 4.25), (1, "york", 1.0)] {
        let value = json!({"items": 0.1, "shop": shop, "total": total, "took": 0.25});
        custom(&mut recorder, at, "basket", &value);
    }
    custom(
        &mut recorder,
        9,
        "basket",
        &json!({"items": -1, "total": "much"}),
    );
    send(&mut recorder, &request("GET /", Some(404)));
    send(&mut recorder, &request("GET /", Some(200)));
    let taken = recorder.take();
    let series: Vec<_> = taken.metrics["sold"]
        .series
        .iter()
        .map(|(labels, value)| {
            let MetricValue::Counter { sum, events } = value else {
                panic!("{value:?} is no counter");
            };
            (labels.get("at").unwrap(), sum.value(), *events)
        })
        .collect();
    assert_eq!(series, [("bath", 0.1, 1), ("york", 0.2, 2)]);
    let (_, gauge) = taken.metrics["last"].series.iter().next().unwrap();
    assert_eq!(
        gauge,
        &MetricValue::Gauge {
            value: 9.5,
            at: Duration::from_secs(3)
        }
    );
    let (_, MetricValue::Histogram(took)) = taken.metrics["took"].series.iter().next().unwrap()
    else {
        panic!("no histogram");
    };
    assert_eq!((took.count(), took.max()), (3, Some(250 * MS)));
    let (labels, _) = taken.metrics["not_found"].series.iter().next().unwrap();
    assert_eq!(labels.get("journey"), Some("shop::sign_in"));
    assert!(recorder.take().metrics.is_empty());
}

#[test]
fn what_a_callback_adds_to_a_request_feeds_metrics_bound_to_requests() {
    let mut recorder = recorder(
        10,
        vec![
            Counter::new("requests").on("http").label("cache").into(),
            Counter::new("rows").on("http").value("db_rows").into(),
            Histogram::new("db").on("http").value("db_ms").into(),
        ],
    );
    let hit = [("cache".into(), json!("hit"))];
    let miss = [
        ("cache".into(), json!("miss")),
        ("db_ms".into(), json!(12.5)),
        ("db_rows".into(), json!(3)),
    ];
    let odd = [
        ("cache".into(), json!("miss")),
        ("db_ms".into(), json!("slow")),
    ];
    for labels in [&hit[..], &miss[..], &odd[..], &[]] {
        let request = HttpRequest {
            labels,
            ..request("GET /", Some(200))
        };
        send(&mut recorder, &request);
    }
    let metrics = recorder.take().metrics;
    let cached: Vec<_> = metrics["requests"]
        .series
        .iter()
        .map(|(labels, value)| match value {
            MetricValue::Counter { sum, .. } => (labels.get("cache").unwrap(), sum.value()),
            other => panic!("{other:?} is no counter"),
        })
        .collect();
    assert_eq!(
        cached,
        [("", 1.0), ("hit", 1.0), ("miss", 2.0)],
        "one without the label has it empty"
    );
    let (_, rows) = metrics["rows"].series.iter().next().unwrap();
    assert!(
        matches!(rows, MetricValue::Counter { sum, events: 1 } if sum.value() == 3.0),
        "{rows:?}"
    );
    let (_, MetricValue::Histogram(db)) = metrics["db"].series.iter().next().unwrap() else {
        panic!("no histogram");
    };
    assert_eq!(
        (db.count(), db.max()),
        (1, Some(Duration::from_millis(12_500))),
        "one without the number, or with a text there, does not count"
    );
}

#[test]
fn label_values_beyond_the_cap_share_a_series() {
    let mut recorder = recorder(2, vec![Counter::new("seen").on("item").label("id").into()]);
    for n in 0..5 {
        custom(&mut recorder, 0, "item", &json!({ "id": n }));
    }
    let taken = recorder.take();
    let ids: Vec<_> = taken.metrics["seen"]
        .series
        .iter()
        .map(|(labels, _)| labels.get("id").unwrap())
        .collect();
    assert_eq!(ids, ["0", "1", MORE]);
}

#[test]
fn users_add_over_workers_and_follow_over_time() {
    let second = |in_flight, peak| {
        let mut recorder = recorder(10, Vec::new());
        recorder.users(
            FIRST,
            UserTime {
                wanted: Duration::from_secs(10),
                unmet: Duration::from_secs(1),
                in_flight,
                peak,
            },
        );
        recorder.take()
    };
    let mut now = second(5, 8);
    now.merge(second(6, 7));
    let mut total = now.clone();
    total.follow(second(3, 4));
    let users = total.journeys.values().next().unwrap().users;
    assert_eq!((users.in_flight, users.peak), (3, 15));
    assert_eq!(users.wanted, Duration::from_secs(30));
    assert_eq!(users.unmet, Duration::from_secs(3));
}

/// Something that happened, in a form that can be made at random.
#[derive(Clone, Debug)]
enum Happening {
    Journey(u32, bool, u64),
    Transaction(u32, u8, bool, u64),
    Http(u32, u8, u16, u64),
    Failure(u8),
    Basket(u64, u8, u32),
}

fn happening() -> impl Strategy<Value = Happening> {
    let nanos = 0u64..20_000_000_000;
    prop_oneof![
        (0u32..3, any::<bool>(), nanos.clone()).prop_map(|(a, b, c)| Happening::Journey(a, b, c)),
        (0u32..3, 0u8..4, any::<bool>(), nanos.clone())
            .prop_map(|(a, b, c, d)| Happening::Transaction(a, b, c, d)),
        (
            0u32..3,
            0u8..4,
            prop::sample::select(vec![200u16, 404, 503]),
            nanos
        )
            .prop_map(|(a, b, c, d)| Happening::Http(a, b, c, d)),
        (0u8..4).prop_map(Happening::Failure),
        (0u64..5, 0u8..4, 0u32..1000).prop_map(|(a, b, c)| Happening::Basket(a, b, c)),
    ]
}

fn recorded(happenings: &[Happening], cap: usize) -> Statistics {
    let mut recorder = recorder(
        cap,
        vec![
            Counter::new("sold")
                .on("basket")
                .value("total")
                .label("shop")
                .into(),
            Gauge::new("last")
                .on("basket")
                .value("total")
                .label("shop")
                .into(),
            Histogram::new("totals").on("basket").value("total").into(),
        ],
    );
    for happening in happenings {
        match *happening {
            Happening::Journey(entry, failed, nanos) => {
                let outcome = if failed {
                    Outcome::Failed
                } else {
                    Outcome::Completed
                };
                let end = journey(outcome, Duration::from_nanos(nanos));
                recorder.journey_started(EntryId(entry), None);
                recorder.record(MS, EntryId(entry), ROOT, &What::Journey(&end));
            }
            Happening::Transaction(entry, name, failed, nanos) => {
                let entry = EntryId(entry);
                let outer = recorder.transaction(entry, ROOT, "outer");
                let id = recorder.transaction(entry, outer, &name.to_string());
                let end = TransactionEnd {
                    time: Duration::from_nanos(nanos),
                    failed,
                };
                recorder.record(MS, entry, id, &What::Transaction(&end));
            }
            Happening::Http(entry, name, status, nanos) => {
                let name = name.to_string();
                let total = Duration::from_nanos(nanos);
                let timings = Timings {
                    total,
                    body: Some(total),
                    version: (status == 200).then_some(Version::HTTP_2),
                    decoded_body_bytes: nanos,
                    ..*TIMINGS
                };
                let request = HttpRequest {
                    error: (status == 503).then_some("timeout"),
                    timings: &timings,
                    ..request(&name, Some(status))
                };
                recorder.record(MS, EntryId(entry), ROOT, &What::Http(&request));
            }
            Happening::Failure(message) => {
                fail(&mut recorder, "error", &message.to_string());
            }
            Happening::Basket(at, shop, total) => {
                let total = f64::from(total) / 7.0;
                custom(
                    &mut recorder,
                    at,
                    "basket",
                    &json!({"shop": shop, "total": total}),
                );
            }
        }
    }
    recorder.take()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn snapshots_added_in_any_order_and_grouping_equal_recording_everything_in_one(
        happenings in prop::collection::vec(happening(), 0..80),
        workers in 1usize..5,
    ) {
        let whole = recorded(&happenings, 1000);
        let size = happenings.len().div_ceil(workers).max(1);
        let parts: Vec<_> = happenings.chunks(size).map(|part| recorded(part, 1000)).collect();
        let sum = |parts: &[Statistics]| {
            parts.iter().cloned().fold(recorded(&[], 1000), |mut sum, part| {
                sum.merge(part);
                sum
            })
        };
        let reversed: Vec<_> = parts.iter().rev().cloned().collect();
        let grouped: Vec<_> = parts.chunks(2).map(sum).collect();
        prop_assert_eq!(&sum(&parts), &whole);
        prop_assert_eq!(&sum(&reversed), &whole);
        prop_assert_eq!(&sum(&grouped), &whole);
    }

    #[test]
    fn over_the_cap_no_row_goes_away_and_what_is_told_of_the_parts_adds_up(
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let mut whole = Statistics::new(2);
        let mut told = Statistics::new(2);
        for part in happenings.chunks(7) {
            let mut part = recorded(part, 3);
            part.cap = 2;
            let before = whole.clone();
            whole.merge(part.clone());
            part.conform(&whole);
            told.gather(part);
            for (key, row) in before.http.requests_by.iter() {
                let later = whole.http.requests_by.iter().find(|(other, _)| *other == key);
                prop_assert!(later.is_some_and(|(_, later)| later.count >= row.count));
            }
        }
        prop_assert_eq!(&told, &whole);
        prop_assert_eq!(whole.http.requests, recorded(&happenings, 2).http.requests);
        let rows: u64 = whole.http.requests_by.iter().map(|(_, row)| row.count).sum();
        prop_assert_eq!(rows, whole.http.requests);
        for (key, row) in whole.http.requests_by.iter() {
            let answered = key.status.is_some();
            prop_assert!(answered || row.count == 0, "each was answered: {:?}", key);
        }
    }

    #[test]
    fn a_snapshot_survives_the_wire(happenings in prop::collection::vec(happening(), 0..40)) {
        let statistics = recorded(&happenings, 2);
        let bytes = rmp_serde::to_vec_named(&statistics).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<Statistics>(&bytes).unwrap(), statistics);
    }
}

#[test]
fn an_event_at_which_a_filter_panics_does_not_count() {
    let picky = Counter::new("picky")
        .on("basket")
        .filter(|event| event.field("items").unwrap() != json!(0));
    let mut recorder = recorder(10, vec![picky.into()]);
    for value in [json!({"items": 1}), json!({}), json!({"items": 2})] {
        custom(&mut recorder, 1, "basket", &value);
    }
    let metrics = recorder.take().metrics;
    let series: Vec<_> = metrics["picky"].series.iter().collect();
    let (_, MetricValue::Counter { events, .. }) = series[0] else {
        panic!("{series:?}")
    };
    assert_eq!(*events, 2);
}
