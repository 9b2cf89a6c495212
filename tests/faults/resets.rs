//! A server that resets every tenth request.

use tests::hostile::Hostile;

use crate::load::{Ended, Load};

const SECONDS: u64 = 3;

#[track_caller]
fn assert_counted(ended: &Ended, server: &Hostile) {
    let (requests, resets) = (server.requests(), server.resets());
    assert_eq!(resets, requests / 10, "the server is as it should be");
    assert_eq!(ended.report.http.requests, requests, "{ended}");
    ended.assert_kinds(&["reset"]);
    assert_eq!(ended.errors("reset"), resets, "{ended}");
    assert_eq!(ended.requests(Some(200)), requests - resets, "{ended}");
    let connections = &ended.report.http.connections;
    assert_eq!(connections.opened, server.connections(), "{ended}");
    assert_eq!(connections.opened + connections.reused, requests, "{ended}");
    assert_eq!(connections.failed, 0, "{ended}");
    // None is used after its reset.
    assert!(connections.opened >= resets, "{ended}");
    ended.assert_each_second(SECONDS, |point| point.requests - point.errors);
    ended.assert_failed();
}

#[test]
fn users_go_on_after_each_reset_with_a_new_connection() {
    let server = Hostile::start();
    let load = Load::on(server.url(), SECONDS).path("/reset/every/10");
    let ended = load.users(8).run();
    assert_counted(&ended, &server);
    assert!(server.requests() > 300, "{ended}");
    // One for each user, and another for each that was lost.
    let most = 8 + server.resets();
    assert!(
        server.connections() <= most,
        "{} of {most}",
        server.connections()
    );
}

#[test]
fn starts_come_at_their_rate_whatever_is_reset() {
    let server = Hostile::start();
    let load = Load::on(server.url(), SECONDS).path("/reset/every/10");
    let ended = load.rate(300).run();
    assert_counted(&ended, &server);
    ended.assert_started(300, SECONDS);
    assert_eq!(server.resets(), 30 * SECONDS);
}
