//! What the options and the variables of the environment come to.

use std::time::Duration;

use super::{
    OtelError, Settings,
    settings::{Destination, Options},
};
use crate::trace::Sampling;

const URL: &str = "http://127.0.0.1:4318";

fn check(
    otlp: Option<&str>,
    trace: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<Option<Settings>, OtelError> {
    let options = Options {
        address: otlp.map(str::to_owned),
        trace: trace.map(str::to_owned),
        from_environment: true,
    };
    options.check_with(&|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn addresses(settings: &Settings) -> (String, String) {
    let shown = |destination: &Option<Destination>| {
        let address = destination.as_ref().map(|to| to.address.to_string());
        address.unwrap_or_default()
    };
    (shown(&settings.traces), shown(&settings.metrics))
}

#[test]
fn nothing_is_sent_where_nobody_says_where_to() {
    assert!(check(None, None, &[]).unwrap().is_none());
    assert!(check(None, Some("0"), &[]).unwrap().is_none());
    let error = check(None, Some("1%"), &[]).unwrap_err().to_string();
    assert!(error.contains("--otlp http://127.0.0.1:4318"), "{error}");
    let off = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", URL),
        ("OTEL_SDK_DISABLED", "true"),
    ];
    assert!(check(None, None, &off).unwrap().is_none());
}

#[test]
fn the_option_is_stronger_than_the_environment() {
    let other = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:1/base"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:2/here"),
    ];
    let settings = check(Some(URL), None, &other).unwrap().unwrap();
    let wanted = (format!("{URL}/v1/traces"), format!("{URL}/v1/metrics"));
    assert_eq!(addresses(&settings), wanted);
    assert_eq!(settings.sampling, Sampling::PerSecond(10.0));
    assert_eq!(settings.interval, Duration::from_secs(10));
    assert_eq!(
        settings.resource,
        [("service.name".to_owned(), "mite".to_owned())]
    );
    // What is said of one signal is the whole of its address.
    let settings = check(None, None, &other).unwrap().unwrap();
    let wanted = (
        "http://traces:2/here".to_owned(),
        "http://other:1/base/v1/metrics".to_owned(),
    );
    assert_eq!(addresses(&settings), wanted);
}

#[test]
fn a_signal_can_be_left_out() {
    let settings = check(Some(URL), Some("0/s"), &[]).unwrap().unwrap();
    assert!(settings.traces.is_none() && settings.metrics.is_some());
    let none = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", URL),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let settings = check(None, None, &none).unwrap().unwrap();
    assert!(settings.traces.is_some() && settings.metrics.is_none());
}

#[test]
fn variables_say_how_it_is_sent_and_one_signals_own_is_stronger() {
    let variables = [
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20x,x-scope=a",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-scope=b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "2500"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "60000"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_SERVICE_NAME", "shop load"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=x,deployment.environment.name=a%2Cb",
        ),
    ];
    let settings = check(Some(URL), None, &variables).unwrap().unwrap();
    let (traces, metrics) = (settings.traces.unwrap(), settings.metrics.unwrap());
    assert_eq!(traces.headers["x-scope"], "b");
    assert!(!traces.headers.contains_key("authorization"));
    assert_eq!(metrics.headers["authorization"], "Bearer x");
    assert!(
        metrics
            .headers
            .values()
            .all(http::HeaderValue::is_sensitive)
    );
    assert!(traces.gzip && metrics.gzip);
    assert_eq!(metrics.all_headers()["content-encoding"], "gzip");
    assert_eq!(traces.timeout, Duration::from_secs(10));
    assert_eq!(metrics.timeout, Duration::from_millis(2500));
    assert_eq!(settings.interval, Duration::from_secs(60));
    let resource = [
        ("deployment.environment.name", "a,b"),
        ("service.name", "shop load"),
    ];
    assert_eq!(
        settings.resource,
        resource.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert!(!format!("{metrics:?}").contains("Bearer"));
}

#[test]
fn what_makes_no_sense_is_said_before_the_run_without_secrets() {
    for (otlp, trace, variable, wanted) in [
        ("127.0.0.1:4318", None, ("", ""), "http://127.0.0.1:4318"),
        ("grpc://collector:4317", None, ("", ""), "http/protobuf"),
        ("", None, ("", ""), "--otlp is no address"),
        (URL, Some("many"), ("", ""), "10/s"),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            "port 4318",
        ),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            "http/protobuf",
        ),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_HEADERS", "swordfish"),
            "key=value",
        ),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_HEADERS", "bad name=swordfish"),
            "name=value",
        ),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            "gzip or none",
        ),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            "milliseconds",
        ),
        (
            URL,
            None,
            ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
            "milliseconds",
        ),
        (URL, None, ("OTEL_RESOURCE_ATTRIBUTES", "a"), "key=value"),
        (
            URL,
            None,
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem"),
            "PEM",
        ),
    ] {
        let error = check(Some(otlp), trace, &[variable])
            .unwrap_err()
            .to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(error.contains(variable.0), "{error}");
        assert!(!error.contains("swordfish"), "{error}");
    }
    let secret = "http://joe:swordfish@/";
    let error = check(Some(secret), None, &[]).unwrap_err().to_string();
    assert!(!error.contains("swordfish"), "{error}");
}
