//! Who a client says it is: Basic, Bearer and Digest.

use mite::{Context, http::Settings, journey};
use serde_json::json;
use tests::{httpbin::Httpbin, nginx::Nginx};

use crate::run::{at, fields, passes, repeated, statuses, told};

#[tokio::test]
async fn basic_and_bearer_authentication_are_accepted() {
    #[journey]
    async fn signs_in(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        let path = "/basic-auth/ada/secret";
        http.get(path).send().await?;
        http.get(path)
            .basic_auth("ada", Some("wrong"))
            .send()
            .await?;
        http.get(path)
            .basic_auth("ada", Some("secret"))
            .send()
            .await?;
        http.get("/bearer").bearer_auth("token-7").send().await?;
        Ok(())
    }
    let recorded = passes::<signs_in>((), at(Httpbin::shared().url())).await;
    assert_eq!(statuses(&recorded), [401, 401, 200, 200]);
    assert_eq!(fields(&recorded, "failed"), [true, true, false, false]);
    assert_eq!(told(&recorded, 2)["user"], "ada");
    assert_eq!(told(&recorded, 3)["token"], "token-7");
}

#[tokio::test]
async fn credentials_in_a_url_are_basic_authentication_and_not_shown() {
    #[journey]
    async fn signs_in(ctx: &Context, url: String) -> mite::Result {
        let answer = ctx.http().get(url).send().await?;
        answer.expect_json("/user", "a d@")?;
        Ok(())
    }
    let httpbin = Httpbin::shared();
    let place = format!("{}/basic-auth/a%20d@/s%3Acret", httpbin.address());
    let url = format!("http://a%20d%40:s%3Acret@{place}");
    let recorded = passes::<signs_in>(url, at(httpbin.url())).await;
    assert_eq!(recorded.exchanges()[0].url, format!("http://{place}"));
}

#[tokio::test]
async fn credentials_of_a_session_go_to_the_server_of_the_base_url_only() {
    #[journey]
    async fn signs_in(ctx: &Context, other: String) -> mite::Result {
        let http = ctx.http();
        http.basic_auth("ada", Some("secret"));
        http.get("/basic-auth/ada/secret")
            .send()
            .await?
            .expect_status(200)?;
        http.get(other).send().await?.expect_status(204)?;
        Ok(())
    }
    let nginx = Nginx::with(
        r#"location = /shown {
            if ($http_authorization) { return 500; }
            return 204;
        }"#,
    );
    let other = format!("{}/shown", nginx.url());
    passes::<signs_in>(other, at(Httpbin::shared().url())).await;
    assert_eq!(nginx.finish().with_status(204), 1);
}

#[tokio::test]
async fn digest_authentication_is_accepted_by_every_hash_and_quality() {
    #[journey]
    async fn signs_in(ctx: &Context, quality: String, hash: String) -> mite::Result {
        let path = format!("/digest-auth/{quality}/ada/secret/{hash}");
        let request = ctx.http().get(path).digest_auth("ada", "secret");
        let answer = request.send().await?.expect_status(200)?;
        assert_eq!(answer.history().len(), 1);
        Ok(())
    }
    for quality in ["auth", "auth-int", "any"] {
        for hash in ["MD5", "SHA-256"] {
            let data = (quality.to_owned(), hash.to_owned());
            let recorded = passes::<signs_in>(data, at(Httpbin::shared().url())).await;
            assert_eq!(statuses(&recorded), [401, 200], "{quality} {hash}");
            assert_eq!(fields(&recorded, "failed"), [false, false]);
            let authenticated = json!({ "authenticated": true, "user": "ada" });
            assert_eq!(told(&recorded, 1), authenticated);
            let challenge = &recorded.exchanges()[0].response.headers["www-authenticate"];
            let challenge = challenge.to_str().unwrap();
            assert!(
                challenge.contains(&format!("algorithm={hash}")),
                "{challenge}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_once_more_and_that_is_all() {
    #[journey]
    async fn mistypes(ctx: &Context) -> mite::Result {
        let path = "/digest-auth/auth/mistyped/secret";
        let request = ctx.http().get(path).digest_auth("mistyped", "wrong");
        request.send().await?.expect_status(401)?;
        Ok(())
    }
    let recorded = passes::<mistypes>((), at(Httpbin::shared().url())).await;
    assert_eq!(statuses(&recorded), [401, 401]);
    assert_eq!(fields(&recorded, "failed"), [false, true]);
}

/// Asks three times with the credentials of the session.
#[journey]
async fn asks_thrice(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    http.digest_auth("thrice", "secret");
    for _ in 0..3 {
        let request = http.get("/digest-auth/auth/thrice/secret/SHA-256");
        request.send().await?.expect_status(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_session_meets_the_challenge_once_and_it_is_no_failure() {
    let report = repeated::<asks_thrice>(2, Httpbin::shared().url(), Settings::new()).await;
    assert_eq!(report.errors, []);
    assert_eq!((report.http.requests, report.http.failed), (8, 0));
    let mut rows: Vec<_> = report
        .http
        .requests_by
        .iter()
        .map(|row| (row.status, row.count))
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, [(Some(200), 6), (Some(401), 2)]);
}
