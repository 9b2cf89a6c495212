//! Volumes and thresholds that follow the results, of whichever controller.

use std::time::Duration;

use serde_json::json;
use tests::{nats::Nats, nginx::Nginx};

use super::assert_taken_over;
use crate::over_nats::crew::{Controller, have_left, runner};

#[test]
fn a_threshold_judges_what_was_before_too_and_ends_the_run() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let threshold = "http.count < 850 abort";
    let arguments = ["--durable", "--threshold", threshold, "--duration", "30s"];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(2);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(1), "{}", told.ended);
    assert_eq!(told.report["verdict"], "failed");
    assert_eq!(
        told.report["thresholds"][0]["broke_at"], 9.0,
        "{}",
        told.ended
    );
    assert_eq!(told.requests(), log.len());
    assert!((900..=1300).contains(&log.len()), "{}", log.len());
    assert_taken_over(&told, 1);
    have_left(runners);
}

#[test]
fn a_volume_that_follows_the_results_goes_on_with_what_it_has_found() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--durable", "--duration", "22s"];
    let mut controller = Controller::start(&nats, &nginx, "search", 2, &arguments);
    controller.wait_for_second(10);
    controller.kill_and_start_again(Duration::ZERO);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.requests(), log.len());
    told.assert_passed();
    assert_taken_over(&told, 1);
    // Nothing else is asked for while there is no controller, and more is when there is one.
    let points = told.report["series"]["points"].as_array().unwrap();
    let planned = points.iter().map(|point| point["planned_starts"].as_u64());
    let planned: Vec<_> = planned.map(Option::unwrap).collect();
    assert_eq!((planned[12], planned[21]), (100, 200), "{planned:?}");
    let journey = &told.report["journeys"][0];
    assert_eq!(
        journey["completed"],
        planned.iter().sum::<u64>(),
        "{}",
        told.ended
    );
    let found = &told.report["findings"][0]["steps"][0];
    assert_eq!(
        (&found["volume"], &found["good"]),
        (&json!(100.0), &json!(true))
    );
    have_left(runners);
}
