//! What a journey says of each answer: labels and numbers for metrics of its own.

use std::collections::BTreeMap;

use mite::{
    Context,
    http::{Labels, Response, Settings},
    journey,
    metric::{Counter, Histogram},
    report::MetricValue,
};
use serde_json::json;
use tests::nginx::Nginx;

use crate::run::{at, fields, passes, repeated};

mite::metrics! {
    // Answers by what the server's cache did.
    Counter::new("answers_by_cache").on("http").label("cache");
    // What the server says that its database took.
    Histogram::new("database_time").on("http").seconds("database");
}

/// Pages that say where they come from and what they cost.
const PAGES: &str = r#"
    location = /cached { add_header x-cache hit; return 200 "a"; }
    location = /made { add_header x-cache miss; add_header x-database 0.25; return 200 "b"; }
"#;

fn look(answer: &Response, labels: &mut Labels) {
    if let Some(cache) = answer.header("x-cache") {
        labels.label("cache", cache);
    }
    if let Some(time) = answer
        .header("x-database")
        .and_then(|time| time.parse().ok())
    {
        labels.number("database", time);
    }
}

/// Asks for three pages, each looked at.
#[journey]
async fn labelled(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    http.on_response(look);
    for page in ["/cached", "/made", "/cached"] {
        http.get(page).send().await?.expect_status(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn labels_and_numbers_reach_metrics() {
    let nginx = Nginx::with(PAGES);
    let report = repeated::<labelled>(4, nginx.url(), Settings::new()).await;
    assert_eq!(report.errors, []);
    let metrics = |name: &str| -> Vec<_> {
        let rows = report.metrics.iter().filter(|row| row.name == name);
        rows.map(|row| (row.labels.clone(), row.value.clone()))
            .collect()
    };
    let counted = |cache: &str, count| {
        let labels = BTreeMap::from([("cache".to_owned(), cache.to_owned())]);
        (labels, MetricValue::Value(count))
    };
    assert_eq!(
        metrics("answers_by_cache"),
        [counted("hit", 8.0), counted("miss", 4.0)]
    );
    let [(_, MetricValue::Latency(time))] = &metrics("database_time")[..] else {
        panic!("{:?}", report.metrics);
    };
    assert_eq!(
        (time.count, time.min, time.max),
        (4, Some(0.25), Some(0.25))
    );
}

#[tokio::test]
async fn a_callback_of_a_request_comes_after_that_of_the_session() {
    #[journey]
    async fn looks(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.on_response(|answer, labels| {
            labels.label("by", "session");
            labels.label("status", answer.status().as_str());
        });
        let own = http.get("/cached");
        let own = own.on_response(|answer, labels| {
            labels.label("by", "request");
            labels.label("text", answer.text().unwrap_or_default());
        });
        own.send().await?;
        http.get("/missing").send().await?;
        Ok(())
    }
    let nginx = Nginx::with(PAGES);
    let recorded = passes::<looks>((), at(nginx.url())).await;
    assert_eq!(fields(&recorded, "by"), ["request", "session"]);
    assert_eq!(fields(&recorded, "text"), [json!("a"), json!(null)]);
    assert_eq!(
        fields(&recorded, "status"),
        [200, 404],
        "its own fields stay its own"
    );
}
