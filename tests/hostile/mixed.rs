//! A run in which everything goes wrong at once: nothing of it is lost from the counts.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use mite::{
    Context, Report, Run, Scenario,
    datapool::Once,
    http::{HttpVersion, Settings, Tls},
    journey,
    volume::Constant,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tests::{
    certificates::Authority,
    hostile::{Hostile, Http2, Http2Config},
};

/// Longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(10);

/// For those that do not come.
const PATIENCE: Duration = Duration::from_secs(1);

const MINUTE: Duration = Duration::from_secs(60);

/// How often each of the cases is asked for.
const EACH: u64 = 25;

/// A path over HTTP/1.1, and what it comes to: a status, or a kind of error.
const CASES: [(&str, Result<u16, &str>); 16] = [
    ("/ok", Ok(200)),
    ("/length/too-short", Ok(200)),
    ("/encoding/gzip", Ok(200)),
    ("/head/status/404", Ok(404)),
    ("/head/status/503", Ok(503)),
    ("/close/before-a-byte", Err("closed")),
    ("/close/in-header", Err("closed")),
    ("/reset/before-head", Err("reset")),
    ("/reset/in-body", Err("reset")),
    ("/length/too-long", Err("body")),
    ("/chunked/no-last-chunk", Err("body")),
    ("/head/not-http", Err("protocol")),
    ("/head/many/10000", Err("protocol")),
    ("/encoding/corrupt", Err("decode")),
    ("/stall/before-head", Err("timeout")),
    ("/stall/in-body", Err("timeout")),
];

/// The same over HTTP/2. What loses the connection would take others with it.
const HTTP2_CASES: [(&str, Result<u16, &str>); 6] = [
    ("/ok", Ok(200)),
    ("/nothing", Ok(404)),
    ("/reset/internal-error", Err("reset")),
    ("/reset-in-body/cancel", Err("reset")),
    ("/length/too-long", Err("body")),
    ("/stall/in-body", Err("timeout")),
];

/// One request, and what it has to come to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Case {
    url: String,
    http2: bool,
    path: String,
    wanted: Result<u16, String>,
}

/// Asks for what it is given, and fails as that does.
#[journey]
async fn ask(ctx: &Context, case: Case) -> mite::Result {
    let http = ctx.http();
    if case.http2 {
        http.configure(|settings| settings.version(HttpVersion::Http2));
    }
    let stalls = case.wanted == Err("timeout".to_owned());
    let request = http
        .get(format!("{}{}", case.url, case.path))
        .timeout(if stalls { PATIENCE } else { LIMIT });
    request.send().await?.expect_status(200)?;
    Ok(())
}

/// The servers, and what is asked of them.
struct Peers {
    http1: [Hostile; 2],
    http2: [Http2; 2],
}

impl Peers {
    fn start() -> Self {
        let identity = Authority::new().server();
        Self {
            http1: [Hostile::start(), Hostile::https(&identity)],
            http2: [
                Http2Config::plain().start(),
                Http2Config::tls(&identity).start(),
            ],
        }
    }

    /// Each case equally often, in another order each time.
    fn cases(&self) -> Vec<Case> {
        let case = |url: String, http2, (path, wanted): (&str, Result<u16, &str>)| Case {
            url,
            http2,
            path: path.to_owned(),
            wanted: wanted.map_err(str::to_owned),
        };
        let http1 = self.http1.iter().map(Hostile::url);
        let http1 = http1.flat_map(|url| CASES.map(|known| case(url.clone(), false, known)));
        let http2 = self.http2.iter().map(Http2::url);
        // Behind TLS it is found out by ALPN.
        let http2 = http2.flat_map(|url| {
            let knows = url.starts_with("http:");
            HTTP2_CASES.map(|known| case(url.clone(), knows, known))
        });
        let cases: Vec<Case> = http1.chain(http2).collect();
        let ordered = |round: usize| {
            let cases = &cases;
            // 17 has no factor in common with their number, so each comes up.
            (0..cases.len()).map(move |at| cases[(at * 17 + round * 5) % cases.len()].clone())
        };
        (0..EACH as usize).flat_map(ordered).collect()
    }

    fn requests(&self) -> u64 {
        let http1 = self.http1.iter().map(Hostile::requests);
        let http2 = self.http2.iter().map(Http2::requests);
        http1.chain(http2).sum()
    }

    fn assert_each_was_hit(&self) {
        for server in &self.http1 {
            for (path, _) in CASES {
                assert_eq!(server.hits(path), EACH, "{}{path}", server.url());
            }
        }
        for server in &self.http2 {
            for (path, _) in HTTP2_CASES {
                assert_eq!(server.hits(path), EACH, "{}{path}", server.url());
            }
        }
    }

    fn connections(&self) -> u64 {
        let http1 = self.http1.iter().map(Hostile::connections);
        let http2 = self.http2.iter().map(Http2::connections);
        http1.chain(http2).sum()
    }
}

type Counts = BTreeMap<String, u64>;

/// How often each kind of error and each status has to come up.
fn wanted(cases: &[Case]) -> (Counts, Counts) {
    let (mut kinds, mut statuses) = (Counts::new(), Counts::new());
    for case in cases {
        match &case.wanted {
            Ok(status) => *statuses.entry(status.to_string()).or_default() += 1,
            Err(kind) => *kinds.entry(kind.clone()).or_default() += 1,
        }
    }
    (kinds, statuses)
}

async fn run(cases: Vec<Case>) -> Report {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("report.json");
    let settings = Settings::new().tls(Tls::new().danger_accept_invalid_certs(true));
    let scenario = Scenario::new()
        .http(settings)
        .journey::<ask>(Once::new(cases), Constant::users(48, MINUTE));
    let began = Instant::now();
    let run = Run::new(scenario).workers(2).report(&file);
    run.execute().await.unwrap();
    assert!(began.elapsed() < MINUTE, "{:?}", began.elapsed());
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[tokio::test]
async fn every_error_of_a_run_is_counted_under_its_kind() {
    let peers = Peers::start();
    let cases = peers.cases();
    let all = cases.len() as u64;
    assert!(all >= 1000);
    let (kinds, statuses) = wanted(&cases);
    let report = run(cases).await;
    let http = &report.http;

    peers.assert_each_was_hit();
    assert_eq!((http.requests, peers.requests()), (all, all));
    assert_eq!(http.errors, kinds);
    let mut counted = Counts::new();
    for row in &http.requests_by {
        let status = row
            .status
            .map_or("none".to_owned(), |status| status.to_string());
        *counted.entry(status).or_default() += row.count;
    }
    let unanswered: u64 = kinds.values().sum();
    assert_eq!(counted.remove("none"), Some(unanswered));
    assert_eq!(counted, statuses);

    let fine = statuses["200"];
    assert_eq!(http.failed, all - fine);
    // Of those that were answered, the journey did not want some.
    let mut failures = kinds;
    failures.insert("error".to_owned(), all - fine - unanswered);
    let mut counted = Counts::new();
    for row in &report.errors {
        *counted.entry(row.kind.clone()).or_default() += row.count;
    }
    assert_eq!(counted, failures);
    let row = report.journey("ask").unwrap();
    assert_eq!(
        (row.started, row.completed, row.failed, row.interrupted),
        (all, fine, all - fine, 0)
    );

    let http2: u64 = peers.http2.iter().map(Http2::requests).sum();
    assert_eq!(http.versions["HTTP/2.0"], http2);
    assert_eq!(http.versions["HTTP/1.1"], all - http2);
    assert_eq!(http.connections.opened, peers.connections());
    assert_eq!(http.connections.opened + http.connections.reused, all);
}
