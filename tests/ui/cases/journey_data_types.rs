//! Data that serde cannot write.

use mite::{Context, journey};

struct User;

#[journey]
async fn sign_in(_: &Context, _: User) -> mite::Result {
    Ok(())
}

fn main() {}
