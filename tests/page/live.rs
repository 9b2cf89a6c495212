//! The page of a run under way, against a server that says what a run would.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};
use tests::browser::{Browser, Page};

use crate::runs::{full, with_report};

/// A run that goes on when it is told to.
struct Server {
    address: String,
    run: Arc<Mutex<Run>>,
}

#[derive(Default)]
struct Run {
    page: String,
    report: Value,
    listeners: Vec<TcpStream>,
    /// Whether there is nobody to talk to.
    away: bool,
    posted: Vec<Posted>,
    factor: f64,
}

#[derive(Clone, Debug, PartialEq)]
struct Posted {
    path: String,
    authorization: String,
    body: String,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut report = full().json.clone();
        report["series"]["points"] = json!([]);
        report["series"]["warm_up_seconds"] = json!(0.0);
        let page =
            with_report(&full().html(), "").replace("connect-src 'none'", "connect-src 'self'");
        let run = Arc::new(Mutex::new(Run {
            page,
            report,
            factor: 1.0,
            ..Run::default()
        }));
        let shared = Arc::clone(&run);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let run = Arc::clone(&shared);
                thread::spawn(move || answer(stream, &run));
            }
        });
        Self { address, run }
    }

    /// A second passes, with so many requests.
    fn second(&self, requests: u64) {
        let mut run = self.run.lock().unwrap();
        let points = run.report["series"]["points"].as_array_mut().unwrap();
        let at = points.len() + 1;
        let mut point = full().json["series"]["points"][2].clone();
        point["at"] = json!(at as f64);
        point["requests"] = json!(requests);
        points.push(point);
        run.report["duration_seconds"] = json!(at as f64);
        run.report["http"]["requests"] = json!(requests * at as u64);
        let update = run.since(at - 1);
        run.tell("update", &update.to_string());
    }

    /// Whoever listens is cut off, and nobody is let in until it is back.
    fn away(&self, away: bool) {
        let mut run = self.run.lock().unwrap();
        run.away = away;
        for listener in run.listeners.drain(..) {
            let _ = listener.shutdown(Shutdown::Both);
        }
    }

    fn end(&self) {
        let mut run = self.run.lock().unwrap();
        let points = run.report["series"]["points"].as_array().unwrap().len();
        let mut last = run.since(points);
        last["batches"] = run.report["batches"].clone();
        run.tell("end", &last.to_string());
    }

    fn posted(&self) -> Vec<Posted> {
        self.run.lock().unwrap().posted.clone()
    }
}

impl Run {
    /// The report so far with the seconds that are not known yet.
    fn since(&self, known: usize) -> Value {
        let mut report = self.report.clone();
        report.as_object_mut().unwrap().remove("batches");
        let points = report["series"]["points"].as_array_mut().unwrap();
        points.drain(..known);
        report
    }

    fn tell(&mut self, event: &str, data: &str) {
        for listener in &mut self.listeners {
            let _ = write!(listener, "event: {event}\ndata: {data}\n\n");
        }
    }
}

fn answer(stream: TcpStream, run: &Mutex<Run>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    for line in reader.by_ref().lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let Some(first) = head.first() else { return };
    let field = |name: &str| {
        let found = head.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let mut run = run.lock().unwrap();
    if run.away {
        return;
    }
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let (kind, text) = match (first.starts_with("POST"), path.as_str()) {
        (true, _) => {
            let body = String::from_utf8(body).unwrap();
            if path == "/api/volume" {
                let asked: Value = serde_json::from_str(&body).unwrap();
                run.factor = asked["factor"].as_f64().unwrap();
            }
            run.posted.push(Posted {
                path,
                authorization: field("authorization"),
                body,
            });
            ("application/json", "{}".to_owned())
        }
        (_, "/") => ("text/html; charset=utf-8", run.page.clone()),
        (_, "/api/batches") => ("application/json", run.report["batches"].to_string()),
        (_, "/api/volume") => {
            let factor = run.factor;
            (
                "application/json",
                json!({"adjustable": true, "factor": factor}).to_string(),
            )
        }
        _ => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            let mut stream = stream;
            stream.write_all(head.as_bytes()).unwrap();
            if run.report["series"]["points"] != json!([]) {
                write!(stream, "event: update\ndata: {}\n\n", run.since(0)).unwrap();
            }
            run.listeners.push(stream);
            return;
        }
    };
    drop(run);
    let mut stream = stream;
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
}

/// The shape of the line of requests.
fn line(page: &mut Page<'_>) -> String {
    let line = page.evaluate("document.querySelector('#course figure:nth-child(3) .plot .line')?.getAttribute('d') ?? ''");
    line.as_str().unwrap().to_owned()
}

fn wait_for_seconds(page: &mut Page<'_>, seconds: usize) {
    page.wait_for(&format!(
        "(document.querySelector('#course figure:nth-child(3) .plot .line')?.getAttribute('d') ?? '').split(/[ML]/).length === {}",
        // The beginning of the first, and the end of each.
        seconds + 2
    ));
}

#[test]
fn charts_move_until_the_run_is_over() {
    let server = Server::start();
    server.second(100);
    let mut browser = Browser::start();
    let mut page = browser.open(&server.address, 1280);
    wait_for_seconds(&mut page, 1);
    server.second(200);
    wait_for_seconds(&mut page, 2);
    let before = line(&mut page);
    server.second(50);
    wait_for_seconds(&mut page, 3);
    assert_ne!(line(&mut page), before);
    let word = "document.querySelector('.verdict .word').textContent";
    assert_eq!(page.evaluate(word), "… Running");
    server.end();
    page.wait_for("document.querySelector('.control').textContent.includes('the run is over')");
    assert_ne!(page.evaluate(word), "… Running");
    assert_eq!(
        page.evaluate("document.querySelector('.control .stop').hidden"),
        true
    );
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn before_anything_is_measured_the_page_says_so_and_the_run_can_be_stopped() {
    let server = Server::start();
    let mut browser = Browser::start();
    let mut page = browser.open(&server.address, 1280);
    let control = "document.querySelector('.control')";
    page.wait_for(&format!(
        "{control}.textContent.includes('nothing has been measured yet')"
    ));
    assert_eq!(
        page.evaluate(&format!("{control}.querySelector('.stop').disabled")),
        false
    );
    assert_eq!(
        page.evaluate("document.querySelector('.lost')"),
        json!(null)
    );
    server.second(100);
    wait_for_seconds(&mut page, 1);
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn a_run_is_stopped_and_its_volume_changed_with_the_token_of_the_address() {
    let server = Server::start();
    server.second(100);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/#token=open%20sesame", server.address), 390);
    page.wait_for("[...document.querySelectorAll('.control button')].every((key) => !key.hidden)");
    let click = |name: &str| {
        format!(
            "[...document.querySelectorAll('.control button')].find((key) => key.textContent === {name:?}).click()"
        )
    };
    page.evaluate(&click("Raise"));
    page.wait_for("document.querySelector('.control').textContent.includes('110 %')");
    page.evaluate(&click("Stop the run"));
    page.wait_for("document.querySelector('.control').textContent.includes('stopping')");
    let posted = |path: &str, body: &str| Posted {
        path: path.to_owned(),
        authorization: "Bearer open sesame".to_owned(),
        body: body.to_owned(),
    };
    let expected = [
        posted("/api/volume", r#"{"factor":1.1}"#),
        posted("/api/stop", ""),
    ];
    assert_eq!(server.posted(), expected);
}

#[test]
fn a_lost_connection_is_told_and_nothing_is_missing_when_it_is_back() {
    let server = Server::start();
    server.second(100);
    let mut browser = Browser::start();
    let mut page = browser.open(&server.address, 1280);
    wait_for_seconds(&mut page, 1);
    server.away(true);
    page.wait_for("document.querySelector('.control .lost')?.textContent.includes('lost')");
    assert_eq!(
        page.evaluate("document.querySelector('.control .stop').disabled"),
        true
    );
    server.second(200);
    server.second(300);
    server.away(false);
    wait_for_seconds(&mut page, 3);
    page.wait_for("!document.querySelector('.control .lost')");
    server.second(400);
    wait_for_seconds(&mut page, 4);
}

#[test]
fn a_table_of_findings_keeps_its_order_while_the_run_goes_on() {
    let server = Server::start();
    let step = |volume: f64| {
        json!({"at": volume, "measured_seconds": 1.0, "volume": volume, "throughput": volume,
            "error_rate": 0.0, "p50": 0.1, "p95": 0.2, "p99": 0.3, "good": true, "why": null})
    };
    server.run.lock().unwrap().report["findings"] = json!([{
        "kind": "capacity", "journey": "shop::browse", "unit": "per_second", "from": 0.0,
        "criterion": "http.p99 < 1s", "conclusion": "unfinished", "found": null, "low": null,
        "high": null, "measured": null, "doubts": [], "steps": [step(10.0), step(30.0), step(20.0)],
    }]);
    server.second(100);
    let mut browser = Browser::start();
    let mut page = browser.open(&server.address, 1280);
    wait_for_seconds(&mut page, 1);
    page.evaluate(
        "[...document.querySelectorAll('#findings thead button')].find((key) => key.textContent.includes('Volume')).focus()",
    );
    page.press("Enter");
    let volumes = "[...document.querySelectorAll('#findings tbody tr')].map((row) => row.cells[1].textContent)";
    assert_eq!(page.evaluate(volumes), json!(["30/s", "20/s", "10/s"]));
    server.run.lock().unwrap().report["findings"][0]["steps"] =
        json!([step(10.0), step(30.0), step(20.0), step(25.0)]);
    server.second(200);
    wait_for_seconds(&mut page, 2);
    assert_eq!(
        page.evaluate(volumes),
        json!(["30/s", "25/s", "20/s", "10/s"])
    );
    let focused = page.evaluate("document.activeElement.textContent");
    assert!(focused.as_str().unwrap().contains("Volume"), "{focused}");
    assert_eq!(page.complaints(), [""; 0]);
}

#[test]
fn names_over_time_are_shown_while_the_run_goes_on() {
    let server = Server::start();
    server.second(100);
    let mut browser = Browser::start();
    let mut page = browser.open(&server.address, 1280);
    wait_for_seconds(&mut page, 1);
    server.second(100);
    page.wait_for("document.querySelectorAll('#names .strip').length > 0");
    assert_eq!(page.complaints(), [""; 0]);
}
