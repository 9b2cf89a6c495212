//! Whether what is to be held is held.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    super::super::{Conclusion, FindingKind, HoldErrorRate, HoldLatency, VolumeModel},
    SECOND, assert_within,
    customers::mm1,
    run, run_with_delay,
    server::{Crowd, Limit, Noisy, Queue, Server, SteadyMm1},
};

const TARGET: Duration = Duration::from_millis(250);
const MINUTES: usize = 60;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_error_rate_of_a_server_that_refuses_is_held_within_a_tenth(
        capacity in 50.0..50_000.0_f64,
        target in 0.02..0.2_f64,
    ) {
        let model = HoldErrorRate::at(target)
            .per_second(capacity / 10.0, capacity * 10.0)
            .over(600 * SECOND);
        let held = run(model, Limit(capacity.round()));
        let truth = capacity / (1.0 - target);
        assert_within(held.mean_of_last(5 * MINUTES), truth, 0.02);
        prop_assert_eq!(held.finding.kind, FindingKind::HeldErrorRate);
        prop_assert_eq!(held.finding.conclusion, Conclusion::Found);
    }

    #[test]
    fn the_latency_of_a_server_that_slows_down_is_held_within_a_tenth(rate in 50.0..1000.0_f64) {
        let model = HoldLatency::p99(TARGET)
            .per_second(rate / 20.0, rate * 5.0)
            .over(900 * SECOND);
        let held = run(model, SteadyMm1(rate));
        let truth = rate - 100_f64.ln() / TARGET.as_secs_f64();
        assert_within(held.mean_of_last(5 * MINUTES), truth, 0.05);
        let last = held.finding.steps.iter().rev().take(10);
        for step in last.filter(|step| step.measured >= 10 * SECOND) {
            assert_within(step.p99.unwrap().as_secs_f64(), TARGET.as_secs_f64(), 0.10);
        }
    }

    #[test]
    fn users_are_added_until_the_median_is_what_it_should_be(
        capacity in 50.0..2000.0_f64,
        think in 0.1..1.0_f64,
    ) {
        let crowd = Crowd { capacity, service: 0.02, think, owed: 0.0 };
        let truth = capacity * (0.25 + think);
        let model = HoldLatency::p50(TARGET).users(1, 100_000).over(900 * SECOND);
        let held = run(model, crowd);
        assert_within(held.mean_of_last(5 * MINUTES), truth, 0.10);
        assert_within(held.finding.measured.unwrap(), 0.25, 0.10);
    }

    #[test]
    fn below_a_limit_behind_which_a_queue_only_grows_the_load_stays_close(
        capacity in 50.0..20_000.0_f64,
        seed: u64,
    ) {
        let model = || HoldLatency::p99(TARGET)
            .per_second(capacity / 10.0, capacity * 5.0)
            .over(600 * SECOND);
        let queue = || Queue::new(capacity, Duration::from_millis(10));
        let held = run(model(), queue());
        assert_within(held.mean_of_last(5 * MINUTES), capacity, 0.10);
        let held = run(model(), Noisy::new(queue(), seed));
        assert_within(held.mean_of_last(5 * MINUTES), capacity, 0.12);
    }
}

#[test]
fn the_percentile_of_a_random_queue_is_held() {
    for (rate, seed) in [(100.0, 1), (300.0, 2), (1000.0, 3)] {
        let model = HoldLatency::p99(TARGET)
            .per_second(rate / 10.0, rate * 3.0)
            .over(1800 * SECOND);
        let held = run(model, mm1(rate, seed));
        let truth = rate - 100_f64.ln() / TARGET.as_secs_f64();
        assert_within(held.mean_of_last(15 * MINUTES), truth, 0.10);
        assert_within(held.finding.found.unwrap(), truth, 0.10);
    }
}

#[test]
fn a_server_that_becomes_slower_is_followed() {
    struct Ageing(Limit, u64);
    impl Server for Ageing {
        fn second(&mut self, level: f64) -> crate::volume::Second {
            self.1 += 1;
            if self.1 == 300 {
                self.0 = Limit(400.0);
            }
            self.0.second(level)
        }
    }
    let model = HoldErrorRate::at(0.05)
        .per_second(50, 5000)
        .over(600 * SECOND);
    let held = run(model, Ageing(Limit(1000.0), 0));
    assert_within(held.mean_of_last(60), 400.0 / 0.95, 0.05);
}

#[test]
fn it_begins_where_it_is_told_to_and_stays_within_its_bounds() {
    let model = HoldErrorRate::at(0.01)
        .per_second(50, 300)
        .starting_at(120)
        .over(120 * SECOND);
    let held = run(model, Limit(1000.0));
    assert_eq!(held.levels[0], 120.0);
    assert!(
        held.levels
            .iter()
            .all(|level| (50.0..=300.0).contains(level))
    );
    assert_eq!(held.seconds(), 120);
    assert_eq!(held.finding.conclusion, Conclusion::AtLeast);
    assert_eq!(held.finding.found, None);
}

#[test]
fn a_server_that_is_too_slow_at_the_lower_bound_holds_nothing() {
    let model = HoldLatency::p95(TARGET)
        .per_second(100, 300)
        .over(60 * SECOND);
    let held = run(model, SteadyMm1(101.0));
    assert_eq!(held.finding.conclusion, Conclusion::Below);
}

#[test]
fn a_queue_is_let_run_off_with_half_the_load() {
    let model = HoldLatency::p99(TARGET)
        .per_second(100, 2000)
        .over(300 * SECOND);
    let held = run(model, Queue::new(500.0, Duration::from_millis(10)));
    assert!(held.finding.measured.unwrap() < 2.0, "{:?}", held.finding);
    let steps = held.levels.windows(2);
    assert!(steps.clone().any(|pair| pair[1] <= pair[0] * 0.51));
}

#[test]
fn results_that_come_late_do_not_make_it_swing() {
    let model = HoldErrorRate::at(0.1)
        .per_second(50, 5000)
        .over(900 * SECOND);
    let held = run_with_delay(model, Limit(800.0), 4);
    assert_within(held.mean_of_last(5 * MINUTES), 800.0 / 0.9, 0.05);
}

#[test]
fn what_makes_no_sense_is_told_with_what_would_be_right() {
    let p99 = || HoldLatency::p99(TARGET).over(60 * SECOND);
    let wrong = |model: HoldLatency| model.check().unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            wrong(p99()),
            wrong(p99().users(5, 1)),
            wrong(p99().per_second(1, 10).starting_at(20)),
            wrong(HoldLatency::p50(TARGET).users(1, 10)),
            wrong(HoldLatency::p50(Duration::ZERO).users(1, 10).over(SECOND)),
            wrong(p99().users(1, 10).poisson().named("crowd")),
            HoldErrorRate::at(5)
                .users(1, 10)
                .over(SECOND)
                .check()
                .unwrap_err()
                .to_string(),
        ]
        .join("\n")
    );
}
