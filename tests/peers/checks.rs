//! What a check says: the request's name, what was expected, what came, the beginning of the body.

use mite::{Context, http::Response, journey, testing};
use serde::Deserialize;
use tests::nginx::Nginx;

use crate::run::{at, passes};

const PAGES: &str = r#"
    location = /basket {
        default_type application/json;
        return 200 '{"items": [{"id": 7, "name": "umbrella"}], "total": 12.5}';
    }
    location = /page {
        default_type text/html;
        add_header x-cache HIT;
        return 200 "<html>\n  <body>Welcome</body>\n</html>\n";
    }
    location = /nothing { return 204; }
"#;

#[derive(Debug, Deserialize, PartialEq)]
struct Item {
    id: u64,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Basket {
    items: Vec<Item>,
}

#[tokio::test]
async fn checks_that_hold_can_be_chained() {
    #[journey]
    async fn looks(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let basket = http.get("/basket").send().await?;
        let basket = basket
            .expect_status(200)?
            .expect_status(200..300)?
            .expect_header("Content-Type", "application/json")?
            .expect_body_contains("umbrella")?
            .expect_json("/items/0/id", 7)?
            .expect_json("/total", 12.5)?;
        let all: Basket = basket.json()?;
        let first: Item = basket.pointer("/items/0")?;
        assert_eq!(all.items, [first]);
        Ok(())
    }
    passes::<looks>((), at(Nginx::with(PAGES).url())).await;
}

/// A check that does not hold, by its number.
fn check(which: usize, answer: &Response) -> mite::Result {
    match which {
        0 => drop(answer.expect_status(201)?),
        1 => drop(answer.expect_status(300..400)?),
        2 => drop(answer.expect_header("x-cache", "MISS")?),
        3 => drop(answer.expect_header("x-missing", "1")?),
        4 => drop(answer.expect_body_contains("Goodbye")?),
        5 => drop(answer.expect_json("/items/0/id", 8)?),
        6 => drop(answer.expect_json("/items/1", "a")?),
        7 => drop(answer.pointer::<u64>("/items/0/name")?),
        8 => drop(answer.pointer::<u64>("/basket")?),
        9 => drop(answer.json::<Vec<Item>>()?),
        _ => drop(answer.json::<Basket>()?),
    }
    Ok(())
}

#[journey]
async fn fails(ctx: &Context, page: String, name: Option<String>, which: usize) -> mite::Result {
    let request = ctx.http().get(page);
    let request = match name {
        Some(name) => request.name(name),
        None => request,
    };
    check(which, &request.send().await?)
}

#[tokio::test]
async fn a_check_that_fails_says_what_was_expected_and_what_came() {
    let nginx = Nginx::with(PAGES);
    let html = "; the body begins: <html> <body>Welcome</body> </html>";
    let json = r#"; the body begins: {"items": [{"id": 7, "name": "umbrella"}], "total": 12.5}"#;
    for (page, which, kind, expected) in [
        (
            "/page",
            0,
            "error",
            format!("GET /page: expected 201 Created, got 200 OK{html}"),
        ),
        (
            "/page",
            1,
            "error",
            format!("GET /page: expected 300 to 399, got 200 OK{html}"),
        ),
        (
            "/page",
            2,
            "error",
            format!("GET /page: expected the header x-cache: \"MISS\", got \"HIT\"{html}"),
        ),
        (
            "/page",
            3,
            "error",
            format!("GET /page: expected the header x-missing: \"1\", got no such header{html}"),
        ),
        (
            "/page",
            4,
            "error",
            format!(
                "GET /page: expected a body with \"Goodbye\" in it, got 38 bytes without{html}"
            ),
        ),
        (
            "/basket",
            5,
            "error",
            format!("GET /basket: expected 8 at \"/items/0/id\", got 7{json}"),
        ),
        (
            "/basket",
            6,
            "error",
            format!("GET /basket: expected \"a\" at \"/items/1\", got nothing{json}"),
        ),
        (
            "/basket",
            7,
            "decode",
            format!(
                "GET /basket: the body is not what is wanted at \"/items/0/name\": \"umbrella\": invalid type: string \"umbrella\", expected u64{json}"
            ),
        ),
        (
            "/basket",
            8,
            "decode",
            format!("GET /basket: the body is without anything at \"/basket\"{json}"),
        ),
        (
            "/basket",
            9,
            "decode",
            format!(
                "GET /basket: the body is not the JSON wanted: invalid type: map, expected a sequence at line 1 column 0{json}"
            ),
        ),
        (
            "/page",
            10,
            "decode",
            format!(
                "GET /page: the body is not the JSON wanted: expected value at line 1 column 1{html}"
            ),
        ),
        (
            "/nothing",
            0,
            "error",
            "GET /nothing: expected 201 Created, got 204 No Content; the body is empty".to_owned(),
        ),
    ] {
        let data = (page.to_owned(), None, which);
        let recorded = testing::run_with::<fails>(data, at(nginx.url())).await;
        let error = recorded.result().unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, expected.as_str()));
        assert!(error.is_expected(), "{error:?}");
        assert!(error.location().contains("checks.rs:"), "{error:?}");
    }
}

#[tokio::test]
async fn a_check_names_the_request_as_the_reports_do() {
    let nginx = Nginx::with(PAGES);
    let data = ("/page?q=1".to_owned(), Some("the page".to_owned()), 0);
    let recorded = testing::run_with::<fails>(data, at(nginx.url())).await;
    let message = recorded.result().unwrap_err().message().to_owned();
    assert!(
        message.starts_with("the page: expected 201 Created, got 200 OK; "),
        "{message}"
    );
}
