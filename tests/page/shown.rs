//! What the page shows is what the report says.

use serde_json::Value;
use tests::browser::Browser;

use crate::runs::{NAMES, full, tiny};

/// The cells of a table by the name of its part of the page: for each row its name and the exact
/// numbers behind the columns, by the name of the column.
fn rows(page: &mut tests::browser::Page<'_>, title: &str) -> Vec<Value> {
    let read = format!(
        "(() => {{
            const table = [...document.querySelectorAll('table')]
                .find((table) => table.caption.textContent === {title:?});
            const more = table.closest('.table').querySelector('.more');
            if (!more.hidden) more.click();
            const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.replace(/[▲▼]/, ''));
            return [...table.tBodies[0].rows].map((row) => Object.fromEntries([...row.cells].map(
                (cell, index) => [names[index], 'value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent],
            )));
        }})()"
    );
    page.evaluate(&read).as_array().unwrap().clone()
}

#[test]
fn every_number_of_the_tables_is_that_of_the_report() {
    let written = full();
    let report = &written.json;
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);

    let names = report["http"]["requests_by_name"].as_array().unwrap();
    assert!(names.len() as u64 > NAMES / 2, "{} names", names.len());
    let shown = rows(&mut page, "Requests by name");
    assert_eq!(shown.len(), names.len());
    for name in names {
        let row = shown.iter().find(|row| row["Request"] == name["name"]);
        let row = row.unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(row["Count"].as_f64(), name["count"].as_f64(), "{row}");
        let failed: u64 = name["failures"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum();
        assert_eq!(row["Failed"].as_f64(), Some(failed as f64), "{row}");
        for times in ["p50", "p95", "p99", "max"] {
            assert_eq!(row[times].as_f64(), name["time"][times].as_f64(), "{row}");
        }
    }

    let journeys = report["journeys"].as_array().unwrap();
    let shown = rows(&mut page, "Journeys");
    assert_eq!(shown.len(), journeys.len());
    for (row, journey) in shown.iter().zip(journeys) {
        for (column, key) in [
            ("Started", "started"),
            ("Completed", "completed"),
            ("Failed", "failed"),
        ] {
            assert_eq!(row[column].as_f64(), journey[key].as_f64(), "{row}");
        }
        for times in ["p50", "p95", "p99"] {
            let truth = journey["response_time"][times].as_f64();
            assert_eq!(row[times].as_f64(), truth, "{row}");
        }
    }

    let transactions = report["transactions"].as_array().unwrap();
    let shown = rows(&mut page, "Transactions");
    for (row, transaction) in shown.iter().zip(transactions) {
        assert_eq!(
            row["Count"].as_f64(),
            transaction["count"].as_f64(),
            "{row}"
        );
        assert_eq!(
            row["Errors"].as_f64(),
            transaction["errors"].as_f64(),
            "{row}"
        );
    }

    let stages = report["stages"].as_array().unwrap();
    let shown = rows(&mut page, "Stages");
    assert_eq!(shown.len(), 2);
    for (row, stage) in shown.iter().zip(stages) {
        assert_eq!(row["Stage"], stage["name"]);
        assert_eq!(row["Started"].as_f64(), stage["starts"].as_f64());
        assert_eq!(row["p99"].as_f64(), stage["http"]["time"]["p99"].as_f64());
    }
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn it_is_said_beside_each_table_of_requests_whose_times_it_has() {
    let written = full();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let remark = |place: &str| format!("document.querySelector('{place} > .remark').textContent");
    let by_name = page.evaluate(&remark("#requests"));
    assert!(
        by_name
            .as_str()
            .unwrap()
            .contains("those of successful requests"),
        "{by_name}"
    );
    let by_status = page.evaluate(&remark("#requests details"));
    assert!(
        by_status.as_str().unwrap().contains("failed ones too"),
        "{by_status}"
    );
}

#[test]
fn errors_are_told_with_their_place_and_what_they_said() {
    let written = full();
    let errors = written.json["errors"].as_array().unwrap();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let shown = rows(&mut page, "Errors");
    for error in errors {
        let location = error["location"].as_str().unwrap();
        let row = shown.iter().find(|row| row["At"] == location);
        let row = row.unwrap_or_else(|| panic!("{error} is missing: {shown:?}"));
        assert_eq!(row["Kind"], error["kind"]);
        let said = row["Said"].as_str().unwrap();
        assert!(said.contains(error["message"].as_str().unwrap()), "{row}");
    }
    let all: f64 = shown.iter().map(|row| row["Count"].as_f64().unwrap()).sum();
    let truth: f64 = errors
        .iter()
        .map(|row| row["count"].as_f64().unwrap())
        .sum();
    assert_eq!(all, truth);
}

#[test]
fn the_verdict_and_the_thresholds_come_first() {
    let written = full();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    assert_eq!(
        page.evaluate("document.querySelector('section').id"),
        "verdict"
    );
    // Too busy a machine makes it invalid.
    let verdict = written.json["verdict"].as_str().unwrap();
    assert!(["failed", "invalid"].contains(&verdict));
    assert_eq!(
        page.evaluate(&format!(
            "document.querySelectorAll('.verdict.{verdict}').length"
        )),
        1
    );
    let text = page.evaluate("document.getElementById('verdict').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("errors.rate < 1%"), "{text}");
    assert!(
        text.contains("✗ broken") && text.contains("✓ held"),
        "{text}"
    );
    for reason in written.json["reasons"].as_array().unwrap() {
        assert!(text.contains(reason.as_str().unwrap()), "{reason}: {text}");
    }
}

#[test]
fn charts_have_a_line_for_each_series_and_the_boundaries_of_stages() {
    let written = full();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let lines = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#course figure:not([hidden])')].map((chart) =>
            [chart.querySelector('h3').textContent,
             [...chart.querySelectorAll('.plot .line')].filter((line) => line.getAttribute('d').length > 10).length]))",
    );
    let expected = serde_json::json!({
        "Journeys in flight": 1, "Journeys started": 2, "Requests": 2, "Errors": 2,
        "Time of successful requests": 3, "Time of completed journeys": 4,
    });
    assert_eq!(lines, expected);
    let names = page.evaluate(
        "[...document.querySelectorAll('#course figure:first-child .plot text')].map((text) => text.textContent)",
    );
    let names = names.to_string();
    assert!(names.contains("peak"), "{names}");
    let bars = page.evaluate("document.querySelectorAll('#distribution .steps rect').length");
    let steps = written.json["http"]["distribution"].as_array().unwrap();
    assert_eq!(bars, steps.len());
    assert!((2..=200).contains(&steps.len()), "{} steps", steps.len());
}

#[test]
fn the_configuration_has_the_seed_to_the_last_digit() {
    let written = full();
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let text = page.evaluate("document.getElementById('configuration').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains(&(u64::MAX - 1).to_string()), "{text}");
    assert!(text.contains("http://127.0.0.1"), "{text}");
}

#[test]
fn what_changed_and_what_broke_in_the_course_of_the_run_is_marked_in_all_charts() {
    let mut report = full().json.clone();
    report["thresholds"][1]["broke_at"] = serde_json::json!(4.0);
    report["volume_changes"] = serde_json::json!([{"at": 3.0, "factor": 1.1}]);
    let written = full().with(&report);
    let mut browser = Browser::start();
    let mut page = browser.open(&written.url(), 1280);
    let text = page.evaluate("document.getElementById('page').innerText");
    let text = text.as_str().unwrap();
    assert!(text.contains("✗ broken at 0:04"), "{text}");
    assert!(text.contains("110 % at 0:03"), "{text}");
    let marks = |name: &str| {
        format!(
            "[...document.querySelectorAll('#course .plot path title')].filter((title) => title.textContent === {name:?}).length"
        )
    };
    assert_eq!(page.evaluate(&marks("volume 110 %")), 6);
    assert_eq!(page.evaluate(&marks("broken: errors.rate < 1%")), 6);
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn what_is_drawn_adds_up_to_the_totals() {
    let report = &full().json;
    let http = &report["http"];
    let sum = |rows: &Value, key: &str| -> u64 {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row[key].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&http["distribution"], "count"), http["time"]["count"]);
    let failed = sum(&http["failed_distribution"], "count");
    assert_eq!(failed, http["failed_time"]["count"]);
    for journey in report["journeys"].as_array().unwrap() {
        let count = sum(&journey["distribution"], "count");
        assert_eq!(count, journey["response_time"]["count"]);
    }
    let steps = http["distribution"].as_array().unwrap();
    let (first, last) = (&steps[0], &steps[steps.len() - 1]);
    assert!(first["from"].as_f64() <= http["time"]["p50"].as_f64());
    assert!(last["until"].as_f64() >= http["time"]["p99_9"].as_f64());

    let warm_up = report["series"]["warm_up_seconds"].as_f64();
    let mut measured = report["series"]["points"].clone();
    let points = measured.as_array_mut().unwrap();
    points.retain(|point| point["at"].as_f64() > warm_up);
    assert_eq!(sum(&measured, "requests"), http["requests"]);
    assert_eq!(sum(&measured, "failed_requests"), http["failed"]);
    assert!(http["failed"].as_u64() > Some(0));
    assert_eq!(report["series"]["points"][1]["target_users"], Value::Null);
    let closed = &tiny().json["series"]["points"];
    assert_eq!(closed[0]["target_users"], 2);
}
