//! A server that breaks off anywhere: whatever that does, nothing is lost and nothing hangs.

use std::time::{Duration, Instant};

use mite::{
    Context, Report, Run, Scenario,
    datapool::Once,
    http::{Connections, Settings, Tls},
    journey,
    volume::Constant,
};
use tests::{certificates::Authority, hostile::Faulty};

const REQUESTS: u64 = 2000;

/// How long a stalled answer is waited for; longer than any other takes.
const LIMIT: Duration = Duration::from_millis(1500);

const MINUTE: Duration = Duration::from_secs(60);

/// One request, in one of the ways to read its answer.
#[journey]
async fn ask(ctx: &Context, number: u64) -> mite::Result {
    let http = ctx.http();
    let request = match number % 3 {
        0 => http.get("/"),
        1 => http.post("/").body("x".repeat(number as usize)),
        _ => http.get("/").discard_body(),
    };
    let answer = request.timeout(LIMIT).send().await?;
    answer.expect_status(200)?;
    Ok(())
}

async fn run(faulty: &Faulty, connections: Connections) -> Report {
    let settings = Settings::new()
        .connections(connections)
        .tls(Tls::new().danger_accept_invalid_certs(true));
    let scenario = Scenario::new()
        .base_url(faulty.url())
        .http(settings)
        .journey::<ask>(Once::new(0..REQUESTS), Constant::users(32, MINUTE));
    let began = Instant::now();
    let report = Run::new(scenario).workers(2).execute().await.unwrap();
    assert!(began.elapsed() < MINUTE, "{:?}", began.elapsed());
    report
}

fn assert_counted(report: &Report, faulty: &Faulty, about: &str) {
    let (http, answered) = (&report.http, faulty.answered());
    assert_eq!(faulty.requests(), REQUESTS, "{about}");
    assert_eq!(http.requests, REQUESTS, "{about}");
    assert_eq!(http.failed, REQUESTS - answered, "{about}");
    assert_eq!(http.errors.values().sum::<u64>(), http.failed, "{about}");
    assert_eq!(http.errors["timeout"], faulty.stalled(), "{about}");
    let kinds: Vec<_> = http.errors.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["body", "closed", "reset", "timeout"], "{about}");
    let row = report.journey("ask").unwrap();
    assert_eq!((row.completed, row.failed), (answered, http.failed));
    assert_eq!((row.started, row.interrupted), (REQUESTS, 0), "{about}");
    let connections = &http.connections;
    assert_eq!(connections.opened, faulty.connections(), "{about}");
    assert_eq!(connections.opened + connections.reused, REQUESTS, "{about}");
    assert!(connections.reused > 0, "{about}");
}

#[tokio::test]
async fn whatever_breaks_off_every_request_is_counted_once_at_both_ends() {
    for seed in [1, 2] {
        let faulty = Faulty::start(seed);
        let report = run(&faulty, Connections::shared()).await;
        assert_counted(&report, &faulty, &format!("seed {seed}"));
    }
}

#[tokio::test]
async fn behind_tls_nothing_is_lost_either() {
    let faulty = Faulty::https(3, &Authority::new().server());
    let report = run(&faulty, Connections::shared()).await;
    assert_counted(&report, &faulty, "seed 3");
}

#[tokio::test]
async fn a_limit_of_connections_survives_all_that_breaks() {
    let faulty = Faulty::start(4);
    let report = run(&faulty, Connections::shared().max_per_host(6)).await;
    assert_counted(&report, &faulty, "seed 4");
}
