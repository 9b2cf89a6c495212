//! Functions with a context or a result that only looks right.

use mite::{Context, journey};

struct Other;

#[journey]
async fn another_context(_: &Other) -> mite::Result {
    Ok(())
}

#[journey]
async fn a_value(_: &Context) -> mite::Result<u32> {
    Ok(1)
}

#[journey]
async fn nothing(_: &Context) -> () {}

#[journey]
async fn another_error(_: &Context) -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
