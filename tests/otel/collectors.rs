//! Collectors that are not there, slow, busy or wrong: the test goes on, and says what was lost.

use std::time::{Duration, Instant};

use mite::{Context, Report, Run, Scenario, journey, report::TraceSummary, volume::Constant};
use prost::Message as _;
use tests::{
    asking::free_address,
    collector::Collector,
    listening::{Listening, Said},
};

use crate::shop::{SECOND, execute, shop};

#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?;
    Ok(())
}

/// Traces each of forty journeys in two seconds; gives the report and how long all of it took.
fn run(shop: &Listening, address: &str) -> (Report, Duration) {
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<look>((), Constant::per_second(20, 2 * SECOND));
    let began = Instant::now();
    let report = execute(Run::new(scenario).otlp(address).trace("100%")).unwrap();
    assert_eq!(report.journeys[0].completed, 40);
    let traces = report.traces.unwrap();
    assert_eq!((traces.sampled, traces.exported + traces.dropped), (40, 40));
    (report, began.elapsed())
}

fn lost(report: &Report) -> TraceSummary {
    let traces = report.traces.unwrap();
    assert_eq!((traces.dropped, traces.exported, traces.spans), (40, 0, 0));
    traces
}

/// What is said of traces and of metrics, once each.
fn notes(report: &Report) -> [&str; 2] {
    let notes = &report.generator.notes;
    let of = |signal: &str| {
        let told = notes
            .iter()
            .filter(|note| note.contains(&format!("not all {signal}")));
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 1, "{notes:?}");
        told[0].as_str()
    };
    [of("traces"), of("metrics")]
}

#[test]
fn a_dead_collector_costs_the_traces_and_nothing_else() {
    let shop = shop();
    let address = format!("http://{}", free_address());
    let (report, took) = run(&shop, &address);
    lost(&report);
    for note in notes(&report) {
        assert!(
            note.contains(&address) && note.contains("refused"),
            "{note}"
        );
    }
    // Two seconds of load; nobody waits for who is not there.
    assert!(took < 6 * SECOND, "{took:?}");
}

#[test]
fn a_collector_that_says_nothing_is_waited_for_only_so_long() {
    let (shop, collector) = (shop(), Collector::saying(|_| None));
    let (report, took) = run(&shop, &collector.url());
    lost(&report);
    // Two seconds of load, and five for what was left of it.
    assert!(took > 6 * SECOND && took < 14 * SECOND, "{took:?}");
    assert!(collector.heard().len() <= 3);
}

#[test]
fn a_collector_that_is_busy_is_asked_again_when_it_wants_to_be() {
    let busy = || Said::status(503).with("retry-after: 1");
    let shop = shop();
    let collector = Collector::saying({
        let asked = std::sync::Mutex::new(Vec::new());
        move |heard| {
            let mut asked = asked.lock().unwrap();
            let is_trace = heard.path == "/v1/traces";
            if is_trace {
                asked.push(Instant::now());
                if asked.len() == 2 {
                    let waited = asked[1] - asked[0];
                    assert!(waited >= SECOND * 9 / 10, "{waited:?}");
                }
            }
            Some(if is_trace && asked.len() == 1 {
                busy()
            } else {
                Said::status(200)
            })
        }
    });
    let (report, _) = run(&shop, &collector.url());
    let traces = report.traces.unwrap();
    assert_eq!((traces.exported, traces.spans), (40, 80));
    // The batch that was turned away has come again, whole and unchanged.
    let heard = collector.heard();
    let bodies: Vec<_> = heard
        .iter()
        .filter(|heard| heard.path == "/v1/traces")
        .map(|heard| &heard.body)
        .collect();
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(collector.spans().len(), 80 + spans_in(&collector, 0));
}

/// How many spans came with the trace request of this number.
fn spans_in(collector: &Collector, number: usize) -> usize {
    let heard = collector.heard();
    let request = heard
        .iter()
        .filter(|heard| heard.path == "/v1/traces")
        .nth(number);
    let request =
        opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::decode(
            &*request.unwrap().body,
        );
    let resources = request.unwrap().resource_spans;
    resources[0].scope_spans[0].spans.len()
}

#[test]
fn an_address_that_is_not_a_collectors_is_told_and_not_asked_in_vain() {
    let shop = shop();
    let wrong = Listening::start(|_| Some(Said::status(404).saying("no such page")));
    let (report, _) = run(&shop, &wrong.url());
    lost(&report);
    for note in notes(&report) {
        assert!(
            note.contains("404") && note.contains("no such page"),
            "{note}"
        );
    }
    // A second of traces each, the rest of them, and metrics once.
    assert!(wrong.heard().len() <= 5, "{}", wrong.heard().len());
}

#[test]
fn what_a_collector_refuses_of_a_batch_is_told() {
    let shop = shop();
    // `partial_success` with three rejected spans and a reason.
    let refusal = b"\x0a\x0c\x08\x03\x12\x08too late";
    let collector = Collector::saying(move |heard| {
        let is_trace = heard.path == "/v1/traces";
        let body = if is_trace { &refusal[..] } else { b"" };
        Some(Said::status(200).saying(body))
    });
    let (report, _) = run(&shop, &collector.url());
    let requests = collector
        .heard()
        .iter()
        .filter(|heard| heard.path == "/v1/traces")
        .count();
    let traces = report.traces.unwrap();
    assert_eq!(traces.dropped, 0);
    assert_eq!(traces.spans, 80 - 3 * requests as u64);
    let note = &report.generator.notes[0];
    assert!(note.contains("refused 3 of them: too late"), "{note}");
}

#[test]
fn without_an_address_nothing_is_sent() {
    let shop = shop();
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<look>((), Constant::per_second(20, SECOND));
    let report = execute(Run::new(scenario)).unwrap();
    assert_eq!(report.traces, None);
    assert!(
        shop.heard()
            .iter()
            .all(|heard| !heard.headers.contains_key("traceparent"))
    );
}

#[test]
fn an_address_that_is_none_is_refused_before_the_run() {
    let shop = shop();
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<look>((), Constant::per_second(20, SECOND));
    let error = execute(Run::new(scenario).otlp("collector:4318")).unwrap_err();
    assert!(
        error.to_string().contains("http://127.0.0.1:4318"),
        "{error}"
    );
    assert!(shop.heard().is_empty());
}
