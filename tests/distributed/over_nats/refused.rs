//! What cannot work says so, and does not hang.

use tests::{
    nats::Nats,
    nginx::Nginx,
    running::{Running, program},
};

use crate::over_nats::crew::{Controller, runner, runner_with};

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");
const VISITS: &str = env!("CARGO_BIN_EXE_visits");

#[test]
fn a_runner_made_of_other_journeys_is_refused_with_what_differs() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let controller = Controller::start(&nats, &nginx, "steady_visits", 1, &["--duration", "2s"]);
    let url = nats.url();
    let wrong = program(QUICKSTART, &["runner", "--once", "--quiet", "--nats", &url]);
    let refused = Running::start(&mut { wrong }).end();
    refused.refused(&[
        "the controller does not take this runner",
        "it has no journey visits::look",
    ]);
    // The right one is still waited for.
    let right = runner(&url);
    let told = controller.end();
    told.assert_passed();
    assert_eq!(told.requests(), 200);
    assert_eq!(right.end().code, Some(0));
}

#[test]
fn a_second_controller_of_the_same_test_is_refused_and_the_first_goes_on() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let runner = runner(&nats.url());
    let mut first = Controller::start(&nats, &nginx, "steady_visits", 1, &["--duration", "5s"]);
    first.wait_for_second(1);
    let second = Controller::start(&nats, &nginx, "steady_visits", 1, &["--duration", "5s"]);
    let refused = second.end_if_begun().err().unwrap();
    refused.refused(&["there is a controller already", "\"mite\"", "--nats-prefix"]);
    let told = first.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (500, 500));
    assert_eq!(runner.end().code, Some(0));
}

#[test]
fn where_nobody_listens_is_told_at_once() {
    for arguments in [
        &["runner", "--nats", "nats://127.0.0.1:1"][..],
        &[
            "controller",
            "steady_visits",
            "--nats",
            "nats://127.0.0.1:1",
        ],
    ] {
        let ended = Running::start(&mut program(VISITS, arguments)).end();
        ended.refused(&["cannot connect to NATS at nats://127.0.0.1:1"]);
    }
}

#[test]
fn what_is_no_address_and_no_name_is_refused_with_what_would_be() {
    let nats = Nats::start();
    let url = nats.url();
    for (arguments, words) in [
        (["runner", "--nats", "http://here"], "nats://host:4222"),
        (["runner", "--nats-prefix", "shop.*"], "letters, digits"),
    ] {
        let mut command = program(VISITS, &arguments);
        command.env("MITE_NATS_URL", &url);
        Running::start(&mut command).end().refused(&[words]);
    }
    let none = Running::start(&mut program(VISITS, &["runner"])).end();
    none.refused(&["--nats"]);
}

#[test]
fn who_does_not_know_the_password_is_told_and_the_password_is_not() {
    let nats = Nats::with(&["--user", "mite", "--pass", "s3cret"]);
    let nginx = Nginx::start();
    let wrong = runner(&nats.url_for("mite:gue55")).end();
    wrong.refused(&["cannot connect to NATS", "it does not let us in"]);
    assert!(!wrong.stderr.contains("gue55"), "{wrong}");

    let right = nats.url_for("mite:s3cret");
    let runner = Running::start(&mut runner_with(&right, &[]));
    let told = Controller::at(&right, &nginx, "steady_visits", 1, &["--duration", "2s"]).end();
    told.assert_passed();
    let ended = runner.end();
    assert!(!ended.stderr.contains("s3cret"), "{ended}");
    assert!(!told.report.to_string().contains("s3cret"));
}
