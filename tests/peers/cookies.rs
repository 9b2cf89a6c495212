//! Cookies: who sets them, where they go and how long they stay.

use std::{cell::RefCell, time::Duration};

use mite::{
    Context, Run, Scenario,
    http::{CookieJar, Network, Settings},
    journey,
    volume::Constant,
};
use serde_json::{Value, json};
use tests::{httpbin::Httpbin, nginx::Nginx};

use crate::run::{at, at_with, passes, repeated, texts, told};

/// Sets cookies of every kind, and shows those that come.
const PAGES: &str = r#"
    location = /sign-in {
        add_header set-cookie "here=1; Path=/";
        add_header set-cookie "basket=2; Path=/basket";
        add_header set-cookie "everywhere=3; Path=/; Domain=shop.co.uk";
        add_header set-cookie "public=4; Path=/; Domain=co.uk";
        add_header set-cookie "foreign=5; Path=/; Domain=other.co.uk";
        return 204;
    }
    location / { return 200 "$http_cookie"; }
"#;

#[tokio::test]
async fn cookies_go_where_their_path_and_domain_say_and_public_suffixes_have_none() {
    #[journey]
    async fn visits(ctx: &Context, port: u16) -> mite::Result {
        let http = ctx.http();
        let pages = [
            "www.shop.co.uk:PORT/sign-in",
            "www.shop.co.uk:PORT/page",
            "www.shop.co.uk:PORT/basket/1",
            "www.shop.co.uk:PORT/baskets",
            "api.shop.co.uk:PORT/page",
            "www.other.co.uk:PORT/page",
        ];
        for page in pages {
            let url = format!("http://{}", page.replace("PORT", &port.to_string()));
            http.get(url).send().await?;
        }
        Ok(())
    }
    let nginx = Nginx::with(PAGES);
    let port = nginx.address().port();
    let everything_is_here = Network::new().resolve(format!("*:{port}:127.0.0.1"));
    let client = Settings::new().network(everything_is_here);
    let recorded = passes::<visits>(port, at_with(nginx.url(), &client)).await;

    assert_eq!(
        texts(&recorded),
        [
            "",
            "here=1; everywhere=3",
            "basket=2; here=1; everywhere=3",
            "here=1; everywhere=3",
            "everywhere=3",
            "",
        ]
    );
}

/// A visitor who is new each time.
#[journey]
async fn new_visitor(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    let cookies = async |path: &str| -> mite::Result<Value> {
        Ok(http.get(path).send().await?.pointer("/cookies")?)
    };
    let expect = |found: Value, expected: Value| {
        mite::ensure!(found == expected, "{found} instead of {expected}");
        Ok(())
    };
    expect(cookies("/cookies").await?, json!({}))?;
    let both = json!({ "a": "1", "b": "2" });
    expect(cookies("/cookies/set?a=1&b=2").await?, both.clone())?;
    expect(cookies("/cookies").await?, both)?;
    expect(cookies("/cookies/delete?a").await?, json!({ "b": "2" }))
}

#[tokio::test]
async fn cookies_are_kept_from_request_to_request_but_not_from_run_to_run() {
    let report = repeated::<new_visitor>(5, Httpbin::shared().url(), Settings::new()).await;
    assert_eq!(report.errors, []);
    assert_eq!(report.journeys[0].completed, 5);
}

#[tokio::test]
async fn a_journey_reads_sets_removes_and_clears_cookies() {
    #[journey]
    async fn changes(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let cookies = http.cookies();
        http.get("/cookies/set/visitor/4711").send().await?;
        assert_eq!(cookies.get("/", "visitor").as_deref(), Some("4711"));
        assert_eq!(cookies.get("/", "nobody"), None);
        cookies.set("/", "mine=x y; Path=/")?;
        cookies.set("/", "visitor=4712; Path=/")?;
        http.get("/cookies").send().await?;
        assert!(cookies.remove("/", "visitor"));
        assert!(!cookies.remove("/", "visitor"));
        http.get("/cookies").send().await?;
        cookies.clear();
        assert!(cookies.all().is_empty());
        http.get("/cookies").send().await?;
        Ok(())
    }
    let recorded = passes::<changes>((), at(Httpbin::shared().url())).await;
    let seen = [2, 3, 4].map(|index| told(&recorded, index)["cookies"].clone());
    let both = json!({ "visitor": "4712", "mine": "x y" });
    assert_eq!(seen, [both, json!({ "mine": "x y" }), json!({})]);
}

#[tokio::test]
async fn a_cookie_a_browser_would_refuse_is_a_mistake_of_the_journey() {
    #[journey]
    async fn sets(ctx: &Context) -> mite::Result {
        let set = ctx.http().cookies();
        let error = set
            .set("http://shop.co.uk/", "id=7; Domain=co.uk")
            .unwrap_err();
        assert_eq!(error.kind(), "request");
        assert!(error.to_string().starts_with("cookie \"id\": "), "{error}");
        assert!(set.all().is_empty());
        Ok(())
    }
    passes::<sets>((), at(Httpbin::shared().url())).await;
}

/// Signs in the first time, and comes back as the same visitor after that.
#[journey]
async fn regular(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    let kept = ctx.user::<RefCell<Option<CookieJar>>>();
    let snapshot = kept.take();
    let Some(snapshot) = snapshot else {
        http.get("/cookies/set/regular/7").send().await?;
        kept.replace(Some(http.cookies().snapshot()));
        return Ok(());
    };
    http.cookies().restore(snapshot);
    let answer = http.get("/cookies").send().await?;
    answer.expect_json("/cookies/regular", "7")?;
    kept.replace(Some(http.cookies().snapshot()));
    ctx.pause(Duration::from_millis(50)).await;
    Ok(())
}

#[tokio::test]
async fn a_user_that_comes_back_can_have_the_cookies_of_its_last_run() {
    let httpbin = Httpbin::shared();
    let scenario = Scenario::new()
        .base_url(httpbin.url())
        .journey::<regular>((), Constant::users(3, Duration::from_millis(700)));
    let report = Run::new(scenario).workers(1).execute().await.unwrap();
    assert_eq!(report.errors, []);
    let sign_ins = report.request("GET /cookies/set/regular/7").unwrap();
    assert_eq!(sign_ins.count, 3, "once a user");
    assert!(report.journeys[0].completed > 6, "{:?}", report.journeys);
}

#[tokio::test]
async fn without_cookies_none_are_kept() {
    #[journey]
    async fn forgets(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.get("/cookies/set/visitor/4711").send().await?;
        assert!(http.cookies().all().is_empty());
        Ok(())
    }
    let client = Settings::new().cookies(false);
    let recorded = passes::<forgets>((), at_with(Httpbin::shared().url(), &client)).await;
    assert_eq!(told(&recorded, 1), json!({ "cookies": {} }));
}
