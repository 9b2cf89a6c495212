//! A collector that other people have written takes what is sent, and passes it on as it was.

use mite::{Context, Run, Scenario, journey, volume::Constant};
use tests::{collector::Collector, rotel::Rotel};

use crate::shop::{SECOND, execute, named, shop};

#[journey]
async fn buy(ctx: &Context) -> mite::Result {
    ctx.transaction("buy", async {
        ctx.http().get("/").send().await?;
        mite::bail!("sold out")
    })
    .await
}

#[test]
fn a_collector_passes_on_what_it_got() {
    let (shop, collector) = (shop(), Collector::start());
    let rotel = Rotel::passing_on_to(&collector.url());
    let scenario = Scenario::new()
        .base_url(shop.url())
        .journey::<buy>((), Constant::per_second(10, SECOND));
    let report = execute(Run::new(scenario).otlp(rotel.url()).trace("100%")).unwrap();
    let traces = report.traces.unwrap();
    assert_eq!(
        (traces.exported, traces.spans),
        (10, 30),
        "{:?}",
        report.generator.notes
    );
    assert_eq!(report.generator.notes, [""; 0]);
    let spans = collector.wait_for_spans(30);
    let trace = &spans[0].trace;
    let of_one: Vec<_> = spans
        .iter()
        .filter(|span| span.trace == *trace)
        .cloned()
        .collect();
    let root = named(&of_one, "otel::rotel::buy");
    let transaction = named(&of_one, "buy");
    assert_eq!(transaction.parent, root.id);
    assert_eq!(named(&of_one, "GET /").parent, transaction.id);
    assert_eq!(root.failure.as_deref(), Some("sold out"));
    // What it got of the metrics last is passed on too.
    let requests = |push: &Vec<_>| {
        let push: &Vec<opentelemetry_proto::tonic::metrics::v1::Metric> = push;
        push.iter()
            .any(|metric| metric.name == "mite.http.response_time")
    };
    assert!(collector.wait_for_metrics().iter().any(requests));
}
