//! That more or less of a plan is exact too, from the moment it is asked for.

use super::*;

/// Starts of two sharers who hear of each change when it holds.
fn started(model: impl VolumeModel, changes: &[(f64, f64)]) -> (Vec<u64>, Planner) {
    let (mut planner, segments) = plan(model);
    let mut sharers = [0, 1].map(|index| {
        let mut arrivals = Arrivals::new(SEED);
        arrivals.set_share(Share::one(index, 2), 0);
        segments
            .iter()
            .for_each(|segment| arrivals.push(segment.clone()));
        arrivals
    });
    let mut starts = Vec::new();
    for &(at, factor) in changes {
        for sharer in &mut sharers {
            starts.extend(take(sharer, seconds(at)));
        }
        for segment in planner.rescale(seconds(at), factor) {
            for sharer in &mut sharers {
                sharer.push(segment.clone());
            }
        }
    }
    for sharer in &mut sharers {
        starts.extend(take(sharer, Duration::MAX));
    }
    let mut numbers: Vec<_> = starts.into_iter().map(|(number, _)| number).collect();
    numbers.sort_unstable();
    (numbers, planner)
}

#[test]
fn from_the_change_on_so_many_times_the_plan_is_due_and_before_it_what_was() {
    let ten = Duration::from_secs(10);
    let steady = || Constant::per_second(100, ten);
    let rising = || Ramp::per_second(0, 100, ten);
    for (changes, of_steady, of_rising) in [
        (vec![], 1000, 500),
        (vec![(4.0, 1.5)], 1300, 40 + 40 + 630),
        (vec![(5.0, 2.0)], 1500, 125 + 750),
        (vec![(2.0, 2.0), (4.0, 1.0)], 1200, 20 + 120 + 420),
        (vec![(2.0, 0.0), (4.0, 1.0)], 800, 20 + 420),
        (vec![(2.0, 0.0)], 200, 20),
    ] {
        for (planned, (numbers, planner)) in [
            (of_steady, started(steady(), &changes)),
            (of_rising, started(rising(), &changes)),
        ] {
            let all: Vec<_> = (0..planned).collect();
            assert_eq!(numbers, all, "{changes:?}");
            assert_eq!(planner.planned_starts(Duration::ZERO, ten), planned);
        }
    }
}

#[test]
fn users_are_raised_and_lowered_and_come_back() {
    let plan = Constant::users(10, Duration::from_secs(10));
    let (mut planner, _) = super::plan(plan);
    for (at, factor, level) in [(2.0, 1.5, 15.0), (4.0, 0.0, 0.0), (6.0, 1.0, 10.0)] {
        planner.rescale(seconds(at), factor);
        assert_eq!(planner.level_at(seconds(at)), level);
        assert_eq!(planner.level_at(seconds(10.0)), 0.0, "the end stays");
    }
    assert_eq!(
        planner.level_at(seconds(1.0)),
        10.0,
        "what was is not changed"
    );
}

#[test]
fn what_the_model_says_later_is_changed_as_well() {
    let closure = |window: Window| match window.start.as_secs() {
        4.. => Volume::Stop,
        second => Volume::PerSecond(10.0 * second as f64),
    };
    let mut planner = Planner::new(Box::new(closure));
    planner.advance(seconds(2.0), &Observed::default()).unwrap();
    planner.rescale(seconds(1.5), 3.0);
    planner.advance(seconds(9.0), &Observed::default()).unwrap();
    let planned = planner.planned_starts(Duration::ZERO, seconds(9.0));
    assert_eq!(planned, 5 + 15 + 60 + 90);
}

#[test]
fn no_factor_makes_a_rate_that_would_not_be_taken_for_meant() {
    let (mut planner, _) = plan(Constant::per_second(9_000_000, Duration::from_secs(2)));
    let segments = planner.rescale(seconds(1.0), 100.0);
    assert_eq!(segments.first().unwrap().start, 10_000_000.0);
}
