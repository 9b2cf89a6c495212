//! The names in what is deployed and in what is documented are those that a run has.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tests::{
    asking::{Asked, free_address},
    nginx::Nginx,
    prometheus::promtool,
};

use crate::load::run;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

/// Every word that could be one of mite's metrics, without what is added to a histogram's name.
fn metrics_in(text: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let word = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    let words = text.split(word).filter(|word| word.starts_with("mite_"));
    let stem = |word: &str| {
        let stems = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| word.strip_suffix(end));
        let mut known_stems = stems.filter(|stem| known.contains(*stem));
        known_stems.next().unwrap_or(word).to_owned()
    };
    words.map(stem).collect()
}

#[test]
fn what_is_deployed_and_documented_has_the_names_of_a_run() {
    let nginx = Nginx::start();
    let address = free_address();
    run(&nginx, &address);
    let asked = Asked(address);
    let exposed = asked.get("/metrics");
    assert_eq!(exposed.status, 200);
    let text = exposed.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.filter_map(|line| line.split(' ').next());
    let known: BTreeSet<_> = names
        .filter(|name| name.starts_with("mite_"))
        .map(str::to_owned)
        .collect();
    assert!(known.len() > 30, "{known:?}");

    let documented = metrics_in(&read("docs/prometheus.md"), &known);
    assert_eq!(documented, known, "docs/prometheus.md");
    let dashboard = metrics_in(&read("deploy/grafana/mite.json"), &known);
    let unknown: Vec<_> = dashboard.difference(&known).collect();
    assert_eq!(unknown, [""; 0], "deploy/grafana/mite.json");
    assert!(dashboard.len() > 10, "{dashboard:?}");
    serde_json::from_str::<serde_json::Value>(&read("deploy/grafana/mite.json")).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("metrics");
    fs::write(&file, &exposed.body).unwrap();
    let checked = promtool(&["check", "metrics"], &file);
    // Its advice on names is its own; what it cannot read is an error.
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(!said.contains("error while linting"), "{said}");
    let config = repository("deploy/prometheus.yml");
    let checked = promtool(&["check", "config", config.to_str().unwrap()], &config);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
