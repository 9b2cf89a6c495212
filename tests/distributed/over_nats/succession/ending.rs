//! A controller is gone while its run comes to the end.

use std::{thread::sleep, time::Duration};

use tests::{nats::Nats, nginx::Nginx};

use super::assert_taken_over;
use crate::over_nats::crew::{Controller, Told, have_left, runner};

const SECOND: Duration = Duration::from_secs(1);

/// Two seconds of journeys that stay so long, on two runners, and what they have at the end.
fn stays<'a>(stay: &'a str, grace: &'a str) -> [&'a str; 7] {
    let duration = ["--durable", "--duration", "2s"];
    let [durable, name, value] = duration;
    [
        durable,
        name,
        value,
        "--graceful-stop",
        grace,
        "--config",
        stay,
    ]
}

#[track_caller]
fn assert_journeys(told: &Told, completed: u64, interrupted: u64) {
    let journey = &told.report["journeys"][0];
    let counts = ["started", "completed", "interrupted", "failed", "dropped"];
    let counts = counts.map(|name| journey[name].as_u64().unwrap());
    let started = completed + interrupted;
    assert_eq!(
        counts,
        [started, completed, interrupted, 0, 0],
        "{}",
        told.ended
    );
}

#[test]
fn journeys_that_come_to_their_end_without_a_controller_are_counted() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = stays("stay=3", "30s");
    let mut controller = Controller::start(&nats, &nginx, "long_stays", 2, &arguments);
    controller.wait_for("stopping");
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_journeys(&told, 40, 0);
    assert_eq!((told.requests(), log.len()), (80, 80));
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn the_next_controller_cuts_off_what_is_left() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = stays("stay=60", "2s");
    let mut controller = Controller::start(&nats, &nginx, "long_stays", 2, &arguments);
    controller.wait_for("stopping");
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    assert_journeys(&told, 0, 40);
    assert_eq!((told.requests(), log.len()), (40, 40));
    told.assert_passed();
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn what_was_cut_off_is_told_to_the_next_controller() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = stays("stay=60", "2s");
    let mut controller = Controller::start(&nats, &nginx, "long_stays", 2, &arguments);
    controller.wait_for("stopping");
    // A second after this is shown all is cut off: of that this one says nothing before its
    // controller is gone, which does not miss it so soon.
    sleep(SECOND / 2);
    runners[0].signal("STOP");
    sleep(SECOND);
    controller.signal("KILL");
    runners[0].signal("CONT");
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    assert_journeys(&told, 0, 40);
    assert_eq!((told.requests(), log.len()), (40, 40));
    assert_taken_over(&told, 1);
    have_left(runners);
}
