//! A generator that may not open as many connections as its load needs.

use tests::hostile::Hostile;

use crate::load::{Ended, Load};

const SECONDS: u64 = 4;
const LIMIT: u32 = 80;

/// Journeys that keep a connection of their own for half a second.
fn load(server: &Hostile) -> Load {
    Load::on(server.url(), SECONDS)
        .path("/ok")
        .set("connections", "per_journey")
        .set("hold_ms", 500)
        .descriptors(LIMIT)
}

/// It goes on with the connections there are, both sides count the same, and it says that the load
/// was not the one asked for.
#[track_caller]
fn assert_goes_on(ended: &Ended, server: &Hostile) {
    let http = &ended.report.http;
    ended.assert_kinds(&["local"]);
    assert_eq!(http.requests, server.requests(), "{ended}");
    assert_eq!(ended.requests(Some(200)), server.requests(), "{ended}");
    assert_eq!(http.connections.opened, server.connections(), "{ended}");
    assert_eq!(http.connections.failed, ended.errors("local"), "{ended}");
    let own = ended.report.generator.own_errors;
    assert_eq!(
        (own.descriptors, own.ports, own.memory),
        (ended.errors("local"), 0, 0)
    );
    ended.assert_each_second(SECONDS, |point| point.requests);
    // Forty at least at a time, each for half a second.
    assert!(http.requests >= 20 * SECONDS, "{ended}");
    // One that was there before may lie above the limit.
    assert!(ended.most_descriptors() <= u64::from(LIMIT) + 10, "{ended}");
    assert_eq!(ended.code, Some(3), "{ended}");
    let mut suspicions = ended.report.generator.suspicions.iter();
    assert!(
        suspicions.any(|suspicion| suspicion.invalid && suspicion.name == "own_errors"),
        "{ended}"
    );
}

#[test]
fn users_without_a_descriptor_wait_and_the_others_go_on() {
    let server = Hostile::start();
    let ended = load(&server).users(150).run();
    assert_goes_on(&ended, &server);
    // Each tries again after 0.1, 0.3, 0.7, 1.5, 3.1 seconds, not as fast as it can.
    assert!(ended.errors("local") <= 150 * 10, "{ended}");
    let late = &ended.report.series.points[SECONDS as usize - 2..];
    assert!(
        late.iter().any(|point| point.errors > 0),
        "they try again to the end: {ended}"
    );
}

#[test]
fn starts_without_a_descriptor_fail_and_the_others_go_on() {
    let server = Hostile::start();
    let ended = load(&server).rate(300).run();
    assert_goes_on(&ended, &server);
    ended.assert_started(300, SECONDS);
}
