//! `--metrics`: what a run shows over HTTP while it goes on, and what can be done to it from there.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
};

use serde_json::{Value, json};
use tests::asking::{Asked, free_address};

use crate::{
    exposition::{self, Sample, samples},
    program::{Ended, Running, clumsy, command},
    server::Server,
};

/// Visits to `server`, fifty a second for so many seconds, with the dashboard on a free port.
pub(crate) fn visits(server: &Server, seconds: u32, more: &[&str]) -> (Running, Asked) {
    let duration = format!("{seconds}s");
    let url = format!("base_url={}", server.url);
    let arguments = ["journey", "test", "visit", "--rate", "50", "--duration"];
    let arguments = [&arguments, [&*duration, "--config", &*url].as_slice()].concat();
    watched(&[arguments.as_slice(), more].concat())
}

fn watched(arguments: &[&str]) -> (Running, Asked) {
    let served = if arguments.contains(&"--metrics") {
        [].as_slice()
    } else {
        &["--metrics", "127.0.0.1:0"]
    };
    let mut running = Running::start(&mut command(&[arguments, served].concat()));
    let introduction = running.wait_for("http://");
    (running, Asked::named_in(&introduction))
}

/// That the run came to its end; on a machine that is busy with something else starts may have been
/// late, which is not what these tests are about.
#[track_caller]
fn came_to_its_end(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
    ended.has_not_crashed();
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

fn sum(points: &[Value], key: &str) -> u64 {
    points.iter().map(|point| number(&point[key])).sum()
}

#[test]
fn the_report_so_far_grows_and_the_last_one_is_that_of_the_file() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let file = path.to_str().unwrap();
    let more = ["--report", file, "--metrics-linger", "1h"];
    let (running, asked) = visits(&server, 5, &more);

    let early = asked.report_when(|report| number(&report["http"]["requests"]) > 0);
    assert_eq!(early["verdict"], "running");
    assert_eq!(early["reasons"], json!([]));
    let requests = number(&early["http"]["requests"]);
    let later = asked.report_when(|report| number(&report["http"]["requests"]) > requests);
    assert_eq!(later["verdict"], "running");
    let points = later["series"]["points"].as_array().unwrap();
    assert_eq!(sum(points, "requests"), number(&later["http"]["requests"]));

    let last = asked.report_when(|report| report["verdict"] != "running");
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(last, written);
    assert_eq!(number(&last["http"]["requests"]), server.requests() as u64);
    assert_eq!(
        asked.json("/api/volume"),
        json!({"adjustable": false, "factor": 1.0})
    );
    let over = asked.post("/api/stop", "");
    assert_eq!(over.status, 409, "{over:?}");

    running.signal("INT");
    let ended = running.end();
    came_to_its_end(&ended);
    let passed = last["verdict"] == "passed";
    assert_eq!(ended.code == Some(0), passed, "the verdict stands: {ended}");
}

#[test]
fn events_bring_each_second_once_and_end_with_the_run() {
    let server = Server::start();
    let (running, asked) = visits(&server, 5, &[]);
    let mut events = asked.events("/api/events");
    let first = events.next().unwrap();
    assert_eq!(
        (first.name.as_str(), &first.data["verdict"]),
        ("update", &json!("running"))
    );
    let since = format!("/api/events?since={}", first.id);
    let others = asked.events(&since);

    let all: Vec<_> = [first.clone()].into_iter().chain(events).collect();
    let (last, updates) = all.split_last().unwrap();
    assert!(updates.len() >= 3, "{}", updates.len());
    assert!(updates.iter().all(|event| event.name == "update"));
    assert_eq!(last.name, "end");
    assert_ne!(last.data["verdict"], "running");
    assert!(last.data["batches"].is_object(), "{}", last.data["batches"]);
    let points: Vec<_> = all
        .iter()
        .flat_map(|event| event.data["series"]["points"].as_array().unwrap().clone())
        .collect();
    assert_eq!(sum(&points, "starts"), 250);
    assert_eq!(number(&last.data["journeys"][0]["started"]), 250);
    assert!(points.is_sorted_by_key(|point| point["at"].as_f64().unwrap()));

    let known = first.data["series"]["points"].as_array().unwrap().len();
    let rest: Vec<_> = others
        .flat_map(|event| event.data["series"]["points"].as_array().unwrap().clone())
        .collect();
    assert_eq!(
        rest,
        points[known..],
        "who knew the first seconds gets the others"
    );
    came_to_its_end(&running.end());
}

#[test]
fn a_stop_is_as_ctrl_c() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let (running, asked) = visits(&server, 600, &["--report", path.to_str().unwrap()]);
    asked.report_when(|report| number(&report["http"]["requests"]) > 0);
    assert_eq!(asked.get("/api/stop").status, 405);
    let stopped = asked.post("/api/stop", "");
    assert_eq!(
        (stopped.status, stopped.json()),
        (202, json!({"stopping": true}))
    );
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(
        ended.stdout.contains("interrupted before the end"),
        "{ended}"
    );
    let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(report["verdict"], "interrupted");
    assert_eq!(
        number(&report["http"]["requests"]),
        server.requests() as u64
    );
}

#[test]
fn the_volume_is_raised_for_the_server_and_in_the_plan() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let (running, asked) = visits(&server, 8, &["--report", path.to_str().unwrap()]);
    asked.report_when(|report| !report["series"]["points"].as_array().unwrap().is_empty());
    assert_eq!(
        asked.json("/api/volume"),
        json!({"adjustable": true, "factor": 1.0})
    );
    let raised = asked.post("/api/volume", "{\"factor\": 3}");
    assert_eq!(raised.json(), json!({"adjustable": true, "factor": 3.0}));
    assert_eq!(
        asked.json("/api/volume"),
        json!({"adjustable": true, "factor": 3.0})
    );
    let ended = running.end();
    came_to_its_end(&ended);
    assert!(ended.stderr.contains("3 times the plan"), "{ended}");

    let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let change = &report["volume_changes"][0];
    assert_eq!(change["factor"], 3.0);
    let at = change["at"].as_f64().unwrap();
    let planned = 50.0 * at + 150.0 * (8.0 - at);
    let started = number(&report["journeys"][0]["started"]);
    assert!(
        (started as f64 - planned).abs() <= 1.0,
        "{started} of {planned}"
    );
    assert!(
        started > 420,
        "there was time for more than the plan: {started}"
    );
    assert_eq!(server.requests() as u64, started);
    let points = report["series"]["points"].as_array().unwrap();
    assert_eq!(sum(points, "planned_starts"), started);
}

#[test]
fn a_volume_that_follows_the_results_is_left_alone() {
    let (running, asked) = watched(&["scenario", "test", "searching"]);
    asked.report_when(|report| !report["series"]["points"].as_array().unwrap().is_empty());
    assert_eq!(
        asked.json("/api/volume"),
        json!({"adjustable": false, "factor": 1.0})
    );
    let refused = asked.post("/api/volume", "{\"factor\": 2}");
    assert_eq!(refused.status, 409);
    assert!(
        refused.text().contains("follows the results"),
        "{refused:?}"
    );
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn pages_of_others_reach_nothing_and_programs_on_this_machine_do() {
    let (running, asked) = watched(&["scenario", "test", "minute"]);
    let host = ("host", asked.0.as_str());
    let foreign = asked.ask("GET", "/api/report", &[("host", "evil.example")], "");
    assert_eq!(foreign.status, 403, "{foreign:?}");
    for headers in [
        [host, ("origin", "http://evil.example")],
        [host, ("origin", "null")],
        [host, ("sec-fetch-site", "cross-site")],
        [("host", "evil.example"), ("origin", "http://evil.example")],
    ] {
        let refused = asked.ask("POST", "/api/stop", &headers, "");
        assert_eq!(refused.status, 403, "{headers:?}");
    }
    let origin = format!("http://{}", asked.0);
    let own = asked.ask("POST", "/api/stop", &[host, ("origin", &origin)], "");
    assert_eq!(own.status, 202, "{own:?}");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn from_other_machines_a_token_is_needed_that_is_shown_once() {
    let (mut running, asked) = watched(&["scenario", "test", "minute", "--metrics", "0.0.0.0:0"]);
    let line = running.wait_for("change its volume");
    assert!(
        line.contains(&format!("http://{}/#token=", asked.0)),
        "{line}"
    );
    let shown: SocketAddr = asked.0.parse().unwrap();
    assert!(!shown.ip().is_unspecified(), "nobody can open {shown}");
    let (_, token) = line.rsplit_once("#token=").unwrap();
    let token: String = token.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(token.len(), 32, "{line}");

    asked.report_when(|_| true);
    assert_eq!(
        asked.get("/metrics").status,
        200,
        "who only looks needs none"
    );
    for (method, path, allowed) in [
        ("POST", "/", "allow: get, head\r\n"),
        ("DELETE", "/", "allow: get, head\r\n"),
        ("PUT", "/api/stop", "allow: post\r\n"),
        ("DELETE", "/api/volume", "allow: get, head, post\r\n"),
    ] {
        let wrong = asked.ask(method, path, &[("host", &asked.0)], "");
        assert_eq!(wrong.status, 405, "{method} {path}: {wrong:?}");
        assert!(wrong.head.to_lowercase().contains(allowed), "{wrong:?}");
    }
    assert_eq!(asked.post("/nowhere", "").status, 404);
    let bare = asked.post("/api/stop", "");
    assert_eq!(bare.status, 401);
    assert!(
        bare.head
            .to_lowercase()
            .contains("www-authenticate: bearer"),
        "{bare:?}"
    );
    let host = ("host", asked.0.as_str());
    let wrong = asked.ask(
        "POST",
        "/api/stop",
        &[host, ("authorization", "Bearer wrong")],
        "",
    );
    assert_eq!(wrong.status, 401);
    let right = format!("Bearer {token}");
    let stopped = asked.ask("POST", "/api/stop", &[host, ("authorization", &right)], "");
    assert_eq!(stopped.status, 202);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert_eq!(ended.stderr.matches(&token).count(), 1, "{ended}");
    assert!(!ended.stdout.contains(&token), "{ended}");
}

#[test]
fn a_token_that_was_given_is_never_shown() {
    let token = "a-token-of-ours-1";
    let metrics = ["--metrics", "127.0.0.1:0", "--metrics-token", token];
    let (running, asked) = watched(&[["scenario", "test", "minute"].as_slice(), &metrics].concat());
    assert_eq!(
        asked.post("/api/stop", "").status,
        401,
        "also on this machine"
    );
    let right = format!("Bearer {token}");
    let headers = [("host", asked.0.as_str()), ("authorization", &right)];
    assert_eq!(asked.ask("POST", "/api/stop", &headers, "").status, 202);
    let ended = running.end();
    assert!(!format!("{ended}").contains(token), "{ended}");
}

#[test]
fn readers_that_never_read_hold_up_nothing() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let (running, asked) = visits(&server, 5, &["--report", path.to_str().unwrap()]);
    let idle: Vec<_> = (0..80)
        .map(|number| {
            let mut stream = asked.connect();
            let path = ["/api/events", "/metrics", "/api/report"][number % 3];
            let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", asked.0);
            // More than there may be at once are turned away, and the others never answered to the
            // end.
            if number % 4 > 0 {
                let _ = stream.write_all(request.repeat(50).as_bytes());
            }
            stream
        })
        .collect();
    let mut turned_away = String::new();
    asked.connect().read_to_string(&mut turned_away).unwrap();
    assert!(
        turned_away.starts_with("HTTP/1.1 503 "),
        "there may be 64: {turned_away}"
    );
    let ended = running.end();
    drop(idle);
    came_to_its_end(&ended);
    let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(number(&report["journeys"][0]["completed"]), 250);
    assert_eq!(server.requests(), 250);
    let memory = number(&report["generator"]["peak_rss_bytes"]);
    assert!(memory < 300_000_000, "{memory}");
}

#[test]
fn each_name_is_there_in_stretches_while_the_run_goes_on() {
    let server = Server::start();
    let (running, asked) = visits(&server, 5, &[]);
    let report = asked.report_when(|report| report["series"]["points"][2].is_object());
    assert_eq!(report.get("batches"), None);
    let batches = asked.json("/api/batches");
    assert_eq!(batches["seconds"], 1);
    let rows = batches["rows"].as_array().unwrap();
    let of = |kind: &str| rows.iter().find(|row| row["kind"] == kind).unwrap();
    let counts = |kind: &str| of(kind)["count"].as_array().unwrap().clone();
    assert!(counts("http").len() >= 2, "{batches}");
    assert!(
        counts("http").iter().map(number).sum::<u64>() >= 50,
        "{batches}"
    );
    assert_eq!(counts("request"), counts("http"));
    came_to_its_end(&running.end());
}

/// The kind, name and meaning of each metric that is documented.
fn documented_metrics() -> Vec<[String; 3]> {
    let text = include_str!("../../docs/prometheus.md");
    let rows = text.lines().filter(|line| line.starts_with("| `mite_"));
    let each = rows.flat_map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let names = cells[0].split(", ").map(|name| name.trim_matches('`'));
        let rest = [cells[1], cells[cells.len() - 1]].map(str::to_owned);
        names
            .map(|name| [rest[0].clone(), name.to_owned(), rest[1].clone()])
            .collect::<Vec<_>>()
    });
    each.collect()
}

#[test]
fn in_the_warm_up_only_that_is_counted_which_is_said_to_include_it() {
    let server = Server::start();
    let url = format!("base_url={}", server.url);
    let (running, asked) = watched(&["scenario", "test", "warming", "--config", &url]);
    let metrics: Vec<Sample> = loop {
        let report = asked.report_when(|report| report["series"]["points"][1].is_object());
        assert_eq!(report["http"]["requests"], 0, "it is in its warm-up");
        let metrics = samples(&asked.get("/metrics").text());
        if exposition::sum(&metrics, "mite_generator_cpu_seconds_total", &[]) > 0.0 {
            break metrics;
        }
    };
    assert!(server.requests() > 0);
    let warming = [("state", "warm_up")];
    assert_eq!(exposition::sum(&metrics, "mite_run_state", &warming), 1.0);
    let mut included = Vec::new();
    for [kind, name, meaning] in documented_metrics() {
        let counted = match &*kind {
            "counter" => exposition::sum(&metrics, &name, &[]),
            "histogram" => exposition::sum(&metrics, &format!("{name}_count"), &[]),
            _ => continue,
        };
        let includes_it = meaning.contains("warm-up included");
        assert_eq!(counted > 0.0, includes_it, "{name}: {counted}");
        included.extend(includes_it.then_some(name));
    }
    assert_eq!(included, ["mite_generator_cpu_seconds_total"]);
    asked.post("/api/stop", "");
    assert!(running.end().code.is_some());
}

#[test]
fn what_is_asked_wrongly_is_told_what_would_be_right() {
    let (running, asked) = watched(&["scenario", "test", "minute"]);
    asked.report_when(|_| true);
    let host = ("host", asked.0.as_str());
    let volume = |body: &str| asked.post("/api/volume", body);
    for (reply, status, word) in [
        (asked.get("/nowhere"), 404, "/api/report"),
        (asked.post("/metrics", ""), 405, "GET"),
        (asked.ask("DELETE", "/api/volume", &[host], ""), 405, "POST"),
        (asked.get("/api/events?since=now"), 400, "12.0"),
        (volume("louder"), 400, "{\\\"factor\\\": 1.1}"),
        (volume("{\"factor\": -1}"), 400, "from 0 to 100"),
        (volume(&" ".repeat(5000)), 413, "4096"),
    ] {
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(reply.text().contains(word), "{word}: {reply:?}");
    }
    let long = "x".repeat(40_000);
    let head = asked.ask("GET", "/", &[host, ("x-long", &long)], "");
    assert_eq!(head.status, 431, "{head:?}");
    assert_eq!(asked.ask("HEAD", "/metrics", &[host], "").body, b"");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn where_nothing_can_be_served_nothing_begins() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = |more: &[&str]| -> Ended {
        let arguments = ["scenario", "test", "setup", "--config", "wrong=hang"];
        clumsy(&[arguments.as_slice(), more].concat())
    };
    run(&["--metrics", &address]).refused(&[&address, "in use", "--metrics"]);
    run(&["--metrics", "example.org:80"]).refused(&["example.org:80", "127.0.0.1:9301"]);
    let served = ["--metrics", "127.0.0.1:0"];
    run(&[served.as_slice(), &["--metrics-token", "short"]].concat()).refused(&["16 to 256"]);
    run(&[served.as_slice(), &["--metrics-buckets", "5,1"]].concat())
        .refused(&["5,1", "0.005,0.05,0.5,5"]);
}

#[test]
fn before_the_run_has_begun_it_can_be_stopped_and_shows_nothing() {
    let address = free_address();
    let mut running = Running::start(&mut command(&[
        "scenario",
        "test",
        "setup",
        "--config",
        "wrong=hang",
        "--metrics",
        &address,
    ]));
    running.wait_for("stuck");
    let asked = Asked(address);
    let reply = asked.get("/api/report");
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.head.contains("retry-after"), "{reply:?}");
    assert_eq!(asked.post("/api/stop", "").status, 202);
    assert_eq!(running.end().code, Some(130));
}
