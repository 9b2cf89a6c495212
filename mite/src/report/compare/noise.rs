//! How much of a difference between two runs their own swings explain.
//!
//! The seconds of a run are much like those before them: a queue that is long stays long for a
//! while. A test that takes them for independent finds differences where there are none. So the two
//! runs are cut into stretches at the same places, and each stretch of one is held against the same
//! stretch of the other, which also takes out whatever the plan itself does to the figures. A stretch
//! is long enough for its difference to be nearly independent of the next: at least twice the
//! integrated autocorrelation time of the differences, estimated from the initial positive sequence
//! (Geyer, Statistical Science 7, 1992).
//!
//! The spread of the stretches around the difference of the whole runs gives an interval by Student's
//! distribution. These are batch means (Conway, Management Science 10, 1963; Schmeiser, Operations
//! Research 30, 1982), for percentiles in the form called sectioning (Asmussen and Glynn, Stochastic
//! Simulation, 2007, III.5a; Nakayama, ACM TOMACS 24, 2014), which is centred on the percentile of
//! the whole run and not on the mean of those of its parts.
//!
//! A long disturbance in one of the runs looks like one slow swing and leaves too few stretches. So
//! where that is so, a change of level is looked for ([`breaks`]), and if there is one the noise is
//! taken from what is left around the levels.

use std::{f64::consts::PI, ops::Range};

use super::breaks::breaks;

/// Fewer stretches than this tell nothing of how much they vary.
const LEAST: usize = 6;
/// More than this make the interval no narrower, and are less independent.
const MOST: usize = 20;
/// How many autocorrelation times a stretch has.
const TIMES: f64 = 2.0;

/// What there is to know of a difference beside itself.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Noise {
    /// Half the width of the interval around the difference that holds the true one; absent when
    /// there are too few stretches that can be taken for independent.
    pub(super) half_width: Option<f64>,
    /// Units of time at which the difference changes its level.
    pub(super) breaks: Vec<usize>,
}

/// The noise of a difference of `whole`, of which an interval is to hold the true one with this
/// `confidence`.
///
/// There are `units` of time, and `of` gives the difference over some of them, if there is any.
pub(super) fn noise(
    units: usize,
    whole: f64,
    confidence: f64,
    of: impl Fn(Range<usize>) -> Option<f64>,
) -> Noise {
    let each = (0..units).filter_map(|unit| Some((unit, of(unit..unit + 1)?)));
    let (known, each): (Vec<usize>, Vec<f64>) = each.unzip();
    let count = stretches_of(&each, units);
    let stretches = parts(units, count).filter_map(&of);
    let from_whole: Vec<f64> = stretches.map(|one| one - whole).collect();
    let half_width = half_width(&from_whole, 1, confidence);
    if half_width.is_some() {
        return Noise {
            half_width,
            breaks: Vec::new(),
        };
    }
    let breaks = breaks(&each);
    if breaks.is_empty() {
        return Noise::default();
    }
    let left = around_levels(&each, &breaks);
    let count = stretches_of(&left, left.len());
    let stretches: Vec<f64> = parts(left.len(), count)
        .filter_map(|part| mean(left.get(part)?))
        .collect();
    Noise {
        half_width: self::half_width(&stretches, breaks.len() + 1, confidence),
        breaks: breaks
            .into_iter()
            .filter_map(|at| known.get(at).copied())
            .collect(),
    }
}

/// How many stretches of these units can be taken for independent.
fn stretches_of(each: &[f64], units: usize) -> usize {
    // Where many a unit has nothing to tell, the others are further apart than they seem.
    let density = each.len() as f64 / units.max(1) as f64;
    let length = TIMES * autocorrelation_time(each) / density;
    ((units as f64 / length) as usize).min(MOST)
}

/// So many parts of about the same length.
fn parts(units: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    let bound = move |index: usize| index * units / count.max(1);
    (0..count).map(move |index| bound(index)..bound(index + 1))
}

/// From how far stretches are from where they would be without noise, of which as many numbers as
/// `known` were estimated from themselves.
fn half_width(stretches: &[f64], known: usize, confidence: f64) -> Option<f64> {
    let count = stretches.len();
    let freedom = count.checked_sub(known).filter(|_| count >= LEAST)?;
    if freedom + 1 < LEAST {
        return None;
    }
    let freedom = freedom as f64;
    let squares: f64 = stretches.iter().map(|one| one.powi(2)).sum();
    let error = (squares / freedom / count as f64).sqrt();
    Some(error * student(confidence, freedom))
}

/// What is left of a series when the mean of each of its levels is taken away.
fn around_levels(series: &[f64], breaks: &[usize]) -> Vec<f64> {
    let ends = breaks.iter().copied().chain([series.len()]);
    let levels = ends.scan(0, |from, until| {
        let level = series.get(*from..until);
        *from = until;
        level
    });
    let left = levels.flat_map(|level| {
        let usual = mean(level).unwrap_or_default();
        level.iter().map(move |value| value - usual)
    });
    left.collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    (count > 0.0).then(|| values.iter().sum::<f64>() / count)
}

/// How many units it takes until one tells something new: 1 for independent ones.
fn autocorrelation_time(series: &[f64]) -> f64 {
    let length = series.len() as f64;
    let mean = series.iter().sum::<f64>() / length;
    let deviations: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let covariance = |lag: usize| {
        let shifted = deviations.iter().skip(lag);
        let products = deviations
            .iter()
            .zip(shifted)
            .map(|(one, other)| one * other);
        products.sum::<f64>() / length
    };
    let variance = covariance(0);
    // What varies less than it can be written down is the same.
    let least = (mean * 1e-9).powi(2);
    if variance.is_nan() || variance <= least {
        return 1.0;
    }
    let mut time = -1.0;
    let mut before = f64::INFINITY;
    for lag in (0..series.len() / 2).step_by(2) {
        // Sums of two neighbours are positive and fall, whatever the process; noise soon is not.
        let pair = ((covariance(lag) + covariance(lag + 1)) / variance).min(before);
        if pair <= 0.0 {
            break;
        }
        time += 2.0 * pair;
        before = pair;
    }
    time.max(1.0)
}

/// How many standard errors hold so much of Student's distribution in their middle, to a
/// thousandth from five degrees of freedom on (Abramowitz and Stegun, 26.7.5).
fn student(confidence: f64, freedom: f64) -> f64 {
    let x = normal(0.5 + confidence / 2.0);
    let terms = [
        (x.powi(3) + x) / 4.0,
        (5.0 * x.powi(5) + 16.0 * x.powi(3) + 3.0 * x) / 96.0,
        (3.0 * x.powi(7) + 19.0 * x.powi(5) + 17.0 * x.powi(3) - 15.0 * x) / 384.0,
    ];
    let powers = (1..).map(|power| freedom.powi(power));
    x + terms
        .iter()
        .zip(powers)
        .map(|(term, power)| term / power)
        .sum::<f64>()
}

/// The point below which this part of the normal distribution lies, by bisection.
fn normal(part: f64) -> f64 {
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < part {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// The part of the normal distribution below `x` (Marsaglia, Journal of Statistical Software 11,
/// 2004).
fn below(x: f64) -> f64 {
    let (mut sum, mut term, mut odd) = (x, x, 1.0);
    while term > 1e-17 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (confidence, freedom, value) in [
            (0.95, 5.0, 2.571),
            (0.95, 9.0, 2.262),
            (0.95, 19.0, 2.093),
            (0.99, 9.0, 3.250),
            (0.90, 5.0, 2.015),
        ] {
            let found = student(confidence, freedom);
            assert!(
                (found - value).abs() < 0.01,
                "{confidence} {freedom}: {found}"
            );
        }
    }

    #[test]
    fn independent_values_are_told_from_such_that_follow_one_another() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut white, mut red, mut level) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..5000 {
            let noise = random.f64() - 0.5;
            level = 0.8 * level + noise;
            white.push(noise);
            red.push(level);
        }
        let time = autocorrelation_time(&white);
        assert!(time < 1.5, "{time}");
        // (1 + 0.8) / (1 - 0.8)
        let time = autocorrelation_time(&red);
        assert!((6.0..12.0).contains(&time), "{time}");
        assert_eq!(autocorrelation_time(&[3.0; 50]), 1.0);
        assert_eq!(autocorrelation_time(&[]), 1.0);
    }

    #[test]
    fn too_few_stretches_give_no_interval() {
        let slow = |units: Range<usize>| Some(units.start as f64);
        assert_eq!(
            noise(60, 30.0, 0.95, slow),
            Noise::default(),
            "a trend is one long swing"
        );
        assert_eq!(noise(60, 0.0, 0.95, |_| None), Noise::default());
        let nothing = noise(60, 0.0, 0.95, |_| Some(0.0));
        assert_eq!(nothing.half_width, Some(0.0));
    }
}
