//! What the macros take: every form of function, without a warning.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, unused, clippy::pedantic)]
#![allow(clippy::unused_async)]

use std::{borrow::Cow, collections::BTreeMap, rc::Rc};

use mite::{
    __private::JourneyEntry,
    Context, Journey, datapool,
    datapool::{DataPool, Once, Recyclable},
    inventory, journey,
};
use serde::{Deserialize, Serialize};

/// Somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: String,
}

#[journey]
async fn nothing(_: &Context) -> mite::Result {
    Ok(())
}

#[journey]
async fn one(ctx: &Context, mut user: User) -> mite::Result {
    user.name.push('!');
    ctx.transaction(&user.name, async { Ok(()) }).await
}

#[journey]
async fn two(ctx: &Context, User { name }: User, _: u8) -> mite::Result<()> {
    ctx.transaction(name, async { Ok(()) }).await
}

#[journey]
async fn several(
    _ctx: &Context,
    small: u8,
    (wide, wider): (u16, u32),
    letter: Option<char>,
    list: Vec<u8>,
    table: BTreeMap<String, f64>,
    text: Cow<'static, str>,
) -> Result<(), mite::Error> {
    let _ = (small, wide, wider, letter, list, table, text);
    Ok(())
}

#[journey]
async fn unit(_: &Context, (): ()) -> mite::Result {
    Ok(())
}

/// Journeys need not be `Send`.
#[journey]
async fn local(_: &Context) -> mite::Result {
    let here = Rc::new(1);
    std::future::ready(()).await;
    mite::ensure!(*here == 1);
    Ok(())
}

/// A name that is a word of the language.
#[journey]
async fn r#loop(_: &Context) -> mite::Result {
    Ok(())
}

/// Names that the generated code might have used itself.
#[journey]
async fn data(ctx: &Context, name: u8, build: u8) -> mite::Result {
    let _ = (ctx, name, build);
    Ok(())
}

type Outcome = mite::Result;
use mite::Context as Surroundings;

#[journey]
async fn under_other_names(_: &Surroundings) -> Outcome {
    Ok(())
}

#[journey]
#[cfg(any())]
async fn cut_out(_: &Context) -> Missing {}

#[cfg(any())]
#[journey]
async fn cut_out_before(_: &Context) -> Missing {}

#[journey]
#[cfg(test)]
async fn left_in(_: &Context) -> mite::Result {
    Ok(())
}

#[cfg_attr(test, journey)]
async fn marked_on_condition(_: &Context) -> mite::Result {
    Ok(())
}

macro_rules! journey_of {
    ($name:ident, $data:ty, $output:ty) => {
        #[journey]
        async fn $name(_: &Context, _: $data) -> $output {
            Ok(())
        }
    };
}
journey_of!(written_by_a_macro, Vec<u8>, mite::Result);

mod inner {
    #[mite::journey]
    pub(super) async fn path_only(_: &mite::Context) -> mite::Result {
        Ok(())
    }
}

#[datapool]
fn users() -> Recyclable<User> {
    Recyclable::new([User { name: "ann".into() }])
}

#[datapool]
fn pairs() -> impl DataPool<Item = (User, u8)> {
    Once::new((0..3).map(|number| (User { name: "bob".into() }, number)))
}

fn data_of<J: Journey<Data = D>, D>() -> &'static str {
    J::NAME
}

/// The bound of `Scenario::journey`.
fn takes<J: Journey>(pool: impl DataPool<Item: mite::Is<J::Data>>) {
    drop(pool);
}

#[test]
fn data_is_what_follows_the_context() {
    assert_eq!(data_of::<nothing, ()>(), "marked::nothing");
    assert_eq!(data_of::<one, User>(), "marked::one");
    assert_eq!(data_of::<two, (User, u8)>(), "marked::two");
    assert_eq!(data_of::<unit, ()>(), "marked::unit");
    assert_eq!(
        data_of::<written_by_a_macro, Vec<u8>>(),
        "marked::written_by_a_macro"
    );
    assert_eq!(
        data_of::<inner::path_only, ()>(),
        "marked::inner::path_only"
    );
    assert_eq!(data_of::<r#loop, ()>(), "marked::loop");
}

#[test]
fn a_pool_of_the_same_type_is_taken() {
    takes::<one>(users());
    takes::<two>(pairs());
    takes::<nothing>(());
}

#[test]
fn conditions_hold_for_the_journey_as_for_its_function() {
    let names: Vec<_> = inventory::iter::<JourneyEntry>
        .into_iter()
        .map(|entry| entry.definition.name)
        .collect();
    assert!(names.contains(&"marked::left_in"));
    assert!(names.contains(&"marked::marked_on_condition"));
    assert!(
        !names.iter().any(|name| name.contains("cut_out")),
        "{names:?}"
    );
}

#[test]
fn a_journey_in_a_function_is_one_too() {
    #[journey]
    async fn hidden(_: &Context, user: User) -> mite::Result {
        drop(user);
        Ok(())
    }
    assert_eq!(data_of::<hidden, User>(), "marked::hidden");
}
