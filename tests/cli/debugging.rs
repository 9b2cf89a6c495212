//! `journey run`, and what `--debugging` shows.

use std::process::Command;

use crate::{
    program::{Ended, clumsy},
    server::Server,
};

fn run(journey: &str, server: &Server, more: &[&str]) -> Ended {
    let base = format!("base_url={}", server.url);
    clumsy(&[&["journey", "run", journey, "--config", &base], more].concat())
}

/// Makes sure that these stand in this order.
#[track_caller]
fn in_order(ended: &Ended, pieces: &[&str]) {
    let mut rest = ended.stdout.as_str();
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else {
            panic!("{piece:?} is missing, or too early: {ended}");
        };
        rest = after;
    }
}

#[test]
fn a_journey_is_told_in_the_order_of_what_happened() {
    let server = Server::start();
    let ended = run("refused", &server, &[]);
    assert_eq!(ended.code, Some(1), "{ended}");
    in_order(
        &ended,
        &[
            "clumsy::journeys::refused\n",
            "GET /ok  200",
            "✓ shop :: browse",
            "GET /status/500  500",
            "error in shop :: buy: GET /status/500: expected 200 OK",
            "at tests/clumsy/journeys.rs:",
            "✗ shop :: buy",
            "✗ shop ",
            "failed in ",
        ],
    );
}

#[test]
fn a_panic_is_told_with_its_place_before_the_transaction_it_ends() {
    let ended = clumsy(&["journey", "run", "panic"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    in_order(
        &ended,
        &[
            "panic in look up: there is no user 3",
            "journeys.rs:",
            "✗ look up",
            "failed in",
        ],
    );
    ended.has_not_crashed();
}

#[test]
fn a_server_that_cannot_be_reached_is_told_with_what_to_look_at() {
    let base = "base_url=http://127.0.0.1:1";
    let ended = clumsy(&["journey", "run", "visit", "--config", base]);
    assert_eq!(ended.code, Some(1), "{ended}");
    in_order(
        &ended,
        &[
            "connect in front page",
            "127.0.0.1:1",
            "is the server running?",
        ],
    );
    let ended = clumsy(&["journey", "run", "visit"]);
    in_order(&ended, &["request in front page", "--config base_url="]);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_an_error_unless_insecure() {
    let server = Server::start_untrusted();
    let ended = run("visit", &server, &[]);
    assert_eq!(ended.code, Some(1), "{ended}");
    in_order(&ended, &["tls in front page", "certificate", "--insecure"]);
    assert_eq!(server.requests(), 0);
    let ended = run("visit", &server, &["--insecure"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(server.requests(), 1);
}

#[test]
fn an_exchange_is_shown_whole_and_before_its_transaction_ends() {
    let server = Server::start();
    let ended = run("refused", &server, &["--debugging"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let request = format!("GET {}/status/500\n", server.url);
    in_order(
        &ended,
        &[
            "✓ shop :: browse",
            &request,
            "> user-agent: mite/",
            "HTTP/1.1 500",
            "< content-type: application/json",
            "< {\"token\":\"***\",\"why\":\"sold out\"}",
            "curl 'http://",
            "error in shop :: buy",
            "✗ shop :: buy",
        ],
    );
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    let server = Server::start();
    for journey in ["secrets", "refused"] {
        let ended = run(journey, &server, &["--debugging"]);
        for secret in ["s3cr3t", "hunter2"] {
            assert!(!ended.stdout.contains(secret), "{secret}: {ended}");
        }
        assert!(ended.stdout.contains("***"), "{ended}");
    }
    assert_eq!(server.requests(), 4);
    let ended = run("secrets", &server, &["--debugging"]);
    for shown in [
        "page=2",
        "name=joe",
        "\"name\":\"joe's\"",
        "/echo?access_token=***",
    ] {
        assert!(ended.stdout.contains(shown), "{shown}: {ended}");
    }
}

#[test]
fn the_curl_line_is_what_a_shell_takes_for_the_request() {
    let server = Server::start();
    let ended = run("secrets", &server, &["--debugging"]);
    let mut lines = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("curl "));
    let line = lines.nth(1).unwrap();
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{line}");
    let shell = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(shell.stdout).unwrap();
    let words: Vec<_> = words.lines().collect();
    let url = format!("{}/echo", server.url);
    // It is a POST because it has data.
    assert_eq!(words[0], url, "{words:?}");
    assert!(
        words.contains(&"content-type: application/json"),
        "{words:?}"
    );
    let body = r#"{"name":"joe's","nested":[{"api_key":"***"}]}"#;
    assert_eq!(words[words.len() - 2..], ["--data-raw", body]);
}

#[test]
fn a_test_in_debugging_stops_at_the_first_failure() {
    let server = Server::start();
    let base = format!("base_url={}", server.url);
    let ended = clumsy(&[
        "journey",
        "test",
        "refused",
        "--users",
        "3",
        "--debugging",
        "--config",
        &base,
    ]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert_eq!(
        ended.stdout.matches("error in shop :: buy").count(),
        1,
        "{ended}"
    );
    in_order(
        &ended,
        &[
            "error in shop :: buy",
            "✗ shop :: buy",
            "✗ shop ",
            "stopped at its first failure",
        ],
    );
    let shown = ended.stdout.matches("given up before it was").count();
    assert_eq!(shown, 0, "what the stop cut is no exchange: {ended}");
}
