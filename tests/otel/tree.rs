//! Spans are nested as transactions are, and servers are told which request is which.

use futures_util::future::{join, select};
use mite::{
    Context, Scenario, journey,
    volume::{Constant, one_shot},
};
use serde_json::{Value, json};
use tests::{collector::Span, listening::Listening};

use crate::shop::{SECOND, named, shop, traced};

#[journey]
async fn browse(ctx: &Context) -> mite::Result {
    ctx.http().get("/before").send().await?;
    ctx.transaction("sign in", async {
        ctx.http()
            .get("/redirect")
            .send()
            .await?
            .expect_status(200)?;
        Ok(())
    })
    .await?;
    let left = ctx.transaction("left", async {
        ctx.http().get("/slow").send().await?;
        Ok(())
    });
    let right = ctx.transaction("right", async {
        ctx.http().get("/right").send().await?;
        ctx.transaction("deep", async {
            ctx.http()
                .get("/deep?password=swordfish&page=2")
                .send()
                .await?;
            Ok(())
        })
        .await?;
        ctx.http().get("/after").send().await?;
        Ok(())
    });
    let (left, right) = join(left, right).await;
    left.and(right)
}

fn once<J: mite::Journey<Data = ()>>() -> Scenario {
    Scenario::new().journey::<J>((), one_shot())
}

/// What the server was told with the request of this path: trace and span.
fn told(shop: &Listening, path: &str) -> (String, String) {
    let heard = shop.heard();
    let request = heard.iter().find(|heard| heard.path == path).unwrap();
    let parent = &request.headers["traceparent"];
    let parts: Vec<_> = parent.split('-').collect();
    let ["00", trace, span, "01"] = parts.as_slice() else {
        panic!("{parent}");
    };
    ((*trace).to_owned(), (*span).to_owned())
}

#[test]
fn transactions_and_requests_are_spans_below_what_was_current() {
    let shop = shop();
    let (report, spans) = traced(&shop, once::<browse>());
    assert_eq!(report.journeys[0].completed, 1);
    let root = named(&spans, "otel::tree::browse");
    assert_eq!(root.parent, "");
    for (name, parent) in [
        ("GET /before", "otel::tree::browse"),
        ("sign in", "otel::tree::browse"),
        ("GET /redirect", "sign in"),
        ("GET /landed", "sign in"),
        ("left", "otel::tree::browse"),
        ("GET /slow", "left"),
        ("right", "otel::tree::browse"),
        ("GET /right", "right"),
        ("deep", "right"),
        ("GET /deep", "deep"),
        ("GET /after", "right"),
    ] {
        let span = named(&spans, name);
        let around = named(&spans, parent);
        assert_eq!(span.parent, around.id, "{name} is not in {parent}");
        assert_eq!(span.trace, root.trace);
        assert!(
            around.time.0 <= span.time.0 && span.time.1 <= around.time.1,
            "{name}"
        );
        assert_eq!(span.is_client, name.starts_with("GET"));
        assert_eq!(span.failure, None);
    }
    assert_eq!(spans.len(), 12);
    let deep = named(&spans, "deep");
    assert_eq!(deep.get("mite.transaction"), "right :: deep");
    // What ran at the same time says so.
    let (slow, right) = (named(&spans, "GET /slow"), named(&spans, "GET /right"));
    assert!(right.time.0 < slow.time.1);
    assert!(slow.time.1 - slow.time.0 >= 200_000_000);
}

#[test]
fn a_server_is_told_the_span_of_each_request() {
    let shop = shop();
    let (_, spans) = traced(&shop, once::<browse>());
    for (path, name) in [
        ("/before", "GET /before"),
        ("/redirect", "GET /redirect"),
        ("/landed", "GET /landed"),
        ("/slow", "GET /slow"),
        ("/right", "GET /right"),
        ("/deep?password=swordfish&page=2", "GET /deep"),
        ("/after", "GET /after"),
    ] {
        let span = named(&spans, name);
        assert_eq!(told(&shop, path), (span.trace.clone(), span.id.clone()));
    }
    let heard = shop.heard();
    assert_eq!(heard.len(), 7);
}

#[test]
fn a_request_says_what_it_was_by_the_conventions_for_http() {
    let shop = shop();
    let (_, spans) = traced(&shop, once::<browse>());
    let port: u16 = shop.url().rsplit(':').next().unwrap().parse().unwrap();
    let deep = named(&spans, "GET /deep");
    for (name, value) in [
        ("http.request.method", json!("GET")),
        (
            "url.full",
            json!(format!("{}/deep?password=***&page=2", shop.url())),
        ),
        ("server.address", json!("127.0.0.1")),
        ("server.port", json!(port)),
        ("network.peer.address", json!("127.0.0.1")),
        ("network.peer.port", json!(port)),
        ("network.protocol.version", json!("1.1")),
        ("http.response.status_code", json!(200)),
        ("http.request.resend_count", Value::Null),
        ("error.type", Value::Null),
    ] {
        assert_eq!(deep.get(name), value, "{name}");
    }
    let phases =
        ["sent", "first_byte", "body"].map(|phase| deep.get(&format!("mite.phase.{phase}")));
    let sum: f64 = phases.iter().map(|phase| phase.as_f64().unwrap()).sum();
    let whole = (deep.time.1 - deep.time.0) as f64 / 1e9;
    assert!(sum <= whole + 1e-6 && whole < 5.0, "{sum} of {whole}");
    assert_eq!(
        named(&spans, "GET /landed").get("http.request.resend_count"),
        1
    );
    let first = named(&spans, "GET /before");
    assert_eq!(first.get("mite.connection.reused"), false);
    assert!(first.get("mite.phase.connect").as_f64().is_some());
}

#[journey]
async fn open_the_door(ctx: &Context) -> mite::Result {
    let request = ctx.http().get("/secret").digest_auth("joe", "swordfish");
    request.send().await?.expect_status(200)?;
    Ok(())
}

#[test]
fn the_answer_to_a_challenge_is_a_span_of_its_own() {
    let shop = shop();
    let (_, spans) = traced(&shop, once::<open_the_door>());
    let mut requests: Vec<&Span> = spans.iter().filter(|span| span.is_client).collect();
    requests.sort_by_key(|span| span.time.0);
    let statuses: Vec<_> = requests
        .iter()
        .map(|span| {
            (
                span.get("http.response.status_code"),
                span.get("http.request.resend_count"),
            )
        })
        .collect();
    assert_eq!(
        statuses,
        [(json!(401), Value::Null), (json!(200), json!(1))]
    );
    // A challenge is no failure.
    assert_eq!(requests[0].failure, None);
    let told: Vec<_> = shop
        .heard()
        .iter()
        .map(|heard| heard.headers["traceparent"].clone())
        .collect();
    for (span, told) in requests.iter().zip(&told) {
        assert_eq!(*told, format!("00-{}-{}-01", span.trace, span.id));
    }
}

#[journey]
async fn says_so_itself(ctx: &Context) -> mite::Result {
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    ctx.http()
        .get("/own")
        .header("traceparent", own)
        .send()
        .await?;
    let traceparent = ctx
        .transaction("other client", async { Ok(ctx.traceparent()) })
        .await?;
    ctx.http()
        .get(format!("/told?{}", traceparent.unwrap()))
        .send()
        .await?;
    let trace = ctx.trace_id().unwrap();
    ctx.http().get(format!("/trace?{trace}")).send().await?;
    Ok(())
}

#[test]
fn a_journey_knows_its_trace_and_its_own_header_stays() {
    let shop = shop();
    let (_, spans) = traced(&shop, once::<says_so_itself>());
    let root = named(&spans, "otel::tree::says_so_itself");
    let other = named(&spans, "other client");
    let heard = shop.heard();
    assert_eq!(
        heard[0].headers["traceparent"],
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    );
    assert_eq!(
        heard[1].path,
        format!("/told?00-{}-{}-01", root.trace, other.id)
    );
    assert_eq!(heard[2].path, format!("/trace?{}", root.trace));
}

#[journey]
async fn hurries(ctx: &Context) -> mite::Result {
    let slow = Box::pin(ctx.transaction("slow", async {
        ctx.http().get("/never").send().await?;
        Ok(())
    }));
    let quick = Box::pin(ctx.transaction("quick", async {
        ctx.http().get("/slow").send().await?;
        Ok(())
    }));
    select(slow, quick).await;
    ctx.http().get("/then").send().await?;
    Ok(())
}

#[test]
fn what_is_dropped_ends_when_it_is_dropped() {
    let shop = shop();
    let (_, spans) = traced(&shop, once::<hurries>());
    let (slow, quick) = (named(&spans, "slow"), named(&spans, "quick"));
    assert_eq!(slow.get("mite.abandoned"), true);
    assert_eq!(quick.get("mite.abandoned"), Value::Null);
    let request = named(&spans, "GET /never");
    assert_eq!(request.get("error.type"), "interrupted");
    assert!(request.failure.is_some());
    let then = named(&spans, "GET /then");
    let root = named(&spans, "otel::tree::hurries");
    assert_eq!(then.parent, root.id);
    assert!(slow.time.1 <= then.time.0 && request.time.1 <= then.time.0);
}

#[journey]
async fn late(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?;
    Ok(())
}

#[test]
fn a_journey_of_the_open_model_says_when_it_was_due() {
    let shop = shop();
    let scenario = Scenario::new().journey::<late>((), Constant::per_second(10, SECOND));
    let (_, spans) = traced(&shop, scenario);
    let roots: Vec<_> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    assert_eq!(roots.len(), 10);
    for root in roots {
        let due = root
            .get("mite.intended_start_time_unix_nano")
            .as_u64()
            .unwrap();
        let delay = root.get("mite.start_delay").as_f64().unwrap();
        let truth = (root.time.0 - due) as f64 / 1e9;
        assert!((truth - delay).abs() < 1e-6, "{truth} {delay}");
        assert_eq!(root.get("mite.outcome"), "completed");
        assert_eq!(root.get("mite.entry"), 0);
    }
}

#[journey]
async fn goes_on(ctx: &Context) -> mite::Result {
    for number in 0..1200 {
        ctx.transaction(format!("step {}", number % 3), async { Ok(()) })
            .await?;
    }
    ctx.http().get("/").send().await?;
    Ok(())
}

#[test]
fn a_journey_that_goes_on_for_ever_has_a_trace_that_does_not() {
    let shop = shop();
    let (_, spans) = traced(&shop, once::<goes_on>());
    assert_eq!(spans.len(), 1000);
    let root = named(&spans, "otel::tree::goes_on");
    assert_eq!(root.get("mite.omitted_spans"), 202);
    // Of the rest the server is told nothing, since it would lead to nothing.
    assert!(!shop.heard()[0].headers.contains_key("traceparent"));
}
