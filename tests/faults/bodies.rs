//! Bodies without end, as fast and as slow as they can come.

use std::time::Duration;

use tests::hostile::Hostile;

use crate::load::{Ended, Load, MEBIBYTE, OWN_DESCRIPTORS, eventually};

const SECONDS: u64 = 4;

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_millis(500);

fn load(server: &Hostile, path: &str) -> Load {
    Load::on(server.url(), SECONDS).path(path)
}

/// Every request was cut for this reason, and its connection closed; starts and users went on.
#[track_caller]
fn assert_cut(ended: &Ended, kind: &str, server: &Hostile, path: &str) {
    ended.assert_kinds(&[kind]);
    let http = &ended.report.http;
    let connections = &http.connections;
    // Some may find no server in time.
    let tried = http.requests + connections.failed;
    assert_eq!(ended.errors(kind), tried, "{ended}");
    assert!(connections.failed <= http.requests, "{ended}");
    assert_eq!(connections.opened, http.requests, "{ended}");
    assert_eq!(connections.reused, 0, "{ended}");
    eventually(|| server.hits(path) >= http.requests);
    assert_eq!(server.hits(path), http.requests, "{ended}");
    ended.assert_each_second(SECONDS, |point| point.requests);
    ended.assert_failed();
}

/// So many users began anew each time, all starts took place, and no connection was left open.
#[track_caller]
fn assert_went_on(ended: &Ended, users: u64, rate: u64) {
    ended.assert_started(rate, SECONDS);
    let began = ended.journey("stay").started;
    assert!(began >= 2 * users, "{ended}");
    let most = OWN_DESCRIPTORS + users + ended.most_in_flight(rate, LIMIT);
    let descriptors = ended.most_descriptors();
    assert!(
        descriptors <= most,
        "{descriptors} descriptors of {most}: {ended}"
    );
}

#[test]
fn an_endless_body_that_nobody_keeps_takes_no_memory() {
    let (server, path) = (Hostile::start(), "/endless/chunked");
    let load = load(&server, path).set("discard", true).timeout(LIMIT);
    let ended = load.users(4).rate(5).run();
    assert_cut(&ended, "timeout", &server, path);
    assert_went_on(&ended, 4, 5);
    // Much more than there is memory in use.
    assert!(ended.report.http.bytes_received > 100 * MEBIBYTE, "{ended}");
    ended.assert_resident_below(64 * MEBIBYTE);
    ended.assert_flat(8 * MEBIBYTE);
}

#[test]
fn an_endless_body_is_kept_as_far_as_is_allowed() {
    for path in ["/endless/length", "/endless/chunked"] {
        let server = Hostile::start();
        let load = load(&server, path).set("max_body_size", MEBIBYTE);
        let ended = load.users(4).rate(20).run();
        assert_cut(&ended, "body", &server, path);
        assert_went_on(&ended, 4, 20);
        ended.assert_resident_below(96 * MEBIBYTE);
        ended.assert_flat(24 * MEBIBYTE);
    }
}

#[test]
fn a_body_that_drips_holds_up_nobody_else() {
    let (server, path) = (Hostile::start(), "/drip/1000000/5");
    let ended = load(&server, path).timeout(LIMIT).users(10).rate(50).run();
    assert_cut(&ended, "timeout", &server, path);
    assert_went_on(&ended, 10, 50);
    ended.assert_flat(4 * MEBIBYTE);
}
