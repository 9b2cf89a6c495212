//! Others are told of one run, whoever leads it.

use serde_json::{Value, json};
use tests::{
    collector::Collector,
    listening::{Listening, Said},
    nats::Nats,
    nginx::Nginx,
};

use crate::over_nats::crew::{Controller, have_left, runner};

/// A receiver of webhooks that has an id for each start.
fn webhook() -> Listening {
    Listening::start(|heard| {
        Some(match heard.path.as_str() {
            "/start" => Said::status(200).saying("{\"newid\": 17}"),
            _ => Said::status(204),
        })
    })
}

/// What it was told, in order.
fn told(webhook: &Listening) -> Vec<Value> {
    let heard = webhook.heard();
    let told = heard
        .iter()
        .map(|heard| serde_json::from_slice(&heard.body));
    told.map(Result::unwrap).collect()
}

#[test]
fn a_run_is_told_of_once_under_one_name() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let (webhook, telemetry) = (webhook(), Collector::start());
    let (url, otlp) = (webhook.url(), telemetry.url());
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let duration = ["--durable", "--duration", "14s"];
    let told_to = ["--logging-webhook", &url, "--otlp", &otlp];
    let arguments = [&duration[..], &told_to].concat();
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, &arguments);
    controller.wait_for_second(2);
    telemetry.wait_for_metrics();
    let first = telemetry.instances();
    let mut standby = controller.another(&["--standby"]);
    standby.wait_for("another controller leads; standing by");
    controller.signal("STOP");
    standby.wait_for("goes on with the run");
    let superseded = controller.exchange(standby);
    superseded.signal("CONT");
    assert_eq!(superseded.end().code, Some(2));
    let ended = controller.end();
    ended.assert_passed();
    let [start, end] = &told(&webhook)[..] else {
        panic!("{:#?}", told(&webhook));
    };
    assert_eq!(
        (&start["event"], &end["event"]),
        (&json!("start"), &json!("end"))
    );
    assert_eq!(
        (&start["run"], &start["started"]),
        (&end["run"], &end["started"])
    );
    assert_eq!(
        (&end["id"], &end["verdict"]),
        (&json!(17), &json!("passed"))
    );
    assert_eq!(end["totals"]["http"]["requests"], 1400);
    assert_eq!(ended.report["webhook"]["id"], "17");
    assert_eq!((telemetry.instances(), first.len()), (first, 1));
    have_left(runners);
}
