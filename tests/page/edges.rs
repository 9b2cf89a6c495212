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
    let series = report["batches"]["rows"].as_array_mut().unwrap();
    let has_times = |row: &&Value| row["kind"] == "request" && row["p95"][0].is_number();
    let one = series.iter().find(has_times).unwrap().clone();
    series.retain(|row| row["kind"] != "request");
    series.extend((0..5000).map(|number| {
        let mut row = one.clone();
        row["name"] = json!(format!("GET /some/where/{number}"));
        row
    }));
    for row in series
        .iter_mut()
        .flat_map(|row| row.as_object_mut().unwrap().values_mut())
    {
        if let Some(stretches) = row.as_array_mut() {
            *stretches = stretches.iter().cycle().take(100).cloned().collect();
        }
    }
    report["errors"][0]["message"] = json!("long ".repeat(2_000_000));
    let written = full().with(&report);
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let shown = page.evaluate("document.querySelector('#requests .shown').textContent");
    assert_eq!(shown, "5,000 names");
    let took = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete");
    // Two seconds where nobody else needs the processors.
    eprintln!("5,000 names, 100 stretches of each: there after {took} ms");
    assert!(took.as_f64().unwrap() < 10_000.0, "{took} ms");
    let took = page.evaluate(
        "(() => { const began = performance.now(); document.querySelector('#requests .more').click();
            return performance.now() - began; })()",
    );
    eprintln!("all rows of requests: after another {took} ms");
    assert!(took.as_f64().unwrap() < 10_000.0, "{took} ms");
    let rows = page.evaluate("document.querySelector('#requests tbody').rows.length");
    assert_eq!(rows, 5000);
}

#[test]
fn on_paper_there_is_nothing_to_press_and_drawings_are_made_for_it() {
    let mut report = full().json.clone();
    let warning = format!("{}and this is what to do.", "It is so. ".repeat(60));
    report["generator"]["suspicions"] = json!([{
        "name": "machine_cpu", "value": 0.95, "limit": 0.9, "invalid": false, "cause": "generator",
        "message": warning,
    }]);
    let written = full().with(&report);
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let seen = "[...document.querySelectorAll('input, button.small, nav, .on-screen, details:not([open]), \
                .legend [aria-pressed=false], button:not(.more, .legend *, .pick, thead *)')] \
                .filter((one) => one.checkVisibility()).map((one) => one.outerHTML)";
    let widths = "[...document.querySelectorAll('.plot > svg')] \
                  .filter((one) => one.checkVisibility()).map((one) => one.viewBox.baseVal.width)";
    let usual = page.evaluate(widths);
    assert_ne!(page.evaluate(seen), json!([]));

    page.as_on("print");
    page.evaluate("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(page.evaluate(seen), json!([]));
    let frames = "[...document.querySelectorAll('select, .more')] \
                  .filter((one) => getComputedStyle(one).borderTopWidth !== '0px').length";
    assert_eq!(page.evaluate(frames), 0, "what is chosen is told as text");
    let drawn = page.evaluate(widths);
    let drawn = drawn.as_array().unwrap();
    // A sheet has room for some 700 points.
    let fits = |width: &&Value| width.as_f64().unwrap() < 720.0;
    assert_eq!(drawn.iter().filter(fits).count(), drawn.len(), "{drawn:?}");
    assert!(drawn.len() > 5, "{drawn:?}");
    // Chromium draws no button in the heads of the pages that follow.
    let heads = "getComputedStyle(document.querySelector('#requests thead button')).display";
    assert_eq!(page.evaluate(heads), "contents");
    let rest = "getComputedStyle(document.querySelector('#requests .more'), '::after').content";
    let names = full().json["http"]["requests_by_name"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(page.evaluate(rest), format!("\"and {} more\"", names - 25));
    let told = page.evaluate("document.querySelector('#generator').textContent");
    assert!(told.as_str().unwrap().contains(&warning), "{told}");

    page.as_on("screen");
    page.evaluate("dispatchEvent(new Event('afterprint'))");
    assert_eq!(page.evaluate(widths), usual);
    assert_eq!(page.complaints(), [""; 0]);
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
