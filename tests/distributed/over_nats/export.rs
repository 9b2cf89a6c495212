//! The metrics of a run for a Prometheus that reaches NATS and not the controller.

use tests::{
    asking::Asked,
    nats::Nats,
    nginx::Nginx,
    prometheus::Prometheus,
    running::{Running, program},
};

use crate::over_nats::crew::{Controller, runner};

const VISITS: &str = env!("CARGO_BIN_EXE_visits");

/// An exporter, and where it is.
fn exporter(nats: &Nats) -> (Running, Asked) {
    let url = nats.url();
    let arguments = ["exporter", "--nats", &url, "--metrics", "127.0.0.1:0"];
    let mut exporter = Running::start(&mut program(VISITS, &arguments));
    let said = exporter.wait_for("metrics of the run at");
    let at = Asked::named_in(&said);
    (exporter, at)
}

fn content_type(head: &str) -> Option<&str> {
    head.lines().find(|line| line.starts_with("content-type"))
}

/// The names of series with their labels, without their values.
fn series(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut names: Vec<_> = lines.map(|line| line.rsplit_once(' ').unwrap().0).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_exporter_says_what_the_controller_says_and_stays_between_runs() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let (exporter, there) = exporter(&nats);
    let reply = there.get("/metrics");
    assert_eq!(reply.status, 503);
    assert!(reply.text().contains("no controller"), "{}", reply.text());
    assert_eq!(there.get("/health").status, 200);
    let prometheus = Prometheus::scraping(&there.0, &[]);

    for _ in 0..2 {
        let runner = runner(&nats.url());
        let arguments = [
            "--duration",
            "4s",
            "--metrics",
            "127.0.0.1:0",
            "--metrics-linger",
            "60s",
        ];
        let mut controller = Controller::start(&nats, &nginx, "steady_visits", 1, &arguments);
        let said = controller.wait_for("http://");
        let here = Asked::named_in(&said);
        controller.wait_for("the last numbers are served");
        // The run is over, and both say the same to the last digit, in each form.
        for accept in [
            "text/plain;version=0.0.4",
            "application/openmetrics-text;version=1.0.0",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        ] {
            let ask = |at: &Asked| {
                let headers = [("host", at.0.as_str()), ("accept", accept)];
                at.ask("GET", "/metrics", &headers, "")
            };
            let (directly, over_nats) = (ask(&here), ask(&there));
            assert_eq!((directly.status, over_nats.status), (200, 200));
            assert_eq!(content_type(&over_nats.head), content_type(&directly.head));
            assert_eq!(over_nats.body, directly.body, "{accept}");
        }
        let text = there.get("/metrics").text();
        assert!(series(&text).len() > 50, "{text}");
        prometheus.wait_for("sum(mite_http_response_total) == 400");
        controller.signal("INT");
        let told = controller.end();
        assert!(matches!(told.ended.code, Some(0 | 3)), "{}", told.ended);
        assert_eq!(runner.end().code, Some(0));
        assert_eq!(there.get("/metrics").status, 503);
    }
    assert_eq!(there.get("/").status, 404);
    exporter.signal("TERM");
    assert_eq!(exporter.end().code, Some(130));
}
