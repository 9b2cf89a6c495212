//! Who is blamed, to the letter, from circumstances that are given.

use std::time::Duration;

use super::*;

/// Ten journeys of a second each, whose starts waited so many seconds for each reason.
fn journeys(worker: u64, room: u64, data: u64) -> JourneyStatistics {
    let mut journeys = JourneyStatistics::default();
    for _ in 0..10 {
        journeys.service_time.record(Duration::from_secs(1));
    }
    for (reason, seconds) in [
        (WaitFor::Worker, worker),
        (WaitFor::Room, room),
        (WaitFor::Data, data),
    ] {
        journeys.waits.add(reason, Duration::from_secs(seconds));
    }
    journeys
}

/// All but a hundredth of the time is spent on requests, and nothing strains the workers.
const CALM: Circumstances = Circumstances {
    max_in_flight: 4,
    users: 0,
    on_requests: Some(0.99),
    strained: false,
};

#[track_caller]
fn blames(circumstances: Circumstances, journeys: &JourneyStatistics, cause: Cause, why: &str) {
    let (found, words) = circumstances.of_starts([journeys].into_iter());
    assert_eq!((found, words.as_str()), (cause, why));
}

#[test]
fn answers_that_take_long_keep_the_places_in_flight_and_are_the_servers() {
    blames(
        CALM,
        &journeys(1, 9, 0),
        Cause::Server,
        "as many journeys were in flight as --max-in-flight allows (4), because each took 1.00s on \
         average. The server is too slow for this volume; if it may take that long, raise \
         --max-in-flight.",
    );
    let silent = Circumstances {
        on_requests: None,
        ..CALM
    };
    let mut hanging = journeys(0, 9, 0);
    hanging.service_time = Latency::default();
    blames(
        silent,
        &hanging,
        Cause::Server,
        "as many journeys were in flight as --max-in-flight allows (4), and none came to its end. \
         The server is too slow for this volume; if it may take that long, raise --max-in-flight.",
    );
}

#[test]
fn journeys_that_do_other_things_than_wait_for_answers_are_the_scenarios() {
    let pausing = Circumstances {
        on_requests: Some(0.1234),
        ..CALM
    };
    blames(
        pausing,
        &journeys(1, 9, 0),
        Cause::Scenario,
        "as many journeys were in flight as --max-in-flight allows (4), because each took 1.00s on \
         average, 12.3 % of it for requests. Raise --max-in-flight, shorten the journeys, or ask \
         for less.",
    );
}

#[test]
fn a_worker_that_comes_late_or_is_held_up_is_the_generators() {
    blames(
        CALM,
        &journeys(9, 1, 0),
        Cause::Generator,
        "the generator did not come to them in time. Use more cores or runners, or ask for less.",
    );
    let strained = Circumstances {
        strained: true,
        ..CALM
    };
    blames(
        strained,
        &journeys(1, 9, 0),
        Cause::Generator,
        "as many journeys were in flight as --max-in-flight allows (4), and the generator was held \
         up itself. Use more cores or runners, or ask for less.",
    );
    blames(
        CALM,
        &JourneyStatistics::default(),
        Cause::Generator,
        "the generator did not come to them in time. Use more cores or runners, or ask for less.",
    );
}

#[test]
fn an_empty_pool_is_the_datas() {
    blames(
        CALM,
        &journeys(1, 2, 3),
        Cause::Data,
        "their datapool had nothing to give in time. Put more items into it.",
    );
}

#[test]
fn users_beyond_the_limit_in_flight_are_the_scenarios() {
    assert_eq!(CALM.of_users().0, Cause::Generator);
    let full = Circumstances { users: 4, ..CALM };
    assert_eq!(
        full.of_users(),
        (
            Cause::Scenario,
            "no more journeys may be in flight than --max-in-flight says (4). Raise it, or ask \
             for less."
                .to_owned()
        )
    );
}
