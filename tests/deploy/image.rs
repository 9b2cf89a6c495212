//! `deploy/Dockerfile`.

use std::process::Command;

use crate::files::{assert_pinned, checked, document, read, repository, tool};

const DOCKERFILE: &str = "deploy/Dockerfile";

/// What stands behind an instruction, wherever it comes.
fn instructions(name: &str) -> Vec<String> {
    let text = read(DOCKERFILE).replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// What an argument is when nobody says otherwise.
fn argument(name: &str) -> String {
    let arguments = instructions("ARG");
    let mut values = arguments
        .iter()
        .filter_map(|argument| argument.strip_prefix(&format!("{name}=")));
    values.next().unwrap().to_owned()
}

#[test]
fn hadolint_has_nothing_to_say() {
    let said = checked(tool("hadolint").arg(repository(DOCKERFILE)));
    assert_eq!(said.trim(), "");
}

#[test]
fn its_bases_are_of_one_version_and_it_does_not_run_as_root() {
    let bases = instructions("FROM");
    assert_eq!(bases.len(), 2, "{bases:?}");
    for base in &bases {
        assert_pinned(base.split(' ').next().unwrap());
    }
    let user = instructions("USER");
    let user: u32 = user[0].split(':').next().unwrap().parse().unwrap();
    assert_ne!(user, 0);
}

#[test]
fn compose_builds_it_from_the_root_of_the_repository() {
    let compose = document("deploy/compose.yaml");
    let build = &compose["services"]["controller"]["build"];
    assert_eq!(build["context"], "..");
    assert!(repository(build["dockerfile"].as_str().unwrap()).is_file());
    let ignored = read(".dockerignore");
    for needed in ["mite", "mite-macros", "examples", "Cargo.lock"] {
        assert!(!ignored.lines().any(|line| line == needed), "{needed}");
    }
}

#[test]
fn what_it_builds_is_there_and_can_be_controller_and_runner() {
    let package = argument("PACKAGE");
    let manifest = read(&format!("{package}/Cargo.toml"));
    let target = format!(
        "[[{}]]\nname = \"{}\"",
        argument("KIND"),
        argument("PROGRAM")
    );
    assert!(manifest.contains(&target), "{target}");
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--locked", "--package", &package])
        .args(["--features", &argument("FEATURES")])
        .args(["--invert", "async-nats"])
        .current_dir(repository("."));
    let said = checked(&mut tree);
    assert!(said.starts_with("async-nats "), "{said}");
}
