//! A controller is gone, and another goes on with its run.

mod crew;
mod ending;
mod kept;
mod others;
mod results;
mod told;

use std::{thread::sleep, time::Duration};

use tests::{
    nats::{Cluster, Nats},
    nginx::Nginx,
    running::Running,
};

use crate::over_nats::crew::{Controller, Told, have_left, runner, runner_with};

const PAUSE: Duration = Duration::from_secs(2);

#[track_caller]
fn assert_taken_over(told: &Told, times: usize) {
    let takeovers = told.report["generator"]["takeovers"].as_array();
    let gaps = takeovers.into_iter().flatten();
    let gaps: Vec<_> = gaps.map(|one| one["gap_seconds"].as_f64()).collect();
    assert_eq!(gaps.len(), times, "{}", told.ended);
    assert!(
        gaps.iter()
            .all(|gap| gap.is_some_and(|gap| (0.0..15.0).contains(&gap))),
        "{gaps:?}"
    );
}

#[test]
fn a_controller_that_is_killed_and_started_again_goes_on_and_counts_everything() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "14s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    for second in [3, 9] {
        controller.wait_for_second(second);
        controller.kill_and_start_again(Duration::from_millis(500));
    }
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1400, 1400));
    // Each second is there, and what was done in it; what is due at its very end may be late.
    let starts = told.starts();
    let near = |count: &u64| (90..=110).contains(count);
    assert!(
        starts.len() >= 14 && starts[..14].iter().all(near),
        "{starts:?}"
    );
    assert_taken_over(&told, 2);
    have_left(runners);
    assert!(nats.streams().is_empty(), "nothing is left behind");
}

#[test]
fn items_that_are_to_be_used_once_are_used_once_under_both_controllers() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let mut controller = Controller::start(&nats, &nginx, "readers", 2, &["--durable"]);
    controller.wait_for_second(2);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    // While there is no controller there is no data, which is told as what it is.
    let journey = &told.report["journeys"][0];
    assert_eq!((told.requests(), log.len()), (600, 600), "{}", told.ended);
    assert_eq!(journey["completed"], 600, "{}", told.ended);
    for article in 1..=600 {
        assert_eq!(log.count(&format!("/item/{article}")), 1, "{article}");
    }
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn one_that_stands_by_takes_over_and_one_that_was_not_needed_says_so() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "12s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(1);
    let mut standby = controller.another(&["--standby"]);
    standby.wait_for("another controller leads; standing by");
    controller.replace(standby);
    controller.wait_for("goes on with the run");
    let mut unneeded = controller.another(&["--standby"]);
    unneeded.wait_for("another controller leads; standing by");
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1200, 1200));
    assert_taken_over(&told, 1);
    let ended = unneeded.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("was not needed"), "{ended}");
    have_left(runners);
}

#[test]
fn a_controller_that_stood_still_for_too_long_finds_out_and_stops() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "14s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(2);
    let mut standby = controller.another(&["--standby"]);
    standby.wait_for("another controller leads; standing by");
    controller.signal("STOP");
    standby.wait_for("goes on with the run");
    let thawed = controller.exchange(standby);
    thawed.signal("CONT");
    let ended = thawed.end();
    assert_eq!(ended.code, Some(2), "{ended}");
    let why = "error: another controller has taken over the run";
    assert!(ended.stderr.contains(why), "{ended}");
    ended.has_not_crashed();
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1400, 1400));
    have_left(runners);
}

#[test]
fn a_controller_that_stood_still_until_the_end_does_not_write_over_what_came_of_it() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "8s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(1);
    let mut standby = controller.another(&["--standby"]);
    standby.wait_for("another controller leads; standing by");
    controller.signal("STOP");
    let thawed = controller.exchange(standby);
    have_left(runners);
    while !controller.has_ended() {
        sleep(Duration::from_millis(20));
    }
    thawed.signal("CONT");
    let ended = thawed.end();
    assert_eq!(ended.code, Some(2), "{ended}");
    let why = "error: another controller has taken over the run";
    assert!(ended.stderr.contains(why), "{ended}");
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (800, 800));
}

#[test]
fn where_the_state_is_kept_may_be_away_for_a_while_too() {
    let (mut nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "12s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(2);
    nats.kill_for(PAUSE);
    controller.wait_for_second(7);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1200, 1200));
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn a_cluster_keeps_the_state_though_its_leader_is_lost() {
    let (mut nats, nginx) = (Cluster::keeping(3), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.urls()));
    let arguments = ["--durable", "--duration", "16s"];
    let mut controller = Controller::at(&nats.urls(), &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(3);
    nats.lose_leader_of("mite-journal");
    controller.wait_for_second(8);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1600, 1600));
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn another_run_is_begun_anew_and_the_runners_of_the_old_one_come_to_it() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let waits = |url: &str| {
        Running::start(&mut tests::running::program(
            env!("CARGO_BIN_EXE_visits"),
            &["runner", "--workers", "1", "--nats", url],
        ))
    };
    let _runners = [(); 2].map(|()| waits(&nats.url()));
    let first = ["--durable", "--duration", "60s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &first);
    controller.wait_for_second(1);
    controller.signal("KILL");
    let other = ["--durable", "--duration", "2s"];
    let told = Controller::start(&nats, &nginx, "steady_visits", 2, &other).end();
    told.assert_passed();
    assert_eq!(told.requests(), 200);
    assert!(
        told.ended.stderr.contains("had another --duration"),
        "{}",
        told.ended
    );
    assert_taken_over(&told, 0);
}

#[test]
fn what_cannot_be_kept_is_told_before_the_run_and_goes_on_within_it() {
    let nginx = Nginx::start();
    let without = Nats::start();
    let arguments = ["--durable", "--duration", "3s"];
    let controller = Controller::start(&without, &nginx, "steady_visits", 1, &arguments);
    let ended = controller
        .end_if_begun()
        .map(|told| told.ended)
        .unwrap_err();
    ended.refused(&["has no JetStream", "-js -sd DIR"]);

    let full = Nats::keeping_little("12KB");
    let runner = runner(&full.url());
    let arguments = ["--durable", "--duration", "5s"];
    let told = Controller::start(&full, &nginx, "steady_visits", 1, &arguments).end();
    told.assert_passed();
    assert_eq!(told.requests(), 500);
    assert!(
        told.ended.stderr.contains("cannot be kept any longer"),
        "{}",
        told.ended
    );
    have_left([runner]);
    // The next one has a run of its own, and does not go on with the end of this one.
    let runner = crate::over_nats::crew::runner(&full.url());
    let told = Controller::start(&full, &nginx, "steady_visits", 1, &arguments).end();
    told.assert_passed();
    assert_eq!(told.requests(), 500);
    assert_taken_over(&told, 0);
    have_left([runner]);
}

#[test]
fn who_stops_a_run_of_which_nothing_can_be_kept_any_more_has_a_report() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runner = Running::start(&mut runner_with(&nats.url(), &["--orphan-grace", "5s"]));
    let arguments = ["--durable", "--duration", "60s", "--graceful-stop", "1s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 1, &arguments);
    controller.wait_for_second(2);
    drop(nats);
    controller.signal("INT");
    let told = controller.end();
    assert_eq!(told.ended.code, Some(130), "{}", told.ended);
    assert!(
        told.ended.stderr.contains("NATS does not answer"),
        "{}",
        told.ended
    );
    assert!(told.requests() >= 100, "{}", told.ended);
    runner.signal("KILL");
}

/// A run is led by one after the other, each killed at any moment, and a runner as well.
#[test]
fn controllers_are_killed_one_after_the_other_and_nothing_is_counted_wrong() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "20s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(1);
    for _ in 0..4 {
        sleep(Duration::from_millis(random.u64(100..4500)));
        controller.kill_and_start_again(Duration::from_millis(random.u64(..800)));
    }
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (2000, 2000));
    have_left(runners);
}
