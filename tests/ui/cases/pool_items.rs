//! A pool whose items are not the journey's data.

use mite::{
    Context, Is, Journey,
    datapool::{DataPool, Recyclable},
    journey,
};

#[journey]
async fn greet(_: &Context, _: String, _: u8) -> mite::Result {
    Ok(())
}

#[journey]
async fn look(_: &Context) -> mite::Result {
    Ok(())
}

/// The bound of `Scenario::journey`.
fn entry<J: Journey>(_: impl DataPool<Item: Is<J::Data>>) {}

fn main() {
    entry::<greet>(Recyclable::new([1_u32]));
    entry::<look>(Recyclable::new(["ann".to_owned()]));
    entry::<greet>(());
}
