//! A server that accepts and never answers, and one that does not even accept.

use std::time::Duration;

use tests::hostile::{Deaf, Hostile};

use crate::load::{Ended, Load, MEBIBYTE, OWN_DESCRIPTORS, eventually};

const SECONDS: u64 = 5;
const RATE: u64 = 200;
const USERS: u64 = 50;

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_millis(500);

fn load(url: String) -> Load {
    Load::on(url, SECONDS).path("/stall/before-head")
}

/// Nothing piles up with time: not what is in flight, nor memory, nor connections.
#[track_caller]
fn assert_bounded(ended: &Ended, in_flight: u64) {
    for point in &ended.report.series.points {
        assert!(
            point.users <= in_flight,
            "{} of {in_flight}: {ended}",
            point.users
        );
    }
    let (descriptors, most) = (ended.most_descriptors(), OWN_DESCRIPTORS + in_flight);
    assert!(
        descriptors <= most,
        "{descriptors} descriptors of {most}: {ended}"
    );
    ended.assert_flat(4 * MEBIBYTE);
}

/// Every attempt was a timeout; those that had a connection in time have sent a request, which the
/// server has read, and have closed it.
#[track_caller]
fn assert_unanswered(ended: &Ended, server: &Hostile, tried: u64) {
    ended.assert_kinds(&["timeout"]);
    assert_eq!(ended.errors("timeout"), tried, "{ended}");
    let http = &ended.report.http;
    let connections = &http.connections;
    assert_eq!(http.requests + connections.failed, tried, "{ended}");
    assert_eq!(
        (connections.opened, connections.reused),
        (http.requests, 0),
        "{ended}"
    );
    // On a busy machine some find no server in time; who has no more than them has none.
    assert!(http.requests > tried / 2, "{ended}");
    let hits = || server.hits("/stall/before-head");
    eventually(|| hits() >= http.requests);
    assert_eq!(hits(), http.requests, "{ended}");
    let accepted = server.connections();
    assert!(
        accepted >= connections.opened && accepted <= tried,
        "{accepted}: {ended}"
    );
    ended.assert_each_second(SECONDS, |point| point.requests);
    ended.assert_failed();
}

#[test]
fn starts_go_on_at_their_rate_when_no_answer_comes() {
    let server = Hostile::start();
    let ended = load(server.url()).timeout(LIMIT).rate(RATE).run();
    ended.assert_started(RATE, SECONDS);
    assert_unanswered(&ended, &server, RATE * SECONDS);
    assert_bounded(&ended, ended.most_in_flight(RATE, LIMIT));
}

#[test]
fn users_ask_again_after_each_timeout() {
    let server = Hostile::start();
    let ended = load(server.url()).timeout(LIMIT).users(USERS).run();
    let asked = ended.journey("stay").started;
    assert_unanswered(&ended, &server, asked);
    // Twice a second each, or somewhat less where the machine is busy.
    let most = USERS * (2 * SECONDS + 1);
    assert!(
        (most / 3..=most).contains(&asked),
        "{asked} of {most}: {ended}"
    );
    assert_bounded(&ended, USERS);
}

#[test]
fn starts_go_on_at_their_rate_when_no_connection_comes_about() {
    for limit in ["timeout_ms", "connect_timeout_ms"] {
        let server = Deaf::start();
        let load = load(server.url()).set(limit, LIMIT.as_millis());
        let ended = load.rate(RATE).run();
        ended.assert_started(RATE, SECONDS);
        assert_unconnected(&ended, RATE * SECONDS);
        assert_bounded(&ended, ended.most_in_flight(RATE, LIMIT));
    }
}

#[test]
fn users_who_get_no_connection_wait_before_they_try_again() {
    let server = Deaf::start();
    let ended = load(server.url()).timeout(LIMIT).users(USERS).run();
    let tried = ended.journey("stay").started;
    assert_unconnected(&ended, tried);
    // After 0.6, 1.3, 2.2 and 3.5 seconds.
    assert!((USERS * 3..=USERS * 5).contains(&tried), "{tried}: {ended}");
    assert_bounded(&ended, USERS);
}

#[track_caller]
fn assert_unconnected(ended: &Ended, tried: u64) {
    ended.assert_kinds(&["timeout"]);
    let http = &ended.report.http;
    assert_eq!(
        (http.requests, ended.errors("timeout")),
        (0, tried),
        "{ended}"
    );
    let connections = &http.connections;
    assert_eq!(
        (connections.opened, connections.failed),
        (0, tried),
        "{ended}"
    );
    ended.assert_failed();
}
