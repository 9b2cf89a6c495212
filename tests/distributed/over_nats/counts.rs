//! Runs in which nothing goes wrong: each start takes place once, wherever.

use std::{collections::BTreeMap, thread::sleep, time::Duration};

use tests::{nats::Nats, nginx::Nginx, running::Running};

use crate::over_nats::crew::{Controller, have_left, runner, runner_with};

#[test]
fn three_runners_together_do_what_the_plan_says_and_count_what_the_server_counts() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let runners = [(); 3].map(|()| runner(&nats.url()));
    let told = Controller::start(&nats, &nginx, "steady_visits", 3, &["--duration", "6s"]).end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!(told.requests(), 600);
    assert_eq!(log.len(), 600);
    assert_eq!(told.report["http"]["bytes_received"], log.bytes_sent());
    assert_eq!(
        told.report["http"]["connections"]["opened"],
        log.connections()
    );
    assert_eq!(told.report["journeys"][0]["completed"], 600);
    assert_eq!(told.report["http"]["time"]["count"], 600);
    assert_eq!(told.report["generator"]["runners"], 3);
    assert_eq!(told.report["generator"]["workers"], 3);
    assert!(log.connections() >= 3, "each has its own");
    for runner in runners {
        let ended = runner.end();
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(
            ended.stderr.contains("running visits::steady_visits"),
            "{ended}"
        );
        assert!(ended.stderr.ends_with("the run is over\n"), "{ended}");
    }
}

#[test]
fn a_runner_that_comes_later_takes_its_share_and_nothing_is_started_twice() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let first = runner(&nats.url());
    let mut controller =
        Controller::start(&nats, &nginx, "steady_visits", 1, &["--duration", "8s"]);
    controller.wait_for_second(2);
    let second = runner(&nats.url());
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (800, 800));
    assert_eq!(told.report["generator"]["runners"], 2);
    have_left([first, second]);
}

#[test]
fn runners_have_their_part_of_the_volume_by_weight() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    // Two workers share a weight that is no multiple of theirs.
    let weights = [("1", "1"), ("3", "2")];
    let runners = weights.map(|(weight, workers)| {
        let arguments = ["--weight", weight, "--workers", workers];
        Running::start(&mut runner_with(&nats.url(), &arguments))
    });
    let told = Controller::start(&nats, &nginx, "marked_visits", 2, &["--duration", "6s"]).end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (600, 600));
    let mut by_process = BTreeMap::new();
    for line in &log.0 {
        *by_process.entry(&line.uri).or_insert(0) += 1;
    }
    let mut counts: Vec<u32> = by_process.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [150, 450]);
    let rows = told.report["generator"]["by_runner"].as_array().unwrap();
    let mut shown: Vec<_> = rows.iter().map(|row| row["weight"].as_u64()).collect();
    shown.sort_unstable();
    assert_eq!(shown, [Some(1), Some(3)]);
    drop(runners);
}

#[test]
fn items_that_are_to_be_used_once_are_used_once_by_all_runners_together() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let told = Controller::start(&nats, &nginx, "readers", 2, &[]).end();
    let log = nginx.finish();
    // On a machine that does something else as well items may come late.
    assert!(matches!(told.ended.code, Some(0 | 3)), "{}", told.ended);
    assert_eq!((told.requests(), log.len()), (600, 600));
    let journey = &told.report["journeys"][0];
    assert_eq!(journey["completed"], 600, "{}", told.ended);
    assert_eq!(journey["dropped"], 0, "{}", told.ended);
    for article in 1..=600 {
        assert_eq!(log.count(&format!("/item/{article}")), 1, "{article}");
    }
    drop(runners);
}

#[test]
fn two_tests_on_one_server_do_not_meet_when_their_names_differ() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let started = ["shop.a", "shop.b"].map(|name| {
        let prefix = ["--nats-prefix", name];
        let runner = runner_with(&nats.url(), &prefix);
        let arguments = [&prefix[..], &["--duration", "3s"]].concat();
        let controller = Controller::start(&nats, &nginx, "steady_visits", 1, &arguments);
        sleep(Duration::from_millis(300));
        (controller, runner)
    });
    let runners = started.map(|(controller, mut runner)| (controller, Running::start(&mut runner)));
    for (controller, _runner) in runners {
        let told = controller.end();
        told.assert_passed();
        assert_eq!(told.requests(), 300);
        assert_eq!(told.report["generator"]["runners"], 1);
    }
}
