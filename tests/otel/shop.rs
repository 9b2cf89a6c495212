//! A server that is tested, and how it is.

use std::{thread::sleep, time::Duration};

use mite::{Report, Run, RunError, Scenario};
use tests::{
    collector::{Collector, Span},
    listening::{Listening, Said},
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A server with a redirect, a door that asks for a password, something that is missing and
/// something that takes its time.
pub(crate) fn shop() -> Listening {
    Listening::start(|heard| {
        let path = heard.path.split('?').next().unwrap();
        Some(match path {
            "/redirect" => Said::status(302).with("location: /landed"),
            "/secret" if !heard.headers.contains_key("authorization") => Said::status(401)
                .with("www-authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\""),
            "/missing" => Said::status(404),
            "/slow" => {
                sleep(SECOND / 5);
                Said::status(200).saying("slow")
            }
            "/never" => return None,
            _ => Said::status(200).saying("ok"),
        })
    })
}

/// Runs a scenario to its end.
pub(crate) fn execute(run: Run) -> Result<Report, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(run.execute())
}

/// Runs a scenario with every journey traced, and gives the spans.
pub(crate) fn traced(shop: &Listening, scenario: Scenario) -> (Report, Vec<Span>) {
    let collector = Collector::start();
    let run = Run::new(scenario.base_url(shop.url()))
        .name("shop::evening")
        .workers(1)
        .graceful_stop(Duration::ZERO)
        .otlp(collector.url())
        .trace("100%");
    let report = execute(run).unwrap();
    let spans = collector.spans();
    let traces = report.traces.unwrap();
    assert_eq!(traces.dropped, 0, "{:?}", report.generator.notes);
    assert_eq!(traces.spans, spans.len() as u64);
    (report, spans)
}

/// The one span of this name.
pub(crate) fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
    assert!(found.next().is_none(), "two {name} in {spans:#?}");
    span
}
