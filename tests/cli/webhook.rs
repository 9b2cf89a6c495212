//! `--logging-webhook`: what a receiver is told, and how little a bad one matters.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    hook::{Hook, Reaction, answer, as_the_original},
    program::{Ended, Running, clumsy, command},
};

/// The twenty journeys of a second, told to this URL.
fn told(url: &str) -> Ended {
    clumsy(&["scenario", "test", "well", "--logging-webhook", url])
}

/// That the run was as it would have been without a webhook; on a machine that is busy with
/// something else starts may have been late, which is not what these tests are about.
#[track_caller]
fn passed(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
    ended.has_not_crashed();
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

#[test]
fn a_receiver_hears_of_the_start_and_of_the_end_and_nobody_of_its_secrets() {
    let hook = Hook::start(as_the_original);
    let at = hook.url.replace("http://", "http://bot:s3cr3t@");
    let url = format!("{at}/mite/?token=s3cr3t");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let ended = clumsy(&[
        "scenario",
        "test",
        "well",
        "--config",
        "base_url=http://127.0.0.1:1",
        "--threshold",
        "journey.count >= 20",
        "--logging-webhook",
        &url,
        "--report",
        path.to_str().unwrap(),
    ]);
    passed(&ended);
    assert!(!ended.stderr.contains("WARN"), "{ended}");
    let text = fs::read_to_string(&path).unwrap();
    for text in [&ended.stdout, &ended.stderr, &text] {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    let report: Value = serde_json::from_str(&text).unwrap();
    let masked = format!("{}/mite/?***", hook.url.replace("://", "://***@"));
    assert_eq!(report["webhook"], json!({"url": masked, "id": "17"}));

    let heard = hook.heard();
    let lines: Vec<_> = heard.iter().map(|message| &*message.line).collect();
    assert_eq!(
        lines,
        [
            "POST /mite/start?token=s3cr3t HTTP/1.1",
            "POST /mite/end?token=s3cr3t HTTP/1.1"
        ]
    );
    for message in &heard {
        assert_eq!(message.header("content-type"), Some("application/json"));
        // `printf bot:s3cr3t | base64`
        let credentials = message.header("authorization");
        assert_eq!(credentials, Some("Basic Ym90OnMzY3IzdA=="));
        for (key, value) in [
            ("schema", &json!(1)),
            ("testname", &json!("clumsy::scenarios::well")),
            ("scenario", &json!("clumsy::scenarios::well")),
            ("run", &heard[0].body["run"]),
            ("started", &report["started"]),
            ("reports", &json!([path])),
        ] {
            assert_eq!(&message.body[key], value, "{key}");
        }
        assert_eq!(message.body["run"].as_str().unwrap().len(), 32);
    }
    let start = &heard[0].body;
    assert_eq!(start["planned_seconds"], 1.0);
    assert_eq!(start["base_url"], "http://127.0.0.1:1");
    assert_eq!(start["thresholds"], json!(["journey.count >= 20"]));
    let end = &heard[1].body;
    assert_eq!(end["id"], 17);
    for key in ["verdict", "reasons", "duration_seconds", "thresholds"] {
        assert_eq!(end[key], report[key], "{key}");
    }
    assert_eq!(
        end["totals"],
        json!({
            "journeys": {"started": 20, "completed": 20, "failed": 0, "dropped": 0,
                         "interrupted": 0},
            "http": {"requests": 0, "failed": 0, "bytes_sent": 0, "bytes_received": 0,
                     "time": {"count": 0}},
            "errors": 0,
        })
    );
}

#[test]
fn the_manual_names_every_field_that_is_sent_and_no_other() {
    let hook = Hook::start(as_the_original);
    passed(&told(&hook.url));
    let manual = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/webhook.md");
    let manual = fs::read_to_string(manual).unwrap();
    let tables = manual.split("| Field | Meaning |").skip(1);
    for (table, event) in tables.zip(["start", "end"]) {
        let (table, _) = table.trim_start().split_once("\n\n").unwrap();
        let named: BTreeSet<_> = table
            .lines()
            .skip(1)
            .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
            .map(|name| name.trim().trim_matches('`'))
            .collect();
        let heard = hook.only(event).body;
        let mut sent = keys(&heard);
        if event == "end" {
            sent.extend(["totals.journeys", "totals.http", "totals.errors"]);
        }
        assert_eq!(named, sent, "{event}");
    }
}

#[test]
fn the_environment_names_a_receiver_too_and_the_command_line_is_stronger() {
    let text_id = |heard: &crate::hook::Heard| match heard.event() {
        "start" => answer("201 Created", "{\"id\": \"run/17 ✓\"}"),
        _ => answer("200 OK", "thanks"),
    };
    let [one, other] = [Hook::start(text_id), Hook::start(as_the_original)];
    let arguments = ["journey", "test", "idle", "--duration", "1s"];
    let mut program = command(&arguments);
    let ended = Running::start(program.env("MITE_LOGGING_URL", &one.url)).end();
    passed(&ended);
    assert!(!ended.stderr.contains("WARN"), "{ended}");
    assert_eq!(one.only("end").body["id"], "run/17 ✓");

    let mut program = command(&arguments);
    program.args(["--logging-webhook", &other.url]);
    passed(&Running::start(program.env("MITE_LOGGING_URL", &one.url)).end());
    assert_eq!([one.heard().len(), other.heard().len()], [2, 2]);
}

#[test]
fn every_verdict_is_told() {
    let failed = Hook::start(as_the_original);
    let ended = clumsy(&[
        "journey",
        "test",
        "blab",
        "--duration",
        "1s",
        "--logging-webhook",
        &failed.url,
    ]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let end = failed.only("end").body;
    assert_eq!(end["verdict"], "failed");
    assert!(end["totals"]["errors"].as_u64() > Some(0), "{end}");
    assert!(end["reasons"][0].is_string(), "{end}");
    assert!(!end.to_string().contains("hunter2"), "{end}");

    let invalid = Hook::start(as_the_original);
    let ended = clumsy(&[
        "scenario",
        "test",
        "blocker",
        "--graceful-stop",
        "1s",
        "--logging-webhook",
        &invalid.url,
    ]);
    assert_eq!(ended.code, Some(3), "{ended}");
    assert_eq!(invalid.only("end").body["verdict"], "invalid");

    let interrupted = Hook::start(as_the_original);
    let mut running = Running::start(&mut command(&[
        "scenario",
        "test",
        "minute",
        "--logging-webhook",
        &interrupted.url,
    ]));
    running.wait_for("clumsy::scenarios::minute");
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert_eq!(interrupted.only("end").body["verdict"], "interrupted");
}

#[test]
fn a_run_that_never_begins_tells_nobody() {
    let hook = Hook::start(as_the_original);
    let ended = clumsy(&[
        "scenario",
        "test",
        "setup",
        "--config",
        "wrong=error",
        "--logging-webhook",
        &hook.url,
    ]);
    ended.refused(&["the database is gone"]);
    assert!(hook.heard().is_empty());
}

#[test]
fn reports_that_could_not_be_written_are_told_with_the_end() {
    let hook = Hook::start(as_the_original);
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("reports");
    fs::create_dir(&place).unwrap();
    let path = place.join("report.json");
    let mut running = Running::start(&mut command(&[
        "scenario",
        "test",
        "well",
        "--logging-webhook",
        &hook.url,
        "--report",
        path.to_str().unwrap(),
    ]));
    running.wait_for("clumsy::scenarios::well");
    fs::remove_dir(&place).unwrap();
    assert_eq!(running.end().code, Some(2));
    let end = hook.only("end").body;
    assert_ne!(end["verdict"], "error");
    let why = end["unwritten"][0].as_str().unwrap();
    assert!(why.starts_with("cannot write the report"), "{why}");
}

#[test]
fn whatever_a_receiver_answers_costs_a_warning_and_nothing_else() {
    let long = format!("{{\"newid\": 1, \"long\": \"{}\"}}", "x".repeat(10_000_000));
    let longest_head = format!("x-long: {}\r\ncontent-length: 0", "x".repeat(200_000));
    let moved = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    for (status, body, words, tries) in [
        ("404 Not Found", "", "it answered 404 Not Found", [1, 1]),
        ("503 Service Unavailable", "{}", "it answered 503", [2, 1]),
        ("200 OK", "<html>sign in</html>", "no JSON", [1, 1]),
        ("200 OK", "[17]", "{\"newid\": …}", [1, 1]),
        ("200 OK", "{\"newid\": null}", "{\"newid\": …}", [1, 1]),
        ("200 OK", &long, "more than 64 KiB", [1, 1]),
        (
            &format!("200 OK\r\n{longest_head}"),
            "",
            "does not speak",
            [1, 1],
        ),
        ("RAW", moved, "redirects are not followed", [1, 1]),
        (
            "RAW",
            "SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "does not speak",
            [1, 1],
        ),
        ("RAW", "", "closed before the answer was complete", [2, 1]),
    ] {
        let text = body.to_owned();
        let line = status.to_owned();
        let hook = Hook::start(move |_| match &*line {
            "RAW" => Reaction::Say(text.clone().into_bytes()),
            line => answer(line, &text),
        });
        let ended = told(&format!("{}/?token=s3cr3t", hook.url));
        passed(&ended);
        let shown: String = status.chars().take(40).collect();
        let warning = format!("{}/start?***, told of the start: ", hook.url);
        assert!(ended.stderr.contains(&warning), "{shown}: {ended}");
        assert!(ended.stderr.contains(words), "{shown}: {ended}");
        assert!(!ended.stderr.contains("s3cr3t"), "{shown}: {ended}");
        let heard = hook.heard();
        let of = |event| heard.iter().filter(|one| one.event() == event).count();
        assert_eq!([of("start"), of("end")], tries, "{shown}: {ended}");
        // Who heard of the start without giving an id hears of the end all the same.
        let end = heard.last().unwrap();
        assert_eq!((end.event(), &end.body["id"]), ("end", &Value::Null));
    }
}

#[test]
fn a_receiver_that_is_not_there_costs_a_warning_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = told(&url);
    passed(&ended);
    assert_eq!(ended.stderr.matches("refused").count(), 2, "{ended}");
}

#[test]
fn a_receiver_that_hangs_holds_up_nothing_for_long() {
    let hook = Hook::start(|_| Reaction::Hang);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let begin = Instant::now();
    let ended = clumsy(&[
        "scenario",
        "test",
        "well",
        "--logging-webhook",
        &hook.url,
        "--report",
        path.to_str().unwrap(),
    ]);
    // A second of load, two for the id, three for the end.
    let took = begin.elapsed();
    passed(&ended);
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(ended.stderr.contains("no answer yet"), "{ended}");
    assert!(ended.stderr.contains("no answer within 3s"), "{ended}");
    let report: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(report["journeys"][0]["started"], 20);
    assert_eq!(report["webhook"], json!({"url": format!("{}/", hook.url)}));
}

#[test]
fn ctrl_c_ends_the_waiting_for_a_receiver() {
    let hook = Hook::start(|heard| match heard.event() {
        "start" => answer("200 OK", "{\"newid\": 17}"),
        _ => Reaction::Hang,
    });
    let running = Running::start(&mut command(&[
        "scenario",
        "test",
        "well",
        "--logging-webhook",
        &hook.url,
    ]));
    let deadline = Instant::now() + crate::program::PATIENCE;
    while hook.heard().len() < 2 {
        assert!(Instant::now() < deadline, "no end is told");
        std::thread::sleep(Duration::from_millis(5));
    }
    let begin = Instant::now();
    running.signal("INT");
    passed(&running.end());
    assert!(begin.elapsed() < Duration::from_secs(3), "{begin:?}");
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_told_anything() {
    let (hook, certificate) = Hook::start_secured(as_the_original);
    let ended = clumsy(&[
        "scenario",
        "test",
        "well",
        "--insecure",
        "--logging-webhook",
        &hook.url,
    ]);
    passed(&ended);
    assert!(ended.stderr.contains("told of the end"), "{ended}");
    assert!(hook.heard().is_empty(), "{:?}", hook.heard());

    let directory = tempfile::tempdir().unwrap();
    let trusted = directory.path().join("hook.pem");
    fs::write(&trusted, certificate).unwrap();
    let mut program = command(&["scenario", "test", "well", "--logging-webhook", &hook.url]);
    passed(&Running::start(program.env("SSL_CERT_FILE", trusted)).end());
    assert_eq!(hook.only("end").body["id"], 17);
}

#[test]
fn a_url_that_is_none_is_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.csv");
    for (url, why) in [
        ("s3cr3t@tests.example.com", "http://host/path"),
        ("", "MITE_LOGGING_URL"),
        (
            "ftp://bot:s3cr3t@127.0.0.1/",
            "begin with http:// or https://",
        ),
        ("http://bot:s3cr3t@127.0.0.1:0/", "port 0"),
    ] {
        let ended = clumsy(&[
            "scenario",
            "test",
            // It would say so if it were called.
            "setup",
            "--config",
            "wrong=error",
            "--logging-webhook",
            url,
            "--report",
            path.to_str().unwrap(),
        ]);
        ended.refused(&["--logging-webhook", why]);
        assert!(!ended.stderr.contains("s3cr3t"), "{ended}");
        assert!(!ended.stderr.contains("the database is gone"), "{ended}");
        assert!(!path.exists());
    }
}
