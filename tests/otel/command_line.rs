//! The options and the variables of the environment, as a person gives them.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tests::{
    collector::Collector,
    listening::{Listening, Said},
};

use crate::shop::shop;

/// Runs a load test of a second against `shop`, with these variables and options.
fn visit(shop: &Listening, variables: &[(&str, &str)], options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visits"));
    command
        .args(["scenario", "test", "few_visits", "--duration", "1s"])
        .args(["--config", &format!("base_url={}", shop.url())])
        .args(options)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(stderr)
    )
}

/// On a busy machine the load may not have been what was asked for, which is not the point here.
fn assert_it_ran(output: &Output) {
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}",
        text(output)
    );
}

#[test]
fn the_environment_names_the_collector_as_opentelemetry_specifies() {
    let (shop, collector) = (shop(), Collector::start());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20swordfish",
        ),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_SERVICE_NAME", "shop-load"),
    ];
    let output = visit(&shop, &variables, &["--trace", "100%"]);
    assert_it_ran(&output);
    assert!(
        text(&output).contains("20 journeys sampled"),
        "{}",
        text(&output)
    );
    assert!(
        text(&output).contains("20 exported with 40 spans"),
        "{}",
        text(&output)
    );
    assert_eq!(collector.spans().len(), 40);
    assert!(!collector.pushes().is_empty());
    for heard in collector.heard() {
        assert_eq!(heard.headers["authorization"], "Bearer swordfish");
        assert_eq!(heard.headers["content-encoding"], "gzip");
    }
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "shop-load");
    assert_eq!(resource["mite.scenario"], "visits::few_visits");
    assert_eq!(resource["service.instance.id"].as_str().unwrap().len(), 32);
    assert!(!text(&output).contains("swordfish"));
}

#[test]
fn a_secret_header_is_not_shown_even_if_the_collector_says_it() {
    let shop = shop();
    let collector = Listening::start(|_| Some(Said::status(401).saying("not Bearer swordfish")));
    let report = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    let path = report.path().to_str().unwrap();
    let variables = [(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "authorization=Bearer%20swordfish",
    )];
    let password = collector.url().replace("http://", "http://joe:trout@");
    let options = [
        "--otlp",
        &password,
        "--trace",
        "50%",
        "--report",
        path,
        "--log-level",
        "trace",
    ];
    let output = visit(&shop, &variables, &options);
    assert_it_ran(&output);
    assert!(text(&output).contains("401"), "{}", text(&output));
    let written = std::fs::read_to_string(path).unwrap();
    for secret in ["swordfish", "trout"] {
        assert!(!text(&output).contains(secret), "{}", text(&output));
        assert!(!written.contains(secret), "{written}");
    }
    let report: Value = serde_json::from_str(&written).unwrap();
    let traces = &report["traces"];
    assert_eq!(traces["exported"], 0);
    assert_eq!(traces["dropped"], traces["sampled"]);
    assert!(
        report["generator"]["notes"][0]
            .as_str()
            .unwrap()
            .contains("401")
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_the_run() {
    let shop = shop();
    let url = shop.url();
    for (variables, options, wanted) in [
        (
            &[][..],
            &["--otlp", "collector"][..],
            "http://127.0.0.1:4318",
        ),
        (&[], &["--otlp", "grpc://collector:4317"], "http/protobuf"),
        (&[], &["--otlp", &url, "--trace", "all"], "100%"),
        (&[], &["--trace", "1%"], "--otlp"),
        (
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            &["--otlp", &url],
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ),
    ] {
        let output = visit(&shop, variables, options);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(wanted), "{}", text(&output));
    }
    assert!(shop.heard().is_empty());
}
