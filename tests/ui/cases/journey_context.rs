//! Functions that do not take the context first.

use mite::{Context, journey};

#[journey]
async fn nothing() -> mite::Result {
    Ok(())
}

#[journey]
async fn data_only(_: String) -> mite::Result {
    Ok(())
}

#[journey]
async fn text_first(_: &str, _: &Context) -> mite::Result {
    Ok(())
}

#[journey]
async fn owned(_: Context) -> mite::Result {
    Ok(())
}

#[journey]
async fn mutable(_: &mut Context) -> mite::Result {
    Ok(())
}

fn main() {}
