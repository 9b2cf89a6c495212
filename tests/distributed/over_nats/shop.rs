//! The shop of the examples on three runners, in front of it an nginx that writes down who came.

use serde_json::Value;
use tests::{nats::Nats, nginx::Nginx};

use crate::over_nats::crew::{Controller, Told, have_left, shop_runner};

fn shop() -> Nginx {
    let to = examples::shop_url();
    let location = |path: &str| format!("location = {path} {{ proxy_pass {to}; }}");
    Nginx::with(&["/login", "/basket", "/orders"].map(location).join("\n"))
}

/// Requests of this name, by all that is told of them.
fn named(told: &Told, name: &str) -> u64 {
    let rows = told.report["http"]["requests_by"].as_array().unwrap();
    let of_name = rows.iter().filter(|row| row["name"] == name);
    of_name.map(|row| row["count"].as_u64().unwrap()).sum()
}

fn sum(rows: &Value, field: &str) -> u64 {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[field].as_u64().unwrap()).sum()
}

#[test]
fn three_runners_count_what_the_server_counts_whatever_the_journeys_do() {
    let (nats, nginx) = (Nats::start(), shop());
    let runners = [(); 3].map(|()| shop_runner(&nats.url()));
    let told = Controller::of_shop(&nats, &nginx, 3, &["--duration", "12s"]).end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!(told.requests(), log.len());
    for (name, path) in [
        ("GET /", "/"),
        ("POST /login", "/login"),
        ("GET /basket", "/basket"),
        ("POST /orders", "/orders"),
    ] {
        assert_eq!(named(&told, name), log.count(path), "{name}");
    }
    let items = log.count_of(|line| line.uri.starts_with("/item/"));
    assert_eq!(named(&told, "GET /item/:id"), items);
    assert!(items > 100, "{items}");
    let orders = told.report["metrics"].as_array().unwrap().iter();
    let orders = orders.filter(|row| row["name"] == "orders");
    let counted: f64 = orders.map(|row| row["value"].as_f64().unwrap()).sum();
    assert_eq!(counted, log.count("/orders") as f64);
    assert_eq!(log.count("/orders"), 60);
    assert_eq!(told.report["http"]["bytes_received"], log.bytes_sent());
    have_left(runners);
}

#[test]
fn what_a_killed_runner_had_reported_is_counted_to_the_last_request() {
    let (nats, nginx) = (Nats::start(), shop());
    let [one, two, killed] = [(); 3].map(|()| shop_runner(&nats.url()));
    let mut controller = Controller::of_shop(&nats, &nginx, 3, &["--duration", "14s"]);
    controller.wait_for_second(4);
    killed.signal("KILL");
    drop(killed);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    let missing = log.len() - told.requests();
    // A third of what is asked for in two seconds at most, that in which it was and the one before.
    assert!(missing <= 120, "{missing} of {} are missing", log.len());
    assert_eq!(
        sum(&told.report["http"]["requests_by"], "count"),
        told.requests()
    );
    assert_eq!(
        sum(&told.report["series"]["points"], "requests"),
        told.requests()
    );
    // No voucher is used twice, and those that the killed one had are given to nobody.
    assert!(log.count("/orders") >= named(&told, "POST /orders"));
    let lost = told.report["generator"]["by_runner"].as_array().unwrap();
    assert_eq!(lost.iter().filter(|row| row["lost"] == true).count(), 1);
    have_left([one, two]);
}
