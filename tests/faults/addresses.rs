//! A name of which half the addresses are dead.

use std::net::SocketAddr;

use tests::hostile::{Deaf, Hostile};

use crate::load::{Ended, Load};

const SECONDS: u64 = 3;
const RATE: u64 = 100;

/// A load on a name with two addresses, of which only the first is the server's. Each request has a
/// connection of its own.
fn load(server: &Hostile, seconds: u64) -> Load {
    let port = server.address().port();
    Load::on(format!("http://shop.test:{port}"), seconds)
        .path("/ok")
        .option("--resolve", format!("shop.test:{port}:127.0.0.1,127.0.0.2"))
        .set("connections", "none")
}

/// The address that is not the server's.
fn other(server: &Hostile) -> SocketAddr {
    SocketAddr::new([127, 0, 0, 2].into(), server.address().port())
}

#[track_caller]
fn assert_served(ended: &Ended, server: &Hostile) {
    let http = &ended.report.http;
    assert_eq!(http.requests, server.requests(), "{ended}");
    assert_eq!(ended.requests(Some(200)), server.requests(), "{ended}");
    assert_eq!(http.connections.opened, server.connections(), "{ended}");
    assert_eq!(http.connections.opened, http.requests, "{ended}");
}

#[test]
fn an_address_that_refuses_costs_no_request() {
    let server = Hostile::start();
    let ended = load(&server, SECONDS).rate(RATE).users(4).run();
    assert_served(&ended, &server);
    ended.assert_started(RATE, SECONDS);
    assert_eq!(ended.all_errors(), 0, "{ended}");
    assert_eq!(ended.journey("come").completed, RATE * SECONDS, "{ended}");
    assert_eq!(ended.journey("stay").failed, 0, "{ended}");
    assert!(ended.journey("stay").completed > 100, "{ended}");
    // Each second connection begins with the dead one, in each of two workers.
    let connections = ended.report.http.connections;
    let half = connections.opened / 2;
    assert!(connections.fallbacks.abs_diff(half) <= 2, "{ended}");
}

#[test]
fn an_address_that_never_answers_costs_time_and_no_request_when_there_is_time_for_the_next() {
    let server = Hostile::start();
    let _dead = Deaf::on(other(&server));
    let load = load(&server, SECONDS).set("connect_timeout_ms", 8000);
    let ended = load.rate(RATE).run();
    assert_served(&ended, &server);
    ended.assert_started(RATE, SECONDS);
    assert_eq!(ended.all_errors(), 0, "{ended}");
    // Each second connection begins with the dead one, and leaves it after half of the time.
    let time = &ended.report.http.time;
    assert!(time.p95 >= Some(3.9) && time.max < Some(8.0), "{ended}");
    assert!(time.min < Some(1.0), "{ended}");
}

#[test]
fn an_address_that_never_answers_costs_half_the_requests_when_there_is_no_time_for_the_next() {
    let server = Hostile::start();
    let _dead = Deaf::on(other(&server));
    let load = load(&server, SECONDS).set("connect_timeout_ms", 1900);
    let ended = load.rate(RATE).run();
    assert_served(&ended, &server);
    ended.assert_started(RATE, SECONDS);
    ended.assert_kinds(&["timeout"]);
    let timeouts = ended.errors("timeout");
    assert_eq!(ended.report.http.connections.failed, timeouts, "{ended}");
    assert_eq!(timeouts + server.requests(), RATE * SECONDS, "{ended}");
    // In turn, in each of two workers.
    assert!(
        timeouts.abs_diff(server.requests()) <= 2,
        "{timeouts}: {ended}"
    );
    ended.assert_each_second(SECONDS, |point| point.requests);
}
