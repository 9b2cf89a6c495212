//! Those who keep what a run leaves are killed whenever: nothing is missing, and nothing is there twice.

use std::{
    sync::Mutex,
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{nats::Nats, nginx::Nginx, running::PATIENCE};

use crate::over_nats::crew::{Controller, have_left, keeper, records, runner, shown};

const KILLS: u64 = 12;
/// How many runs go on at once.
const LANES: u64 = 4;
/// Before the end of any run, so that whoever comes again hears of it.
const LATEST: u64 = 4000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Collector,
    Recorder,
}

#[test]
fn whoever_keeps_what_is_killed_at_whatever_moment_nothing_is_missing_or_there_twice() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let passed = Mutex::new(0);
    scope(|lanes| {
        for lane in 0..LANES {
            let passed = &passed;
            lanes.spawn(move || {
                for number in (lane..KILLS).step_by(LANES as usize) {
                    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number));
                    let at = Duration::from_millis(random.u64(..LATEST));
                    let victim = match random.bool() {
                        true => Victim::Collector,
                        false => Victim::Recorder,
                    };
                    *passed.lock().unwrap() += u64::from(survive(victim, at));
                }
            });
        }
    });
    // A recorder may be away just when it is asked for.
    assert!(passed.into_inner().unwrap() > 0);
}

/// Whether a run passes of which this is killed so long after the start of all, and started again.
fn survive(victim: Victim, at: Duration) -> bool {
    let who = format!("{victim:?} after {at:?}");
    let (nats, nginx) = (Nats::keeping(), Nginx::start());
    let (events, looks) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let collects = [
        "collector",
        "--once",
        "--collect",
        events.path().to_str().unwrap(),
    ];
    let collect = || keeper(&nats, &collects);
    let record = || {
        keeper(
            &nats,
            &["recorder", "--record", looks.path().to_str().unwrap()],
        )
    };
    let (mut collector, mut recorder) = (collect(), record());
    collector.wait_for("collecting from the stream");
    recorder.wait_for("recording from the stream");
    let runners = [(); 2].map(|()| runner(&nats.url()));
    let arguments = ["--duration", "4s", "--wait-for-collectors", "1"];
    let controller = Controller::start(&nats, &nginx, "recorded_visits", 2, &arguments);
    sleep(at);
    match victim {
        Victim::Collector => {
            collector.signal("KILL");
            collector = collect();
        }
        Victim::Recorder => {
            recorder.signal("KILL");
            recorder = record();
        }
    }
    let told = controller.end();
    let log = nginx.finish();
    have_left(runners);
    have_left([collector]);
    if told.ended.code != Some(0) {
        assert_ne!(told.report["verdict"], "passed", "{who}: {}", told.ended);
        return false;
    }
    assert_eq!((told.requests(), log.len()), (400, 400), "{who}");
    let collected = &told.report["collected"];
    assert_eq!(
        (&collected["events"], &collected["missing"]),
        (&json!(800), &json!(0)),
        "{who}"
    );
    let recorded = json!([{"name": "looks", "items": 400, "missing": 0}]);
    assert_eq!(told.report["recorded"], recorded, "{who}");
    let deadline = Instant::now() + PATIENCE;
    while shown(looks.path()).stdout.lines().count() < 400 && Instant::now() < deadline {
        sleep(Duration::from_millis(200));
    }
    recorder.signal("TERM");
    assert_eq!(recorder.end().code, Some(130), "{who}");
    assert_each_once(&records(looks.path()), 400, &who);
    let events = records(events.path());
    let ends = events.iter().filter(|event| event["type"] == "journey");
    let ends: Vec<_> = ends.map(|event| event["context_id"].clone()).collect();
    assert_each_once(&ends, 400, &who);
    let requests = events.iter().filter(|event| event["type"] == "http");
    assert_eq!(requests.count(), 400, "{who}");
    true
}

#[track_caller]
fn assert_each_once(values: &[Value], count: usize, who: &str) {
    let mut all: Vec<_> = values.iter().map(Value::to_string).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!((values.len(), all.len()), (count, count), "{who}");
}
