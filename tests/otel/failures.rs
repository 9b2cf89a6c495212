//! Failures, panics and ends that come from outside, as their spans tell them.

use std::time::Duration;

use mite::{
    Context, Scenario, journey,
    volume::{Constant, one_shot},
};
use serde_json::{Value, json};
use tests::collector::Span;

use crate::shop::{SECOND, named, shop, traced};

/// The line of a failure, which is the one before the call of `line!`.
fn exception(span: &Span) -> (Value, Value, Value) {
    let [(name, attributes)] = span.events.as_slice() else {
        panic!("{span:#?}");
    };
    assert_eq!(name, "exception");
    let get = |name: &str| attributes.get(name).cloned().unwrap_or_default();
    assert_eq!(get("code.file.path"), json!(file!()));
    (
        get("exception.type"),
        get("exception.message"),
        get("code.line.number"),
    )
}

#[journey]
async fn fails(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        ctx.transaction("inner", async {
            mite::bail!("the basket is empty");
        })
        .await
    })
    .await
}

const FAILS_AT: u32 = line!() - 7;

#[test]
fn a_failure_is_told_where_it_was_and_by_all_it_ended() {
    let shop = shop();
    let scenario = Scenario::new().journey::<fails>((), one_shot());
    let (_, spans) = traced(&shop, scenario);
    let root = named(&spans, "otel::failures::fails");
    assert_eq!(root.get("mite.outcome"), "failed");
    for name in ["otel::failures::fails", "outer", "inner"] {
        let span = named(&spans, name);
        assert_eq!(
            span.failure.as_deref(),
            Some("the basket is empty"),
            "{name}"
        );
        assert_eq!(span.get("error.type"), "error");
    }
    let told = (
        json!("error"),
        json!("the basket is empty"),
        json!(FAILS_AT),
    );
    assert_eq!(exception(named(&spans, "inner")), told);
    assert_eq!(exception(root), told);
    assert_eq!(named(&spans, "outer").events, []);
}

#[journey]
async fn copes(ctx: &Context) -> mite::Result {
    let tried = ctx
        .transaction("try", async {
            ctx.http()
                .get("/missing")
                .send()
                .await?
                .expect_status(200)?;
            Ok(())
        })
        .await;
    assert!(tried.is_err());
    Ok(())
}

#[test]
fn a_failure_that_the_journey_copes_with_is_none_of_the_journey() {
    let shop = shop();
    let (_, spans) = traced(&shop, Scenario::new().journey::<copes>((), one_shot()));
    let root = named(&spans, "otel::failures::copes");
    assert_eq!(
        (root.failure.as_deref(), root.get("mite.outcome")),
        (None, json!("completed"))
    );
    assert!(named(&spans, "try").failure.is_some());
    let request = named(&spans, "GET /missing");
    assert_eq!(request.failure.as_deref(), Some(""));
    assert_eq!(request.get("error.type"), "404");
    assert_eq!(request.get("http.response.status_code"), 404);
}

#[journey]
async fn panics(ctx: &Context) -> mite::Result {
    ctx.transaction("outer", async {
        ctx.transaction("inner", async {
            panic!("out of stock");
        })
        .await
    })
    .await
}

const PANICS_AT: u32 = line!() - 7;

#[test]
fn a_panic_is_told_where_it_was() {
    let shop = shop();
    let (_, spans) = traced(&shop, Scenario::new().journey::<panics>((), one_shot()));
    for name in ["otel::failures::panics", "outer", "inner"] {
        let span = named(&spans, name);
        assert_eq!(span.get("error.type"), "panic", "{name}");
        assert_eq!(span.failure.as_deref(), Some("out of stock"), "{name}");
        assert_eq!(span.get("mite.abandoned"), Value::Null);
    }
    let told = (json!("panic"), json!("out of stock"), json!(PANICS_AT));
    assert_eq!(exception(named(&spans, "inner")), told);
}

#[journey]
async fn misses(ctx: &Context) -> mite::Result {
    ctx.http().get("http://127.0.0.1:1/").send().await?;
    Ok(())
}

#[test]
fn a_request_that_gets_nowhere_says_why() {
    let shop = shop();
    let (_, spans) = traced(&shop, Scenario::new().journey::<misses>((), one_shot()));
    let request = spans.iter().find(|span| span.is_client).unwrap();
    assert_eq!(request.get("error.type"), "connect");
    assert!(
        request.failure.as_deref().unwrap().contains("refused"),
        "{request:#?}"
    );
    assert_eq!(request.get("http.response.status_code"), Value::Null);
    assert_eq!(request.get("network.protocol.version"), Value::Null);
    assert_eq!(request.get("server.port"), 1);
}

#[journey]
async fn waits(ctx: &Context) -> mite::Result {
    ctx.transaction("wait", async {
        ctx.http().get("/never").send().await?;
        Ok(())
    })
    .await
}

#[test]
fn a_journey_that_is_cut_ends_its_spans() {
    let shop = shop();
    let scenario = Scenario::new().journey::<waits>((), Constant::users(2, SECOND));
    let (report, spans) = traced(&shop, scenario);
    assert_eq!(report.journeys[0].interrupted, 2);
    assert_eq!(spans.len(), 6, "{spans:#?}");
    for span in &spans {
        let lasted = Duration::from_nanos(span.time.1 - span.time.0);
        assert!(lasted > SECOND / 2 && lasted < 20 * SECOND, "{span:#?}");
        match span.name.as_str() {
            "wait" => assert_eq!(span.get("mite.abandoned"), true),
            "GET /never" => assert_eq!(span.get("error.type"), "interrupted"),
            _ => {
                assert_eq!(span.get("mite.outcome"), "interrupted");
                assert_eq!(span.failure, None);
            }
        }
    }
}
