//! The network between the machines: cut for a while, slow, and a cluster that loses a server.

use std::time::Duration;

use tests::{
    cable::Cable,
    nats::{Cluster, Nats},
    nginx::Nginx,
};

use crate::over_nats::crew::{Controller, have_left, runner};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_cut_that_is_over_soon_costs_nothing() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let cable = Cable::to(nats.port());
    let near = runner(&nats.url());
    let far = runner(&format!("nats://127.0.0.1:{}", cable.port()));
    let mut controller =
        Controller::start(&nats, &nginx, "steady_visits", 2, &["--duration", "10s"]);
    controller.wait_for_second(2);
    cable.cut_for(SECOND);
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (1000, 1000));
    have_left([near, far]);
}

#[test]
fn a_runner_that_is_cut_off_for_long_is_done_without_and_told_so_when_it_is_back() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let cable = Cable::to(nats.port());
    let near = runner(&nats.url());
    let far = runner(&format!("nats://127.0.0.1:{}", cable.port()));
    let mut controller =
        Controller::start(&nats, &nginx, "steady_visits", 2, &["--duration", "16s"]);
    controller.wait_for_second(2);
    cable.cut_for(6 * SECOND);
    let told = controller.end();
    let log = nginx.finish();
    assert_eq!(told.ended.code, Some(3), "{}", told.ended);
    assert!(told.ended.stdout.contains("was lost"), "{}", told.ended);
    assert!(told.requests() <= log.len());
    // It kept its volume up until it heard that others did; that is in nobody's report.
    assert!(
        log.len() - told.requests() <= 500,
        "{} of {}",
        told.requests(),
        log.len()
    );
    have_left([near, far]);
}

#[test]
fn a_controller_that_is_cut_off_counts_everything_afterwards() {
    let (nats, nginx) = (Nats::start(), Nginx::start());
    let cable = Cable::to(nats.port());
    let runners = [runner(&nats.url()), runner(&nats.url())];
    let far = format!("nats://127.0.0.1:{}", cable.port());
    let mut controller = Controller::at(&far, &nginx, "steady_visits", 2, &["--duration", "12s"]);
    controller.wait_for_second(2);
    cable.cut_for(2 * SECOND);
    let told = controller.end();
    let log = nginx.finish();
    told.assert_passed();
    assert_eq!((told.requests(), log.len()), (1200, 1200));
    have_left(runners);
}

#[test]
fn a_cluster_may_lose_all_servers_but_one() {
    let (mut cluster, nginx) = (Cluster::start(3), Nginx::start());
    let runners = [runner(&cluster.urls()), runner(&cluster.urls())];
    let mut controller = Controller::at(
        &cluster.urls(),
        &nginx,
        "steady_visits",
        2,
        &["--duration", "12s"],
    );
    controller.wait_for_second(2);
    cluster.lose_one();
    controller.wait_for_second(5);
    cluster.lose_one();
    let told = controller.end();
    told.assert_passed();
    assert_eq!((told.requests(), nginx.finish().len()), (1200, 1200));
    have_left(runners);
}
