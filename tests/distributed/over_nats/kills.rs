//! Whoever is killed whenever: no end that does not come, and no wrong total that is told as right.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{scope, sleep},
    time::Duration,
};

use tests::{nats::Nats, nginx::Nginx, running::Running};

use crate::over_nats::crew::{Controller, runner_with};

const KILLS: usize = 50;
/// How many runs go on at once.
const LANES: usize = 8;
/// Long enough for a kill before the run, in all its parts and after it.
const LATEST: u64 = 6500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Controller,
    Runner,
    /// It comes back after a second.
    Nats,
}

const VICTIMS: [Victim; 3] = [Victim::Controller, Victim::Runner, Victim::Nats];

#[test]
fn whoever_is_killed_at_whatever_moment_no_wrong_total_is_told_as_right() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let (next, passed) = (AtomicUsize::new(0), Mutex::new(0));
    scope(|lanes| {
        for _ in 0..LANES {
            lanes.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= KILLS {
                        break;
                    }
                    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
                    let victim = VICTIMS[number % VICTIMS.len()];
                    let at = Duration::from_millis(random.u64(..LATEST));
                    let durable = number / VICTIMS.len() % 2 == 1;
                    *passed.lock().unwrap() += u64::from(survive(victim, at, durable));
                }
            });
        }
    });
    // Some are killed before they have begun or after the end, and a server of the link may be away.
    assert!(passed.into_inner().unwrap() > 0);
}

/// Whether a run passes of which this is killed so long after the start of all. A controller that can
/// be replaced is started again.
fn survive(victim: Victim, at: Duration, durable: bool) -> bool {
    let (mut nats, nginx) = (Nats::keeping(), Nginx::start());
    // Whoever stands in for a controller that was killed needs some seconds to be sure.
    let grace = ["--orphan-grace", if durable { "20s" } else { "3s" }];
    let runners = [(); 2].map(|()| Running::start(&mut runner_with(&nats.url(), &grace)));
    let arguments = ["--duration", "4s", "--durable"];
    let arguments = &arguments[..2 + usize::from(durable)];
    let mut controller = Controller::start(&nats, &nginx, "steady_visits", 2, arguments);
    sleep(at);
    let who = format!("{victim:?} after {at:?}, durable {durable}");
    let mut surviving = Vec::from(runners);
    match victim {
        Victim::Controller if durable && !controller.has_ended() => {
            controller.signal("KILL");
            sleep(Duration::from_millis(200));
            // One that has told how it was and removed what it kept has only its process to end.
            if !controller.has_told() || !nats.streams().is_empty() {
                controller.start_again();
            }
        }
        Victim::Controller if durable => {}
        Victim::Controller => controller.signal("KILL"),
        Victim::Runner => surviving.remove(0).signal("KILL"),
        Victim::Nats => nats.kill_for(Duration::from_secs(1)),
    }
    if victim == Victim::Runner && at < Duration::from_millis(1500) {
        // It may have been one of those that are waited for.
        surviving.push(Running::start(&mut runner_with(&nats.url(), &grace)));
    }
    let is_gone = victim == Victim::Controller && !durable;
    let told = (!is_gone).then(|| controller.end_if_begun());
    for runner in surviving {
        leaves(runner);
    }
    let log = nginx.finish();
    let told = match told {
        Some(Ok(told)) => told,
        // There was no server of the link to begin with.
        Some(Err(ended)) => {
            ended.refused(&["cannot connect to NATS"]);
            assert_eq!((victim, log.len()), (Victim::Nats, 0), "{who}: {ended}");
            return false;
        }
        None => return false,
    };
    let verdict = told.report["verdict"].as_str().unwrap();
    if verdict == "passed" {
        assert_eq!(told.requests(), log.len(), "{who}: {}", told.ended);
        assert_eq!(told.requests(), 400, "{who}: {}", told.ended);
    } else {
        assert_eq!(verdict, "invalid", "{who}: {}", told.ended);
        assert!(
            matches!(told.ended.code, Some(3) | None),
            "{who}: {}",
            told.ended
        );
        assert!(told.requests() <= log.len(), "{who}: {}", told.ended);
    }
    verdict == "passed"
}

/// A runner leaves when its test is over or its controller is gone; one that never had a controller
/// waits for the next.
fn leaves(runner: Running) {
    if !runner.so_far().contains("running ") {
        runner.signal("INT");
    }
    let ended = runner.end();
    match ended.code {
        Some(0 | 130) => ended.has_not_crashed(),
        _ => ended.refused(&["cannot connect to NATS"]),
    }
}
