//! The files in question, and the tools that look at them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// A file of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What stands in it.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The YAML documents in it.
pub(crate) fn documents(path: &str) -> Vec<Value> {
    let documents = serde_saphyr::from_multiple(&read(path));
    documents.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one YAML document in it, in which `<<` has been put into what it is part of.
pub(crate) fn document(path: &str) -> Value {
    let [document] = documents(path).try_into().unwrap();
    document
}

/// The texts of a list.
#[track_caller]
pub(crate) fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    let text = |item| Value::as_str(item).unwrap_or_else(|| panic!("no text: {item}"));
    items.iter().map(text).collect()
}

/// The pairs of a mapping of which both are texts.
#[track_caller]
pub(crate) fn pairs(mapping: &Value) -> Vec<(String, String)> {
    let pairs = mapping.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| {
            let value = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
            (key.clone(), value.to_owned())
        })
        .collect()
}

/// Makes sure that an image is one version, and that version for ever.
#[track_caller]
pub(crate) fn assert_pinned(image: &str) {
    let (name, version) = match image.split_once('@') {
        Some((name, digest)) => {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            assert!(
                hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()),
                "{image} has no digest"
            );
            (name, "a digest")
        }
        None => image
            .rsplit_once(':')
            .unwrap_or_else(|| panic!("{image} has no version")),
    };
    assert!(!name.is_empty(), "{image}");
    if version != "a digest" {
        let numbers = version.trim_start_matches('v').split(['.', '-']);
        let numbers = numbers.take_while(|part| part.parse::<u32>().is_ok());
        assert!(numbers.count() >= 3, "{image} moves with its next release");
    }
}

/// Where scripts/test puts what is no package of the system.
const TOOLS: &str = "target/tools";

/// Runs a checker and gives what it says.
#[track_caller]
pub(crate) fn checked(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}; scripts/test installs what it needs"));
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    let said = said.concat();
    assert!(output.status.success(), "{shown}: {said}");
    said
}

/// A checker by its name, the path's or that of scripts/test.
pub(crate) fn tool(name: &str) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let places: Vec<_> = env::split_paths(&path)
        .chain([repository(TOOLS).join(name).join("bin")])
        .collect();
    let found = places.iter().map(|place| place.join(name));
    let found = found.into_iter().find(|program| program.is_file());
    Command::new(found.unwrap_or_else(|| panic!("{name} is missing; scripts/test installs it")))
}

/// The system's Python with a package that scripts/test has put there.
pub(crate) fn python(package: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command
        .args(["-m", &package.replace('-', "_")])
        .env("PYTHONPATH", repository(TOOLS).join(package));
    command
}
