//! Functions that return or take another type than they should.

use mite::{Context, Scenario, datapool, datapool::Recyclable, scenario};

#[scenario]
fn number() -> u32 {
    1
}

#[scenario]
async fn number_in_a_result() -> mite::Result<u32> {
    Ok(1)
}

#[scenario]
fn with_the_context(_: &Context) -> Scenario {
    Scenario::new()
}

#[datapool]
fn list() -> Vec<u8> {
    vec![1]
}

#[datapool]
fn text_for_an_error() -> Result<Recyclable<u8>, String> {
    Ok(Recyclable::new([1]))
}

fn main() {}
