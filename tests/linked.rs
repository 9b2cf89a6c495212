//! Journeys, scenarios and datapools of every linked crate are there, each under its own name.

use fixture_journeys as _;
use fixture_renamed as _;
use mite::{
    __private::{DataPoolEntry, JourneyEntry, ScenarioEntry},
    Context, inventory, journey,
};

/// The program's own.
#[journey]
async fn sign_in(_: &Context) -> mite::Result {
    Ok(())
}

#[test]
fn journeys_of_all_crates_are_found() {
    let mut journeys: Vec<_> = inventory::iter::<JourneyEntry>
        .into_iter()
        .map(|entry| {
            (
                entry.definition.name,
                entry.definition.doc,
                entry.data_type().to_string(),
            )
        })
        .collect();
    journeys.sort();
    let listed: Vec<_> = journeys
        .iter()
        .map(|(name, doc, data)| (*name, *doc, data.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("fixture_journeys::checkout::count", "", "(u32, u32)"),
            (
                "fixture_journeys::checkout::pay",
                "Pays what is in the basket.",
                "fixture_journeys::checkout::Payer"
            ),
            ("fixture_journeys::checkout::sign_in", "", "()"),
            (
                "fixture_renamed::sign_in",
                "Found by its dependency's name.",
                "()"
            ),
            ("fixture_renamed::told", "Told where mite is.", "u8"),
            ("linked::sign_in", "The program's own.", "()"),
        ]
    );
}

#[test]
fn scenarios_and_datapools_of_all_crates_are_found() {
    let mut names: Vec<_> = inventory::iter::<ScenarioEntry>
        .into_iter()
        .map(|entry| entry.definition.name)
        .chain(
            inventory::iter::<DataPoolEntry>
                .into_iter()
                .map(|entry| entry.definition.name),
        )
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "fixture_journeys::checkout::payers",
            "fixture_journeys::checkout::queue",
            "fixture_renamed::nothing",
            "fixture_renamed::numbers",
        ]
    );
}

#[test]
fn each_place_is_that_of_the_function() {
    for entry in inventory::iter::<JourneyEntry> {
        let file = std::path::Path::new(entry.definition.file);
        assert!(
            file.ends_with("lib.rs") || file.ends_with("linked.rs"),
            "{}",
            entry.definition.file
        );
    }
    let own = inventory::iter::<JourneyEntry>
        .into_iter()
        .find(|entry| entry.definition.name == "linked::sign_in")
        .expect("the journey of this file");
    let line = include_str!("linked.rs")
        .lines()
        .nth(own.definition.line as usize - 1);
    assert_eq!(
        line,
        Some("async fn sign_in(_: &Context) -> mite::Result {")
    );
}
