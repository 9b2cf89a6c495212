//! Messages and `Debug` do not tell what is secret.

use super::*;
use crate::http::{Response, Settings};

fn json(body: &str) -> TestServer {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nset-cookie: sid=s3cr3t\r\nx-api-key: s3cr3t\r\n";
    always(format!("{head}content-length: {length}\r\n\r\n{body}"))
}

fn answered(body: &str, test: impl Fn(Response)) {
    let server = json(body);
    with(&server, async |session, _| {
        test(session.get("/a").send().await.unwrap());
    });
}

#[test]
fn debug_of_settings_masks_the_headers_that_are_secret() {
    let settings = Settings::new()
        .header("Authorization", "Bearer s3cret")
        .header("cookie", "sid=s3cret")
        .header("proxy-authorization", "Basic s3cret")
        .header("x-api-key", "s3cret")
        .header("accept-language", "de");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains(r#"("Authorization", "***")"#), "{shown}");
    assert!(shown.contains(r#"("accept-language", "de")"#), "{shown}");
}

#[test]
fn debug_of_a_session_shows_the_base_url_without_its_password() {
    let mut config = Config::default();
    config.set("base_url", "http://joe:hunter2@shop.test");
    with_config(config, async |context, _| {
        let shown = format!("{:?}", context.http());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("shop.test"), "{shown}");
    });
}

#[test]
fn what_is_wrong_with_a_url_is_said_without_its_password() {
    with_config(Config::default(), async |context, log| {
        let session = context.http();
        for (base, given) in [
            (None, "ftp://joe:hunter2@shop.test/"),
            (None, "http://joe:hunter2@shop test/"),
            (None, "http://joe:hunter2/3@shop.test/"),
            (None, "//joe:hunter2@shop.test/"),
            (Some("joe:hunter2@shop.test"), "/"),
            (Some("joe_b:hunter2@shop.test"), "/"),
            (Some("http://joe:hunter2@shop test"), "/"),
        ] {
            if let Some(base) = base {
                session.base_url(base);
            }
            let error = failure(&session, given).await;
            let shown = format!("{error} {error:?} {:?}", log.all());
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(error.to_string().contains("shop"), "{shown}");
        }
    });
}

#[test]
fn a_check_shows_no_secret_it_finds() {
    #[derive(Debug, serde::Deserialize)]
    struct Signed {
        #[allow(dead_code)]
        token: u64,
    }
    answered(
        r#"{"token":"s3cr3t","user":{"password":"s3cr3t"}}"#,
        |answer| {
            let json = answer.json::<Signed>().unwrap_err().to_string();
            assert!(json.contains("line 1 column 17"), "{json}");
            for shown in [
                json,
                answer.pointer::<u64>("/token").unwrap_err().to_string(),
                answer.pointer::<String>("/user").unwrap_err().to_string(),
                answer.expect_json("/token", "x").unwrap_err().to_string(),
                answer.expect_json("/user", "x").unwrap_err().to_string(),
                answer
                    .expect_header("Set-Cookie", "x")
                    .unwrap_err()
                    .to_string(),
                answer
                    .expect_header("x-api-key", "x")
                    .unwrap_err()
                    .to_string(),
            ] {
                assert!(!shown.contains("s3cr3t"), "{shown}");
                assert!(shown.contains("***"), "{shown}");
            }
        },
    );
}

#[test]
fn a_check_shows_what_it_finds_when_that_is_no_secret() {
    answered(r#"{"count":"many"}"#, |answer| {
        let shown = answer.pointer::<u64>("/count").unwrap_err().to_string();
        assert!(shown.contains(r#""many": invalid type"#), "{shown}");
        let shown = answer.json::<Vec<u8>>().unwrap_err().to_string();
        assert!(shown.contains("invalid type: map"), "{shown}");
    });
}

#[test]
fn the_beginning_of_a_long_body_is_shown_without_its_secrets() {
    let filler = "x".repeat(100_000);
    for beginning in [
        r#"{"user":"joe","password":"hunter2","#,
        r#"{"user":"joe","pass\u0077ord" : "\"hunter2","#,
        r#"{"user":"joe","tokens":[{"a":"]hunter2"},"hunter2"],"#,
        r#"{"user":"joe","secret":["hunter2","#,
        r#"{"user":"joe","secret":"hunter2"#,
    ] {
        answered(&format!("{beginning}\"filler\":\"{filler}\"}}"), |answer| {
            let shown = answer.expect_status(404).unwrap_err().to_string();
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains(r#"{"user":"joe","#), "{shown}");
            assert!(shown.ends_with('…'), "{shown}");
        });
    }
}

#[test]
fn a_body_cut_short_is_masked_though_it_is_no_json() {
    answered(r#"{"user":"joe","password":"hunter2"#, |answer| {
        let shown = answer.json::<Vec<u8>>().unwrap_err().to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains(r#""password":"***""#), "{shown}");
    });
}
