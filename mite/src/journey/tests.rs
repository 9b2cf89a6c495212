//! Marked journeys, found and run as the engine does it.

use std::{cell::Cell, rc::Rc, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Journey, Runnable, journey, registry};
use crate::{
    clock::RunClock,
    config::Config,
    context::{Context, Scope, ScopeSettings, Shared},
    error::Result,
    id::EntryId,
};

thread_local! {
    static TOLD: Cell<u32> = const { Cell::new(0) };
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Article {
    name: String,
    pages: u32,
}

/// Reads it.
///
/// All of it.
#[journey]
async fn read(ctx: &Context, article: Article) -> Result {
    let _ = ctx;
    TOLD.set(article.pages);
    Ok(())
}

#[journey]
async fn add(_: &Context, a: u8, b: u16, (c, _d): (u32, String)) -> Result {
    TOLD.set(u32::from(a) + u32::from(b) + c);
    Ok(())
}

#[journey]
async fn idle(_: &Context) -> Result {
    TOLD.set(77);
    Ok(())
}

#[journey]
async fn fail(_: &Context, (): ()) -> Result {
    crate::bail!("as planned")
}

fn context(journey: &str) -> Context {
    let scope = Scope::new(ScopeSettings {
        clock: RunClock::start(),
        journeys: vec![Arc::from(journey)],
        metrics: Vec::new(),
        series_cap: 1000,
        config: Config::default(),
        shared: Arc::new(Shared::default()),
        tap: None,
        keep: None,
        tracer: None,
    });
    Context::new(Rc::new(scope), EntryId(0), 0, None, None)
}

async fn run<J: Journey>(data: Bytes) -> Result<u32> {
    TOLD.set(0);
    Runnable::of::<J>()
        .run(&context(J::NAME), &data)
        .await
        .map(|()| TOLD.get())
}

fn encoded(data: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(data).unwrap().into()
}

#[tokio::test]
async fn a_journey_runs_with_the_data_that_came_as_bytes() {
    let article = Article {
        name: "tea".into(),
        pages: 12,
    };
    assert_eq!(run::<read>(encoded(&article)).await.unwrap(), 12);
    let sum = run::<add>(encoded(&(1, 20, (300, "x")))).await;
    assert_eq!(sum.unwrap(), 321);
}

#[tokio::test]
async fn a_journey_without_data_does_not_look_at_the_bytes() {
    let rubbish = Bytes::from_static(&[0xc1; 3]);
    assert_eq!(run::<idle>(rubbish.clone()).await.unwrap(), 77);
    let error = run::<fail>(rubbish).await.unwrap_err();
    assert_eq!(error.message(), "as planned");
}

#[tokio::test]
async fn bytes_that_are_no_data_fail_the_run_and_name_the_type() {
    let error = run::<read>(encoded(&"tea")).await.unwrap_err();
    assert!(error.message().contains("Article"), "{error}");
    assert_eq!(TOLD.get(), 0);
}

#[test]
fn a_marked_journey_is_found_with_its_place_and_its_first_doc_line() {
    let entry = registry::find_journey("tests::read").unwrap();
    assert_eq!(entry.definition.name, "mite::journey::tests::read");
    assert_eq!(entry.definition.name, read::NAME);
    assert_eq!(entry.definition.doc, "Reads it.");
    assert!(
        entry.definition.file.ends_with("journey/tests.rs"),
        "{}",
        entry.definition.file
    );
    let marked = include_str!("tests.rs")
        .lines()
        .nth(entry.definition.line as usize - 1)
        .unwrap();
    assert!(marked.starts_with("async fn read("), "{marked}");
    assert_eq!(Runnable::from(entry).name(), entry.definition.name);
}

#[test]
fn an_entry_tells_what_data_it_takes() {
    let read = registry::find_journey("journey::tests::read").unwrap();
    assert!(read.takes_data());
    assert!(read.data_type().to_string().ends_with("::Article"));
    let add = registry::find_journey("journey::tests::add").unwrap();
    assert_eq!(
        add.data_type().to_string(),
        "(u8, u16, (u32, alloc::string::String))"
    );
    for name in ["journey::tests::idle", "journey::tests::fail"] {
        let entry = registry::find_journey(name).unwrap();
        assert!(!entry.takes_data(), "{name}");
    }
}

#[test]
fn journeys_come_in_order_of_name_each_with_its_own() {
    let names: Vec<_> = registry::journeys()
        .iter()
        .map(|entry| entry.definition.name)
        .collect();
    assert!(names.len() >= 4 && names.is_sorted(), "{names:?}");
    assert_eq!(registry::check_duplicates(), Ok(()));
}

#[test]
fn a_start_needs_no_more_than_the_future_of_the_function() {
    let ctx = context("read");
    let article = || Article {
        name: String::new(),
        pages: 0,
    };
    assert_eq!(
        size_of_val(&<read as Journey>::run(&ctx, article())),
        size_of_val(&read(&ctx, article()))
    );
}
