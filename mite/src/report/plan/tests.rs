//! What a person is shown of a plan.

use super::{axis::round_step, *};
use crate::volume::Bounds;

const MINUTE: Duration = Duration::from_secs(60);

fn style(width: usize, unicode: bool) -> Style {
    Style {
        width,
        colour: false,
        unicode,
    }
}

fn sign_in() -> PlanEntry {
    PlanEntry {
        journey: "shop::sign_in".into(),
        outline: Outline {
            unit: Unit::Users,
            points: vec![
                (Duration::ZERO, 10.0),
                (MINUTE, 10.0),
                (MINUTE, 10.0),
                (6 * MINUTE, 1000.0),
                (6 * MINUTE, 1000.0),
                (56 * MINUTE, 1000.0),
                (56 * MINUTE, 1000.0),
                (61 * MINUTE, 0.0),
            ],
            stages: vec![(6 * MINUTE, "peak".into()), (56 * MINUTE, String::new())],
            duration: Some(61 * MINUTE),
            starts: None,
            peak: 1000.0,
            bounds: Vec::new(),
        },
    }
}

fn browse() -> PlanEntry {
    PlanEntry {
        journey: "shop::browse".into(),
        outline: Outline {
            unit: Unit::PerSecond,
            points: vec![(Duration::ZERO, 2.5), (30 * MINUTE, 2.5)],
            stages: Vec::new(),
            duration: Some(30 * MINUTE),
            starts: Some(4500),
            peak: 2.5,
            bounds: Vec::new(),
        },
    }
}

#[test]
fn a_plan_is_drawn_on_one_scale_of_time_with_its_totals() {
    let drawn = draw("shop::evening", &[sign_in(), browse()], style(80, true));
    insta::assert_snapshot!(drawn);
    assert!(drawn.lines().all(|line| text::width(line) <= 80));
}

#[test]
fn a_plan_without_a_known_end_says_how_much_is_shown() {
    let open = PlanEntry {
        outline: Outline {
            points: (0..10_u32)
                .flat_map(|at| {
                    [
                        (at * MINUTE, f64::from(at)),
                        ((at + 1) * MINUTE, f64::from(at)),
                    ]
                })
                .collect(),
            duration: None,
            starts: None,
            peak: 9.0,
            ..browse().outline
        },
        ..browse()
    };
    insta::assert_snapshot!(draw("shop::search", &[open], style(60, true)));
}

#[test]
fn what_follows_the_results_is_shown_within_its_bounds() {
    let search = PlanEntry {
        outline: Outline {
            points: vec![
                (Duration::ZERO, 50.0),
                (MINUTE, 50.0),
                (MINUTE, 50.0),
                (11 * MINUTE, 50.0),
            ],
            duration: Some(11 * MINUTE),
            starts: None,
            peak: 400.0,
            bounds: vec![(
                MINUTE,
                11 * MINUTE,
                Bounds::new(
                    Unit::PerSecond,
                    50.0,
                    400.0,
                    "raised while http.p99 < 250ms",
                ),
            )],
            ..browse().outline
        },
        ..browse()
    };
    insta::assert_snapshot!(draw("shop::limit", &[search], style(60, true)));
}

#[test]
fn a_narrow_terminal_without_unicode_gets_ascii() {
    let mut entry = sign_in();
    entry
        .outline
        .stages
        .insert(0, (Duration::ZERO, "warm up".into()));
    let drawn = draw("shop::evening", &[entry], style(40, false));
    assert!(drawn.is_ascii(), "{drawn}");
    insta::assert_snapshot!(drawn);
}

#[test]
fn what_is_very_short_or_low_can_still_be_seen() {
    let spike = PlanEntry {
        outline: Outline {
            points: vec![
                (Duration::ZERO, 0.001),
                (MINUTE, 0.001),
                (MINUTE, 50.0),
                (MINUTE + Duration::from_millis(1), 50.0),
                (MINUTE + Duration::from_millis(1), 0.0),
                (2 * MINUTE, 0.0),
            ],
            duration: Some(2 * MINUTE),
            starts: Some(1),
            peak: 50.0,
            ..browse().outline
        },
        ..browse()
    };
    let drawn = draw("spike", &[spike], style(40, true));
    let rows: Vec<&str> = drawn.lines().filter(|line| line.contains('│')).collect();
    assert_eq!(rows.len(), 5);
    assert!(
        rows.iter().all(|row| row.matches('█').count() == 1),
        "{drawn}"
    );
    assert!(rows[4].contains("▁▁▁"), "{drawn}");
}

#[test]
fn nothing_to_draw_is_no_reason_to_fail() {
    let nothing = PlanEntry {
        outline: Outline {
            points: Vec::new(),
            duration: Some(Duration::ZERO),
            starts: Some(0),
            peak: 0.0,
            ..browse().outline
        },
        ..browse()
    };
    assert!(draw("empty", &[nothing], style(40, true)).contains("shop::browse"));
    assert!(draw("empty", &[], style(40, true)).starts_with("empty"));
}

#[test]
fn the_steps_of_the_time_axis_are_round() {
    for (least, step) in [
        ("0ms", "1ms"),
        ("3ms", "5ms"),
        ("1s", "1s"),
        ("7s", "10s"),
        ("8m", "10m"),
        ("5h", "6h"),
        ("13h", "1day"),
        ("80h", "4days"),
    ] {
        let least = humantime::parse_duration(least).unwrap();
        assert_eq!(duration(round_step(least)), step);
    }
}
