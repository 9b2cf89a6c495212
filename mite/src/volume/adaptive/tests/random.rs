//! Whether the capacity of a small and random queue is found, and how sure it is said to be.

use super::{
    super::super::Saturate,
    SECOND,
    customers::{Customers, Spacing, mm1},
    run,
    saturate::LIMIT,
};

/// How many searches there are of each server.
const SEEDS: u64 = 20;
/// A queue that grows slowly passes its limit only after a step is over, so an end of the interval
/// is as sharp as the precision.
const SHARP: f64 = 1.05;

fn search(rate: f64) -> Saturate {
    Saturate::per_second(rate / 16.0, rate * 4.0).until_p99(LIMIT)
}

fn servers(spacing: (Spacing, Spacing), count: usize, rate: f64, seed: u64) -> Customers {
    Customers::new(spacing, count, count as f64 / rate, seed)
}

/// How much of the rate of a single exponential server is left over at the limit: the time in an
/// M/M/1 system is exponential with that rate.
fn left_over() -> f64 {
    100_f64.ln() / LIMIT.as_secs_f64()
}

/// How many of the searches find the capacity to within a tenth, and of how many the interval has it;
/// each does one of both.
#[track_caller]
fn near_and_covered(
    truth: f64,
    model: impl Fn() -> Saturate,
    server: impl Fn(u64) -> Customers,
) -> (u64, u64) {
    let (mut near, mut covered) = (0, 0);
    for seed in 0..SEEDS {
        let finding = run(model(), server(seed)).finding;
        let [found, low, high] = [finding.found, finding.low, finding.high].map(Option::unwrap);
        assert!(low <= found && found <= high, "{low} {found} {high}");
        let is_near = (found / truth - 1.0).abs() <= 0.10;
        let is_covered = low <= truth * SHARP && truth <= high * SHARP;
        assert!(
            is_near || is_covered,
            "seed {seed}: {found} of {truth}, {low} to {high}"
        );
        near += u64::from(is_near);
        covered += u64::from(is_covered);
    }
    (near, covered)
}

#[test]
fn the_rate_at_which_a_percentile_of_a_random_queue_passes_its_limit_is_found() {
    for rate in [60.0, 100.0, 200.0, 1000.0] {
        let truth = rate - left_over();
        let (near, covered) = near_and_covered(truth, || search(rate), |seed| mm1(rate, seed));
        if rate <= 100.0 {
            // In ten minutes a small one does not show more than it says of itself.
            assert!(near * 10 >= SEEDS * 8, "{near} of {SEEDS} are near {truth}");
            assert!(
                covered * 10 >= SEEDS * 9,
                "{covered} of {SEEDS} have {truth}"
            );
        } else {
            assert_eq!(near, SEEDS, "{truth}");
        }
    }
}

#[test]
fn also_when_arrivals_or_service_are_even() {
    let even_arrivals = (Spacing::Even, Spacing::Exponential);
    for rate in [60.0, 200.0] {
        // The time in a D/M/1 system is exponential as well; the root of its equation is known here.
        let truth = -left_over() / (1.0 - left_over() / rate).ln();
        let server = |seed| servers(even_arrivals, 1, rate, seed);
        let (near, _) = near_and_covered(truth, || search(rate), server);
        assert_eq!(near, SEEDS, "{truth}");
    }
    let even_service = (Spacing::Exponential, Spacing::Even);
    for (count, rate) in [(1, 60.0), (4, 60.0), (8, 200.0)] {
        let truth = servers(even_service, count, rate, 77).rate_at(0.01, LIMIT.as_secs_f64());
        let server = |seed| servers(even_service, count, rate, seed);
        assert_eq!(
            near_and_covered(truth, || search(rate), server).0,
            SEEDS,
            "{truth}"
        );
    }
}

#[test]
fn with_more_time_a_small_one_is_found_within_a_tenth_too() {
    let rate = 60.0;
    let model = || search(rate).step_time(SECOND * 60).at_most(SECOND * 3600);
    let (near, covered) = near_and_covered(rate - left_over(), model, |seed| mm1(rate, seed));
    assert_eq!(near, SEEDS);
    assert!(covered * 10 >= SEEDS * 9, "{covered}");
}
