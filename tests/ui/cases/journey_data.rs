//! Data that cannot come from another machine.

use std::borrow::Cow;

use mite::{Context, journey};

#[journey]
async fn text(_: &Context, _: &str) -> mite::Result {
    Ok(())
}

#[journey]
async fn static_text(_: &Context, _: &'static str) -> mite::Result {
    Ok(())
}

#[journey]
async fn slice(_: &Context, _: u8, _: &[u8]) -> mite::Result {
    Ok(())
}

#[journey]
async fn reference(_: &Context, _: &Vec<u8>) -> mite::Result {
    Ok(())
}

#[journey]
async fn hidden(_: &Context, _: Option<(u8, &u8)>) -> mite::Result {
    Ok(())
}

#[journey]
async fn lifetime(_: &Context, _: Cow<'_, str>) -> mite::Result {
    Ok(())
}

fn main() {}
