//! Names and messages that mean something to a format, and such of ten megabytes: they break no
//! file, and nothing in them runs.

use std::{fs, path::Path};

use serde_json::Value;
use tests::{
    asking::Asked,
    browser::{Browser, Page},
};

use crate::{
    csv,
    exposition::samples,
    program::{Running, command},
    server::Server,
};

/// The longest file that a run of two journeys may leave, in bytes.
const LONGEST: usize = 1_000_000;

fn read(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.len() < LONGEST,
        "{}: {} bytes",
        path.display(),
        text.len()
    );
    text
}

/// Nothing that a terminal would obey, and nothing that a person would have to scroll for.
#[track_caller]
fn is_harmless(output: &str) {
    let obeyed = output
        .chars()
        .find(|sign| sign.is_control() && *sign != '\n');
    assert_eq!(obeyed, None, "{output:?}");
    assert!(
        !output.contains('\u{202e}'),
        "letters run backwards: {output:?}"
    );
    assert!(output.len() < 100_000, "{} bytes", output.len());
}

#[test]
fn no_name_and_no_message_breaks_a_file_or_is_run() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start();
    let base_url = format!("base_url={}", server.url);
    let endings = ["json", "html", "csv", "md", "xml", "hlog", "hgrm"];
    let files = endings.map(|ending| directory.path().join(format!("run.{ending}")));
    let mut arguments = vec!["scenario", "test", "oddities", "--config", &base_url];
    for file in &files {
        arguments.extend(["--report", file.to_str().unwrap()]);
    }
    arguments.extend(["--metrics", "127.0.0.1:0", "--metrics-linger", "1h"]);
    let mut running = Running::start(&mut command(&arguments));
    let asked = Asked::named_in(&running.wait_for("http://"));
    asked.report_when(|report| report["verdict"] != "running");
    let metrics = asked.get("/metrics").text();
    running.signal("INT");
    let ended = running.end();
    // Texts of that size hold up a worker, which may as well make the run invalid.
    assert!(matches!(ended.code, Some(1 | 3)), "{ended}");
    ended.has_not_crashed();
    is_harmless(&ended.stdout);
    is_harmless(&ended.stderr);
    assert!(ended.stdout.contains("ODD</script>"), "{ended}");

    let [json, html, table, markdown, junit, log, distribution] = files;
    let report: Value = serde_json::from_str(&read(&json)).unwrap();
    let names = report["http"]["requests_by_name"].as_array().unwrap();
    let odd = names.iter().map(|row| row["name"].as_str().unwrap());
    let odd = odd.min_by_key(|name| name.len()).unwrap().to_owned();
    assert!(
        odd.starts_with("ODD</script>") && odd.contains("\u{1b}[2J"),
        "{odd:?}"
    );

    let rows = csv::rows(&read(&table));
    for row in &rows {
        for cell in row.values() {
            assert!(
                !cell.starts_with(['=', '+', '-', '@']) || cell.parse::<f64>().is_ok(),
                "{cell:?}"
            );
        }
    }
    assert!(
        rows.iter().any(|row| row["name"] == odd),
        "the name is there as it is"
    );
    let shops = rows
        .iter()
        .filter(|row| row["kind"] == "counter" && row["name"] == "sold");
    let mut shops = shops.map(|row| serde_json::from_str::<Value>(&row["labels"]).unwrap());
    assert!(shops.any(|labels| labels["shop"] == *odd));

    let metrics = samples(&metrics);
    assert!(
        metrics
            .iter()
            .any(|sample| sample.labels.get("name") == Some(&odd))
    );

    let markdown = read(&markdown);
    is_harmless(&markdown);
    assert!(markdown.lines().all(|line| line.len() < 2000), "{markdown}");
    for (line, _) in markdown.match_indices("<script") {
        let before = &markdown[..line];
        let line = before.rsplit('\n').next().unwrap();
        assert!(line.contains("`"), "it is code: {line}");
    }

    let log = read(&log);
    assert!(
        log.lines()
            .all(|line| line.starts_with(['#', '"']) || line.split(',').count() <= 5)
    );
    is_harmless(&log);
    is_harmless(&read(&distribution));

    let mut browser = Browser::start();
    let mut page = browser.open(&format!("file://{}", html.display()), 1280);
    assert!(read(&html).len() > 1000);
    page.wait_for("document.body.textContent.includes('ODD</script>')");
    assert_eq!(page.evaluate("typeof owned"), "undefined");
    assert_eq!(page.evaluate("document.images.length"), 0);
    assert_eq!(page.complaints(), [""; 0]);
    drop(page);

    // A browser's parser of XML refuses what is not well-formed.
    let junit = Value::from(read(&junit));
    let blank = directory.path().join("blank.html");
    fs::write(&blank, "<!doctype html>").unwrap();
    let mut page = browser.open(&format!("file://{}", blank.display()), 800);
    let parsed = format!("new DOMParser().parseFromString({junit}, 'text/xml')");
    let count = |page: &mut Page<'_>, element: &str| {
        page.evaluate(&format!("{parsed}.querySelectorAll('{element}').length"))
    };
    assert_eq!(count(&mut page, "parsererror"), 0);
    assert_eq!(count(&mut page, "testcase"), 2);
}
