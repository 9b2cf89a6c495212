//! What is kept elsewhere of a run whose controller is replaced.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    nats::Nats,
    nginx::Nginx,
    running::{PATIENCE, Running},
};

use super::assert_taken_over;
use crate::over_nats::crew::{Controller, have_left, keeper, records, runner};

/// How many items a recorder has told of: whenever none has come for a second, those since the last
/// time.
fn told_of(recorder: &Running) -> u64 {
    let so_far = recorder.so_far();
    let lines = so_far.lines();
    let told = lines.filter_map(|line| line.split_once("looks.msgpack: "));
    told.filter_map(|(_, told)| told.split_once(" item"))
        .map(|(items, _)| items.replace(',', "").parse::<u64>().unwrap())
        .sum()
}

#[test]
fn events_and_records_are_there_once_whichever_controller_led() {
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let (events, looks) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let into = |directory: &TempDir| directory.path().to_str().unwrap().to_owned();
    let collect = ["collector", "--once", "--collect", &into(&events)];
    let mut collector = keeper(&nats, &collect);
    collector.wait_for("collecting from the stream");
    let mut recorder = keeper(&nats, &["recorder", "--record", &into(&looks)]);
    recorder.wait_for("recording from the stream");
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = [
        "--durable",
        "--duration",
        "10s",
        "--wait-for-collectors",
        "1",
    ];
    let mut controller = Controller::start(&nats, &nginx, "recorded_visits", 2, &arguments);
    controller.wait_for_second(2);
    // Long enough for who asks every few seconds whether there is a controller.
    controller.kill_and_start_again(Duration::from_secs(3));
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (1000, 1000));
    assert_taken_over(&told, 1);
    let collected = &told.report["collected"];
    assert_eq!(
        (&collected["events"], &collected["missing"]),
        (&json!(2000), &json!(0))
    );
    let recorded = json!([{"name": "looks", "items": 1000, "missing": 0}]);
    assert_eq!(told.report["recorded"], recorded, "{}", told.ended);
    have_left(runners);
    have_left([collector]);
    let deadline = Instant::now() + PATIENCE;
    while told_of(&recorder) < 1000 && Instant::now() < deadline {
        sleep(Duration::from_millis(20));
    }
    assert_eq!(told_of(&recorder), 1000, "{}", recorder.so_far());
    recorder.signal("TERM");
    assert_eq!(recorder.end().code, Some(130));

    let events = records(events.path());
    let of_type = |name: &str| events.iter().filter(|event| event["type"] == name).count();
    assert_eq!(
        (of_type("http"), of_type("journey"), of_type("gap")),
        (1000, 1000, 0)
    );
    let mut ends: Vec<_> = (events.iter().filter(|event| event["type"] == "journey"))
        .map(|event| event["context_id"].as_str().unwrap())
        .collect();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), 1000);
    let mut looks: Vec<_> = records(looks.path()).iter().map(Value::to_string).collect();
    looks.sort_unstable();
    looks.dedup();
    assert_eq!(looks.len(), 1000);
}
