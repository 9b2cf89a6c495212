//! Names over time: the slow one and the moment it got slow are what one sees first.

use std::time::Instant;

use serde_json::{Value, json};
use tests::browser::{Browser, Page};

use crate::runs::{Written, full};

const STRETCHES: usize = 60;

/// Noise that is the same each time, and like that of the value before it.
struct Noise {
    state: u64,
    last: f64,
}

impl Noise {
    fn next(&mut self, correlation: f64) -> f64 {
        // The sum of uniform numbers is nearly normal.
        let sum: f64 = (0..12).map(|_| self.uniform()).sum();
        let fresh = (1.0 - correlation * correlation).sqrt() * (sum - 6.0);
        self.last = correlation * self.last + fresh;
        self.last
    }

    fn uniform(&mut self) -> f64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A run of five minutes with so many names, whose p95 in each stretch is that of `times`.
fn run(names: usize, times: impl Fn(usize, usize) -> f64) -> Written {
    let mut report = full().json.clone();
    let mut rows = Vec::new();
    let mut by_name = Vec::new();
    for number in 0..names {
        let name = format!("GET /item/{number}");
        let row: Vec<f64> = (0..STRETCHES).map(|at| times(number, at)).collect();
        let part = |share: f64| -> Vec<f64> { row.iter().map(|time| time * share).collect() };
        rows.push(json!({
            "kind": "request", "name": name, "method": "GET",
            "count": vec![100; STRETCHES], "errors": vec![u8::from(number == 9); STRETCHES],
            "mean": part(0.5), "p50": part(0.4), "p95": row, "p99": part(2.0),
        }));
        let mut summary = report["http"]["requests_by_name"][0].clone();
        summary["name"] = json!(name);
        summary["count"] = json!(100 * STRETCHES);
        summary["time"]["p95"] = json!(row[STRETCHES / 2]);
        by_name.push(summary);
    }
    report["batches"] = json!({"seconds": 5, "rows": rows});
    report["http"]["requests_by_name"] = Value::from(by_name);
    report["series"]["warm_up_seconds"] = json!(0.0);
    let one = report["series"]["points"][2].clone();
    let points = (1..=5 * STRETCHES).map(|at| {
        let mut point = one.clone();
        point["at"] = json!(at as f64);
        point
    });
    report["series"]["points"] = points.collect();
    full().with(&report)
}

fn noisy(names: usize, correlation: f64, slow: fn(usize, usize) -> f64) -> Written {
    let mut noise = Noise {
        state: 7,
        last: 0.0,
    };
    let all: Vec<f64> = (0..names * STRETCHES)
        .map(|_| (0.3 * noise.next(correlation)).exp())
        .collect();
    run(names, |number, at| {
        0.01 * all[number * STRETCHES + at] * slow(number, at)
    })
}

fn text(page: &mut Page<'_>, selector: &str) -> Vec<String> {
    let found = page.evaluate(&format!(
        "[...document.querySelectorAll({})].map((element) => element.textContent)",
        json!(selector)
    ));
    serde_json::from_value(found).unwrap()
}

#[test]
fn what_got_slow_and_when_is_told_at_the_top_and_is_first_of_two_hundred_names() {
    let written = noisy(200, 0.0, |number, at| match (number, at) {
        (123, 30..) => 10.0,
        (55, 20..28) => 6.0,
        _ => 1.0,
    });
    let mut browser = Browser::start();
    let began = Instant::now();
    let mut page = browser.open(&written.url(), 1280);
    // Two seconds where nobody else needs the processors.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    let told = text(&mut page, "#verdict .striking li");
    let slow: Vec<_> = told
        .iter()
        .filter(|text| text.starts_with("Got slow"))
        .collect();
    assert_eq!(slow.len(), 2, "{told:?}");
    assert!(
        slow[0].starts_with("Got slow: GET /item/123, p95 "),
        "{told:?}"
    );
    assert!(slow[0].contains(" from 2:30 on, "), "{told:?}");
    assert!(slow[1].contains("GET /item/55, p95 "), "{told:?}");
    assert!(slow[1].contains(" from 1:40 to 2:20, "), "{told:?}");
    assert!(
        told.iter().any(|text| text.contains("load generator")),
        "{told:?}"
    );

    let names = text(&mut page, "#names tbody th");
    assert_eq!(names[..2], ["GET /item/123", "GET /item/55"]);
    assert_eq!(names.len(), 25);
    assert_eq!(
        page.evaluate("document.querySelectorAll('#names .strip .onset').length"),
        2
    );
    page.evaluate("document.querySelector('#names .more').click()");
    assert_eq!(text(&mut page, "#names tbody th").len(), 200);
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn names_that_only_vary_are_hardly_ever_said_to_have_got_slow() {
    let mut browser = Browser::start();
    for correlation in [0.0, 0.5, 0.8] {
        let written = noisy(200, correlation, |_, _| 1.0);
        let mut page = browser.open(&written.url(), 1280);
        page.evaluate("document.querySelector('#names .more').click()");
        let marked = page.evaluate("document.querySelectorAll('#names .strip .onset').length");
        assert!(
            marked.as_u64() <= Some(4),
            "{marked} of 200 at {correlation}"
        );
    }
}

#[test]
fn a_strip_is_dark_where_its_name_is_slow_and_red_where_it_fails() {
    let written = run(
        20,
        |number, at| {
            if number == 3 && at >= 40 { 1.0 } else { 0.01 }
        },
    );
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 390);
    let strip = "document.querySelector('#names tbody tr .strip')";
    let cells = |level: usize| format!("{strip}.querySelector('.heat-{level}')?.getAttribute('d')");
    let light = page.evaluate(&cells(0));
    assert_eq!(light.as_str().unwrap().matches('M').count(), 40);
    let dark = page.evaluate(&cells(7));
    assert!(dark.as_str().unwrap().starts_with("M40 0h1"), "{dark}");
    let failed = "document.querySelectorAll('#names .strip .heat-failed').length";
    assert_eq!(page.evaluate(failed), 1);

    page.evaluate(&format!("{strip}.id = 'strip'"));
    page.point_at("#strip");
    let told = page.evaluate("document.querySelector('#strip title').textContent");
    let told = told.as_str().unwrap();
    assert!(
        told.starts_with("2:30 to 2:35, p95 10.0ms, 100 ended"),
        "{told}"
    );
    assert!(page.evaluate("document.querySelectorAll('#course .cross').length") != 0);
    let wide = page.evaluate("document.documentElement.scrollWidth");
    assert!(wide.as_u64() <= Some(390), "{wide}");
}

#[test]
fn lines_are_picked_by_their_names_with_the_keyboard_too() {
    let written = noisy(30, 0.0, |number, _| if number == 7 { 5.0 } else { 1.0 });
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let shown = |page: &mut Page<'_>| text(page, "#names .legend button");
    let before = shown(&mut page);
    assert_eq!(before.len(), 5, "{before:?}");
    assert_eq!(before[0], "GET /item/7");
    let button = "[...document.querySelectorAll('#names .pick')][10]";
    let name = page.evaluate(&format!("{button}.textContent"));
    page.evaluate(&format!("{button}.focus()"));
    page.press("Enter");
    let after = shown(&mut page);
    assert!(
        after.iter().any(|text| text == name.as_str().unwrap()),
        "{after:?}"
    );
    assert_eq!(page.evaluate("document.activeElement.textContent"), name);
    assert_eq!(
        page.evaluate("document.activeElement.getAttribute('aria-pressed')"),
        "true"
    );
    page.press("Enter");
    assert_eq!(shown(&mut page).len(), 4);
    // It is still in its place.
    assert_eq!(page.evaluate("document.activeElement.textContent"), name);
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn fifty_thresholds_do_not_push_what_stands_out_off_the_first_screen() {
    let mut report = full().json.clone();
    let threshold = |number: usize| json!({"expression": format!("http.p50 < {number}ms"), "value": 0.04, "passed": number > 40});
    report["thresholds"] = (0..50).rev().map(threshold).collect();
    report["reasons"] = (0..40)
        .map(|number| json!(format!("reason {number}")))
        .collect();
    let written = full().with(&report);
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let top = page.evaluate("document.querySelector('.striking').getBoundingClientRect().bottom");
    assert!(top.as_f64().unwrap() < 1300.0, "{top}");
    let reasons = text(&mut page, "#verdict .verdict li");
    assert_eq!(reasons.len(), 11);
    assert_eq!(reasons[10], "and 30 more reasons");
    // The broken ones come first, in the order they were given in.
    let shown = text(&mut page, "#verdict tbody th");
    assert_eq!(shown.len(), 10);
    assert_eq!(shown[0], "http.p50 < 40ms");
}

#[test]
fn a_real_run_has_its_names_over_time() {
    let written = full();
    let rows = written.json["batches"]["rows"].as_array().unwrap();
    let requests = rows.iter().filter(|row| row["kind"] == "request").count();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let shown = page.evaluate("document.querySelector('#names .shown').textContent");
    assert_eq!(shown, format!("{requests} names"));
    page.evaluate(
        "(() => { const kind = document.querySelector('#names select');
            kind.value = 'transaction'; kind.dispatchEvent(new Event('change')); })()",
    );
    let names = text(&mut page, "#names tbody th");
    assert!(names.contains(&"browse › article".to_owned()), "{names:?}");
}
