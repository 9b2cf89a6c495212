//! Redirects that lead nowhere, round and round, or to somebody else.

use mite::{
    Context, journey,
    testing::{self, Recorded},
};
use tests::{certificates::Authority, hostile::Hostile};

use crate::asking::{Ask, config, kinds};

/// The status of each request that was recorded; 0 where there was none.
fn statuses(recorded: &Recorded) -> Vec<u64> {
    let requests = recorded.events("http");
    let statuses = requests.into_iter().map(|request| {
        let status = request.field("status");
        status.map_or(0, |status| status.as_u64().unwrap())
    });
    statuses.collect()
}

/// Asks for a path.
#[journey]
async fn follow(ctx: &Context, path: String) -> mite::Result {
    let answer = ctx.http().get(&path).send().await?;
    ctx.send("answer", answer.text()?)?;
    Ok(())
}

async fn followed(hostile: &Hostile, path: &str) -> Recorded {
    testing::run_with::<follow>(path.to_owned(), config(hostile.url())).await
}

#[tokio::test]
async fn a_redirect_that_comes_back_to_itself_ends_after_ten() {
    let hostile = Hostile::start();
    let recorded = followed(&hostile, "/redirect/loop").await;
    let error = recorded.result().unwrap_err();
    assert_eq!(error.kind(), "redirect", "{error}");
    // Each of them was answered, and is a request of its own without fault.
    assert_eq!(statuses(&recorded), [302; 11]);
    assert_eq!(kinds(&recorded), [None; 11]);
    assert_eq!((hostile.requests(), hostile.connections()), (11, 1));
}

#[tokio::test]
async fn a_chain_is_followed_to_its_end_when_that_is_not_too_far() {
    let hostile = Hostile::start();
    let recorded = followed(&hostile, "/redirect/chain/10").await;
    recorded.result().unwrap();
    assert_eq!(statuses(&recorded), [vec![302; 10], vec![200]].concat());
    assert_eq!(hostile.requests(), 11);
    let recorded = followed(&hostile, "/redirect/chain/11").await;
    assert_eq!(recorded.result().unwrap_err().kind(), "redirect");
    assert_eq!(hostile.requests(), 22);
}

#[tokio::test]
async fn a_redirect_that_cannot_be_followed_is_a_failure_and_one_without_a_location_an_answer() {
    let identity = Authority::new().server();
    for hostile in [Hostile::start(), Hostile::https(&identity)] {
        for (path, kind) in [
            ("/redirect/other-scheme", "redirect"),
            ("/redirect/bad-location", "redirect"),
            ("/redirect/no-location", "fine"),
        ] {
            let recorded = followed(&hostile, path).await;
            let found = recorded
                .result()
                .map_or_else(mite::Error::kind, |()| "fine");
            assert_eq!(found, kind, "{path}");
            assert_eq!(statuses(&recorded), [302], "{path}");
            assert_eq!(hostile.hits(path), 1, "{path}");
        }
        // The connection was none of the trouble.
        let asked = Ask::new("/redirect/no-location").at(hostile.url()).await;
        assert!(asked.kept);
    }
}

#[tokio::test]
async fn credentials_do_not_go_to_another_server() {
    #[journey]
    async fn sign_in(ctx: &Context, away: String) -> mite::Result {
        let http = ctx.http();
        let request = http.get(format!("/redirect/to/302?{away}"));
        let request = request
            .bearer_auth("a-secret")
            .header("cookie", "id=a-secret");
        let seen = request.send().await?.text()?;
        mite::ensure!(!seen.contains("a-secret"), "{seen}");
        mite::ensure!(seen.starts_with("GET /echo HTTP/1.1\r\n"), "{seen}");

        http.basic_auth("ada", Some("a-secret"));
        let request = http.get(format!("/redirect/to/307?{away}"));
        let seen = request.send().await?.text()?.to_lowercase();
        mite::ensure!(!seen.contains("authorization"), "{seen}");
        // At home they stay.
        let seen = http.get("/redirect/to/302?/echo").send().await?.text()?;
        mite::ensure!(seen.to_lowercase().contains("authorization"), "{seen}");
        Ok(())
    }
    let (home, other) = (Hostile::start(), Hostile::start());
    let away = format!("{}/echo", other.url());
    let recorded = testing::run_with::<sign_in>(away, config(home.url())).await;
    recorded.result().unwrap();
    assert_eq!((home.requests(), other.hits("/echo")), (4, 2));
    let head = home.last_head("/redirect/to/302").unwrap().to_lowercase();
    assert!(head.contains("\r\nauthorization: basic "), "{head}");
}

#[tokio::test]
async fn what_a_redirect_leads_to_may_fail_by_itself() {
    let hostile = Hostile::start();
    for (leads_to, kind) in [
        ("/close/in-header", "closed"),
        ("/reset/in-body", "reset"),
        ("/length/too-long", "body"),
        ("/encoding/corrupt", "decode"),
    ] {
        let recorded = followed(&hostile, &format!("/redirect/to/302?{leads_to}")).await;
        assert_eq!(recorded.result().unwrap_err().kind(), kind, "{leads_to}");
        assert_eq!(statuses(&recorded), [302, 0], "{leads_to}");
        assert_eq!(kinds(&recorded), [None, Some(kind)]);
        assert_eq!(hostile.hits(leads_to), 1, "{leads_to}");
    }
}
