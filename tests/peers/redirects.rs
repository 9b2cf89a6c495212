//! Redirects: how far they are followed, with what, and what is recorded of them.

use std::{fs, path::PathBuf};

use futures_util::stream;
use mite::{
    Context,
    http::{Body, Settings},
    journey,
};
use serde_json::{Value, json};
use tests::{httpbin::Httpbin, nginx::Nginx};

use crate::run::{at, at_with, fields, passes, repeated, statuses, texts, told};

/// Is sent on three times.
#[journey]
async fn thrice(ctx: &Context) -> mite::Result {
    let answer = ctx.http().get("/redirect/3").send().await?;
    let answer = answer.expect_status(200)?;
    let hops: Vec<_> = answer
        .history()
        .iter()
        .map(|hop| (hop.status().as_u16(), hop.url().path().to_owned()))
        .collect();
    let expected = [
        "/redirect/3",
        "/relative-redirect/2",
        "/relative-redirect/1",
    ]
    .map(|path| (302, path.to_owned()));
    assert_eq!(hops, expected);
    assert_eq!(answer.url().path(), "/get");
    Ok(())
}

#[tokio::test]
async fn each_hop_is_a_request_with_a_row_of_its_own() {
    let report = repeated::<thrice>(4, Httpbin::shared().url(), Settings::new()).await;
    assert_eq!(report.errors, []);
    assert_eq!((report.http.requests, report.http.failed), (16, 0));
    let mut rows: Vec<_> = report
        .http
        .requests_by
        .iter()
        .map(|row| (row.name.as_str(), row.status, row.count))
        .collect();
    rows.sort_unstable();
    assert_eq!(
        rows,
        [
            ("GET /get", Some(200), 4),
            ("GET /redirect/3", Some(302), 4),
            ("GET /relative-redirect/1", Some(302), 4),
            ("GET /relative-redirect/2", Some(302), 4),
        ]
    );
}

#[tokio::test]
async fn one_redirect_too_many_is_an_error_that_shows_the_way() {
    #[journey]
    async fn too_far(ctx: &Context) -> mite::Result {
        let error = ctx.http().get("/redirect/3").send().await.unwrap_err();
        assert!(error.is_redirect(), "{error:?}");
        assert_eq!(error.kind(), "redirect");
        let base = ctx.config().text("base_url").unwrap_or_default();
        assert_eq!(
            error.to_string(),
            format!(
                "GET {base}/relative-redirect/1: redirected more than 2 times: {base}/redirect/3 \
                 -> /relative-redirect/2 -> /relative-redirect/1 -> /get"
            )
        );
        Ok(())
    }
    let client = Settings::new().redirects(2);
    let recorded = passes::<too_far>((), at_with(Httpbin::shared().url(), &client)).await;
    assert_eq!(
        statuses(&recorded),
        [302, 302, 302],
        "what was asked is recorded"
    );
}

#[tokio::test]
async fn ten_redirects_are_followed_unless_something_else_is_said() {
    #[journey]
    async fn far(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let answer = http.get("/redirect/10").send().await?.expect_status(200)?;
        assert_eq!(answer.history().len(), 10);
        let error = http.get("/redirect/11").send().await.unwrap_err();
        assert!(
            error.to_string().contains("redirected more than 10 times"),
            "{error}"
        );
        Ok(())
    }
    let recorded = passes::<far>((), at(Httpbin::shared().url())).await;
    assert_eq!(recorded.exchanges().len(), 11 + 11);
}

#[journey]
async fn not_followed(ctx: &Context, redirects: Option<u32>) -> mite::Result {
    let http = ctx.http();
    let request = http.get("/redirect/1");
    let answer = match redirects {
        None => request.no_redirect().send().await?,
        Some(most) => {
            http.configure(|settings| settings.redirects(most));
            http.get("/redirect/1").send().await?
        }
    };
    let answer = answer
        .expect_status(302)?
        .expect_header("location", "/get")?;
    assert!(answer.history().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_redirect_that_is_not_to_be_followed_is_an_answer() {
    for how in [None, Some(0)] {
        let recorded = passes::<not_followed>(how, at(Httpbin::shared().url())).await;
        assert_eq!(statuses(&recorded), [302]);
        assert_eq!(fields(&recorded, "failed"), [false]);
    }
}

#[tokio::test]
async fn method_and_body_change_as_in_browsers() {
    #[journey]
    async fn is_sent_on(ctx: &Context, method: String, status: u16) -> mite::Result {
        let path = format!("/redirect-to?url=/anything&status_code={status}");
        let request = ctx.http().request(method.parse()?, path);
        request.form(&[("name", "Ada")]).send().await?;
        Ok(())
    }
    let kept = |method: &str| (method.to_owned(), true);
    let dropped = ("GET".to_owned(), false);
    for (status, post, put) in [
        (301, dropped.clone(), kept("PUT")),
        (302, dropped.clone(), kept("PUT")),
        (303, dropped.clone(), dropped.clone()),
        (307, kept("POST"), kept("PUT")),
        (308, kept("POST"), kept("PUT")),
    ] {
        for (method, (becomes, has_body)) in [("POST", post), ("PUT", put)] {
            let data = (method.to_owned(), status);
            let recorded = passes::<is_sent_on>(data, at(Httpbin::shared().url())).await;
            assert_eq!(statuses(&recorded), [status, 200]);
            let told = told(&recorded, 1);
            assert_eq!(told["method"], becomes.as_str(), "{method} {status}");
            let form = if has_body {
                json!({ "name": "Ada" })
            } else {
                json!({})
            };
            assert_eq!(told["form"], form, "{method} {status}");
            let content_type = told["headers"].get("Content-Type").is_some();
            assert_eq!(content_type, has_body, "{method} {status}: {told}");
        }
    }
}

#[tokio::test]
async fn a_body_is_sent_again_unless_it_is_a_stream() {
    #[journey]
    async fn is_sent_on(ctx: &Context, file: PathBuf) -> mite::Result {
        let request = || {
            let path = "/redirect-to?url=/anything&status_code=307";
            ctx.http().post(path).header("content-type", "text/plain")
        };
        let answer = request().file(file).send().await?;
        answer.expect_json("/data", "from a file")?;
        let pieces = stream::iter(["a ", "stream"].map(Ok::<_, String>));
        let error = request().body(Body::stream(pieces)).send().await;
        let error = error.unwrap_err();
        assert!(error.is_redirect(), "{error:?}");
        assert!(
            error.to_string().contains("can be sent only once"),
            "{error}"
        );
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.txt");
    fs::write(&file, "from a file").unwrap();
    let recorded = passes::<is_sent_on>(file, at(Httpbin::shared().url())).await;
    assert_eq!(statuses(&recorded), [307, 200, 307]);
}

/// Shows what it is told of the client.
const SHOWN: &str =
    r#"location = /shown { return 200 "$http_authorization|$http_cookie|$http_x_trace"; }"#;

#[journey]
async fn carries_credentials(ctx: &Context, target: String) -> mite::Result {
    let http = ctx.http();
    // Basic credentials of a request, cookies by hand and a header that is nobody's secret.
    let own = http
        .get("/redirect-to")
        .query(&[("url", &target)])
        .basic_auth("ada", Some("secret"))
        .header("cookie", "id=7")
        .header("x-trace", "1");
    own.send().await?.expect_status(200)?;
    // Those of the session.
    http.bearer_auth("token-7");
    let of_the_session = http.get("/redirect-to").query(&[("url", &target)]);
    of_the_session.send().await?.expect_status(200)?;
    Ok(())
}

#[tokio::test]
async fn credentials_stay_behind_when_another_server_is_redirected_to() {
    let nginx = Nginx::with(SHOWN);
    let target = format!("{}/shown", nginx.url());
    let config = at(Httpbin::shared().url());
    let recorded = passes::<carries_credentials>(target, config).await;
    let texts = texts(&recorded);
    assert_eq!([&texts[1], &texts[3]], ["||1", "||"]);
}

#[tokio::test]
async fn credentials_go_along_on_the_same_server() {
    let config = at(Httpbin::shared().url());
    let recorded = passes::<carries_credentials>("/headers".to_owned(), config).await;
    let headers = |index| -> Value { told(&recorded, index)["headers"].clone() };
    assert_eq!(headers(1)["Authorization"], "Basic YWRhOnNlY3JldA==");
    assert_eq!(
        (&headers(1)["Cookie"], &headers(1)["X-Trace"]),
        (&json!("id=7"), &json!("1"))
    );
    assert_eq!(headers(3)["Authorization"], "Bearer token-7");
}

#[tokio::test]
async fn cookies_of_a_redirect_are_sent_with_the_next_hop() {
    #[journey]
    async fn signs_in(ctx: &Context) -> mite::Result {
        let answer = ctx.http().get("/cookies/set/on_the_way/1").send().await?;
        answer.expect_json("/cookies/on_the_way", "1")?;
        Ok(())
    }
    passes::<signs_in>((), at(Httpbin::shared().url())).await;
}

#[tokio::test]
async fn a_name_is_that_of_all_hops() {
    #[journey]
    async fn named(ctx: &Context) -> mite::Result {
        ctx.http().get("/redirect/2").name("the way").send().await?;
        Ok(())
    }
    let recorded = passes::<named>((), at(Httpbin::shared().url())).await;
    assert_eq!(fields(&recorded, "name"), ["the way"; 3]);
}
