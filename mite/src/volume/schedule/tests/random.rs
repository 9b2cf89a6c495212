//! That random starts are a Poisson process, at a constant rate and along a ramp.

use super::*;

/// The starts of `model`, each as its place in the integral of the rate.
fn places(model: impl VolumeModel) -> Vec<f64> {
    let (planner, segments) = plan(model);
    all_starts(&segments, 1)
        .iter()
        .map(|&(_, due)| planner.cumulative(due))
        .collect()
}

/// The largest distance between the distribution of `samples` and 1 - exp(-x), times the root of
/// their number (Kolmogorov and Smirnov): above 1.63 in one of a hundred cases that are right.
fn distance_from_exponential(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let count = samples.len() as f64;
    let distance = (0_u32..)
        .zip(&samples)
        .map(|(index, sample)| {
            let truth = 1.0 - (-sample).exp();
            let below = f64::from(index) / count;
            (truth - below).max(below + 1.0 / count - truth)
        })
        .fold(0.0, f64::max);
    distance * count.sqrt()
}

fn gaps(places: &[f64]) -> Vec<f64> {
    places.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn the_gaps_of_random_starts_are_exponential_also_along_a_ramp() {
    // Measured in the integral of the rate, every such process has a mean gap of one.
    let constant = places(Constant::per_second(200, seconds(50.0)).poisson());
    let ramp = places(Ramp::per_second(0, 400, seconds(50.0)).poisson());
    for places in [&constant, &ramp] {
        // 10,000 are expected; four standard deviations are 400.
        assert!((9_600..10_400).contains(&places.len()), "{}", places.len());
        let distance = distance_from_exponential(gaps(places));
        assert!(distance < 1.63, "{distance}");
    }
    let even = places(Constant::per_second(200, seconds(50.0)));
    assert!(distance_from_exponential(gaps(&even)) > 10.0, "it can tell");
}

#[test]
fn random_starts_of_a_ramp_come_as_often_as_its_line_says_in_each_second() {
    let (planner, segments) = plan(Ramp::per_second(0, 2000, seconds(10.0)).poisson());
    let starts = all_starts(&segments, 3);
    for second in 0..10 {
        let window = Duration::from_secs(second)..Duration::from_secs(second + 1);
        let seen = starts
            .iter()
            .filter(|(_, due)| window.contains(due))
            .count() as f64;
        let expected = planner.cumulative(window.end) - planner.cumulative(window.start);
        assert!(
            (seen - expected).abs() < 4.0 * expected.sqrt(),
            "second {second}: {seen} for {expected}"
        );
    }
}

#[test]
fn a_seed_decides_the_random_starts() {
    let (_, segments) = plan(Ramp::per_second(0, 100, seconds(10.0)).poisson());
    let starts = |seed| {
        let mut arrivals = Arrivals::new(seed);
        arrivals.set_share(Share::ALL, 0);
        for segment in &segments {
            arrivals.push(segment.clone());
        }
        take(&mut arrivals, Duration::MAX)
    };
    assert_eq!(starts(1), starts(1));
    assert_ne!(starts(1), starts(2));
}
