//! Which journeys are traced.

use std::collections::BTreeSet;

use mite::{Context, Report, Run, Scenario, journey, volume::Constant};
use tests::{
    collector::{Collector, Span},
    listening::Listening,
};

use crate::shop::{SECOND, execute, shop};

#[journey]
async fn look(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?;
    Ok(())
}

/// Starts four hundred journeys in two seconds, and gives the spans that come of it.
fn run(shop: &Listening, rate: &str, seed: u64) -> (Report, Vec<Span>) {
    let collector = Collector::start();
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<look>((), Constant::per_second(200, 2 * SECOND));
    let run = Run::new(scenario)
        .workers(1)
        .seed(seed)
        .otlp(collector.url())
        .trace(rate);
    let report = execute(run).unwrap();
    assert_eq!(report.journeys[0].completed, 400);
    (report, collector.spans())
}

/// Which journeys were traced, by their seeds.
fn traced(spans: &[Span]) -> BTreeSet<String> {
    let roots = spans.iter().filter(|span| span.parent.is_empty());
    roots
        .map(|root| root.get("mite.journey.seed").to_string())
        .collect()
}

#[test]
fn the_share_of_journeys_is_traced_and_the_seed_repeats_it() {
    let shop = shop();
    let (report, spans) = run(&shop, "10%", 4);
    let sampled = report.traces.unwrap().sampled as usize;
    // Forty, give or take four times the deviation of 6.
    assert!((16..=64).contains(&sampled), "{sampled} of 400");
    assert_eq!(traced(&spans).len(), sampled);
    let (again, spans_again) = run(&shop, "0.1", 4);
    assert_eq!(again.traces.unwrap().sampled as usize, sampled);
    assert_eq!(traced(&spans), traced(&spans_again));
    let (_, other) = run(&shop, "10%", 5);
    assert_ne!(traced(&spans), traced(&other));
    // The same journeys, and yet other traces.
    let ids = |spans: &[Span]| {
        spans
            .iter()
            .map(|span| span.trace.clone())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&spans).len(), sampled);
    assert!(ids(&spans).is_disjoint(&ids(&spans_again)));
}

#[test]
fn a_server_is_told_nothing_of_journeys_that_are_not_traced() {
    let shop = shop();
    let (report, _) = run(&shop, "10%", 4);
    let heard = shop.heard();
    let told = heard
        .iter()
        .filter(|heard| heard.headers.contains_key("traceparent"))
        .count();
    assert_eq!(heard.len(), 400);
    assert_eq!(told as u64, report.traces.unwrap().sampled);
}

#[test]
fn so_many_a_second_are_traced_at_most_and_spread_over_it() {
    let shop = shop();
    let (report, spans) = run(&shop, "5/s", 4);
    let sampled = report.traces.unwrap().sampled;
    assert!((7..=10).contains(&sampled), "{sampled} in two seconds");
    // Each in its fifth of a second: neither all at once nor in a fixed rhythm.
    let (_, again) = run(&shop, "5/s", 4);
    assert_eq!(traced(&spans), traced(&again));
    let mut due: Vec<u64> = spans
        .iter()
        .filter_map(|span| span.get("mite.intended_start_time_unix_nano").as_u64())
        .collect();
    due.sort_unstable();
    let gaps: BTreeSet<u64> = due
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) / 5_000_000)
        .collect();
    assert!(gaps.len() > 2, "{gaps:?}");
}

#[test]
fn none_are_traced_where_none_are_to_be() {
    let shop = shop();
    let (report, spans) = run(&shop, "0", 4);
    assert_eq!(report.traces, None);
    assert!(spans.is_empty());
}
