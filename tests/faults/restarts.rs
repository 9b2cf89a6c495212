//! A server that is stopped and started again while it is under load.

use std::time::Duration;

use tests::nginx::{Log, Nginx};

use crate::load::{Ended, Load};

const SECOND: Duration = Duration::from_secs(1);

/// How long the load lasts, seconds; the server is gone during most of the second one.
const SECONDS: u64 = 6;
const RATE: u64 = 100;
const USERS: u64 = 8;

/// Also tells how often users had been served when the server was back.
fn under_load(restart: impl FnOnce(&mut Nginx)) -> (Ended, Log, u64) {
    let mut nginx = Nginx::start();
    let mut before = 0;
    let load = Load::on(nginx.url(), SECONDS).path("/item/{}");
    let running = load.users(USERS).rate(RATE).start();
    running.at(3 * SECOND / 2, || {
        restart(&mut nginx);
        before = nginx.log().count("/item/stay");
    });
    (running.end(), nginx.finish(), before)
}

/// The load went on in both models, by itself, and nothing but the outage went wrong.
#[track_caller]
fn assert_survived(ended: &Ended) {
    ended.assert_started(RATE, SECONDS);
    ended.assert_kinds(&["connect", "reset", "closed"]);
    assert!(ended.errors("connect") > 0, "{ended}");
    // Users who are refused wait, so most of the failures are those of the open model.
    let (stay, come) = (ended.journey("stay"), ended.journey("come"));
    assert!(stay.failed >= USERS && stay.failed < 20 * USERS, "{ended}");
    assert!(come.failed > RATE / 4 && come.failed < 3 * RATE, "{ended}");
    let points = &ended.report.series.points;
    let last = &points[SECONDS as usize - 1];
    assert_eq!(last.errors, 0, "{ended}");
    assert!(last.requests > RATE / 2, "{ended}");
    ended.assert_failed();
}

#[test]
fn a_server_that_is_stopped_and_comes_back_has_its_load_again() {
    let (ended, log, before) = under_load(|nginx| nginx.terminate_for(SECOND));
    assert_survived(&ended);
    let after = log.count("/item/stay") - before;
    assert!(after > 10 * USERS, "{after} after {before}: {ended}");
    assert_eq!(ended.requests(Some(200)), log.with_status(200), "{ended}");
    for name in ["stay", "come"] {
        let served = log.count_of(|line| line.uri.ends_with(name) && line.status == 200);
        assert_eq!(ended.journey(name).completed, served, "{name}: {ended}");
    }
}

#[test]
fn a_server_that_is_killed_and_comes_back_has_its_load_again() {
    let (ended, log, before) = under_load(|nginx| nginx.kill_for(SECOND));
    assert_survived(&ended);
    let after = log.count("/item/stay") - before;
    assert!(after > 10 * USERS, "{after} after {before}: {ended}");
    let (answered, served) = (ended.requests(Some(200)), log.with_status(200));
    // It writes a line after the answer, and may have been killed between the two; or it was before
    // the answer was heard.
    let cut = ended.errors("reset") + ended.errors("closed");
    assert!(answered <= served + 1, "{answered}, {served}: {ended}");
    assert!(served <= answered + cut, "{answered}, {served}: {ended}");
}
