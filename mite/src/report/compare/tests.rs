//! Comparisons of runs that are made up: what is chance and what is not.

use super::*;
use crate::report::{BatchRow, Batches, JourneySummary, ResponseTimes, SeriesPoint, fixture};

const SECONDS: usize = 120;

/// A run of so many seconds whose times swing as a queue's do, around `level` times the usual ones.
fn run(seed: u64, follow: f64, level: f64) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut swing = 0.0;
    let mut row = BatchRow {
        kind: BatchKind::Http,
        ..BatchRow::default()
    };
    for second in 0..SECONDS + 200 {
        swing = follow * swing + 0.05 * normal(&mut random);
        // What comes first is not in balance yet.
        if second < 200 {
            continue;
        }
        row.count.push(500);
        row.errors.push(u64::from(random.f64() < 0.2));
        let median = 0.010 * level * f64::exp(swing);
        row.mean.push(Some(median * 1.2));
        row.p50.push(Some(median));
        row.p95.push(Some(median * 2.0));
        row.p99.push(Some(median * 3.0));
    }
    of_rows(vec![row])
}

fn of_rows(rows: Vec<BatchRow>) -> Report {
    let mut report = fixture::passed();
    let http = rows.iter().find(|row| row.kind == BatchKind::Http).unwrap();
    let seconds = http.count.len();
    let mean = |list: &[Option<f64>]| {
        let sum: f64 = list.iter().flatten().sum();
        Some(sum / list.len() as f64)
    };
    report.http.requests = http.count.iter().sum();
    report.http.failed = http.errors.iter().sum();
    report.http.time.mean = mean(&http.mean);
    report.http.time.p50 = mean(&http.p50);
    report.http.time.p95 = mean(&http.p95);
    report.http.time.p99 = mean(&http.p99);
    report.duration_seconds = seconds as f64 + 5.0;
    report.series.points = (5..seconds + 5)
        .map(|second| SeriesPoint {
            at: second as f64 + 1.0,
            planned_starts: 500,
            ..SeriesPoint::default()
        })
        .collect();
    report.batches = Some(Batches { seconds: 1, rows });
    report
}

/// Of the normal distribution, by Box and Muller.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

fn figure(comparison: &Comparison, figure: Figure) -> &Difference {
    let rows = &comparison.differences;
    rows.iter()
        .find(|row| row.kind == BatchKind::Http && row.figure == figure)
        .unwrap()
}

fn compared(before: &Report, after: &Report) -> Comparison {
    Comparison::of(before, after, 0.95).unwrap()
}

/// Takes less time to compare.
fn only_the_median(mut report: Report) -> Report {
    for row in &mut report.batches.as_mut().unwrap().rows {
        for list in [&mut row.mean, &mut row.p95, &mut row.p99] {
            list.fill(None);
        }
    }
    report
}

/// In how many of so many pairs of runs the median is said to have changed, and in how many that
/// could be told.
fn changes(pairs: u64, follow: f64, level: f64) -> (usize, usize) {
    let found = (0..pairs).filter_map(|pair| {
        let median = |seed, level| only_the_median(run(seed, follow, level));
        let comparison = compared(&median(2 * pair, 1.0), &median(2 * pair + 1, level));
        let row = figure(&comparison, Figure::P50);
        row.low.map(|_| row.is_beyond_noise())
    });
    let found: Vec<bool> = found.collect();
    (
        found.iter().filter(|changed| **changed).count(),
        found.len(),
    )
}

#[test]
fn two_runs_of_the_same_are_no_difference_however_slowly_they_swing() {
    for follow in [0.0, 0.3, 0.6, 0.8] {
        let (changed, told) = changes(200, follow, 1.0);
        assert!(told >= 150, "{follow}: {told} of 200 can be told");
        assert!(changed * 10 <= told, "{follow}: {changed} of {told} differ");
    }
}

#[test]
fn ten_percent_more_are_found_where_the_swings_let_them_be_seen() {
    for follow in [0.0, 0.3, 0.6] {
        let (changed, told) = changes(50, follow, 1.1);
        assert!(
            told >= 45 && changed * 10 >= told * 8,
            "{follow}: {changed} of {told}"
        );
    }
}

/// A run in which the times of these seconds are six times as long.
fn disturbed(seed: u64, follow: f64, seconds: std::ops::Range<usize>) -> Report {
    let mut report = only_the_median(run(seed, follow, 1.0));
    let row = &mut report.batches.as_mut().unwrap().rows[0];
    for median in row.p50[seconds].iter_mut().flatten() {
        *median *= 6.0;
    }
    let sum: f64 = row.p50.iter().flatten().sum();
    report.http.time.p50 = Some(sum / SECONDS as f64);
    report
}

#[test]
fn a_long_disturbance_is_told_with_its_time_and_is_no_noise() {
    for seconds in [60..120, 40..80, 20..100, 0..60] {
        for follow in [0.0, 0.3, 0.6, 0.8] {
            let right = (0..25).filter(|pair| {
                let before = only_the_median(run(2 * pair, follow, 1.0));
                let after = disturbed(2 * pair + 1, follow, seconds.clone());
                let row = figure(&compared(&before, &after), Figure::P50).clone();
                let expected: Vec<f64> = [0, seconds.start, seconds.end, SECONDS]
                    .windows(2)
                    .filter(|bounds| bounds[0] < bounds[1])
                    // The warm-up comes before.
                    .map(|bounds| bounds[0] as f64 + 5.0)
                    .collect();
                let found: Vec<f64> = row.levels.iter().map(|level| level.from).collect();
                row.is_worse()
                    && found.len() == expected.len()
                    && found
                        .iter()
                        .zip(&expected)
                        .all(|(found, expected)| (found - expected).abs() <= 3.0)
            });
            let right = right.count();
            assert!(right >= 20, "{seconds:?} at {follow}: {right} of 25");
        }
    }
}

#[test]
fn what_a_disturbance_was_is_said_beside_the_figure() {
    let before = only_the_median(run(1, 0.0, 1.0));
    let mut after = compared(&before, &disturbed(2, 0.0, 60..120));
    let row = figure(&after, Figure::P50);
    let [quiet, loud] = &row.levels[..] else {
        panic!("{row:?}");
    };
    assert_eq!((quiet.from, quiet.until), (5.0, 65.0));
    assert_eq!((loud.from, loud.until), (65.0, 125.0));
    assert!(quiet.change.unwrap().abs() < 0.05, "{quiet:?}");
    assert!((loud.change.unwrap() - 5.0).abs() < 0.3, "{loud:?}");
    assert!(loud.before < Some(0.011) && loud.after > Some(0.055));
    let said = table::remark(row).unwrap();
    assert!(
        said.starts_with("changed within the second run: ") && said.contains("ms, from 65.0s on "),
        "{said}"
    );
    // So a build can be made to fail of it.
    assert!(!judged(&mut after, "http.p50 > +100%").passed);
    let other_way = compared(&disturbed(2, 0.0, 60..120), &before);
    let said = table::remark(figure(&other_way, Figure::P50)).unwrap();
    assert!(said.starts_with("changed within the first run"), "{said}");
}

#[test]
fn of_two_runs_of_the_same_hardly_any_is_said_to_have_been_disturbed() {
    for (follow, most) in [(0.0, 2), (0.6, 4), (0.8, 10), (0.95, 20)] {
        let median = |seed| only_the_median(run(seed, follow, 1.0));
        let told = (0..200).filter(|pair| {
            let comparison = compared(&median(2 * pair), &median(2 * pair + 1));
            !figure(&comparison, Figure::P50).levels.is_empty()
        });
        let told = told.count();
        assert!(told <= most, "{follow}: {told} of 200");
    }
}

#[test]
fn a_change_is_told_with_the_interval_it_lies_in() {
    let comparison = compared(&run(1, 0.3, 1.0), &run(2, 0.3, 1.1));
    for name in [Figure::Mean, Figure::P50, Figure::P95, Figure::P99] {
        let row = figure(&comparison, name);
        let (low, high) = (row.low.unwrap(), row.high.unwrap());
        assert!(low < 0.1 && 0.1 < high && high - low < 0.08, "{row:?}");
        assert!(row.is_worse());
    }
    let rate = figure(&comparison, Figure::Rate);
    assert_eq!((rate.before, rate.change), (Some(500.0), Some(0.0)));
    assert!(!rate.is_beyond_noise());
    let errors = figure(&comparison, Figure::ErrorRate);
    assert!(
        errors.low < Some(0.0) && errors.high > Some(0.0),
        "{errors:?}"
    );
}

#[test]
fn fewer_a_second_are_worse_and_shorter_times_better() {
    let (before, mut after) = (run(1, 0.0, 1.0), run(2, 0.0, 0.8));
    let row = &mut after.batches.as_mut().unwrap().rows[0];
    row.count.iter_mut().for_each(|count| *count = 480);
    after.http.requests = 480 * SECONDS as u64;
    let comparison = compared(&before, &after);
    assert!(figure(&comparison, Figure::Rate).is_worse());
    let median = figure(&comparison, Figure::P50);
    assert!(median.is_beyond_noise() && !median.is_worse());
}

#[test]
fn a_ramp_is_no_noise_because_both_runs_have_it() {
    let ramp = |seed, level| {
        let mut report = run(seed, 0.0, level);
        let row = &mut report.batches.as_mut().unwrap().rows[0];
        for (second, count) in row.count.iter_mut().enumerate() {
            *count = 10 * (second as u64 + 1);
        }
        for (second, median) in row.p50.iter_mut().enumerate() {
            *median = median.map(|median| median * (1.0 + second as f64 / 10.0));
        }
        let weights = row.count.iter().zip(&row.errors).zip(&row.p50);
        let (mut sum, mut all) = (0.0, 0.0);
        for ((count, errors), median) in weights {
            let weight = (count - errors) as f64;
            sum += weight * median.unwrap();
            all += weight;
        }
        report.http.time.p50 = Some(sum / all);
        report
    };
    let comparison = compared(&ramp(1, 1.0), &ramp(2, 1.1));
    assert!(figure(&comparison, Figure::P50).is_worse());
    let comparison = compared(&ramp(3, 1.0), &ramp(4, 1.0));
    assert!(!figure(&comparison, Figure::P50).is_beyond_noise());
}

#[test]
fn runs_that_say_nothing_of_one_another_are_not_compared() {
    let good = run(1, 0.0, 1.0);
    let refusal = |change: &dyn Fn(&mut Report)| {
        let mut other = run(2, 0.0, 1.0);
        change(&mut other);
        Comparison::of(&good, &other, 0.95).unwrap_err().to_string()
    };
    type Change = &'static dyn Fn(&mut Report);
    let cases: [(Change, &str); 9] = [
        (
            &|report| report.scenario = "shop::morning".into(),
            "shop::evening and shop::morning",
        ),
        (
            &|report| report.verdict = Verdict::Invalid,
            "the second run was invalid",
        ),
        (&|report| report.batches = None, "run it again"),
        (&|report| report.duration_seconds = 20.0, "at least 30 s"),
        (&|report| report.duration_seconds = 90.0, "the second 85 s"),
        (
            &|report| report.series.points[7].planned_starts = 50_000,
            "their volumes differ",
        ),
        (
            &|report| report.findings = vec![fixture::capacity()],
            "followed its own results",
        ),
        (
            &|report| {
                report.journeys.push(JourneySummary {
                    journey: "shop::pay".into(),
                    ..JourneySummary::default()
                });
            },
            "shop::pay",
        ),
        (
            &|report| report.batches.as_mut().unwrap().rows[0].p99.truncate(7),
            "differ in length",
        ),
    ];
    for (change, words) in cases {
        let message = refusal(change);
        assert!(message.contains(words), "{message}");
    }
    assert!(Comparison::of(&good, &good, 95.0).is_err());
}

#[test]
fn users_in_flight_are_the_volume_where_nothing_is_planned() {
    let closed = |users| {
        let mut report = run(1, 0.0, 1.0);
        for point in &mut report.series.points {
            (point.planned_starts, point.users) = (0, users);
        }
        report
    };
    assert!(Comparison::of(&closed(100), &closed(102), 0.95).is_ok());
    let message = Comparison::of(&closed(100), &closed(120), 0.95)
        .unwrap_err()
        .to_string();
    assert!(message.contains("users in flight"), "{message}");
}

#[test]
fn stretches_of_two_lengths_are_brought_to_one() {
    let (before, mut after) = (run(1, 0.0, 1.0), run(2, 0.0, 1.1));
    let batches = after.batches.as_mut().unwrap();
    batches.seconds = 2;
    let row = &mut batches.rows[0];
    row.count = row.count.chunks(2).map(|pair| pair.iter().sum()).collect();
    row.errors = row.errors.chunks(2).map(|pair| pair.iter().sum()).collect();
    for list in [&mut row.mean, &mut row.p50, &mut row.p95, &mut row.p99] {
        *list = list
            .chunks(2)
            .map(|pair| Some(pair.iter().flatten().sum::<f64>() / 2.0))
            .collect();
    }
    let comparison = compared(&before, &after);
    let median = figure(&comparison, Figure::P50);
    assert!(median.is_worse(), "{median:?}");
    assert_eq!(figure(&comparison, Figure::Rate).change, Some(0.0));
}

/// A run of two entries of one journey, one fast and one slow, whose percentiles together are told.
fn two_entries(seed: u64, level: f64) -> Report {
    let mut report = run(seed, 0.0, level);
    let rows = &mut report.batches.as_mut().unwrap().rows;
    for kind in [BatchKind::Run, BatchKind::Journey] {
        let mut row = rows[0].clone();
        row.kind = kind;
        if kind == BatchKind::Journey {
            row.journey = "shop::browse".into();
        }
        rows.push(row);
    }
    let entry = |number, median| JourneySummary {
        journey: "shop::browse".into(),
        entry: Some(number),
        completed: 30_000,
        response_time: fixture::times(30_000, median),
        ..JourneySummary::default()
    };
    report.journeys = vec![entry(0, 0.004 * level), entry(1, 0.8 * level)];
    report.response_times = [None, Some("shop::browse".to_owned())]
        .map(|journey| ResponseTimes {
            journey,
            response_time: fixture::times(60_000, 0.02 * level),
        })
        .into();
    report
}

#[test]
fn percentiles_of_several_entries_are_those_of_all_their_samples() {
    let (before, after) = (two_entries(1, 1.0), two_entries(2, 1.5));
    let told = |comparison: Comparison, figure: Figure| {
        [BatchKind::Run, BatchKind::Journey].map(|kind| {
            let mut rows = comparison.differences.iter();
            let row = rows.find(|row| (row.kind, row.figure) == (kind, figure));
            row.map(|row| (row.before, row.after)).unwrap()
        })
    };
    for (figure, times) in [(Figure::P50, 1.0), (Figure::P95, 2.5), (Figure::P99, 4.0)] {
        let expected = (Some(0.02 * times), Some(0.02 * 1.5 * times));
        let found = told(compared(&before, &after), figure);
        assert_eq!(found, [expected, expected], "{figure:?}");
    }
    // A report of old has none, and those of its stretches are not those of the run.
    let mut old = before;
    old.response_times.clear();
    for (before, after) in told(compared(&old, &after), Figure::P95) {
        assert_eq!((before, after), (None, Some(0.02 * 1.5 * 2.5)));
    }
    assert!(told(compared(&old, &after), Figure::Mean)[0].0.is_some());
}

#[test]
fn what_is_in_one_run_only_is_shown_without_a_change() {
    let (before, mut after) = (run(1, 0.0, 1.0), run(2, 0.0, 1.0));
    let rows = &mut after.batches.as_mut().unwrap().rows;
    let mut new = rows[0].clone();
    (new.kind, new.name, new.method) = (BatchKind::Request, "/new".into(), "GET".into());
    rows.push(new);
    let comparison = compared(&before, &after);
    let new = comparison
        .differences
        .iter()
        .find(|row| row.name == "/new")
        .unwrap();
    assert_eq!((new.before, new.change, new.low), (None, None, None));
    assert!(new.after.is_some());
    let gone = compared(&after, &before);
    let gone = gone
        .differences
        .iter()
        .find(|row| row.name == "/new")
        .unwrap();
    assert_eq!((gone.after, gone.change), (None, None));
}

fn judged(comparison: &mut Comparison, limit: &str) -> LimitResult {
    comparison.judge(&limit.parse().unwrap()).unwrap();
    comparison.limits.pop().unwrap()
}

#[test]
fn a_limit_is_broken_beyond_itself_and_beyond_noise_only() {
    let mut slower = compared(&run(1, 0.0, 1.0), &run(2, 0.0, 1.1));
    assert!(!judged(&mut slower, "http.p99 > +5%").passed);
    assert!(!judged(&mut slower, "http.p99 > 5%").passed);
    assert!(!judged(&mut slower, "http.p50 > +0%").passed);
    let within = judged(&mut slower, "http.p99 > +20%");
    assert!(within.passed && within.beyond_noise);
    assert!(judged(&mut slower, "http.p99 < -5%").passed);
    assert!(judged(&mut slower, "http.rate < -1%").passed);
    assert!(judged(&mut slower, "http.error_rate > +0.5pp").passed);
    // Either the one or the other is slower, by nothing but chance.
    for (before, after) in [(5, 6), (6, 5)] {
        let mut noisy = compared(&run(before, 0.6, 1.0), &run(after, 0.6, 1.0));
        let noise = judged(&mut noisy, "http.p99 > +0%");
        assert!(noise.passed && !noise.beyond_noise, "{noise:?}");
    }
}

#[test]
fn a_limit_that_makes_no_sense_says_what_would() {
    for (limit, words) in [
        ("", "SUBJECT.FIGURE > +10%"),
        ("http", "SUBJECT.FIGURE > +10%"),
        ("https.p99 > 5%", "no \"https\""),
        ("http.p42 > 5%", "p50, p95, p99"),
        ("http.p99", "what may not happen"),
        ("http.p99 > 5", "> +10% (of what it was)"),
        ("http.p99 > 20ms", "> +10% (of what it was)"),
        ("http.p99 > -5%", "> +10% (of what it was)"),
        ("http.rate < 5%", "< -5%"),
        ("http.p99 > nan%", "> +10%"),
        ("errors.rate > 5%", "+0.5pp"),
        ("errors.p99 > 5%", "it has rate"),
        ("http{path=\"/\"}.p99 > 5%", "it has name, method"),
        ("http{name=/}.p99 > 5%", "labels are written"),
        ("http{name=\"/\".p99 > 5%", "labels are written"),
    ] {
        let message = limit.parse::<Limit>().unwrap_err().to_string();
        assert!(message.contains(words), "{limit}: {message}");
        assert!(
            message.starts_with(&format!("the limit `{limit}`: ")),
            "{message}"
        );
    }
    let mut comparison = compared(&run(1, 0.0, 1.0), &run(2, 0.0, 1.0));
    for (limit, words) in [
        ("http{name=\"GET /none\"}.p99 > 5%", "neither of the runs"),
        ("journey{journey=\"none\"}.p99 > 5%", "neither of the runs"),
    ] {
        let error = comparison.judge(&limit.parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_name_with_every_sign_of_the_grammar_can_be_selected() {
    let mut after = run(2, 0.0, 1.0);
    let name = "GET /a?b={c}\"d\" > 5%";
    let rows = &mut after.batches.as_mut().unwrap().rows;
    let mut odd = rows[0].clone();
    (odd.kind, odd.name, odd.method) = (BatchKind::Request, name.into(), "GET".into());
    rows.push(odd);
    let mut comparison = compared(&after.clone(), &after);
    let quoted = name.replace('"', "\\\"");
    let limit = format!("http{{name=\"{quoted}\",method=\"GET\"}}.mean > +5%");
    assert!(judged(&mut comparison, &limit).passed);
}

#[test]
fn a_file_that_is_no_report_is_told_by_what_it_is() {
    let newer = fixture::full()
        .to_json()
        .replacen("\"schema\": 1", "\"schema\": 2", 1);
    let without = fixture::full()
        .to_json()
        .replacen("\"verdict\": \"passed\",", "", 1);
    let wrong = fixture::full()
        .to_json()
        .replacen("\"requests\": 118998", "\"requests\": -1", 1);
    let comparison = compared(&run(1, 0.0, 1.0), &run(2, 0.0, 1.0));
    let comparison = serde_json::to_string(&comparison).unwrap();
    for (text, words) in [
        ("", "begins with a brace"),
        ("time,stage\r\n", "begins with a brace"),
        ("{\"schema\": 1, ", "EOF"),
        ("{}", "schema"),
        ("[1]", "begins with a brace"),
        (&newer, "version 2"),
        (&without, "verdict"),
        (&wrong, "http.requests"),
        (&comparison, "outcome of a comparison"),
    ] {
        let message = Report::from_json(text).unwrap_err().to_string();
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(
        Report::from_json(&fixture::full().to_json()),
        Ok(fixture::full())
    );
}
