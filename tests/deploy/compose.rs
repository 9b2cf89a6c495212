//! `deploy/compose.yaml` and what it mounts.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use tests::prometheus::promtool;

use crate::{
    files::{assert_pinned, checked, document, pairs, read, repository, texts, tool},
    programs::Deployed,
};

const COMPOSE: &str = "deploy/compose.yaml";

fn services() -> Vec<(String, Value)> {
    let compose = document(COMPOSE);
    let services = compose["services"].as_object().unwrap();
    let services = services
        .iter()
        .map(|(name, service)| (name.clone(), service.clone()));
    services.collect()
}

/// A service that runs the load test.
fn deployed(name: &str) -> Deployed {
    let services = services();
    let (_, service) = services.iter().find(|(found, _)| found == name).unwrap();
    Deployed {
        arguments: texts(&service["command"])
            .into_iter()
            .map(str::to_owned)
            .collect(),
        environment: pairs(&service["environment"]),
    }
}

/// What services mount from here: the file and where it is then.
fn mounted() -> Vec<(String, String)> {
    let services = services();
    let volumes = services
        .iter()
        .filter(|(_, service)| service["volumes"].is_array())
        .flat_map(|(_, service)| texts(&service["volumes"]));
    let mounted = volumes.filter_map(|volume| {
        let (file, place) = volume.split_once(':')?;
        let file = file.strip_prefix("./")?;
        Some((format!("deploy/{file}"), place.replace(":ro", "")))
    });
    mounted.collect()
}

#[test]
fn compose_understands_its_file() {
    let mut compose = tool("docker-compose");
    compose.arg("-f").arg(repository(COMPOSE)).arg("config");
    let said = checked(&mut compose);
    assert!(said.contains("services:"), "{said}");
}

#[test]
fn every_image_is_of_one_version() {
    for (_, service) in services() {
        assert_pinned(service["image"].as_str().unwrap());
    }
}

#[test]
fn what_is_mounted_is_there_and_what_configs_name_is_mounted() {
    let mounted = mounted();
    assert!(mounted.len() >= 5, "{mounted:?}");
    for (file, _) in &mounted {
        assert!(repository(file).exists(), "{file}");
    }
    let is_mounted = |place: &str| {
        let mut places = mounted.iter().map(|(_, place)| Path::new(place));
        places.any(|mounted| Path::new(place).starts_with(mounted) || mounted.starts_with(place))
    };
    let named = services().into_iter().flat_map(|(_, service)| {
        let arguments = service["command"].as_array().cloned().unwrap_or_default();
        let home = &service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
        [arguments, vec![home.clone()]].concat()
    });
    let named = named.filter_map(|text| {
        let text = text.as_str()?;
        let place = text.rsplit('=').next()?;
        let is_file = [".conf", ".yml", ".json"]
            .iter()
            .any(|end| place.ends_with(end));
        (is_file && !place.starts_with("/reports/")).then(|| place.to_owned())
    });
    let named: Vec<_> = named.collect();
    assert_eq!(named.len(), 3, "{named:?}");
    let dashboards = document("deploy/grafana/provisioning/dashboards/mite.yml");
    let path = dashboards["providers"][0]["options"]["path"].as_str();
    for place in named.iter().map(String::as_str).chain(path) {
        assert!(is_mounted(place), "{place} is not mounted: {mounted:?}");
    }
}

#[test]
fn what_is_deployed_takes_what_it_is_given() {
    for name in ["controller", "runner", "collector"] {
        let deployed = deployed(name);
        deployed.assert_environment_is_known();
        deployed.assert_accepted();
    }
}

#[test]
fn as_many_runners_come_as_the_controller_waits_for() {
    let services = services();
    let (_, runner) = services.iter().find(|(name, _)| name == "runner").unwrap();
    let replicas = runner["deploy"]["replicas"].to_string();
    assert_eq!(deployed("controller").value("--wait-for-runners"), replicas);
}

#[test]
fn prometheus_looks_at_the_controller_and_grafana_at_prometheus() {
    let config = repository("deploy/compose/prometheus.yml");
    let output = promtool(&["check", "config", config.to_str().unwrap()], &config);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let config = document("deploy/compose/prometheus.yml");
    let target = config["scrape_configs"][0]["static_configs"][0]["targets"][0].clone();
    let controller = deployed("controller");
    let (_, port) = controller.value("--metrics").split_once(':').unwrap();
    assert_eq!(target, format!("controller:{port}"));

    let sources = document("deploy/grafana/provisioning/datasources/prometheus.yml");
    let url = sources["datasources"][0]["url"].as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap().split(':').next();
    let names: BTreeSet<_> = services().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(host.unwrap()), "{url}");
}

#[test]
fn the_server_of_the_bus_is_given_the_passwords_that_its_clients_know() {
    let services = services();
    let (_, nats) = services.iter().find(|(name, _)| name == "nats").unwrap();
    let known = pairs(&nats["environment"]);
    let config = read("deploy/nats/nats.conf");
    for (name, user) in [
        ("MITE_CONTROLLER_PASSWORD", "controller"),
        ("MITE_RUNNER_PASSWORD", "runner"),
        ("MITE_COLLECTOR_PASSWORD", "collector"),
    ] {
        assert!(config.contains(&format!("${name}")));
        let (_, password) = known.iter().find(|(known, _)| known == name).unwrap();
        let environment = deployed(user).environment;
        let (_, url) = environment
            .iter()
            .find(|(name, _)| name == "MITE_NATS_URL")
            .unwrap();
        assert_eq!(*url, format!("nats://{user}:{password}@nats:4222"));
    }
    for variable in config.split('$').filter(|rest| rest.starts_with("MITE_")) {
        let end = variable.find(',').unwrap();
        assert!(known.iter().any(|(known, _)| *known == variable[..end]));
    }
}
