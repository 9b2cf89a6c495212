//! Phases of requests: present where they happened, and together as long as the requests.

use std::{fs, time::Duration};

use futures_util::{
    StreamExt as _,
    stream::{self, FuturesUnordered},
};
use mite::{
    Context, Run, Scenario,
    http::{Body, Connections, Network, Settings, Timings, Tls},
    journey,
    volume::Constant,
};
use serde_json::Value;
use tests::{
    certificates::Authority,
    httpbin::Httpbin,
    nginx::{Config, Nginx},
};

use crate::run::{at, at_with, passes, timings};

/// Requests of many kinds to two servers, the second by name and over TLS.
#[journey]
async fn mixed(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    let other: String = ctx.config().get("other")?;
    http.get("/get").send().await?;
    http.get("/redirect/2").send().await?;
    http.get("/gzip").send().await?;
    http.get("/status/503").send().await?;
    http.post("/post").body(vec![b'x'; 300_000]).send().await?;
    let pieces = ["one", "two"].map(Ok::<_, String>);
    let streamed = http.post("/post").body(Body::stream(stream::iter(pieces)));
    streamed.send().await?;
    let digest = http.get("/digest-auth/auth/ada/secret");
    digest.digest_auth("ada", "secret").send().await?;
    let mut streaming = http.get("/stream-bytes/20000").stream().await?;
    while streaming.chunk().await?.is_some() {}
    let item = |path: &str| http.get(format!("{other}{path}")).send();
    let (one, two, three) = tokio::join!(item("/"), item("/item/1"), item("/file"));
    for answer in [one, two, three] {
        answer?.expect_status(200)?;
    }
    let mut several: FuturesUnordered<_> = (0..5).map(|_| item("/file")).collect();
    while let Some(answer) = several.next().await {
        answer?.expect_status(200)?;
    }
    let store = http.post(format!("{other}/store")).body("thing");
    store.expect_continue().send().await?.expect_status(201)?;
    http.get(format!("{other}/missing"))
        .send()
        .await?
        .expect_status(404)?;
    Ok(())
}

/// How many requests that are.
const MIXED: usize = 4 + 2 + 2 + 2 + 1 + 3 + 5 + 2;

/// A server over TLS with these, and clients of either version of HTTP with few connections.
fn peers() -> (Vec<(Nginx, Settings)>, String) {
    let peers = [false, true].map(|http2| {
        let authority = Authority::new();
        let config = Config::tls(&authority.server());
        let config = if http2 { config.http2() } else { config };
        let client = Settings::new()
            .connections(Connections::per_journey().max_per_host(2))
            .tls(Tls::new().root_certificate_pem(authority.pem()));
        (config.start(), client)
    });
    (peers.into(), Httpbin::shared().url())
}

fn sum(timings: &Timings) -> Duration {
    let phases = timings.phases();
    phases.iter().filter_map(|(_, time)| *time).sum()
}

#[tokio::test]
async fn the_phases_of_each_request_are_as_long_as_it_was() {
    let (peers, url) = peers();
    for (nginx, client) in peers {
        let mut config = at_with(&url, &client);
        config.set("other", nginx.url_of("localhost"));
        let recorded = passes::<mixed>((), config).await;
        assert_eq!(recorded.exchanges().len(), MIXED);
        for exchange in recorded.exchanges() {
            let timings = &exchange.timings;
            assert_eq!(sum(timings), timings.total, "{exchange:?}");
            assert_eq!(timings.connect.is_some(), !timings.reused, "{exchange:?}");
            let encrypted = exchange.url.starts_with("https:");
            assert_eq!(
                timings.tls.is_some(),
                !timings.reused && encrypted,
                "{exchange:?}"
            );
        }
        let all = timings(&recorded);
        assert!(all.iter().any(|timings| timings.waiting.is_some()));
        let lookups = all.iter().filter(|timings| timings.dns.is_some());
        assert!((1..=2).contains(&lookups.count()));
    }
}

#[tokio::test]
async fn the_phases_of_the_report_are_as_long_as_its_requests() {
    let (peers, url) = peers();
    for (nginx, client) in peers {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let scenario = Scenario::new()
            .base_url(&url)
            .http(client)
            .journey::<mixed>((), Constant::users(2, Duration::from_millis(500)));
        let mut config = mite::Config::default();
        config.set("other", nginx.url_of("localhost"));
        let run = Run::new(scenario).workers(1).config(config).report(&file);
        let report = run.execute().await.unwrap();
        assert_eq!(report.errors, []);

        let json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let http = &json["http"];
        let requests = MIXED as u64 * report.journeys[0].completed;
        assert_eq!(http["requests"], requests);
        let phases: Vec<_> = http["phases"].as_object().unwrap().values().collect();
        assert_eq!(phases.len(), 7);
        let phases: f64 = phases.into_iter().map(seconds).sum();
        let total = seconds(&http["time"]) + seconds(&http["failed_time"]);
        assert!((phases - total).abs() < 1e-6 * total, "{phases} of {total}");

        let rows = http["requests_by"].as_array().unwrap();
        for row in rows {
            let names = [
                "waiting",
                "dns",
                "connect",
                "tls",
                "sent",
                "first_byte",
                "body",
            ];
            let phases: f64 = names.iter().map(|name| seconds(&row[name])).sum();
            let total = seconds(&row["time"]);
            assert!(
                (phases - total).abs() < 1e-6 * total,
                "{phases} of {total}: {row}"
            );
        }
        let of_rows: f64 = rows.iter().map(|row| seconds(&row["time"])).sum();
        assert!(
            (of_rows - total).abs() < 1e-6 * total,
            "{of_rows} of {total}"
        );
    }
}

/// What all samples of a distribution took together.
fn seconds(latency: &Value) -> f64 {
    let count = latency["count"].as_f64().unwrap();
    if count > 0.0 {
        count * latency["mean"].as_f64().unwrap()
    } else {
        0.0
    }
}

#[tokio::test]
async fn a_slow_server_shows_in_the_time_to_the_first_byte_and_a_slow_body_in_the_body() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        ctx.http().get("/delay/0.5").send().await?;
        ctx.http()
            .get("/drip?numbytes=5&duration=0.5")
            .send()
            .await?;
        Ok(())
    }
    let recorded = passes::<asks>((), at(Httpbin::shared().url())).await;
    let [late, slow] = timings(&recorded)[..] else {
        panic!("two requests");
    };
    let half = Duration::from_millis(400);
    assert!(
        late.first_byte > Some(half) && late.body < Some(half),
        "{late:?}"
    );
    assert!(slow.body > Some(half), "{slow:?}");
}

#[tokio::test]
async fn a_new_connection_is_no_part_of_a_kept_one() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        for _ in 0..2 {
            ctx.http().get("/").send().await?;
        }
        Ok(())
    }
    let nginx = Nginx::start();
    let network = Network::new().address_family(mite::http::AddressFamily::PreferIpv4);
    let client = Settings::new().network(network);
    let recorded = passes::<asks>((), at_with(nginx.url_of("localhost"), &client)).await;
    let present: Vec<Vec<_>> = timings(&recorded)
        .into_iter()
        .map(|timings| {
            let phases = timings.phases().into_iter();
            phases
                .filter_map(|(name, time)| time.map(|_| name))
                .collect()
        })
        .collect();
    let request = ["sent", "first_byte", "body"];
    assert_eq!(
        present,
        [
            [&["dns", "connect"][..], &request].concat(),
            request.to_vec()
        ]
    );
}
