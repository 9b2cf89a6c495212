//! `deploy/kubernetes/`.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::{
    files::{assert_pinned, checked, document, documents, pairs, python, read, repository, texts},
    programs::Deployed,
};

const FOLDER: &str = "deploy/kubernetes";

/// The files that are applied.
fn applied() -> Vec<String> {
    let kustomization = document(&format!("{FOLDER}/kustomization.yaml"));
    let files = texts(&kustomization["resources"]).into_iter();
    files.map(|file| format!("{FOLDER}/{file}")).collect()
}

/// The one object of a kind.
#[track_caller]
fn object(kind: &str) -> Value {
    let all = applied().into_iter().flat_map(|file| documents(&file));
    let found: Vec<_> = all.filter(|object| object["kind"] == kind).collect();
    let [object] = found
        .try_into()
        .unwrap_or_else(|found| panic!("{kind}: {found:?}"));
    object
}

fn pod(kind: &str) -> Value {
    object(kind)["spec"]["template"].clone()
}

fn container(kind: &str) -> Value {
    let pod = pod(kind);
    let containers = pod["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

/// What the container runs, with what it has from Secrets under their names.
fn deployed(kind: &str) -> Deployed {
    let container = container(kind);
    let own = container["env"].as_array().unwrap().iter();
    let own = own.map(|variable| {
        let secret = &variable["valueFrom"]["secretKeyRef"];
        let secret = format!("{}/{}", secret["name"], secret["key"]).replace('"', "");
        (variable["name"].as_str().unwrap().to_owned(), secret)
    });
    let shared = object("ConfigMap");
    assert_eq!(
        container["envFrom"][0]["configMapRef"]["name"],
        shared["metadata"]["name"]
    );
    Deployed {
        arguments: texts(&container["args"])
            .into_iter()
            .map(str::to_owned)
            .collect(),
        environment: own.chain(pairs(&shared["data"])).collect(),
    }
}

#[test]
fn kubernetes_knows_every_field() {
    for file in applied() {
        let mut validate = python("kubernetes-validate");
        validate.arg("--strict").arg(repository(&file));
        let said = checked(&mut validate);
        let passed = said.matches(" passed for resource ").count();
        assert_eq!(passed, documents(&file).len(), "{said}");
    }
}

#[test]
fn every_manifest_is_applied_and_every_image_is_of_one_version() {
    let listed = applied();
    for entry in fs::read_dir(repository(FOLDER)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_manifest = name.ends_with(".yaml")
            && !["kustomization.yaml", "nats-values.yaml"].contains(&name.as_str());
        let path = format!("{FOLDER}/{name}");
        assert!(!is_manifest || listed.contains(&path), "{path}");
    }
    let kustomization = document(&format!("{FOLDER}/kustomization.yaml"));
    let image = &kustomization["images"][0];
    for kind in ["Job", "Deployment"] {
        assert_eq!(container(kind)["image"], image["name"], "{kind}");
    }
    let [name, tag] = ["newName", "newTag"].map(|key| image[key].as_str().unwrap());
    assert_pinned(&format!("{name}:{tag}"));
}

#[test]
fn controller_and_runners_take_what_they_are_given() {
    for kind in ["Job", "Deployment"] {
        let deployed = deployed(kind);
        deployed.assert_environment_is_known();
        // What a Secret has is not known here; any text will do.
        let token = |(name, value): (String, String)| match value.contains('/') {
            true if name == "MITE_METRICS_TOKEN" => (name, "0123456789abcdef".to_owned()),
            _ => (name, value),
        };
        Deployed {
            environment: deployed.environment.into_iter().map(token).collect(),
            ..deployed
        }
        .assert_accepted();
    }
}

#[test]
fn the_page_says_how_to_make_every_secret_that_is_asked_for() {
    let page = read(&format!("{FOLDER}/README.md"));
    let mut asked = BTreeSet::new();
    for kind in ["Job", "Deployment"] {
        for variable in container(kind)["env"].as_array().unwrap() {
            asked.insert(variable["valueFrom"]["secretKeyRef"].clone().to_string());
        }
    }
    let values = document(&format!("{FOLDER}/nats-values.yaml"));
    let variables = values["container"]["env"].as_object().unwrap();
    for variable in variables.values() {
        asked.insert(variable["valueFrom"]["secretKeyRef"].clone().to_string());
    }
    assert_eq!(asked.len(), 8, "{asked:?}");
    for secret in asked {
        let secret: Value = serde_json::from_str(&secret).unwrap();
        let [name, key] = ["name", "key"].map(|field| secret[field].as_str().unwrap());
        let made = page
            .split("kubectl create secret generic ")
            .find(|made| made.starts_with(&format!("{name} ")));
        let made = made.unwrap_or_else(|| panic!("no {name} is made"));
        assert!(made.contains(&format!("--from-literal={key}=")), "{secret}");
    }
}

#[test]
fn selectors_find_what_they_are_for() {
    let labels = |kind: &str| pairs(&pod(kind)["metadata"]["labels"]);
    let finds = |selector: &Value, kind: &str| {
        let wanted = pairs(selector);
        let labels = labels(kind);
        !wanted.is_empty() && wanted.iter().all(|pair| labels.contains(pair))
    };
    let service = object("Service");
    assert!(finds(&service["spec"]["selector"], "Job"));
    assert!(!finds(&service["spec"]["selector"], "Deployment"));
    let runners = object("Deployment");
    assert!(finds(
        &runners["spec"]["selector"]["matchLabels"],
        "Deployment"
    ));
    let spread = &pod("Deployment")["spec"]["topologySpreadConstraints"][0];
    assert!(finds(&spread["labelSelector"]["matchLabels"], "Deployment"));
    let apart = &pod("Deployment")["spec"]["affinity"]["podAntiAffinity"];
    let apart = &apart["requiredDuringSchedulingIgnoredDuringExecution"][0];
    assert!(finds(&apart["labelSelector"]["matchLabels"], "Deployment"));
    // The port by its name, and the one that is served.
    let port = &container("Job")["ports"][0];
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    let metrics = format!("0.0.0.0:{}", port["containerPort"]);
    assert_eq!(deployed("Job").value("--metrics"), metrics);
    assert_eq!(
        service["metadata"]["annotations"]["prometheus.io/port"],
        port["containerPort"].to_string()
    );
}

#[test]
fn runners_have_whole_processors_that_nothing_throttles_and_a_worker_for_each() {
    let resources = &container("Deployment")["resources"];
    let asked: u32 = resources["requests"]["cpu"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(deployed("Deployment").value("--workers"), asked.to_string());
    assert_eq!(resources["limits"]["cpu"], Value::Null);
    let replicas = object("Deployment")["spec"]["replicas"].to_string();
    assert_eq!(deployed("Job").value("--wait-for-runners"), replicas);
}

#[test]
fn a_controller_that_was_killed_is_started_again_and_one_that_has_ended_is_not() {
    let job = object("Job")["spec"].clone();
    let arguments = deployed("Job").arguments;
    assert!(arguments.iter().any(|one| one == "--durable"));
    assert_eq!(job["backoffLimit"], 3);
    let rule = &job["podFailurePolicy"]["rules"][0];
    assert_eq!(rule["action"], "FailJob");
    // Whatever it ends with by itself but 0.
    assert_eq!(
        rule["onExitCodes"]["values"],
        serde_json::json!([1, 2, 3, 130])
    );
}

#[test]
fn the_users_of_the_chart_may_do_what_those_of_the_config_may() {
    let values = document(&format!("{FOLDER}/nats-values.yaml"));
    let config = read("deploy/nats/nats.conf");
    let users = values["config"]["merge"]["authorization"]["users"].clone();
    for user in users.as_array().unwrap() {
        let name = user["user"].as_str().unwrap();
        let after = config.split_once(&format!("  {name}: {{")).unwrap().1;
        let block = after.split_once("\n  }").unwrap().0;
        for side in ["publish", "subscribe"] {
            let subjects = texts(&user["permissions"][side]["allow"]);
            let subjects: Vec<_> = subjects.iter().map(|one| format!("\"{one}\"")).collect();
            let line = format!("{side}: {{ allow: [{}] }}", subjects.join(", "));
            assert!(block.contains(&line), "{name}: {line} is not in {block}");
        }
        assert_eq!(
            user["permissions"]["allow_responses"] == true,
            block.contains("allow_responses: true")
        );
    }
}
