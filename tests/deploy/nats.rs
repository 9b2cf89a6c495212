//! `deploy/nats/`: a server with these settings lets a test be run, and nothing else.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use tests::{
    asking::Asked,
    certificates::Authority,
    nats::Nats,
    nginx::Nginx,
    running::{PATIENCE, Running, program},
};

use crate::files::repository;

const VISITS: &str = env!("CARGO_BIN_EXE_visits");
const PASSWORDS: [(&str, &str); 5] = [
    ("MITE_CONTROLLER_PASSWORD", "c0ntroller"),
    ("MITE_RUNNER_PASSWORD", "runn3r"),
    ("MITE_COLLECTOR_PASSWORD", "c0llector"),
    ("MITE_RECORDER_PASSWORD", "rec0rder"),
    ("MITE_EXPORTER_PASSWORD", "exp0rter"),
];

fn server(config: &str) -> Nats {
    Nats::keeping_with(&["-c", config], &PASSWORDS)
}

fn plain() -> Nats {
    let config = repository("deploy/nats/nats.conf");
    server(config.to_str().unwrap())
}

/// Runs two seconds with one runner, each side with these arguments beside its own, and makes sure
/// that every start took place.
#[track_caller]
fn assert_runs(controller: &[&str], runner: &[&str]) {
    let nginx = Nginx::start();
    let first = ["runner", "--once", "--workers", "1"];
    let runner = Running::start(&mut program(VISITS, &[&first, runner].concat()));
    let base_url = format!("base_url={}", nginx.url());
    let first = ["controller", "steady_visits", "--duration", "2s"];
    let second = ["--config", &base_url];
    let mut command = program(VISITS, &[&first[..], &second, controller].concat());
    let ended = Running::start(&mut command).end();
    let told = runner.end();
    assert_eq!(told.code, Some(0), "{told}");
    // On a machine that does something else as well they may be late.
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
    assert_eq!(nginx.finish().len(), 200, "{ended}");
}

/// What the server says when somebody does this and asks whether it is still there.
fn answer(nats: &Nats, user: &str, password: &str, does: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let greeting = lines.next().unwrap().unwrap();
    assert!(greeting.starts_with("INFO "), "{greeting}");
    // In one piece: somebody who is not let in is not listened to any longer.
    let words = format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"user\":\"{user}\",\
         \"pass\":\"{password}\"}}\r\n{does}\r\nPING\r\n"
    );
    stream.write_all(words.as_bytes()).unwrap();
    let said = lines
        .map_while(Result::ok)
        .take_while(|line| line != "PONG");
    said.collect::<Vec<_>>().join("\n")
}

#[test]
fn its_users_can_run_a_test() {
    let nats = plain();
    let controller = nats.url_for("controller:c0ntroller");
    let runner = nats.url_for("runner:runn3r");
    assert_runs(&["--nats", &controller], &["--nats", &runner]);
}

#[test]
fn its_controller_can_be_replaced() {
    let (nats, nginx) = (plain(), Nginx::start());
    let url = nats.url_for("runner:runn3r");
    let arguments = ["runner", "--once", "--workers", "1", "--nats", &url];
    let runner = Running::start(&mut program(VISITS, &arguments));
    let (url, base_url) = (
        nats.url_for("controller:c0ntroller"),
        format!("base_url={}", nginx.url()),
    );
    let arguments = [
        "controller",
        "steady_visits",
        "--durable",
        "--duration",
        "5s",
        "--config",
        &base_url,
        "--nats",
        &url,
    ];
    let mut killed = Running::start(&mut program(VISITS, &arguments));
    killed.wait_for_second(1);
    killed.signal("KILL");
    let ended = Running::start(&mut program(VISITS, &arguments)).end();
    let told = runner.end();
    assert_eq!(told.code, Some(0), "{told}");
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
    assert!(ended.stderr.contains("goes on with the run"), "{ended}");
    assert_eq!(nginx.finish().len(), 500, "{ended}");
    assert!(nats.streams().is_empty(), "the journal is removed");
}

#[test]
fn its_users_can_collect_record_and_export() {
    let (nats, directory) = (plain(), tempfile::tempdir().unwrap());
    let into = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let start = |who: &str, arguments: &[&str], ready: &str| {
        let url = nats.url_for(who);
        let (command, _) = who.split_once(':').unwrap();
        let mut running = Running::start(&mut program(
            VISITS,
            &[&[command, "--nats", &url], arguments].concat(),
        ));
        let said = running.wait_for(ready);
        (running, said)
    };
    let events = ["--once", "--collect", &into("events")];
    let (collector, _) = start("collector:c0llector", &events, "collecting from");
    let data = ["--record", &into("data")];
    let (_recorder, _) = start("recorder:rec0rder", &data, "recording from");
    let at = ["--metrics", "127.0.0.1:0"];
    let (_exporter, said) = start("exporter:exp0rter", &at, "metrics of the run");
    let exported = Asked::named_in(&said);
    let controller = nats.url_for("controller:c0ntroller");
    let runner = nats.url_for("runner:runn3r");
    let done = std::thread::scope(|scope| {
        let scrapes = scope.spawn(|| {
            let began = std::time::Instant::now();
            while exported.get("/metrics").status != 200 {
                assert!(began.elapsed() < PATIENCE, "nothing is exported");
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        assert_runs(
            &["--nats", &controller, "--wait-for-collectors", "1"],
            &["--nats", &runner],
        );
        scrapes.join()
    });
    done.unwrap();
    let ended = collector.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("400 events"), "{ended}");
    let other = answer(&nats, "collector", "c0llector", "PUB mite.down.1 1\r\nx");
    assert!(other.contains("Permissions Violation"), "{other}");
}

#[test]
fn its_users_cannot_do_what_is_not_theirs() {
    let nats = plain();
    let runner = |does: &str| answer(&nats, "runner", "runn3r", does);
    let controller = |does: &str| answer(&nats, "controller", "c0ntroller", does);
    for does in ["SUB mite.down.0123 1", "PUB mite.up.0123 1\r\nx"] {
        assert_eq!(runner(does), "", "{does}");
        let said = controller(does);
        assert!(said.contains("Permissions Violation"), "{does}: {said}");
    }
    for does in ["SUB mite.up.* 1", "PUB mite.down.0123 1\r\nx"] {
        assert_eq!(controller(does), "", "{does}");
        let said = runner(does);
        assert!(said.contains("Permissions Violation"), "{does}: {said}");
    }
    for does in ["SUB > 1", "SUB other.test 1", "PUB other.test 1\r\nx"] {
        for said in [controller(does), runner(does)] {
            assert!(said.contains("Permissions Violation"), "{does}: {said}");
        }
    }
    let said = answer(&nats, "runner", "guessed", "PING");
    assert!(said.contains("Authorization Violation"), "{said}");
}

#[test]
fn with_tls_both_sides_have_to_show_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let place = at.to_str().unwrap();
    for file in ["nats.conf", "tls.conf"] {
        let text = fs::read_to_string(repository("deploy/nats").join(file)).unwrap();
        fs::write(at.join(file), text.replace("/etc/nats/tls", place)).unwrap();
    }
    let authority = Authority::new();
    fs::write(at.join("ca.pem"), authority.pem()).unwrap();
    for (name, identity) in [
        ("nats", authority.server()),
        ("client", authority.client("client")),
    ] {
        fs::write(at.join(format!("{name}.pem")), identity.certificate).unwrap();
        fs::write(at.join(format!("{name}.key")), identity.key).unwrap();
    }
    let nats = server(at.join("tls.conf").to_str().unwrap());
    let url = |who: &str| nats.url_for(who).replace("nats://", "tls://");
    let [controller, runner] = ["controller:c0ntroller", "runner:runn3r"].map(url);
    let [ca, certificate, key] =
        ["ca.pem", "client.pem", "client.key"].map(|file| format!("{place}/{file}"));
    let shown = [
        "--nats-ca",
        &ca,
        "--nats-cert",
        &certificate,
        "--nats-key",
        &key,
    ];
    assert_runs(
        &[&["--nats", &controller], &shown[..]].concat(),
        &[&["--nats", &runner], &shown[..]].concat(),
    );
    for (shown, reason) in [
        (
            &["--nats-ca", &ca][..],
            "cannot connect to NATS at tls://***@",
        ),
        (&[][..], "UnknownIssuer"),
    ] {
        let first = ["runner", "--once", "--nats", &runner];
        let ended = Running::start(&mut program(VISITS, &[&first, shown].concat())).end();
        ended.refused(&["cannot connect to NATS", reason]);
    }
}
