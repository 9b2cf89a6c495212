//! Which module of mite may use which: lower levels only, and what the table grants by name.
//!
//! The sources are read as tokens, tests and the bodies of macros included, and every path that
//! begins at `crate`, at `mite` or, through `super`, at the root is held against [`MODULES`].
//! Examples in documentation may use anything.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of a test are test code as well"
)]

mod paths;

use std::{fs, path::Path};

use paths::{Reference, Root, module_of, modules_used};

/// A module, its level, and what it may use.
struct Module {
    name: &'static str,
    level: u8,
    may_use: Uses,
}

/// What a module may use.
enum Uses {
    /// Every module of a lower level.
    Lower,
    /// Every module of a lower level, and these of its own.
    LowerAnd(&'static [&'static str]),
    /// Modules up to this level, though it stands higher, and these.
    UpTo(u8, &'static [&'static str]),
    /// Nothing of mite.
    Nothing,
}

const fn module(name: &'static str, level: u8, may_use: Uses) -> Module {
    Module {
        name,
        level,
        may_use,
    }
}

/// The levels. A client of its own kind (`websocket`, `grpc`) joins `http` at level 3.
const MODULES: &[Module] = &[
    // What everything else is said in.
    module("id", 0, Uses::Nothing),
    module("clock", 0, Uses::Nothing),
    module("error", 0, Uses::Nothing),
    module("config", 0, Uses::Nothing),
    module("protobuf", 0, Uses::Nothing),
    // Four subjects that know nothing of one another, and one that does.
    module("event", 1, Uses::Lower),
    module("volume", 1, Uses::Lower),
    module("datapool", 1, Uses::Lower),
    module("net", 1, Uses::Lower),
    // What is written down of a journey that is traced, in the words of events.
    module("trace", 1, Uses::LowerAnd(&["event"])),
    // Statistics fold events in; the context tells them.
    module("stats", 2, Uses::Lower),
    module("context", 2, Uses::LowerAnd(&["stats"])),
    // The metrics of a run, for whoever watches it from outside.
    module("families", 2, Uses::LowerAnd(&["stats"])),
    // What mite itself posts to other programs, apart from the load.
    module("outbound", 2, Uses::Lower),
    // Journeys, and the clients that attach themselves to the context.
    module("journey", 3, Uses::Lower),
    module("http", 3, Uses::Lower),
    module("websocket", 3, Uses::Lower),
    module("scenario", 4, Uses::Lower),
    module("link", 5, Uses::Lower),
    // The two ends of the link meet only over it.
    module("controller", 6, Uses::Lower),
    module("runner", 6, Uses::Lower),
    // They look at numbers and events, never at who made them.
    module("report", 7, Uses::UpTo(2, &["scenario"])),
    // What a run shows and takes over HTTP; the engine tells it how the run stands.
    module("serve", 7, Uses::UpTo(2, &["report"])),
    // The same numbers, and traces, for OpenTelemetry. It masks URLs as the client does.
    module("otel", 7, Uses::UpTo(2, &["http"])),
    module("archive", 7, Uses::UpTo(1, &[])),
    module("engine", 8, Uses::Lower),
    // What users call.
    module("testing", 9, Uses::Lower),
    module("cli", 9, Uses::LowerAnd(&["testing"])),
    // Source in, source out.
    module("har", 0, Uses::Nothing),
];

/// They put the modules together and have no code of use to any: the crate's root, what the macros
/// reach, what the benches reach, and the binary.
const FACADES: &[&str] = &["lib", "private", "bench", "main"];

#[test]
fn modules_use_only_what_is_below_them() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mite/src");
    let root = Root::read(&sources.join("lib.rs"), "mite");
    let mut files = Vec::new();
    rust_files(&sources, &mut files);
    assert!(
        files.len() > 10,
        "the sources are not at {}",
        sources.display()
    );

    let mut broken = Vec::new();
    for file in files {
        let path = file
            .strip_prefix(&sources)
            .expect("a file below the sources");
        let text = fs::read_to_string(&file).expect("a readable source file");
        let references = modules_used(&text, path, &root);
        broken.extend(violations(path, &references));
    }
    assert!(
        broken.is_empty(),
        "{} paths lead where they may not:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

/// What is wrong with the references of one file, each with its place.
fn violations(file: &Path, references: &[Reference]) -> Vec<String> {
    let user = module_of(file)
        .into_iter()
        .next()
        .unwrap_or_else(|| "lib".to_owned());
    if FACADES.contains(&user.as_str()) {
        return Vec::new();
    }
    let Some(from) = MODULES.iter().find(|module| module.name == user) else {
        return vec![format!(
            "  mite/src/{}: the module {user} has no level; give it one in the table",
            file.display()
        )];
    };
    references
        .iter()
        .filter(|reference| reference.module != user)
        .filter_map(|reference| {
            let rule = rule_against(from, &reference.module)?;
            Some(format!(
                "  mite/src/{}:{}: {} uses {}: {rule}",
                file.display(),
                reference.line,
                from.name,
                reference.module
            ))
        })
        .collect()
}

/// The rule that forbids `from` to use `used`, if one does.
fn rule_against(from: &Module, used: &str) -> Option<String> {
    if used == "*" {
        return Some("a `*` of the crate's root says nothing; name the module".to_owned());
    }
    let Some(to) = MODULES.iter().find(|module| module.name == used) else {
        return Some(format!("{used} is no module with a level"));
    };
    let (allowed, rule) = match &from.may_use {
        Uses::Nothing => (false, "it uses nothing of mite".to_owned()),
        Uses::Lower => (
            to.level < from.level,
            format!(
                "level {} uses what is below it, not level {}",
                from.level, to.level
            ),
        ),
        Uses::LowerAnd(siblings) => (
            to.level < from.level || siblings.contains(&used),
            format!(
                "level {} uses what is below it and {}, not level {}",
                from.level,
                siblings.join(", "),
                to.level
            ),
        ),
        Uses::UpTo(level, others) => (
            to.level <= *level || others.contains(&used),
            format!(
                "it uses levels 0 to {level} {}, not level {}",
                and(others),
                to.level
            ),
        ),
    };
    (!allowed).then_some(rule)
}

fn and(others: &[&str]) -> String {
    if others.is_empty() {
        "and nothing else".to_owned()
    } else {
        format!("and {}", others.join(", "))
    }
}

fn rust_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a readable folder of sources")
        .map(|entry| entry.expect("a readable folder of sources").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn a_path_to_a_higher_level_or_a_sibling_is_found_in_every_form() {
    let root = Root::parse(
        "mod engine; mod error; pub use engine::{Run, run}; pub use error::Error;",
        "mite",
    );
    let wrong = [
        "use crate::engine::Run;",
        "use crate::{config::Config, runner::{self, Worker}};",
        "use crate::Run;",
        "use mite::run as start;",
        "fn f() -> ::mite::scenario::Scenario { todo!() }",
        "use super::super::stats::Recorder;",
        "use super::{super::http::Session, ItemId};",
        "mod tests { use super::super::super::journey::Journey; }",
        "#[cfg(test)] mod tests { fn f() { tokio::select! { _ = crate::testing::run() => {} } } }",
        "macro_rules! m { () => { $crate::cli::main() } }",
        "use crate::*;",
        "use crate::unheard_of::Thing;",
        "fn f<T: crate::context::Attach>() {}",
        "use crate::event::What;",
        "pub(in crate::engine) fn f() {}",
    ];
    for text in wrong {
        let file = Path::new("volume/ramp.rs");
        let found = violations(file, &modules_used(text, file, &root));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(
            found[0].contains("mite/src/volume/ramp.rs:1: volume uses "),
            "{found:?}"
        );
    }
}

/// A root that exports a module, a macro named as a module, and things of other crates.
const ROOT: &str = "pub mod config; mod error; mod scenario; \
                    pub use error::Error; pub use scenario::config; \
                    pub use inventory; pub use macros::external;";

#[test]
fn paths_downwards_and_within_the_module_are_free() {
    let root = Root::parse(ROOT, "mite").with_macro("ensure", "error");
    let right = [
        "use crate::config::Config; use crate::inventory::iter; fn f(x: crate::external) {}",
        "use crate::config::Config;",
        "use crate::{Error, volume::{Window, ramp}};",
        "use super::{Window, chain::Chain};",
        "use super::super::volume::Window;",
        "mod tests { use super::*; use super::super::Window; }",
        "/// See [`run`](crate::engine::run).\nfn f() { g(\"crate::engine\") }",
        "use other::mite::engine; use tokio::runner;",
        "pub(crate) fn f() {} pub(super) mod engine {} ",
        "fn f() { crate::ensure!(true); }",
    ];
    for text in right {
        let file = Path::new("volume/ramp.rs");
        let found = violations(file, &modules_used(text, file, &root));
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn grants_of_the_table_are_no_more_than_they_say() {
    let root = Root::parse("", "mite");
    let count = |file: &str, text: &str| {
        let file = Path::new(file);
        violations(file, &modules_used(text, file, &root)).len()
    };
    assert_eq!(count("context/mod.rs", "use crate::stats::Recorder;"), 0);
    assert_eq!(count("stats/mod.rs", "use crate::context::Scope;"), 1);
    assert_eq!(count("http/session.rs", "use crate::context::Context;"), 0);
    assert_eq!(
        count(
            "report/json.rs",
            "use crate::{scenario::Threshold, stats::Summary};"
        ),
        0
    );
    assert_eq!(
        count(
            "report/json.rs",
            "use crate::{runner::Runner, journey::Journey};"
        ),
        2
    );
    assert_eq!(
        count(
            "archive/cat.rs",
            "use crate::{event::Event, context::Context};"
        ),
        1
    );
    assert_eq!(count("controller/mod.rs", "use crate::runner::Runner;"), 1);
    assert_eq!(count("config.rs", "use crate::error::Error;"), 1);
    assert_eq!(count("har/mod.rs", "use crate::id::ItemId;"), 1);
    assert_eq!(count("surprise.rs", ""), 1);
    assert_eq!(count("private.rs", "pub use crate::engine::Run;"), 0);
}
