//! The page at its edges: names that could do harm, secrets, nothing to show, a lot to show, narrow
//! windows, paper.

use std::fs;

use serde_json::{Value, json};
use tests::browser::Browser;

use crate::runs::{EVIL, attacked, blabbed, full, long, tiny};

#[test]
fn no_page_asks_the_network_for_anything_or_complains() {
    let mut browser = Browser::start();
    for written in [full(), tiny(), attacked(), blabbed(), &long()] {
        for width in [390, 1280] {
            let mut page = browser.open(&written.url(), width);
            assert_eq!(page.requests(), [written.url()]);
            assert_eq!(page.complaints(), [""; 0], "{}", written.page.display());
            let wide = page.evaluate("document.documentElement.scrollWidth");
            assert!(wide.as_u64() <= Some(width.into()), "{wide} at {width}");
        }
    }
}

#[test]
fn a_phone_shows_every_figure_and_the_whole_of_every_sentence_without_scrolling_sideways() {
    let mut report = full().json.clone();
    report["generator"]["suspicions"] = json!([{
        "name": "start_delay", "value": 1.0, "limit": 0.1, "invalid": true, "cause": "server",
        "message": "It started late, and this is a sentence of more words than a phone has room for.",
    }]);
    let written = full().with(&report);
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 390);
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
    let outside = page.evaluate(
        "[...document.querySelectorAll('.table td, .table tbody th')].filter((cell) => {
            const { left, right } = cell.getBoundingClientRect();
            return left < 0 || right > innerWidth || cell.scrollWidth > cell.clientWidth + 1;
        }).map((cell) => cell.textContent.slice(0, 100))",
    );
    assert_eq!(outside, json!([]));
    let names = page.evaluate(
        "[...document.querySelectorAll('#requests tbody tr:first-child td')]
            .map((cell) => getComputedStyle(cell, '::before').content)",
    );
    assert!(names.to_string().contains("p95"), "{names}");
}

#[test]
fn text_from_outside_is_shown_and_does_nothing() {
    let written = attacked();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let text = page.evaluate("document.getElementById('page').textContent");
    let text = text.as_str().unwrap();
    // In the request, the transaction, the error and the configuration.
    assert!(text.matches(EVIL).count() >= 4, "{text}");
    assert_eq!(page.evaluate("typeof window.pwned"), "undefined");
    assert_eq!(page.evaluate("document.images.length"), 0);
    assert_eq!(page.evaluate("document.scripts.length"), 2);
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn secrets_are_masked() {
    let written = blabbed();
    assert!(!written.html().contains("hunter2"));
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let text = page.evaluate("document.getElementById('page').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("*** was refused"), "{text}");
    assert!(text.contains("config: db_password\t***"), "{text}");
}

#[test]
fn a_run_without_requests_shows_no_empty_charts() {
    let written = tiny();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let shown = page.evaluate(
        "[...document.querySelectorAll('#course figure:not([hidden]) h3')].map((title) => title.textContent)",
    );
    let expected = json!([
        "Journeys in flight",
        "Journeys started",
        "Time of completed journeys"
    ]);
    assert_eq!(shown, expected);
    for part in ["requests", "phases", "errors", "stages", "transactions"] {
        let hidden = format!("document.getElementById('{part}').hidden");
        assert_eq!(page.evaluate(&hidden), true, "{part}");
    }
}

#[test]
fn five_thousand_names_are_there_in_a_moment() {
    let mut report = full().json.clone();
    let one = report["http"]["requests_by_name"][0].clone();
    let names = (0..5000).map(|number| {
        let mut row = one.clone();
        row["name"] = json!(format!("GET /some/where/{number}"));
        row["count"] = json!(number);
        row
    });
    report["http"]["requests_by_name"] = names.collect::<Vec<Value>>().into();
    report["errors"][0]["message"] = json!("long ".repeat(2_000_000));
    let written = full().with(&report);
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let shown = page.evaluate("document.querySelector('#requests .shown').textContent");
    assert_eq!(shown, "5,000 names");
    let took = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete");
    // Two seconds where nobody else needs the processors.
    assert!(took.as_f64().unwrap() < 10_000.0, "{took} ms");
    let took = page.evaluate(
        "(() => { const began = performance.now(); document.querySelector('#requests .more').click();
            return performance.now() - began; })()",
    );
    assert!(took.as_f64().unwrap() < 10_000.0, "{took} ms");
    let rows = page.evaluate("document.querySelector('#requests tbody').rows.length");
    assert_eq!(rows, 5000);
}

#[test]
fn a_page_can_be_printed_and_pictured_in_light_and_dark() {
    let written = full();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let back = "getComputedStyle(document.body).backgroundColor";
    page.prefer("light");
    let light = page.evaluate(back);
    page.prefer("dark");
    assert_ne!(page.evaluate(back), light);
    let pdf = written.place().join("run.pdf");
    page.print(&pdf);
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    assert_eq!(page.complaints(), [""; 0]);
}
