//! A function and a type without the macro.

use mite::{Context, Journey};

struct Shop;

async fn sign_in(_: &Context) -> mite::Result {
    Ok(())
}

fn entry<J: Journey>() {}

fn main() {
    entry::<Shop>();
    let _ = sign_in;
}
