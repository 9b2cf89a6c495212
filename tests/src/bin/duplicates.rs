//! A program with two journeys of one name.

use std::process::ExitCode;

use mite::{Context, journey};

fn main() -> ExitCode {
    #[journey]
    async fn twice(_: &Context) -> mite::Result {
        Ok(())
    }
    second();
    mite::main()
}

fn second() {
    #[journey]
    async fn twice(_: &Context) -> mite::Result {
        Ok(())
    }
}
