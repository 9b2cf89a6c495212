//! A program whose journeys are all in libraries.

use std::process::ExitCode;

use fixture_journeys as _;
use fixture_renamed as _;

fn main() -> ExitCode {
    mite::main()
}
