//! The page can be used: sorted, filtered, pointed at, with the keyboard too.

use tests::browser::{Browser, Page};

use crate::runs::{full, long};

const NAMES: &str = "document.querySelector('#requests table')";

fn column(page: &mut Page<'_>, index: usize) -> Vec<String> {
    let cells =
        format!("[...{NAMES}.tBodies[0].rows].map((row) => row.cells[{index}].textContent)");
    let cells = page.evaluate(&cells);
    let cells = cells.as_array().unwrap().iter();
    cells
        .map(|cell| cell.as_str().unwrap().to_owned())
        .collect()
}

fn focus_key(page: &mut Page<'_>, name: &str) {
    page.evaluate(&format!(
        "[...{NAMES}.tHead.querySelectorAll('button')].find((key) => key.textContent.replace(/[▲▼]/, '') === {name:?}).focus()"
    ));
}

#[test]
fn a_table_is_sorted_by_the_keyboard_and_says_so() {
    let mut browser = Browser::start();
    let mut page = browser.open(&full().url(), 1280);
    page.evaluate("document.querySelector('#requests .more').click()");
    let sorted = |page: &mut Page<'_>| {
        let values = page.evaluate(&format!(
            "(() => {{
                const index = [...{NAMES}.tHead.rows[0].cells].findIndex((cell) => cell.textContent.replace(/[▲▼]/, '') === 'p99');
                return [...{NAMES}.tBodies[0].rows].map((row) => row.cells[index].dataset.value).filter(Boolean).map(Number);
            }})()"
        ));
        let values: Vec<f64> = serde_json::from_value(values).unwrap();
        assert!(values.len() > 100);
        values
    };
    focus_key(&mut page, "p99");
    page.press("Enter");
    assert!(sorted(&mut page).is_sorted_by(|one, next| one >= next));
    let said = format!("{NAMES}.querySelector('[aria-sort]').getAttribute('aria-sort')");
    assert_eq!(page.evaluate(&said), "descending");
    page.press("Enter");
    assert!(sorted(&mut page).is_sorted());
    assert_eq!(page.evaluate(&said), "ascending");

    focus_key(&mut page, "Request");
    page.press(" ");
    assert!(column(&mut page, 0).is_sorted());
}

#[test]
fn a_filter_leaves_the_rows_with_all_its_words() {
    let mut browser = Browser::start();
    let mut page = browser.open(&full().url(), 1280);
    page.evaluate("document.querySelector('#requests input').focus()");
    page.write("nowhere get");
    assert_eq!(column(&mut page, 0), ["GET /nowhere"]);
    let shown = page.evaluate("document.querySelector('#requests .shown').textContent");
    let all = full().json["http"]["requests_by_name"].as_array().unwrap();
    assert_eq!(shown, format!("1 of {} names", all.len()));
}

#[test]
fn all_charts_point_at_the_same_second_and_tell_its_values() {
    let mut browser = Browser::start();
    let mut page = browser.open(&full().url(), 1280);
    let crosses = "document.querySelectorAll('#course figure:not([hidden]) .cross').length";
    assert_eq!(page.evaluate(crosses), 0);
    page.evaluate("document.querySelectorAll('#course svg[role=img]')[2].id = 'looked'");
    page.point_at("#looked");
    assert_eq!(page.evaluate(crosses), 6);
    assert_eq!(
        page.evaluate("document.querySelectorAll('#course .tip:not([hidden])').length"),
        1
    );

    page.evaluate("document.getElementById('looked').focus()");
    page.press("Home");
    page.press("ArrowRight");
    page.press("ArrowRight");
    let third = &full().json["series"]["points"][2];
    let told = page.evaluate("document.querySelector('#course .tip:not([hidden])').innerText");
    let told = told.as_str().unwrap();
    assert!(told.starts_with("0:03"), "{told}");
    let ended = third["requests"].as_u64().unwrap();
    let values = page.evaluate(
        "[...document.querySelectorAll('#course figure:nth-child(3) .legend output')].map((output) => output.textContent)",
    );
    let ended_shown = values[0].as_str().unwrap().trim_end_matches("/s");
    let ended_shown: f64 = ended_shown.parse().unwrap();
    assert!(
        (ended_shown - ended as f64).abs() <= ended as f64 / 200.0,
        "{values}, {ended}"
    );
}

#[test]
fn a_line_is_taken_away_by_its_name_and_a_part_is_looked_at_more_closely() {
    let mut browser = Browser::start();
    let mut page = browser.open(&full().url(), 1280);
    let lines = "document.querySelectorAll('#course figure:nth-child(5) .plot .line').length";
    assert_eq!(page.evaluate(lines), 3);
    page.evaluate(
        "[...document.querySelectorAll('#course figure:nth-child(5) .legend button')].find((key) => key.textContent.includes('p99')).click()",
    );
    assert_eq!(page.evaluate(lines), 2);

    let clocks = "[...document.querySelectorAll('#course figure:first-child svg text')].map((text) => text.textContent).filter((text) => /^\\d+:\\d\\d$/.test(text)).join(' ')";
    let before = page.evaluate(clocks);
    page.evaluate("document.querySelectorAll('#course svg[role=img]')[0].id = 'dragged'");
    let (x, y) = page.point_at("#dragged");
    page.mouse("mousePressed", (x, y), 1);
    page.mouse("mouseMoved", (x + 60.0, y), 1);
    page.mouse("mouseMoved", (x + 250.0, y), 1);
    page.mouse("mouseReleased", (x + 250.0, y), 0);
    assert_ne!(page.evaluate(clocks), before);
    page.evaluate("document.querySelector('#course .tools button').click()");
    assert_eq!(page.evaluate(clocks), before);
}

#[test]
fn two_hours_are_drawn_with_their_peak_and_their_gap() {
    let mut browser = Browser::start();
    let mut page = browser.open(&long().url(), 1280);
    let line =
        "document.querySelectorAll('#course figure:nth-child(5) .plot .line')[2].getAttribute('d')";
    let drawn = page.evaluate(line);
    let drawn = drawn.as_str().unwrap();
    assert_eq!(drawn.matches('M').count(), 2, "one gap");
    let places = drawn.split(['M', 'L']).filter(|place| !place.is_empty());
    let heights = places.map(|place| {
        let height = place.split(' ').nth(1).unwrap();
        height.parse::<f64>().unwrap()
    });
    let heights: Vec<f64> = heights.collect();
    assert!(
        heights.len() < 4000,
        "{} places for 7200 seconds",
        heights.len()
    );
    let top = heights.iter().copied().fold(f64::MAX, f64::min);
    assert!(top < 60.0, "the peak of one second in 7200 is lost: {top}");
}

#[test]
fn the_seconds_are_there_as_a_table_too() {
    let mut browser = Browser::start();
    let mut page = browser.open(&full().url(), 1280);
    page.evaluate("document.querySelector('#course details summary').click()");
    page.wait_for("document.querySelector('#course details table')");
    let rows = page.evaluate("document.querySelector('#course details tbody').rows.length");
    let points = full().json["series"]["points"].as_array().unwrap();
    assert_eq!(rows, points.len());
    assert_eq!(page.complaints(), [""; 0]);
}
