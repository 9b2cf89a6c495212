//! That starts equal the integral of the rate, whoever shares them.

mod random;
mod rescale;

use std::{ops::Range, time::Duration};

use proptest::prelude::*;

use super::{Arrivals, Outline, Planner, Segment, Share, Timeline};
use crate::volume::{
    Chain, Constant, Nothing, Observed, Ramp, Unit, Volume, VolumeModel, Window, one_shot,
};

const SEED: u64 = 7;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// All segments of a model that ends.
fn plan(model: impl VolumeModel) -> (Planner, Vec<Segment>) {
    let mut planner = Planner::new(Box::new(model));
    let segments = planner
        .advance(Duration::from_secs(100_000), &Observed::default())
        .unwrap();
    assert!(planner.ended_at().is_some());
    (planner, segments)
}

fn outline(model: impl VolumeModel) -> Outline {
    let horizon = Duration::from_secs(600);
    Planner::new(Box::new(model)).outline(horizon).unwrap()
}

/// The starts of sharer `index` of `of`, who knows the whole plan.
fn starts_of(segments: &[Segment], index: u32, of: u32) -> Vec<(u64, Duration)> {
    let mut arrivals = Arrivals::new(SEED);
    arrivals.set_share(Share::one(index, of), 0);
    for segment in segments {
        arrivals.push(segment.clone());
    }
    take(&mut arrivals, Duration::MAX)
}

/// Takes what is due before `until`.
fn take(arrivals: &mut Arrivals, until: Duration) -> Vec<(u64, Duration)> {
    let mut starts = Vec::new();
    while arrivals.peek().is_some_and(|due| due < until) {
        starts.extend(arrivals.next());
    }
    starts
}

/// The starts of all of `of` sharers, in order of their number.
fn all_starts(segments: &[Segment], of: u32) -> Vec<(u64, Duration)> {
    let mut starts: Vec<_> = (0..of)
        .flat_map(|index| starts_of(segments, index, of))
        .collect();
    starts.sort_unstable();
    starts
}

fn assert_each_once(starts: &[(u64, Duration)]) {
    for (expected, &(k, _)) in (0_u64..).zip(starts) {
        assert_eq!(k, expected, "start {expected} is lost or doubled");
    }
}

#[test]
fn a_constant_rate_makes_exactly_its_starts_however_many_share_it() {
    let (planner, segments) = plan(Constant::per_second(1000, seconds(10.0)));
    assert_eq!(
        planner.planned_starts(Duration::ZERO, seconds(20.0)),
        10_000
    );
    for of in [1, 2, 3, 7, 100] {
        let starts = all_starts(&segments, of);
        assert_eq!(starts.len(), 10_000);
        assert_each_once(&starts);
        assert_eq!(starts[0].1, Duration::from_micros(500));
        assert_eq!(starts[9_999].1, Duration::from_micros(9_999_500));
    }
}

#[test]
fn a_ramp_makes_the_starts_under_its_line() {
    for (from, to) in [(0, 100), (100, 0)] {
        let (planner, segments) = plan(Ramp::per_second(from, to, seconds(10.0)));
        let starts = all_starts(&segments, 3);
        assert_eq!(starts.len(), 500);
        assert_each_once(&starts);
        let second = |at: u64| {
            let window = Duration::from_secs(at)..Duration::from_secs(at + 1);
            let due = starts
                .iter()
                .filter(|(_, due)| window.contains(due))
                .count() as u64;
            assert_eq!(planner.planned_starts(window.start, window.end), due);
            due
        };
        let (early, late) = (second(0), second(9));
        assert_eq!((early.min(late), early.max(late)), (5, 95));
    }
    // The integral of 10 t is 5 t², so start 0 is due at the root of 0.1 s.
    let (_, segments) = plan(Ramp::per_second(0, 100, seconds(10.0)));
    let due = segments[0].due(0).unwrap().as_secs_f64();
    assert!((due - 0.1_f64.sqrt()).abs() < 1e-8, "{due}");
}

#[test]
fn a_very_flat_ramp_is_as_good_as_its_mean() {
    let (_, segments) = plan(Ramp::per_second(1000.0, 1000.0 + 1e-9, seconds(10.0)));
    for k in [0, 1, 5_000, 9_999] {
        let due = segments[0].due(k).unwrap().as_secs_f64();
        let even = (k as f64 + 0.5) / 1000.0;
        assert!((due - even).abs() < 2e-9, "start {k} is due at {due}");
    }
    assert_eq!(segments[0].due(10_000), None);
}

#[test]
fn one_shot_is_one_start_and_then_the_end() {
    for of in [1, 2, 50] {
        let (planner, segments) = plan(one_shot());
        let starts = all_starts(&segments, of);
        assert_eq!(starts, [(0, Duration::from_millis(500))]);
        assert_eq!(planner.ended_at(), Some(seconds(1.0)));
    }
    let (_, segments) = plan(Nothing::over(seconds(3.0)) + one_shot());
    assert_eq!(
        all_starts(&segments, 2),
        [(0, Duration::from_millis(3_500))]
    );
}

#[test]
fn a_constant_stands_and_is_told_once() {
    let (_, segments) = plan(Constant::users(10, seconds(60.0)));
    assert_eq!(segments.len(), 2);
    assert_eq!(segments[0].until, None);
    assert_eq!((segments[1].from, segments[1].start), (seconds(60.0), 0.0));

    let minute = seconds(60.0);
    let (_, segments) = plan(move |window: Window| {
        if window.end > minute {
            Volume::Stop
        } else {
            Volume::PerSecond(5.0)
        }
    });
    assert_eq!(segments.len(), 2, "sixty equal windows are one constant");

    let halves = Constant::users(10, minute).named("a") + Constant::users(10, minute).named("b");
    let (planner, segments) = plan(halves);
    assert_eq!(segments.len(), 2);
    assert_eq!(planner.stage(minute - seconds(1.0)), Some("a"));
    assert_eq!(planner.stage(minute), Some("b"));
    assert_eq!(planner.stage(2 * minute), None);
}

#[test]
fn a_ramp_is_told_once_for_its_whole_part() {
    let chain = Constant::users(10, seconds(5.0)) + Ramp::over(seconds(20.0)).to(0);
    let mut planner = Planner::new(Box::new(chain));
    let observed = Observed::default();
    assert_eq!(planner.advance(seconds(1.0), &observed).unwrap().len(), 1);
    assert_eq!(planner.advance(seconds(5.0), &observed).unwrap().len(), 0);
    let ramp = planner.advance(seconds(7.0), &observed).unwrap();
    assert_eq!(ramp.len(), 1);
    assert_eq!(ramp[0].until, Some(seconds(25.0)));
    assert_eq!(planner.ended_at(), None);
    assert_eq!(planner.level_at(seconds(15.0)), 5.0);
    assert_eq!(planner.advance(seconds(26.0), &observed).unwrap().len(), 1);
    assert_eq!(planner.ended_at(), Some(seconds(25.0)));
    assert_eq!(planner.advance(seconds(99.0), &observed).unwrap().len(), 0);
}

#[test]
fn a_limit_cuts_and_does_not_rescale() {
    let ramp = || Ramp::per_second(0, 100, seconds(10.0));
    let mut planner = Planner::new(Box::new(ramp())).limit(seconds(5.0));
    let segments = planner
        .advance(seconds(60.0), &Observed::default())
        .unwrap();
    assert_eq!(planner.ended_at(), Some(seconds(5.0)));
    assert_eq!(planner.level_at(seconds(4.0)), 40.0);
    assert_eq!(planner.level_at(seconds(5.0)), 0.0);
    assert_eq!(all_starts(&segments, 3).len(), 125);

    let mut planner = Planner::new(Box::new(ramp())).limit(seconds(50.0));
    planner
        .advance(seconds(60.0), &Observed::default())
        .unwrap();
    assert_eq!(planner.ended_at(), Some(seconds(10.0)));
}

#[test]
fn an_amount_that_cannot_be_is_an_error_that_names_the_window() {
    for rate in [f64::NAN, -1.0, f64::INFINITY] {
        let mut planner = Planner::new(Box::new(move |window: Window| {
            Volume::PerSecond(if window.start < seconds(3.0) {
                1.0
            } else {
                rate
            })
        }));
        let observed = Observed::default();
        planner.advance(seconds(3.0), &observed).unwrap();
        let message = planner.advance(seconds(9.0), &observed).unwrap_err();
        assert_eq!(
            message.to_string(),
            format!(
                "the volume model answered PerSecond({rate:?}) for the window from 3s to 4s of \
                 the run; an amount is finite and not negative"
            )
        );
    }
}

#[test]
fn a_model_that_follows_the_results_is_asked_second_by_second() {
    struct Doubling(f64);
    impl VolumeModel for Doubling {
        fn volume(&mut self, window: Window, observed: &Observed) -> Volume {
            assert_eq!(window.length(), seconds(1.0));
            if observed.error_rate > 0.0 {
                return Volume::Stop;
            }
            self.0 *= 2.0;
            Volume::PerSecond(self.0)
        }
    }
    let mut planner = Planner::new(Box::new(Doubling(1.0)));
    let mut observed = Observed::default();
    let segments = planner.advance(seconds(3.0), &observed).unwrap();
    let levels: Vec<f64> = segments.iter().map(|segment| segment.start).collect();
    assert_eq!(levels, [2.0, 4.0, 8.0]);
    assert_eq!(planner.planned_starts(Duration::ZERO, seconds(3.0)), 14);
    observed.error_rate = 0.5;
    planner.advance(seconds(4.0), &observed).unwrap();
    assert_eq!(planner.ended_at(), Some(seconds(3.0)));
}

#[test]
fn a_segment_that_comes_late_makes_its_starts_due_at_once_and_doubles_none() {
    let chain = Constant::per_second(10, seconds(2.0)) + Constant::per_second(20, seconds(2.0));
    let (_, segments) = plan(chain);
    let mut arrivals = Arrivals::new(SEED);
    arrivals.set_share(Share::ALL, 0);
    arrivals.push(segments[0].clone());
    // Half a second past the change, still at the old rate.
    let mut starts = take(&mut arrivals, seconds(2.5));
    assert_eq!(starts.len(), 25);
    arrivals.push(segments[1].clone());
    assert_eq!(arrivals.peek(), Some(seconds(2.275)));
    arrivals.push(segments[2].clone());
    starts.extend(take(&mut arrivals, Duration::MAX));
    assert_eq!(starts.len(), 60);
    assert_each_once(&starts);
}

#[test]
fn a_sharer_that_joins_has_nothing_of_what_was_before() {
    let (planner, segments) = plan(Constant::per_second(100, seconds(10.0)));
    let switch = planner.starts_before(seconds(4.0));
    let mut old = Arrivals::new(SEED);
    old.set_share(Share::ALL, 0);
    old.set_share(Share::one(0, 2), switch);
    let mut new = Arrivals::new(SEED);
    new.set_share(Share::one(1, 2), switch);
    for segment in &segments {
        old.push(segment.clone());
        new.push(segment.clone());
    }
    let joined = take(&mut new, Duration::MAX);
    assert!(joined.iter().all(|&(_, due)| due >= seconds(4.0)));
    let mut starts = take(&mut old, Duration::MAX);
    starts.extend(joined);
    starts.sort_unstable();
    assert_eq!(starts.len(), 1000);
    assert_each_once(&starts);
}

#[test]
fn random_starts_are_the_same_however_many_share_them_and_keep_the_rate() {
    let (_, segments) = plan(Constant::per_second(500, seconds(40.0)).poisson());
    let one: Vec<_> = all_starts(&segments, 1)
        .iter()
        .map(|start| start.1)
        .collect();
    for of in [2, 7] {
        let mut shared: Vec<_> = all_starts(&segments, of)
            .iter()
            .map(|start| start.1)
            .collect();
        shared.sort_unstable();
        assert_eq!(shared, one);
    }
    // 20,000 are expected; four standard deviations are 566.
    assert!((19_434..20_566).contains(&one.len()), "{}", one.len());
    // The gaps of a Poisson process vary as much as they are long.
    let gaps: Vec<f64> = one
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64())
        .collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    let variation = variance.sqrt() / mean;
    assert!((0.95..1.05).contains(&variation), "{variation}");
}

#[test]
fn random_and_even_parts_follow_one_another() {
    let even = || Constant::per_second(10, seconds(10.0));
    let (_, segments) = plan(even() + even().poisson() + even());
    for step in [0.5, 100.0] {
        let mut arrivals = Arrivals::new(SEED);
        arrivals.set_share(Share::ALL, 0);
        let mut coming = segments.iter().peekable();
        let mut starts = Vec::new();
        let mut now = Duration::ZERO;
        while now < seconds(40.0) {
            while let Some(segment) = coming.next_if(|segment| segment.from <= now + seconds(step))
            {
                arrivals.push(segment.clone());
            }
            now += seconds(step);
            starts.extend(take(&mut arrivals, now));
        }
        let count = |window: Range<f64>| {
            let window = seconds(window.start)..seconds(window.end);
            starts
                .iter()
                .filter(|start| window.contains(&start.1))
                .count()
        };
        assert_eq!((count(0.0..10.0), count(20.0..30.0)), (100, 100));
        assert!((60..140).contains(&count(10.0..20.0)));
    }
}

#[test]
fn users_come_and_go_one_by_one_along_a_ramp() {
    let mut timeline = Timeline::default();
    let chain = Ramp::users(0, 3, seconds(6.0))
        + Constant::users(3, seconds(1.0))
        + Ramp::over(seconds(6.0)).to(0);
    for segment in plan(chain).1 {
        timeline.push(segment);
    }
    let mut seen = vec![];
    let mut now = Duration::ZERO;
    while let Some(next) = timeline.next_users_change(now, Share::ALL) {
        now = next;
        seen.push((next.as_millis(), timeline.users_at(next, Share::ALL)));
    }
    assert_eq!(
        seen,
        [
            (1000, 1),
            (3000, 2),
            (5000, 3),
            (6000, 3),
            (7000, 3),
            (8000, 2),
            (10_000, 1),
            (12_000, 0),
            (13_000, 0)
        ]
    );
}

#[test]
fn an_outline_tells_the_whole_plan_without_running_it() {
    let minute = seconds(60.0);
    let plan = outline(
        Constant::per_second(10, minute)
            + Ramp::over(minute).named("climb")
            + Constant::per_second(30, minute),
    );
    assert_eq!(plan.duration, Some(3 * minute));
    assert_eq!(plan.starts, Some(600 + 1200 + 1800));
    assert_eq!((plan.unit, plan.peak), (Unit::PerSecond, 30.0));
    assert_eq!(
        plan.stages,
        [(minute, "climb".to_owned()), (2 * minute, String::new())]
    );
    assert_eq!(
        plan.points[1..4],
        [(minute, 10.0), (minute, 10.0), (2 * minute, 30.0)]
    );

    let endless = outline(|window: Window| Volume::Users(window.start.as_secs() / 60));
    assert_eq!((endless.duration, endless.starts), (None, None));
    assert_eq!(endless.peak, 9.0);
    assert_eq!(endless.points.last().unwrap().0, seconds(600.0));

    let forever = outline(Constant::users(3, Duration::MAX));
    assert_eq!((forever.duration, forever.peak), (None, 3.0));
}

/// A part of a chain, as numbers.
#[derive(Clone, Debug)]
enum Written {
    Nothing(u64),
    Constant(f64, u64),
    Ramp(f64, f64, u64),
}

impl Written {
    fn chain(&self, unit: Unit) -> Chain {
        let millis = Duration::from_millis;
        match (self, unit) {
            (Written::Nothing(time), _) => Nothing::over(millis(*time)).into(),
            (Written::Constant(level, time), Unit::Users) => {
                Constant::users(level.floor(), millis(*time)).into()
            }
            (Written::Constant(level, time), _) => {
                Constant::per_second(*level, millis(*time)).into()
            }
            (Written::Ramp(from, to, time), Unit::Users) => {
                Ramp::users(from.floor(), to.floor(), millis(*time)).into()
            }
            (Written::Ramp(from, to, time), _) => {
                Ramp::per_second(*from, *to, millis(*time)).into()
            }
        }
    }

    /// The integral of the rate, worked out apart from the code under test.
    fn integral(&self) -> f64 {
        match self {
            Written::Nothing(_) => 0.0,
            Written::Constant(level, time) => level * *time as f64 / 1e3,
            Written::Ramp(from, to, time) => (from + to) / 2.0 * *time as f64 / 1e3,
        }
    }
}

fn level() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        (0_u32..100).prop_map(f64::from),
        0.0..100.0_f64,
        0.0..0.5_f64
    ]
}

fn written() -> impl Strategy<Value = Vec<Written>> {
    let part = prop_oneof![
        (1_u64..3_000).prop_map(Written::Nothing),
        (level(), 1_u64..5_000).prop_map(|(level, time)| Written::Constant(level, time)),
        (level(), level(), 1_u64..5_000).prop_map(|(from, to, time)| Written::Ramp(from, to, time)),
    ];
    prop::collection::vec(part, 1..7)
}

fn chain(parts: &[Written], unit: Unit) -> Chain {
    let mut chains = parts.iter().map(|part| part.chain(unit));
    let first = chains.next().unwrap();
    chains.fold(first, |chain, next| chain + next)
}

proptest! {
    #[test]
    fn starts_equal_the_integral_of_the_rate(parts in written(), of in 1_u32..9) {
        let (planner, segments) = plan(chain(&parts, Unit::PerSecond));
        let starts = all_starts(&segments, of);
        let integral: f64 = parts.iter().map(Written::integral).sum();
        // Where the integral ends within rounding of k + 1/2, either is right.
        prop_assert!((starts.len() as f64 - integral).abs() <= 0.5 + 1e-9);
        let planned = planner.planned_starts(Duration::ZERO, Duration::MAX);
        prop_assert_eq!(starts.len() as u64, planned);
        assert_each_once(&starts);
        prop_assert!(starts.is_sorted_by_key(|&(_, due)| due));
    }

    #[test]
    fn a_start_lies_in_exactly_one_segment_and_within_its_times(parts in written()) {
        let (_, segments) = plan(chain(&parts, Unit::PerSecond));
        for (k, due) in all_starts(&segments, 1) {
            let mut holding = Vec::new();
            for pair in segments.windows(2) {
                if pair[0].base <= k as f64 + 0.5 && k as f64 + 0.5 < pair[1].base {
                    holding.push(pair);
                }
            }
            prop_assert_eq!(holding.len(), 1);
            prop_assert_eq!(holding[0][0].due(k), Some(due));
            prop_assert!(holding[0][0].from <= due && due <= holding[0][1].from);
        }
    }

    #[test]
    fn planned_starts_of_parts_of_the_time_add_up(parts in written(), cut in 0_u64..20_000) {
        let (planner, segments) = plan(chain(&parts, Unit::PerSecond));
        let cut = Duration::from_millis(cut);
        let before = planner.planned_starts(Duration::ZERO, cut);
        let after = planner.planned_starts(cut, Duration::MAX);
        let starts = all_starts(&segments, 1);
        prop_assert_eq!(before + after, starts.len() as u64);
        let near = Duration::from_nanos(100);
        for (k, due) in starts {
            prop_assert!(due + near >= cut || k < before);
            prop_assert!(due < cut + near || k >= before);
        }
    }

    #[test]
    fn a_change_of_shares_in_mid_run_loses_and_doubles_nothing(
        parts in written(),
        first in 1_u32..5,
        second in 1_u32..5,
        switch in 0_u64..200,
        looked in 0_u64..20_000,
        poisson in any::<bool>(),
    ) {
        let (_, mut segments) = plan(chain(&parts, Unit::PerSecond));
        for segment in segments.iter_mut().filter(|_| poisson) {
            segment.poisson = true;
        }
        let looked = Duration::from_millis(looked);
        let mut starts = Vec::new();
        for index in 0..first.max(second) {
            let share = |of| if index < of { Share::one(index, of) } else { Share::NONE };
            let mut arrivals = Arrivals::new(SEED);
            arrivals.set_share(share(first), 0);
            for segment in &segments {
                arrivals.push(segment.clone());
            }
            // Some starts are over and one is looked at when word of the change comes.
            while arrivals.peek().is_some_and(|due| due < looked)
                && arrivals.clone().next().is_some_and(|(k, _)| k < switch)
            {
                starts.extend(arrivals.next());
            }
            arrivals.set_share(share(second), switch);
            starts.extend(take(&mut arrivals, Duration::MAX));
        }
        starts.sort_unstable();
        prop_assert_eq!(starts, all_starts(&segments, 1));
    }

    #[test]
    fn segments_told_one_by_one_make_the_same_starts(parts in written(), of in 1_u32..4) {
        let (_, segments) = plan(chain(&parts, Unit::PerSecond));
        let mut starts = Vec::new();
        for index in 0..of {
            let mut arrivals = Arrivals::new(SEED);
            arrivals.set_share(Share::one(index, of), 0);
            for pair in segments.windows(2) {
                arrivals.push(pair[0].clone());
                starts.extend(take(&mut arrivals, pair[1].from));
                arrivals.peek();
            }
            arrivals.push(segments.last().unwrap().clone());
            starts.extend(take(&mut arrivals, Duration::MAX));
        }
        starts.sort_unstable();
        prop_assert_eq!(starts, all_starts(&segments, 1));
    }

    #[test]
    fn users_of_all_shares_add_up(parts in written(), of in 1_u32..9, at in 0_u64..20_000) {
        let (planner, segments) = plan(chain(&parts, Unit::Users));
        let mut timeline = Timeline::default();
        segments.into_iter().for_each(|segment| timeline.push(segment));
        let at = Duration::from_millis(at);
        let total = timeline.users_at(at, Share::ALL);
        let shared: u64 = (0..of).map(|index| timeline.users_at(at, Share::one(index, of))).sum();
        prop_assert_eq!(shared, total);
        prop_assert!((total as f64 - planner.level_at(at)).abs() <= 0.5);
    }

    #[test]
    fn between_two_changes_the_number_of_users_stands(
        parts in written(),
        index in 0_u32..3,
        at in 0_u64..20_000,
    ) {
        let mut timeline = Timeline::default();
        for segment in plan(chain(&parts, Unit::Users)).1 {
            timeline.push(segment);
        }
        let share = Share::one(index, 3);
        let at = Duration::from_millis(at);
        let next = timeline.next_users_change(at, share);
        let end = next.map_or(at + seconds(60.0), |next| next - Duration::from_nanos(1));
        prop_assert!(next.is_none_or(|next| next > at));
        let near = end.saturating_sub(Duration::from_nanos(100)).max(at);
        for moment in [at, at + (near - at) / 2, near] {
            prop_assert_eq!(timeline.users_at(moment, share), timeline.users_at(at, share));
        }
    }

    #[test]
    fn a_share_counts_what_it_owns(of in 1_u32..20, index in 0_u32..20, total in 0_u64..200) {
        let share = Share::one(index, of);
        let own: Vec<u64> = (0..total).filter(|&k| share.owns(k)).collect();
        prop_assert_eq!(share.count(total), own.len() as u64);
        let mut walked = Vec::new();
        let mut next = share.first_at_or_after(0);
        while let Some(k) = next.filter(|&k| k < total) {
            walked.push(k);
            next = share.first_at_or_after(k + 1);
        }
        prop_assert_eq!(walked, own);
    }

    #[test]
    fn time_is_half_open_at_every_boundary(parts in written()) {
        let (planner, segments) = plan(chain(&parts, Unit::PerSecond));
        for segment in &segments {
            prop_assert_eq!(planner.level_at(segment.from), segment.start);
        }
        let end = planner.ended_at().unwrap();
        prop_assert_eq!(planner.level_at(end), 0.0);
        prop_assert!(all_starts(&segments, 2).iter().all(|&(_, due)| due <= end));
    }
}
