//! Names on the command line of programs whose journeys come from several crates.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test are test code as well"
)]

use std::process::{Command, Output};

fn run(program: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program beside this test");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn linked(arguments: &[&str]) -> (Option<i32>, String, String) {
    run(env!("CARGO_BIN_EXE_linked"), arguments)
}

#[test]
fn a_program_lists_what_is_in_its_libraries() {
    let (code, listed, _) = linked(&["list"]);
    assert_eq!(code, Some(0));
    let line = |name: &str| {
        let mut lines = listed
            .lines()
            .skip_while(|line| !line.trim_start().starts_with(name));
        let found = lines
            .next()
            .unwrap_or_else(|| panic!("no {name} in {listed}"));
        (found, lines.next().unwrap_or_default())
    };
    let (pay, below) = line("fixture_journeys::checkout::pay ");
    assert!(pay.contains("fixtures/journeys/src/lib.rs:"), "{pay}");
    assert_eq!(below.trim(), "Pays what is in the basket.");
    line("fixture_journeys::checkout::payers");
    line("fixture_journeys::checkout::queue");
    line("fixture_renamed::sign_in");
    line("fixture_renamed::nothing");
}

#[test]
fn the_end_of_a_name_runs_the_journey_it_fits() {
    for name in [
        "renamed::sign_in",
        "checkout::sign_in",
        "sign_in",
        "sing_in",
    ] {
        let (code, _, error) = linked(&["journey", "run", name]);
        match name {
            "checkout::sign_in" => assert_eq!(code, Some(0), "{error}"),
            "sign_in" => {
                assert_eq!(code, Some(2));
                let both = "fixture_journeys::checkout::sign_in, fixture_renamed::sign_in";
                assert!(error.contains(both), "{error}");
            }
            "sing_in" => {
                assert_eq!(code, Some(2));
                assert!(error.contains("did you mean"), "{error}");
            }
            // Half of a crate's name is no name.
            _ => assert_eq!(code, Some(2)),
        }
    }
}

#[test]
fn a_pool_of_another_library_feeds_the_journey_it_fits_and_no_other() {
    let (code, _, error) = linked(&["journey", "run", "told", "--datapool", "numbers"]);
    assert_eq!(code, Some(0), "{error}");
    let (code, _, error) = linked(&["journey", "run", "pay", "--datapool", "numbers"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("Payer") && error.contains("u8"), "{error}");
    assert!(error.contains("checkout::payers"), "{error}");
}

#[test]
fn two_journeys_of_one_name_stop_the_program_and_are_told_with_both_places() {
    let (code, _, error) = run(env!("CARGO_BIN_EXE_duplicates"), &["list"]);
    assert_eq!(code, Some(2));
    let source = include_str!("src/bin/duplicates.rs");
    let places: Vec<_> = source
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("async fn twice"))
        .map(|(at, _)| format!("duplicates.rs:{}", at + 1))
        .collect();
    assert_eq!(places.len(), 2);
    for place in &places {
        assert!(error.contains(place), "{place} is not in {error}");
    }
    assert!(error.contains("duplicates::twice"), "{error}");
}
