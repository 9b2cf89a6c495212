//! Visitors as browsers are: connections and cookies of their own, compressed answers, and a page
//! with all that belongs to it, several requests at once.
//!
//! ```console
//! cargo run --release --example browser -- journey run visit --datapool users
//! cargo run --release --example browser -- scenario test visitors
//! ```

use std::{process::ExitCode, time::Duration};

use futures_util::future::try_join_all;
use mite::{
    Context, Scenario, datapool,
    datapool::Recyclable,
    http::{Connections, Settings},
    journey,
    metric::Counter,
    scenario,
    volume::Constant,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct User {
    name: String,
    password: String,
}

mite::metrics! {
    // How many pictures the shop had at hand, and how many it had to draw.
    Counter::new("pictures").on("http").filter(|event| event.field("cache").is_some()).label("cache");
}

/// Looks at the shop with all its pictures, and signs in.
#[journey]
async fn visit(ctx: &Context, user: User) -> mite::Result {
    let http = ctx.http();
    http.on_response(|response, labels| {
        if let Some(cache) = response.header("x-cache") {
            labels.label("cache", cache);
        }
    });
    ctx.transaction("shop", async {
        let page = http
            .get("/shop")
            .header("accept", "text/html")
            .send()
            .await?;
        let html = page.expect_status(200)?.text()?;
        // A browser asks for all of them at once, and has six connections to do so.
        let resources = resources(&html).map(|url| http.get(url).name(name(url)).send());
        for answer in try_join_all(resources).await? {
            answer.expect_status(200)?;
        }
        Ok(())
    })
    .await?;
    ctx.pause(Duration::from_millis(200)).await;
    ctx.transaction("sign in", async {
        // The shop answers the form with a cookie and a redirect, and the browser follows.
        let account = http.post("/sign-in").form(&user).send().await?;
        account
            .expect_status(200)?
            .expect_body_contains(&user.name)?;
        let path = account.url().path();
        mite::ensure!(path == "/account", "the form led to {path}");
        mite::ensure!(
            account.history().len() == 1,
            "{} redirects",
            account.history().len()
        );
        mite::ensure!(
            http.cookies().get("/", "session").is_some(),
            "no session was begun"
        );
        Ok(())
    })
    .await
}

/// What a page wants loaded besides.
fn resources(html: &str) -> impl Iterator<Item = &str> {
    html.split('"').filter(|text| text.starts_with("/static/"))
}

/// What reports call a resource: the pictures are one row.
fn name(url: &str) -> String {
    if url.starts_with("/static/picture/") {
        "GET /static/picture/:n".to_owned()
    } else {
        format!("GET {url}")
    }
}

/// The customers of the shop, from a file.
#[datapool]
fn users() -> Recyclable<User> {
    Recyclable::from_csv(examples::file("users.csv"))
}

/// Ten visitors a second, each with a browser that was just started.
#[scenario]
fn visitors() -> Scenario {
    Scenario::new()
        .journey::<visit>(users(), Constant::per_second(10, Duration::from_secs(20)))
        .threshold("transaction{name=\"shop\"}.p95 < 500ms")
        .threshold("http{phase=\"first_byte\"}.p99 < 250ms")
        .threshold("errors.rate < 1%")
}

fn browser() -> Settings {
    Settings::new()
        .connections(Connections::per_journey().max_per_host(6))
        .compressed(true)
        .user_agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("accept-language", "en-GB,en;q=0.5")
}

fn main() -> ExitCode {
    mite::main_with(|config| {
        config.set_default("base_url", examples::shop_url());
        // Here rather than in the scenario, so that `journey run` is this client too.
        browser().set_default(config);
    })
}

#[cfg(test)]
mod tests {
    use mite::{Config, http::StatusCode, testing};

    use super::*;

    #[tokio::test]
    async fn a_visitor_loads_all_pictures_over_six_connections_and_comes_to_the_account() {
        let mut config = Config::default();
        config.set("base_url", examples::shop_url());
        browser().set_default(&mut config);
        let user = User {
            name: "ada".to_owned(),
            password: "engine".to_owned(),
        };
        let visit = testing::run_with::<visit>(user, config).await;
        visit.result().unwrap();
        assert_eq!(visit.transactions(), ["shop", "sign in"]);
        let exchanges = visit.exchanges();
        let pictures = exchanges
            .iter()
            .filter(|exchange| exchange.url.ends_with(".svg"));
        assert_eq!(pictures.clone().count(), 8);
        assert!(
            pictures
                .clone()
                .all(|picture| picture.labels[0].0 == "cache")
        );
        let opened = exchanges.iter().filter(|exchange| !exchange.timings.reused);
        assert_eq!(opened.count(), 6);
        let last: Vec<_> = exchanges
            .iter()
            .rev()
            .map(|exchange| exchange.status)
            .take(2)
            .collect();
        assert_eq!(last, [Some(StatusCode::OK), Some(StatusCode::SEE_OTHER)]);
    }
}
