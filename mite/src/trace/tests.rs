//! Which journeys are traced, under which identities, and what of a journey is handed over.

use std::{
    collections::HashSet,
    mem::size_of,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{
    Finished, RunKey, Sampling, Span, SpanRecord, Subject, Trace, outbox, sampling::Sampler,
};
use crate::event::Outcome;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_journey_that_is_not_traced_has_room_for_a_pointer_and_without_the_feature_for_nothing() {
    let room = if cfg!(feature = "otel") { 8 } else { 0 };
    assert_eq!(size_of::<Option<Trace>>(), room);
}

#[test]
fn rates_are_read_as_people_write_them() {
    for (text, wanted) in [
        ("1%", Sampling::Share(0.01)),
        ("0.01", Sampling::Share(0.01)),
        (" 100 % ", Sampling::Share(1.0)),
        ("10/s", Sampling::PerSecond(10.0)),
        ("0.5 /s", Sampling::PerSecond(0.5)),
        ("0", Sampling::Share(0.0)),
    ] {
        assert_eq!(text.parse(), Ok(wanted), "{text}");
    }
    for wrong in ["", "some", "-1%", "NaN", "inf/s", "10/min", "%"] {
        let error = wrong.parse::<Sampling>().unwrap_err();
        assert!(error.contains("10/s"), "{wrong}: {error}");
    }
    let error = "10".parse::<Sampling>().unwrap_err();
    assert!(error.contains("100%") && error.contains("10/s"), "{error}");
}

#[test]
fn the_share_is_that_of_the_seeds() {
    let sampler = |share| Sampler::new(Sampling::Share(share), 7, 4, 2);
    let taken = |share| {
        (0..100_000)
            .filter(|seed| sampler(share).takes(*seed, SECOND))
            .count()
    };
    assert_eq!(taken(0.0), 0);
    assert_eq!(taken(1.0), 100_000);
    // The deviation is 95.
    assert!(taken(0.1).abs_diff(10_000) < 400, "{}", taken(0.1));
    // Who is traced at a small share is at a larger one.
    let (small, large) = (sampler(0.1), sampler(0.2));
    let both = |seed: u64| !small.takes(seed, SECOND) || large.takes(seed, SECOND);
    assert!((0..10_000).all(both));
}

#[test]
fn workers_share_the_number_a_second() {
    let workers = 4;
    let mut taken = 0;
    for index in 0..workers {
        let sampler = Sampler::new(Sampling::PerSecond(10.0), 7, workers, index);
        // A journey each 0.1 ms for ten seconds.
        let starts = (0..100_000).map(|number| Duration::from_micros(number * 100));
        taken += starts.filter(|at| sampler.takes(1, *at)).count();
    }
    assert!((99..=100).contains(&taken), "{taken}");
    let rare = Sampler::new(Sampling::PerSecond(1e-300), 7, 1, 0);
    assert!(
        (0..1000)
            .filter(|second| rare.takes(1, SECOND * *second))
            .count()
            <= 1
    );
}

#[test]
fn no_two_runs_and_no_two_journeys_share_an_identity() {
    let now = SystemTime::now();
    let mut traces = HashSet::new();
    let mut spans = HashSet::new();
    for key in [RunKey::new(7, now), RunKey::new(7, now)] {
        for seed in 0..1000 {
            let trace = key.trace(seed);
            assert!(traces.insert(trace.to_string()), "{trace}");
            assert_eq!(trace.to_string().len(), 32);
            for number in 0..10 {
                assert!(spans.insert(trace.span(Span(number))));
            }
        }
    }
    let trace = RunKey::new(0, now).trace(0);
    assert_eq!(
        u128::from_be_bytes(trace.to_bytes()),
        u128::from_str_radix(&trace.to_string(), 16).unwrap()
    );
}

#[test]
fn what_waits_is_limited_and_makes_room_when_it_is_let_go() {
    let now = Instant::now();
    let trace = |seed| Finished {
        id: RunKey::new(1, SystemTime::now()).trace(seed),
        journey: Arc::from("shop::browse"),
        entry: 0,
        seed,
        intended: None,
        outcome: Outcome::Completed,
        spans: (0..1000)
            .map(|_| SpanRecord {
                parent: None,
                began: now,
                ended: Some(now),
                subject: Subject::Journey,
                failed: None,
                exceptions: Vec::new(),
            })
            .collect(),
        omitted: 0,
    };
    let (outbox, mut received, tally) = outbox();
    for seed in 0..20 {
        outbox.send(trace(seed));
    }
    let mut taken = 0;
    while let Ok(trace) = received.try_recv() {
        tally.let_go(trace.spans.len());
        taken += 1;
    }
    assert_eq!((tally.sampled(), taken), (20, 16));
    outbox.send(trace(20));
    assert_eq!(received.try_recv().unwrap().seed, 20);
}
