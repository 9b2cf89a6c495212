//! Several controllers at one prefix.

use std::{thread::sleep, time::Duration};

use tests::{nats::Nats, nginx::Nginx};

use super::{PAUSE, assert_taken_over};
use crate::over_nats::crew::{Controller, have_left, runner};

#[test]
fn one_that_stands_by_waits_on_when_nats_was_away_and_takes_over_when_it_has_to() {
    let (mut nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "18s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(1);
    let mut standby = controller.another(&["--standby"]);
    standby.wait_for("another controller leads; standing by");
    nats.kill_for(PAUSE);
    controller.wait_for_second(8);
    assert!(
        !standby.so_far().contains("goes on with the run"),
        "{}",
        standby.so_far()
    );
    controller.replace(standby);
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (1800, 1800));
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn of_two_that_stand_by_the_other_takes_over_from_the_first() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "16s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(1);
    let mut both = [(); 2].map(|()| controller.another(&["--standby"]));
    for standby in &mut both {
        standby.wait_for("another controller leads; standing by");
    }
    controller.signal("KILL");
    let leads = || {
        both.iter()
            .position(|one| one.so_far().contains("goes on with the run"))
    };
    let first = loop {
        match leads() {
            Some(first) => break first,
            None => sleep(Duration::from_millis(20)),
        }
    };
    let [one, other] = both;
    let (first, second) = if first == 0 {
        (one, other)
    } else {
        (other, one)
    };
    controller.replace(first);
    sleep(PAUSE);
    controller.replace(second);
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (1600, 1600));
    assert_taken_over(&told, 2);
    have_left(runners);
}

#[test]
fn one_that_cannot_be_replaced_takes_no_runners_from_a_run_without_a_controller() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "12s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(1);
    let alone = ["--duration", "1s"];
    let while_one_leads = Controller::start(&nats, &nginx, "few_visits", 1, &alone);
    let ended = while_one_leads
        .end_if_begun()
        .map(|told| told.ended)
        .unwrap_err();
    ended.refused(&["there is a controller already"]);
    controller.signal("KILL");
    let while_none_leads = Controller::start(&nats, &nginx, "few_visits", 1, &alone);
    let ended = while_none_leads
        .end_if_begun()
        .map(|told| told.ended)
        .unwrap_err();
    ended.refused(&["--durable", "--nats-prefix"]);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (1200, 1200));
    assert_taken_over(&told, 1);
    have_left(runners);
}
