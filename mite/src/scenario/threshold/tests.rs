//! What thresholds accept, what they say of what they do not, and how they come out.

use std::{sync::Arc, time::Duration};

use http::Method;
use serde_json::json;

use super::*;
use crate::{
    event::{Failure, HttpRequest, JourneyEnd, Outcome, Timings, TransactionEnd, What},
    id::{EntryId, TransactionId},
    stats::{
        Recorder,
        metric::{Counter, Gauge, Histogram},
    },
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const ROOT: TransactionId = TransactionId::ROOT;

fn parse(expression: &str) -> Threshold {
    Threshold::parse(expression).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(expression: &str) -> String {
    let message = Threshold::parse(expression).unwrap_err().to_string();
    let start = format!("the threshold `{expression}`: ");
    assert!(!message.contains('\n'), "one paragraph: {message}");
    message
        .strip_prefix(&start)
        .unwrap_or_else(|| panic!("{message}"))
        .to_owned()
}

fn metrics() -> Vec<Metric> {
    vec![
        Counter::new("items_sold")
            .on("basket")
            .value("items")
            .label("shop")
            .into(),
        Gauge::new("queue").on("queue").value("length").into(),
        Histogram::new("took").on("basket").seconds("took").into(),
        Histogram::new("size").on("basket").value("items").into(),
    ]
}

/// A worker's second, told in words.
struct Second(Recorder);

impl Second {
    fn new() -> Self {
        let journeys = ["shop::sign_in", "shop::browse"].map(Arc::from).to_vec();
        Self(Recorder::new(journeys, 1000, metrics()))
    }

    fn http(self, name: &str, status: u16, total: Duration) -> Self {
        let timings = Timings {
            total,
            ..Timings::default()
        };
        self.request(name, status, &timings, None)
    }

    fn request(mut self, name: &str, status: u16, timings: &Timings, error: Option<&str>) -> Self {
        let request = HttpRequest {
            name,
            method: &Method::GET,
            status: (status > 0).then_some(status),
            failed: !(200..400).contains(&status),
            sent: timings.total > Duration::ZERO,
            error,
            timings,
            labels: &[],
        };
        self.0.record(MS, EntryId(0), ROOT, &What::Http(&request));
        self
    }

    fn journey(mut self, entry: u32, outcome: Outcome, time: Duration) -> Self {
        let end = JourneyEnd {
            outcome,
            service_time: MS,
            response_time: time,
            start_delay: Some(2 * MS),
        };
        self.0.journey_started(EntryId(entry), end.start_delay);
        self.0
            .record(MS, EntryId(entry), ROOT, &What::Journey(&end));
        self
    }

    fn transaction(mut self, entry: u32, name: &str, failed: bool, time: Duration) -> Self {
        let id = self.0.transaction(EntryId(entry), ROOT, name);
        let end = TransactionEnd { time, failed };
        self.0
            .record(MS, EntryId(entry), id, &What::Transaction(&end));
        self
    }

    fn failure(mut self, kind: &str) -> Self {
        let failure = Failure {
            kind,
            message: "no",
            location: "src/main.rs:12",
        };
        self.0
            .record(MS, EntryId(0), ROOT, &What::Failure(&failure));
        self
    }

    fn send(mut self, at: Duration, kind: &str, value: &serde_json::Value) -> Self {
        self.0
            .record(at, EntryId(0), ROOT, &What::Custom { kind, value });
        self
    }

    fn done(mut self) -> Statistics {
        self.0.take()
    }
}

/// The value and the verdict after ten seconds.
fn judged(expression: &str, statistics: &Statistics) -> (Option<f64>, bool) {
    let mut threshold = parse(expression);
    threshold
        .validate(&metrics(), &["shop::sign_in", "shop::browse"])
        .unwrap_or_else(|error| panic!("{error}"));
    let Evaluation { value, passed } = threshold.evaluate(statistics, 10 * SECOND);
    (value, passed)
}

#[test]
fn every_part_of_the_grammar_is_read() {
    let threshold = parse(
        r#"  http{name="GET \"a\"", status = "200",}.p99.9<=1m30.5s over 10s abort after 1m "#,
    );
    assert_eq!(threshold.subject, Subject::Http);
    let labels = [("name", "GET \"a\""), ("status", "200")];
    assert_eq!(
        threshold.labels,
        labels.map(|(name, value)| (name.into(), value.into()))
    );
    assert_eq!(threshold.stat, Stat::Quantile(99.9 / 100.0));
    assert_eq!(threshold.operator, Operator::LessOrEqual);
    assert_eq!(
        (threshold.limit.value, threshold.limit.unit),
        (90.5, Unit::Time)
    );
    assert_eq!(threshold.window(), Some(10 * SECOND));
    assert_eq!(threshold.abort(), Some(Abort { after: 60 * SECOND }));
    assert_eq!(
        parse("errors.rate < 1% abort").abort(),
        Some(Abort {
            after: Duration::ZERO
        })
    );
    assert!(parse("errors.rate < 1%").is_on_errors());
    assert_eq!(parse(" http.count > 5 ").to_string(), "http.count > 5");
}

#[test]
fn values_are_read_in_their_units() {
    for (text, value) in [
        ("http.p99 < 250ms", 0.25),
        ("http.mean < 1m30s", 90.0),
        ("http.max < 1.5s", 1.5),
        ("http.max < 250us", 0.00025),
        ("errors.rate < 0.5%", 0.005),
        ("http.rate > 100/s", 100.0),
        ("http.rate > 100", 100.0),
        ("dropped.count == 0", 0.0),
        ("queue.value > -3", -3.0),
    ] {
        let read = parse(text).limit.value;
        assert!((read - value).abs() < 1e-12, "{text}: {read}");
    }
}

#[test]
fn each_mistake_is_named_with_what_would_be_right() {
    for (expression, wanted) in [
        ("", "it must begin with a subject (http, journey,"),
        ("{a=\"b\"}.p99 < 1s", "not with \"{a=\"b\"}.p99\""),
        (
            "http",
            "after \"http\" comes a point and a stat (count, rate, min,",
        ),
        ("http p99 < 1s", "not \"p99\""),
        ("http.p999 < 1s", "there is no stat \"p999\""),
        ("http.p99_9 < 1s", "did you mean \"p99.9\"?"),
        (
            "http.avarage < 1s",
            "there is no stat \"avarage\"; \"http\" has count, rate",
        ),
        ("http.maen < 1s", "did you mean \"mean\"?"),
        (
            "errors.p99 < 1s",
            "\"errors\" has no stat \"p99\"; it has count and rate",
        ),
        ("http.value < 1", "\"http\" has no stat \"value\""),
        (
            "http.p99",
            "after the stat comes <, <=, >, >=, == or !=, not nothing",
        ),
        ("http.p99 = 1s", "not \"=\" (equality is ==)"),
        ("http.p99 <", "nothing is no value to compare with"),
        (
            "http.p99 < fast",
            "\"fast\" is no value to compare with; write a time such as 250ms",
        ),
        ("http.p99 < inf", "\"inf\" is no value"),
        (
            "http.p99 < 250",
            "compared with \"250\"; write a time, such as 250ms or 250s",
        ),
        ("http.p99 < 1%", "write a time, such as 1ms or 1s"),
        ("errors.rate < 0.01", "write a percentage, such as 0.01%"),
        (
            "http.count > 5ms",
            "write a number without a unit, such as 5",
        ),
        ("http.rate > 5ms", "write a number such as 5/s"),
        (
            "http{nam=\"x\"}.p99 < 1s",
            "no label \"nam\" (did you mean \"name\"?)",
        ),
        (
            "dropped{name=\"x\"}.count < 1",
            "\"dropped\" has no label \"name\"; its labels are jour",
        ),
        (
            "http{name=x}.p99 < 1s",
            "must stand between double quotes: name=\"…\"",
        ),
        (
            "http{name=\"x}.p99 < 1s",
            "must stand between double quotes",
        ),
        (
            "http{name \"x\"}.p99 < 1s",
            "labels such as {name=\"GET /\"}",
        ),
        (
            "http{name=\"x\" method=\"y\"}.p99 < 1s",
            "comes a comma or a closing brace",
        ),
        (
            "http{name=\"x\",name=\"y\"}.p99 < 1s",
            "the label \"name\" twice",
        ),
        (
            "http{outcome=\"bad\"}.p99 < 1s",
            "is \"ok\" or \"failed\", not \"bad\"",
        ),
        (
            "http{phase=\"firstbyte\"}.p99 < 1s",
            "no phase of a request \"firstbyte\" (did you mean \"first_byte\"?); the phases are \
             waiting, dns, connect, tls, sent, first_byte, body",
        ),
        (
            "http{error=\"timeuot\"}.count < 1",
            "no kind of transport error \"timeuot\" (did you mean \"timeout\"?); the kinds are dns,",
        ),
        (
            "http{phase=\"tls\",outcome=\"ok\"}.p99 < 1s",
            "\"phase\" does not go with \"outcome\"",
        ),
        (
            "http{name=\"x\",error=\"reset\"}.count < 1",
            "\"error\" does not go with \"name\"; for a part of them look at failures, such as \
             errors{kind=\"reset\",",
        ),
        (
            "http{error=\"reset\"}.p99 < 1s",
            "have count and rate, but no times; {outcome=\"failed\"} selects",
        ),
        (
            "journey{phase=\"tls\"}.p99 < 1s",
            "\"journey\" has no label \"phase\"",
        ),
        (
            "http.p99 < 1s over",
            "after \"over\" comes a time such as 10s or 1m30s, not nothing",
        ),
        ("http.p99 < 1s over 10", "not \"10\""),
        ("http.p99 < 1s over 1ms", "at least a second long"),
        (
            "http.p99 < 1s abort after soon",
            "after \"after\" comes a time",
        ),
        (
            "http.p99 < 1s abort over 10s",
            "\"over\" is too much; what may follow",
        ),
        ("http.p99 < 250 ms", "such as 250ms"),
        (
            "wait.p99 < 1%",
            "a metric of your own cannot be compared with \"1%\"",
        ),
    ] {
        let message = refusal(expression);
        assert!(message.contains(wanted), "{expression}: {message}");
    }
}

#[test]
fn what_only_the_scenario_knows_is_checked_against_it() {
    let journeys = ["shop::sign_in", "shop::browse", "admin::sign_in"];
    for (expression, wanted) in [
        (
            "htp.p99 < 1s",
            "no subject or metric \"htp\" (did you mean \"http\"?)",
        ),
        (
            "items_sld.value > 1",
            "did you mean \"items_sold\"?); the subjects are http,",
        ),
        (
            "items_sold.p99 > 1",
            "\"items_sold\" does not have this stat; it has count, rate and v",
        ),
        ("queue.rate > 1", "it has value"),
        ("took.p99 < 5", "write a time, such as 5ms or 5s"),
        ("size.p99 < 5ms", "write a number without a unit, such as 5"),
        (
            "items_sold{shp=\"x\"}.value > 1",
            "no label \"shp\" (did you mean \"shop\"?)",
        ),
        ("queue{shop=\"x\"}.value > 1", "\"queue\" has no labels"),
        ("took{stage=\"peak\"}.p99 < 1s", "\"took\" has no labels"),
        (
            "journey{journey=\"buy\"}.p99 < 1s",
            "has no journey \"buy\"; it has shop::sign_in,",
        ),
        (
            "http{journey=\"brows\"}.p99 < 1s",
            "no journey \"brows\" (did you mean \"browse\"?)",
        ),
        (
            "errors{journey=\"sign_in\"}.count < 1",
            "any of admin::sign_in, shop::sign_in",
        ),
        (
            "errors{journey=\"ign_in\"}.count < 1",
            "no journey \"ign_in\"",
        ),
    ] {
        let error = parse(expression)
            .validate(&metrics(), &journeys)
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains(wanted), "{expression}: {message}");
        assert!(message.contains(expression), "{message}");
    }
    let mut threshold = parse("journey{journey=\"browse\"}.p99 < 1s");
    threshold.validate(&[], &journeys).unwrap();
    assert_eq!(threshold.labels[0].1, "shop::browse");
}

#[test]
fn a_stage_that_the_plan_does_not_have_is_refused() {
    let threshold = parse("http{stage=\"peek\"}.p99 < 1s");
    let refusal = |stages: &[&str]| {
        let stages: Vec<_> = stages.iter().map(|name| (*name).to_owned()).collect();
        threshold.check_stage(&stages).unwrap_err().to_string()
    };
    let message = refusal(&["ramp", "peak"]);
    assert!(
        message.contains("no stage \"peek\" (did you mean \"peak\"?); it has ramp, peak"),
        "{message}"
    );
    assert!(refusal(&[]).contains(".named("), "{}", refusal(&[]));
    assert!(threshold.check_stage(&["peek".to_owned()]).is_ok());
    assert!(parse("http.p99 < 1s").check_stage(&[]).is_ok());
}

#[test]
fn requests_are_judged_by_the_times_of_the_successful_ones() {
    let statistics = Second::new()
        .http("GET /", 200, 100 * MS)
        .http("GET /", 200, 300 * MS)
        .http("GET /", 503, MS)
        .http("POST /", 0, 900 * MS)
        .done();
    for (expression, value, passed) in [
        ("http.min >= 100ms", 0.1, true),
        ("http.max < 300ms", 0.3, false),
        ("http.mean <= 200ms", 0.2, true),
        ("http.p50 < 101ms", 0.1, true),
        ("http.count == 4", 4.0, true),
        ("http.rate > 0.3/s", 0.4, true),
        ("http{outcome=\"failed\"}.max < 1s", 0.9, true),
        ("http{outcome=\"failed\"}.count != 2", 2.0, false),
        ("http{outcome=\"ok\"}.count == 2", 2.0, true),
        ("http{name=\"GET /\"}.count == 3", 3.0, true),
        (
            "http{name=\"GET /\",outcome=\"failed\"}.max < 1s",
            0.001,
            true,
        ),
        ("http{status=\"503\"}.count == 1", 1.0, true),
        ("http{status=\"none\"}.count == 1", 1.0, true),
        ("http{method=\"POST\"}.count == 0", 0.0, true),
        (
            "http{journey=\"sign_in\",transaction=\"\"}.count == 4",
            4.0,
            true,
        ),
    ] {
        let (measured, verdict) = judged(expression, &statistics);
        let measured = measured.unwrap_or_else(|| panic!("{expression}: no sample"));
        assert!(
            (measured / value - 1.0).abs() < 0.001 || measured == value,
            "{measured}"
        );
        assert_eq!(verdict, passed, "{expression}: {measured}");
    }
}

#[test]
fn a_phase_of_requests_is_judged_over_successes_and_failures() {
    let timings = |tls: Option<Duration>, first_byte: u32| Timings {
        tls,
        first_byte: Some(first_byte * MS),
        total: SECOND,
        ..Timings::default()
    };
    let statistics = Second::new()
        .request("GET /", 200, &timings(Some(30 * MS), 100), None)
        .request("GET /", 503, &timings(None, 200), None)
        .request("GET /a", 200, &timings(None, 900), None)
        .done();
    for (expression, value) in [
        ("http{phase=\"first_byte\"}.max < 1s", 0.9),
        ("http{phase=\"first_byte\"}.count == 3", 3.0),
        ("http{phase=\"first_byte\"}.rate < 1/s", 0.3),
        ("http{phase=\"first_byte\",name=\"GET /\"}.mean < 1s", 0.15),
        ("http{phase=\"first_byte\",status=\"503\"}.min < 1s", 0.2),
        ("http{phase=\"tls\"}.p99 < 50ms", 0.03),
        ("http{phase=\"dns\"}.count == 0", 0.0),
    ] {
        let (measured, passed) = judged(expression, &statistics);
        let measured = measured.unwrap_or_else(|| panic!("{expression}: no sample"));
        assert!((measured - value).abs() <= value * 0.01, "{measured}");
        assert!(passed, "{expression}: {measured}");
    }
    let nothing = judged("http{phase=\"dns\"}.p99 < 1s", &statistics);
    assert_eq!(nothing, (None, false), "a phase that never happened");
}

#[test]
fn transport_errors_are_judged_also_where_nothing_was_written() {
    let never_sent = Timings::default();
    let sent = Timings {
        total: SECOND,
        ..Timings::default()
    };
    let statistics = Second::new()
        .request("GET /", 0, &never_sent, Some("timeout"))
        .request("GET /", 0, &sent, Some("timeout"))
        .request("GET /", 0, &never_sent, Some("dns"))
        .http("GET /", 503, MS)
        .done();
    for (expression, value) in [
        ("http{error=\"timeout\"}.count < 3", 2.0),
        ("http{error=\"timeout\"}.rate < 1/s", 0.2),
        ("http{error=\"dns\"}.count == 1", 1.0),
        ("http{error=\"reset\"}.count == 0", 0.0),
    ] {
        assert_eq!(
            judged(expression, &statistics),
            (Some(value), true),
            "{expression}"
        );
    }
}

#[test]
fn journeys_transactions_and_failures_are_judged_by_their_labels() {
    let statistics = Second::new()
        .journey(0, Outcome::Completed, 100 * MS)
        .journey(0, Outcome::Failed, MS)
        .journey(1, Outcome::Completed, 200 * MS)
        .journey(1, Outcome::Completed, 200 * MS)
        .journey(1, Outcome::Interrupted, MS)
        .transaction(0, "sign in", false, 50 * MS)
        .transaction(0, "sign in", true, MS)
        .transaction(1, "look", false, 70 * MS)
        .failure("timeout")
        .failure("error")
        .done();
    for (expression, value) in [
        ("journey.count > 0", 4.0),
        ("journey.min > 0s", 0.1),
        ("journey{outcome=\"failed\"}.max > 0s", 0.001),
        ("journey{journey=\"browse\"}.min > 0s", 0.2),
        ("transaction.count > 0", 3.0),
        ("transaction.min > 0s", 0.05),
        ("transaction{transaction=\"look\"}.max > 0s", 0.07),
        (
            "transaction{name=\"sign in\",outcome=\"failed\"}.max > 0s",
            0.001,
        ),
        ("errors.count > 0", 2.0),
        ("errors.rate > 0%", 0.25),
        ("errors{journey=\"sign_in\"}.rate > 0%", 0.5),
        ("errors{journey=\"shop::browse\"}.rate >= 0%", 0.0),
        ("errors{kind=\"timeout\"}.count > 0", 1.0),
        ("errors{kind=\"timeout\"}.rate > 0%", 0.25),
        ("errors{location=\"src/main.rs:12\"}.count > 0", 2.0),
        ("service_time.count > 0", 3.0),
        ("service_time.max > 0s", 0.001),
        ("service_time{journey=\"sign_in\"}.count > 0", 1.0),
        ("start_delay.count > 0", 5.0),
        ("start_delay.max > 0s", 0.002),
        ("dropped.count >= 0", 0.0),
        ("dropped.rate >= 0", 0.0),
    ] {
        let (measured, passed) = judged(expression, &statistics);
        assert!(
            (measured.unwrap() - value).abs() <= value * 0.001,
            "{expression}: {measured:?}"
        );
        assert!(passed, "{expression}");
    }
}

#[test]
fn metrics_of_the_users_own_are_judged_by_their_kind() {
    let statistics = Second::new()
        .send(
            SECOND,
            "basket",
            &json!({"items": 3, "shop": "york", "took": 0.5}),
        )
        .send(
            SECOND,
            "basket",
            &json!({"items": 4, "shop": "bath", "took": 0.1}),
        )
        .send(2 * SECOND, "queue", &json!({"length": 8}))
        .send(3 * SECOND, "queue", &json!({"length": 6}))
        .done();
    for (expression, value) in [
        ("items_sold.value > 0", 7.0),
        ("items_sold.count > 0", 2.0),
        ("items_sold.rate > 0/s", 0.7),
        ("items_sold{shop=\"york\"}.value > 0", 3.0),
        ("queue.value > 0", 6.0),
        ("took.max > 499ms", 0.5),
        ("size.max > 0", 4.0),
        ("size.count > 0", 2.0),
    ] {
        let (measured, passed) = judged(expression, &statistics);
        assert!(
            (measured.unwrap() - value).abs() <= value * 0.001,
            "{expression}: {measured:?}"
        );
        assert!(passed, "{expression}");
    }
}

#[test]
fn without_a_sample_a_time_fails_and_a_count_is_zero() {
    let nothing = Second::new().done();
    for expression in [
        "http.p99 < 1s",
        "errors.rate < 1%",
        "queue.value < 1",
        "took.p99 < 1s",
    ] {
        assert_eq!(judged(expression, &nothing), (None, false), "{expression}");
    }
    for expression in [
        "errors.count == 0",
        "dropped.count == 0",
        "items_sold.value == 0",
    ] {
        assert_eq!(
            judged(expression, &nothing),
            (Some(0.0), true),
            "{expression}"
        );
    }
}

/// Feeds a second each and gives what the judge said after each, then the results.
fn watched(
    expressions: &[&str],
    seconds: impl IntoIterator<Item = Second>,
) -> (Vec<Option<usize>>, Vec<ThresholdResult>) {
    let mut judge = Judge::new(expressions.iter().map(|text| parse(text)).collect());
    let mut totals = Statistics::default();
    let mut elapsed = Duration::ZERO;
    let mut said = Vec::new();
    for (second, jitter) in seconds.into_iter().zip([3, 0, 1].into_iter().cycle()) {
        elapsed += SECOND;
        let interval = second.done();
        totals.follow(interval.clone());
        let stages = StagesNow::default();
        said.push(judge.second(&interval, &totals, elapsed + jitter * MS, &stages));
    }
    (said, judge.finish(&totals, elapsed))
}

/// As [`watched`], each second with the stages it lies in; those in capitals are over.
fn staged(expressions: &[&str], seconds: &[(&[&str], u64)]) -> (Vec<bool>, Vec<ThresholdResult>) {
    let mut judge = Judge::new(expressions.iter().map(|text| parse(text)).collect());
    let mut totals = Statistics::default();
    let mut said = Vec::new();
    for (elapsed, &(names, ms)) in (1..).zip(seconds) {
        let interval = self::seconds(&[ms]).next().unwrap().done();
        totals.follow(interval.clone());
        let stages = StagesNow {
            names: names.iter().map(|name| name.to_lowercase()).collect(),
            lasting: names.iter().all(|name| name.to_lowercase() == *name),
        };
        let aborting = judge.second(&interval, &totals, elapsed * SECOND, &stages);
        said.push(aborting.is_some());
    }
    let elapsed = SECOND * u32::try_from(seconds.len()).unwrap();
    (said, judge.finish(&totals, elapsed))
}

#[test]
fn a_threshold_on_a_stage_is_about_the_seconds_of_that_stage() {
    let seconds: &[(&[&str], u64)] = &[
        (&["ramp"], 900),
        (&["peak"], 10),
        (&["ramp", "peak"], 20),
        (&[], 900),
        (&["peak"], 30),
        (&["PEAK"], 40),
    ];
    let values = |expression: &str| {
        let (_, results) = staged(&[expression], seconds);
        (results[0].value, results[0].passed)
    };
    for (expression, value, passed) in [
        (r#"http{stage="peak"}.max < 100ms"#, 0.04, true),
        (r#"http{stage="peak"}.count == 4"#, 4.0, true),
        (r#"http{stage="peak"}.rate < 1.4/s"#, 4.0 / 3.0, true),
        (
            r#"http{stage="peak",name="GET /"}.mean < 25ms"#,
            0.025,
            false,
        ),
        (r#"http{stage="ramp"}.count == 2"#, 2.0, true),
        (r#"http{stage="peak",error="dns"}.count == 0"#, 0.0, true),
        (r#"errors{stage="peak"}.count == 0"#, 0.0, true),
    ] {
        let (found, holds) = values(expression);
        assert!(
            (found.unwrap() - value).abs() < 1e-3,
            "{expression}: {found:?}"
        );
        assert_eq!(holds, passed, "{expression}");
    }
    assert_eq!(values(r#"http{stage="night"}.p99 < 1s"#), (None, false));
}

#[test]
fn a_window_and_an_abort_keep_to_their_stage() {
    let seconds: &[(&[&str], u64)] = &[
        (&["ramp"], 900),
        (&["peak"], 90),
        (&["ramp"], 900),
        (&["peak"], 90),
        (&["peak"], 10),
        (&["peak"], 10),
        (&["PEAK"], 900),
    ];
    let (said, results) = staged(
        &[r#"http{stage="peak"}.mean < 60ms over 2s abort"#],
        seconds,
    );
    assert_eq!(said, [false; 7], "no window of two seconds is over 50 ms");
    assert!(results[0].passed, "{results:?}");
    assert!(
        (results[0].value.unwrap() - 0.05).abs() < 1e-3,
        "{results:?}"
    );
    let (said, results) = staged(&[r#"http{stage="peak"}.mean < 60ms abort"#], seconds);
    assert_eq!(said, [false, true, false, true, true, false, false]);
    assert!(!results[0].passed, "what comes late counts: {results:?}");
}

fn seconds(times: &[u64]) -> impl Iterator<Item = Second> {
    times.iter().map(|&ms| match ms {
        0 => Second::new(),
        ms => Second::new().http("GET /", 200, Duration::from_millis(ms)),
    })
}

#[test]
fn a_window_finds_the_bad_stretch_that_the_total_hides() {
    let mut times = [10; 30];
    times[20] = 500;
    let (_, results) = watched(
        &[
            "http.mean < 100ms",
            "http.mean < 100ms over 3s",
            "http.mean < 100ms over 10s",
        ],
        seconds(&times),
    );
    let passed: Vec<_> = results.iter().map(|result| result.passed).collect();
    assert_eq!(passed, [true, false, true]);
    let worst = results[1].value.unwrap();
    assert!((worst - 0.520 / 3.0).abs() < 1e-9, "{worst}");
    assert_eq!(results[1].expression, "http.mean < 100ms over 3s");
}

#[test]
fn a_stall_without_any_answer_breaks_a_window_but_a_late_begin_does_not() {
    let (_, results) = watched(&["http.p99 < 1s over 2s"], seconds(&[0, 0, 0, 10, 10, 10]));
    assert!(results[0].passed, "{results:?}");
    let (said, results) = watched(
        &["http.p99 < 1s over 2s abort"],
        seconds(&[10, 10, 0, 0, 10]),
    );
    assert_eq!(said, [None, None, None, Some(0), None]);
    assert!(!results[0].passed);
}

#[test]
fn a_run_shorter_than_the_window_is_judged_as_one_window() {
    let (_, results) = watched(&["http.max < 20ms over 1m"], seconds(&[10, 30]));
    assert_eq!((results[0].value, results[0].passed), (Some(0.03), false));
}

#[test]
fn rates_over_a_window_are_per_second_of_it() {
    let (_, results) = watched(&["http.rate >= 0.9/s over 4s"], seconds(&[10; 9]));
    assert!(results[0].passed, "{results:?}");
    assert!(
        (results[0].value.unwrap() - 1.0).abs() < 0.01,
        "{results:?}"
    );
}

#[test]
fn abort_names_the_first_broken_threshold_once_its_time_has_come() {
    let (said, results) = watched(
        &[
            "http.max < 1s",
            "http.max < 50ms abort after 3s",
            "http.max < 90ms abort",
        ],
        seconds(&[10, 60, 60, 60]),
    );
    assert_eq!(said, [None, None, Some(1), Some(1)]);
    let passed: Vec<_> = results.iter().map(|result| result.passed).collect();
    assert_eq!(passed, [true, false, true]);
}

#[test]
fn a_run_that_has_shown_nothing_yet_is_not_aborted_but_fails_in_the_end() {
    let (said, results) = watched(&["http.p99 < 1s abort"], seconds(&[0, 0]));
    assert_eq!(said, [None, None]);
    assert_eq!((results[0].value, results[0].passed), (None, false));
}

#[test]
fn a_gauge_keeps_its_value_through_windows_that_do_not_set_it() {
    let set = |length: u32| Second::new().send(SECOND, "queue", &json!({"length": length}));
    let (_, results) = watched(
        &["queue.value < 5 over 2s"],
        [set(3), Second::new(), Second::new(), Second::new()],
    );
    assert_eq!((results[0].value, results[0].passed), (Some(3.0), true));
}

/// After how many seconds it broke.
fn second_of(result: &ThresholdResult) -> Option<u64> {
    result.broke_at.map(|at| at.as_secs())
}

#[test]
fn a_window_says_when_it_broke_first_and_what_it_shows_now() {
    let mut times = [10; 12];
    times[4] = 500;
    times[8] = 900;
    let (_, results) = watched(
        &["http.max < 100ms over 3s", "http.max < 1s over 3s"],
        seconds(&times),
    );
    assert_eq!(second_of(&results[0]), Some(5));
    assert_eq!((results[0].value, results[0].now), (Some(0.9), Some(0.01)));
    assert_eq!((results[1].passed, results[1].broke_at), (true, None));
}

#[test]
fn a_run_says_from_when_on_a_threshold_did_not_hold() {
    // The maximum breaks it for good; the mean recovers and breaks again.
    let (_, results) = watched(
        &[
            "http.max < 100ms",
            "http.mean < 60ms",
            "http.count > 20",
            "http.p99 < 1s",
        ],
        seconds(&[10, 200, 10, 10, 10, 10, 200, 200, 10]),
    );
    let broke: Vec<_> = results.iter().map(second_of).collect();
    assert_eq!(broke, [Some(2), Some(7), None, None], "it has never held");
    let (_, results) = watched(&["http.p99 < 1s"], seconds(&[0, 0]));
    assert_eq!(
        (results[0].passed, results[0].broke_at),
        (false, None),
        "there is no sample"
    );
    let (_, results) = watched(&["http.mean < 60ms"], seconds(&[10, 200, 10, 10, 10, 10]));
    assert_eq!(
        (results[0].passed, results[0].broke_at),
        (true, None),
        "it has recovered"
    );
}
