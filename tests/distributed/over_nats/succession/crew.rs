//! Runners that come and go while there is no controller.

use std::{thread::sleep, time::Duration};

use tests::{nats::Nats, nginx::Nginx};

use super::assert_taken_over;
use crate::over_nats::crew::{Controller, have_left, runner};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_that_comes_while_there_is_no_controller_has_its_part_under_the_next() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let mut runners = vec![runner(&nats.url())];
    let arguments = ["--durable", "--duration", "14s"];
    let mut controller = Controller::start(&nats, &nginx, "marked_visits", 1, &arguments);
    controller.wait_for_second(2);
    controller.signal("KILL");
    runners.push(runner(&nats.url()));
    sleep(SECOND);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1400, 1400));
    assert_taken_over(&told, 1);
    let rows = told.report["generator"]["by_runner"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{}", told.ended);
    let of = |runner: &tests::running::Running| log.count(&format!("/item/{}", runner.id()));
    let shares = [of(&runners[0]), of(&runners[1])];
    assert!(shares.iter().all(|share| *share >= 100), "{shares:?}");
    have_left(runners);
}

#[test]
fn one_that_is_killed_while_there_is_no_controller_is_missed_by_the_next() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let mut runners = vec![runner(&nats.url()), runner(&nats.url())];
    let arguments = ["--durable", "--duration", "16s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(4);
    controller.signal("KILL");
    drop(runners.pop());
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    assert_eq!(told.report["verdict"], "invalid");
    assert!(told.ended.stdout.contains("was lost"), "{}", told.ended);
    assert_taken_over(&told, 1);
    // The other has all of it from soon after the takeover on.
    assert_eq!(told.starts()[14..16], [100; 2], "{:?}", told.starts());
    // What was not told before it was killed is all that is not counted.
    let unreported = log.len() - told.requests();
    assert!(unreported <= 100, "{unreported} of {}", log.len());
    have_left(runners);
}
