//! The line of curl for a request: what it sends is what the client has sent.

use std::{fs, path::PathBuf, process::Command};

use futures_util::stream;
use mite::{
    Context,
    http::{Body, HttpVersion, Settings, multipart::Form},
    journey,
};
use serde_json::{Value, json};
use tests::{httpbin::Httpbin, nginx::Config};

use crate::run::{at, at_with, passes, told};

/// Runs a line as it would be pasted into a shell, and gives what was answered.
fn shell(line: &str) -> String {
    let quiet = line.replacen("curl ", "curl --silent --show-error --noproxy '*' ", 1);
    let output = Command::new("sh").args(["-c", &quiet]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Sends requests of every kind, and tells the line of each.
#[journey]
async fn sends(ctx: &Context, file: PathBuf) -> mite::Result {
    let http = ctx.http();
    http.cookies().set("/", "id=it's; Path=/")?;
    http.cookies().set("/", "lang=de; Path=/")?;
    http.default_header("x-trace", "a \"b\" $HOME `id` \\");
    let anything = |method: &str| {
        let method = method.parse().expect("a method");
        http.request(method, "/anything/it's?q=a%20b&q=$c")
    };
    let secret = json!({ "user": "ada", "password": "it's $ecret\n" });
    for request in [
        anything("GET"),
        anything("GET").basic_auth("ada", Some("s'cret")),
        anything("DELETE").bearer_auth("token-7"),
        anything("POST").json(&secret),
        anything("PUT").form(&[("name", "Ada & Co"), ("password", "it's")]),
        anything("POST").body("@plain text\n"),
        anything("POST")
            .header("content-type", "text/csv")
            .file(&file),
        anything("PUT").file(&file),
        anything("POST")
            .header("x-empty", "")
            .multipart(Form::new().text("title", "On the beach")),
        anything("POST"),
        anything("PUT"),
        anything("GET").compressed(true),
        anything("GET")
            .header("accept-encoding", "identity")
            .header("x-empty", ""),
        anything("GET")
            .header("host", "shop.test")
            .query(&[("filter[{a}]", "x")]),
        http.get("/anything/[1-3]/{a,b}?filter[name]=x"),
    ] {
        let answer = request.send().await?.expect_status(200)?;
        ctx.send(
            "curl",
            json!({
                "with_secrets": answer.to_curl_with_secrets(),
                "masked": answer.to_curl(),
            }),
        )?;
    }
    Ok(())
}

/// How many requests those are.
const REQUESTS: usize = 15;

/// What a server was told, but for how compression is worded: curl asks for all it can.
fn comparable(mut told: Value) -> Value {
    if let Some(accepted) = told["headers"].get_mut("Accept-Encoding")
        && accepted
            .as_str()
            .is_some_and(|accepted| accepted.contains("gzip"))
    {
        *accepted = json!("compressed");
    }
    told
}

#[tokio::test]
async fn curl_sends_what_the_client_has_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's.csv");
    fs::write(&file, "a;b\n1;2\n").unwrap();
    let recorded = passes::<sends>(file, at(Httpbin::shared().url())).await;
    let lines = recorded.events("curl");
    assert_eq!(lines.len(), REQUESTS);
    for (index, line) in lines.into_iter().enumerate() {
        let line = line.field("with_secrets").unwrap().as_str().unwrap();
        let by_curl: Value = serde_json::from_str(&shell(line)).unwrap();
        assert_eq!(
            comparable(by_curl),
            comparable(told(&recorded, index)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_line_is_safe_to_show_unless_secrets_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.csv");
    fs::write(&file, "a;b\n").unwrap();
    let recorded = passes::<sends>(file, at(Httpbin::shared().url())).await;
    let mut shown_with_secrets = 0;
    for line in recorded.events("curl") {
        let text = |name| line.field(name).unwrap().as_str().unwrap();
        let (shown, masked) = (text("with_secrets"), text("masked"));
        // The encoded `ada:s'cret`, a token, passwords and a cookie.
        for secret in [
            "YWRhOnMnY3JldA==",
            "token-7",
            "$ecret",
            "password=it",
            "id=it",
        ] {
            assert!(!masked.contains(secret), "{masked}");
            shown_with_secrets += usize::from(shown.contains(secret));
        }
        assert!(masked.contains("-H 'cookie: ***'"), "{masked}");
    }
    assert_eq!(
        shown_with_secrets,
        REQUESTS + 4,
        "cookies everywhere, and one each of the others"
    );
}

#[tokio::test]
async fn curl_speaks_the_version_the_client_has_spoken() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let answer = ctx.http().get("/item/1").send().await?;
        ctx.send("curl", answer.to_curl())?;
        Ok(())
    }
    let nginx = Config::plain().http2().start();
    let client = Settings::new().version(HttpVersion::Http2);
    let recorded = passes::<asks>((), at_with(nginx.url(), &client)).await;
    let line = recorded.events("curl")[0].field("value").unwrap().clone();
    assert_eq!(shell(line.as_str().unwrap()), "an item\n");
    let log = nginx.finish();
    assert_eq!((log.len(), log.with_protocol("HTTP/2.0")), (2, 2));
}

#[tokio::test]
async fn each_hop_of_a_redirect_is_a_line_of_its_own() {
    #[journey]
    async fn posts(ctx: &Context) -> mite::Result {
        let path = "/redirect-to?url=/anything&status_code=303";
        let answer = ctx.http().post(path).form(&[("name", "Ada")]);
        let answer = answer.send().await?;
        ctx.send("curl", answer.history()[0].to_curl())?;
        ctx.send("curl", answer.to_curl())?;
        Ok(())
    }
    let recorded = passes::<posts>((), at(Httpbin::shared().url())).await;
    let lines = recorded.events("curl");
    let [first, last] =
        [0, 1].map(|index| shell(lines[index].field("value").unwrap().as_str().unwrap()));
    assert_eq!(first, "", "a redirect has no body, and is not followed");
    let by_curl: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(by_curl, told(&recorded, 1));
}

#[tokio::test]
async fn curl_signs_in_as_the_client_does() {
    #[journey]
    async fn signs_in(ctx: &Context) -> mite::Result {
        let request = || {
            let request = ctx.http().get("/digest-auth/auth/ada/it's/SHA-256");
            request.digest_auth("ada", "it's")
        };
        ctx.send("curl", request().to_curl_with_secrets())?;
        ctx.send("curl", request().to_curl())?;
        request().send().await?.expect_status(200)?;
        Ok(())
    }
    let recorded = passes::<signs_in>((), at(Httpbin::shared().url())).await;
    let lines = recorded.events("curl");
    let [shown, masked] =
        [0, 1].map(|index| lines[index].field("value").unwrap().as_str().unwrap());
    let by_curl: Value = serde_json::from_str(&shell(shown)).unwrap();
    assert_eq!(by_curl, told(&recorded, 1));
    assert!(masked.contains("'ada:***'"), "{masked}");
}

#[tokio::test]
async fn a_body_that_cannot_be_written_down_is_to_be_given_to_curl() {
    #[journey]
    async fn streams(ctx: &Context) -> mite::Result {
        let request = || {
            let pieces = stream::iter(["one ", "two"].map(Ok::<_, String>));
            let request = ctx
                .http()
                .post("/anything")
                .header("content-type", "text/plain");
            request.body(Body::sized_stream(7, pieces))
        };
        ctx.send("curl", request().to_curl())?;
        request().send().await?;
        Ok(())
    }
    let recorded = passes::<streams>((), at(Httpbin::shared().url())).await;
    let line = recorded.events("curl")[0].field("value").unwrap().clone();
    let line = line.as_str().unwrap();
    assert!(
        line.ends_with(" --data-binary @- # (stream, 7 bytes)"),
        "{line}"
    );
    let by_curl: Value =
        serde_json::from_str(&shell(&format!("printf 'one two' | {line}"))).unwrap();
    assert_eq!(by_curl, told(&recorded, 0));
}
