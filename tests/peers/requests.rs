//! The head of a request, several at once, and how they are named.

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use mite::{Context, http::Settings, journey};
use serde_json::{Value, json};
use tests::{httpbin::Httpbin, nginx::Nginx};

use crate::run::{at, fields, passes, repeated, told};

#[tokio::test]
async fn queries_and_headers_arrive_as_they_were_given() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.default_header("x-session", "s");
        let request = http.get("/get?fixed=1").query(&[("q", "a b&c=ü")]);
        request.header("x-trace", "7").send().await?;
        let own = http.get("/get").header("x-session", "own");
        own.header("user-agent", "a browser").send().await?;
        Ok(())
    }
    let recorded = passes::<asks>((), at(Httpbin::shared().url())).await;
    let [first, second] = [0, 1].map(|index| told(&recorded, index));
    assert_eq!(first["args"], json!({ "fixed": "1", "q": "a b&c=ü" }));
    let headers = |told: &Value, names: [&str; 4]| names.map(|name| told["headers"][name].clone());
    let names = ["X-Session", "X-Trace", "User-Agent", "Accept"];
    let version = format!("mite/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        headers(&first, names),
        [json!("s"), json!("7"), json!(version), json!("*/*")]
    );
    let own = [json!("own"), Value::Null, json!("a browser"), json!("*/*")];
    assert_eq!(headers(&second, names), own);
}

#[tokio::test]
async fn every_method_arrives() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        for (method, request) in [
            ("GET", http.get("/anything")),
            ("POST", http.post("/anything")),
            ("PUT", http.put("/anything")),
            ("PATCH", http.patch("/anything")),
            ("DELETE", http.delete("/anything")),
            ("TRACE", http.request("TRACE".parse()?, "/anything")),
        ] {
            request.send().await?.expect_json("/method", method)?;
        }
        let head = http.head("/anything").send().await?.expect_status(200)?;
        assert!(head.bytes().is_empty());
        let options = http.options("/anything").send().await?.expect_status(200)?;
        assert!(
            options
                .header("allow")
                .is_some_and(|allow| allow.contains("PATCH"))
        );
        Ok(())
    }
    passes::<asks>((), at(Httpbin::shared().url())).await;
}

#[tokio::test]
async fn requests_can_be_made_at_once_and_are_answered_each_on_its_own() {
    #[journey]
    async fn several(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let (one, two) = tokio::join!(
            http.get("/anything/1").send(),
            http.post("/anything/2").body("b").send(),
        );
        one?.expect_json("/method", "GET")?;
        two?.expect_json("/data", "b")?;
        let mut unordered: FuturesUnordered<_> = (0..6)
            .map(|number| async move {
                let answer = ctx.http().get("/anything").query(&[("n", number)]).send();
                let answer: mite::Result<_> = Ok((number, answer.await?));
                answer
            })
            .collect();
        let mut seen = 0;
        while let Some(answered) = unordered.next().await {
            let (number, answer) = answered?;
            answer.expect_json("/args/n", number.to_string())?;
            seen += 1;
        }
        assert_eq!(seen, 6);
        Ok(())
    }
    let recorded = passes::<several>((), at(Httpbin::shared().url())).await;
    assert_eq!(recorded.exchanges().len(), 8);
}

#[tokio::test]
async fn what_is_given_up_halfway_is_recorded_as_interrupted() {
    #[journey]
    async fn impatient(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        tokio::select! {
            slow = http.get("/trickle").send() => drop(slow?),
            fast = http.get("/").send() => drop(fast?),
        }
        Ok(())
    }
    let nginx = Nginx::start();
    let recorded = passes::<impatient>((), at(nginx.url())).await;
    let mut errors = fields(&recorded, "error");
    errors.sort_by_key(Value::is_null);
    assert_eq!(errors, [json!("interrupted"), Value::Null]);
}

/// Asks for three items under one name, and for one that is expected to be missing.
#[journey]
async fn named(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    for item in 1..=3 {
        let request = http.get(format!("/item/{item}")).name("GET /item/:id");
        request.send().await?.expect_status(200)?;
    }
    http.get("/missing").ok_status(404).send().await?;
    http.get("/broken").send().await?;
    Ok(())
}

#[tokio::test]
async fn requests_are_grouped_by_their_names_and_statuses_that_are_fine_are_no_failures() {
    let nginx = Nginx::start();
    let report = repeated::<named>(3, nginx.url(), Settings::new()).await;
    let rows = |name| {
        let row = report.request(name).unwrap();
        (row.count, row.failed())
    };
    assert_eq!(rows("GET /item/:id"), (9, 0));
    assert_eq!(rows("GET /missing"), (3, 0));
    assert_eq!(rows("GET /broken"), (3, 3));
    assert_eq!(nginx.finish().len(), 15);
}
