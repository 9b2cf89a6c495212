//! Processes that die, stand still and come back while the run goes on.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use tests::{nats::Nats, nginx::Nginx};

use crate::over_nats::crew::{Controller, Told, have_left, runner, runner_with};

const SECOND: Duration = Duration::from_secs(1);

/// What the plan wants is started each second again from `second` on, but for the last.
#[track_caller]
fn assert_back_from(told: &Told, second: usize) {
    let starts = told.starts();
    // The run itself, without the seconds in which the last journeys come to their end.
    let planned = told.report["series"]["points"].as_array().unwrap();
    let busy = planned.iter().filter(|point| point["planned_starts"] != 0);
    for (at, started) in starts.iter().enumerate().take(busy.count()).skip(second) {
        assert!(
            (95..=105).contains(started),
            "{started} in second {at}: {starts:?}"
        );
    }
}

#[test]
fn the_volume_of_a_runner_that_is_killed_is_back_within_five_seconds_and_the_gap_is_told() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let mut runners = vec![
        runner(&nats.url()),
        runner(&nats.url()),
        runner(&nats.url()),
    ];
    let mut controller =
        Controller::start(&nats, &nginx, "steady_visits", 3, &["--duration", "14s"]);
    controller.wait_for_second(4);
    let killed = runners.remove(1);
    killed.signal("KILL");
    drop(killed);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    assert_eq!(told.report["verdict"], "invalid");
    assert!(told.ended.stdout.contains("was lost"), "{}", told.ended);
    assert_back_from(&told, 10);
    // Both that are left are on this machine, whose clock is the controller's too.
    let rows = told.report["generator"]["by_runner"].as_array().unwrap();
    for row in rows.iter().filter(|row| row["lost"] == false) {
        for of_clock in ["clock_error_seconds", "clock_drift_seconds"] {
            let off = row[of_clock].as_f64();
            assert!(off.is_some_and(|off| off < 0.05), "{of_clock}: {row}");
        }
    }
    // What it did in its last second or two, which it had not reported, is all that is not counted.
    assert!(told.requests() <= log.len());
    let unreported = log.len() - told.requests();
    assert!(unreported <= 100, "{unreported} of {}", log.len());
    have_left(runners);
}

#[test]
fn what_a_runner_that_is_killed_had_of_a_pool_is_given_to_others() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let mut runners = vec![runner(&nats.url()), runner(&nats.url())];
    let mut controller = Controller::start(&nats, &nginx, "borrowers", 2, &["--duration", "12s"]);
    controller.wait_for_second(2);
    let killed = runners.remove(1);
    killed.signal("KILL");
    drop(killed);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.report["verdict"], "invalid", "{}", told.ended);
    let uses = |item: u32| log.count(&format!("/item/{item}"));
    let uses: Vec<_> = (1..=6).map(uses).collect();
    // Five times a second while somebody has it; what went with the runner had three seconds.
    assert!(uses.iter().all(|uses| *uses >= 25), "{uses:?}");
    have_left(runners);
}

#[test]
fn the_server_of_the_link_may_be_away_for_a_while_and_nothing_is_lost() {
    let (mut nats, nginx) = (Nats::start(), Nginx::start());
    let runners = [runner(&nats.url()), runner(&nats.url())];
    let mut controller =
        Controller::start(&nats, &nginx, "steady_visits", 2, &["--duration", "12s"]);
    controller.wait_for_second(2);
    nats.kill_for(3 * SECOND);
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1200, 1200));
    have_left(runners);
}

#[test]
fn runners_without_a_controller_let_their_journeys_end_and_go() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let grace = ["--orphan-grace", "3s"];
    let started = [(); 2].map(|()| runner_with(&nats.url(), &grace));
    let runners = started.map(|mut command| tests::running::Running::start(&mut command));
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &[]);
    controller.wait_for_second(2);
    controller.signal("KILL");
    let began = Instant::now();
    for runner in runners {
        let ended = runner.end();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
    assert!(began.elapsed() >= 2 * SECOND, "they keep it up for a while");
    assert!(began.elapsed() < 30 * SECOND);
    let at_the_end = nginx.log().len();
    sleep(SECOND);
    assert_eq!(nginx.finish().len(), at_the_end, "nothing comes afterwards");
}

#[test]
fn an_interrupted_controller_lets_its_runners_finish_and_counts_what_they_did() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let runners = [runner(&nats.url()), runner(&nats.url())];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &[]);
    controller.wait_for_second(2);
    controller.signal("INT");
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(130), "{}", told.ended);
    assert_eq!(told.report["verdict"], "interrupted");
    assert_eq!(told.requests(), log.len());
    have_left(runners);
}

#[test]
fn a_runner_that_stood_still_is_done_without_and_does_no_harm_when_it_goes_on() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let runners = [runner(&nats.url()), runner(&nats.url())];
    let mut controller =
        Controller::start(&nats, &nginx, "steady_visits", 2, &["--duration", "16s"]);
    controller.wait_for_second(2);
    runners[0].signal("STOP");
    controller.wait_for_second(10);
    let before = nginx.log().len();
    runners[0].signal("CONT");
    sleep(2 * SECOND);
    // It starts nothing of what it has missed; the other does all there is.
    let since = nginx.log().len() - before;
    assert!(since <= 250, "{since} in two seconds");
    let told = controller.end();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    assert_back_from(&told, 8);
    have_left(runners);
}
