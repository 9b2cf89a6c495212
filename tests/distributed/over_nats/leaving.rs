//! Runners that are told to end while the run goes on: they go, and nothing is missing.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use tests::{nats::Nats, nginx::Nginx, running::Running};

use crate::over_nats::crew::{Controller, Told, runner, runner_with};

const SECOND: Duration = Duration::from_secs(1);

impl Told {
    /// When each runner that left did so; and none was lost.
    fn left(&self) -> Vec<f64> {
        let rows = self.report["generator"]["by_runner"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["lost"] == false), "{rows:?}");
        let left = rows.iter().map(|row| row["left_seconds"].as_f64());
        left.flatten().collect()
    }

    fn interrupted(&self) -> u64 {
        let rows = self.report["journeys"].as_array().unwrap();
        let each = rows.iter().map(|row| row["interrupted"].as_u64());
        each.map(Option::unwrap).sum()
    }
}

#[test]
fn a_runner_that_is_told_to_end_leaves_and_nothing_of_the_run_is_missing() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let mut runners = vec![
        runner(&nats.url()),
        runner(&nats.url()),
        runner(&nats.url()),
    ];
    let mut controller = Controller::start(&nats, &nginx, "stays", 3, &["--duration", "7s"]);
    controller.wait_for_second(2);
    let leaver = runners.remove(1);
    leaver.signal("TERM");
    let ended = leaver.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(ended.stderr.contains("has left the run"), "{ended}");
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!(told.report["journeys"][0]["started"], 280);
    assert_eq!(told.report["journeys"][0]["completed"], 280);
    assert_eq!(told.interrupted(), 0);
    assert_eq!(told.requests(), log.len());
    assert_eq!(
        log.count("/item/1"),
        280,
        "each of the stays began somewhere"
    );
    assert_eq!(log.count("/item/2"), 280, "and came to its end");
    assert_eq!(told.report["generator"]["runners"], 3);
    let [left] = told.left()[..] else {
        panic!("{:?}", told.left());
    };
    assert!((2.0..7.0).contains(&left), "{left}");
    for runner in runners {
        assert_eq!(runner.end().code, Some(0));
    }
}

#[test]
fn when_the_last_runner_is_told_to_end_the_run_does_and_says_why() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let runner = runner(&nats.url());
    let mut controller = Controller::start(&nats, &nginx, "stays", 1, &[]);
    controller.wait_for_second(2);
    runner.signal("TERM");
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    let reasons = told.report["reasons"].to_string();
    assert!(
        reasons.contains("No runner is left: the last one was told to end"),
        "{reasons}"
    );
    assert_eq!((told.requests(), told.interrupted()), (log.len(), 0));
    assert_eq!(runner.end().code, Some(130));
}

#[test]
fn a_second_word_cuts_what_is_in_flight_and_it_is_counted() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let (leaver, stayer) = (runner(&nats.url()), runner(&nats.url()));
    let arguments = ["--duration", "6s", "--graceful-stop", "1s"];
    let mut controller = Controller::start(&nats, &nginx, "slow_visits", 2, &arguments);
    controller.wait_for_second(2);
    let began = Instant::now();
    leaver.signal("TERM");
    // Long enough for others to have its share.
    sleep(SECOND);
    leaver.signal("TERM");
    let ended = leaver.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(began.elapsed() < 10 * SECOND, "sixteen are needed for one");
    let told = controller.end();
    let log = nginx.finish();
    // Three users there always were, and what those had begun was cut, here or at the end.
    assert!(told.interrupted() >= 4, "{}", told.interrupted());
    assert_eq!(told.report["journeys"][0]["completed"], 600);
    assert_eq!(told.requests(), log.len());
    assert_eq!(told.left().len(), 1);
    assert_eq!(stayer.end().code, Some(0));
}

#[test]
fn a_runner_that_waits_for_a_controller_goes_at_once() {
    let nats = Nats::start();
    let mut runner = Running::start(&mut runner_with(&nats.url(), &[]));
    runner.wait_for("waiting for a controller");
    let told = Instant::now();
    runner.signal("INT");
    assert_eq!(runner.end().code, Some(130));
    assert!(told.elapsed() < 5 * SECOND);
}
