//! Macros that are not above a function, and options they do not have.

use mite::{Context, Scenario, datapool, journey, scenario};

#[journey]
struct Shop;

#[scenario]
const EVENING: u8 = 1;

#[datapool]
mod users {}

#[journey(name = "sign in")]
async fn named(_: &Context) -> mite::Result {
    Ok(())
}

#[scenario("evening")]
fn text() -> Scenario {
    Scenario::new()
}

#[journey(crate = mite)]
async fn bare(_: &Context) -> mite::Result {
    Ok(())
}

#[journey(crate = "not a path")]
async fn no_path(_: &Context) -> mite::Result {
    Ok(())
}

fn main() {}
