//! The command line as a person meets it: exit codes, what stands on stdout and stderr, no hang.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test are test code as well"
)]

mod agreement;
mod archive;
mod bad_input;
mod broken_code;
mod compare;
mod csv;
mod debugging;
mod exposition;
mod files;
mod generator;
mod hook;
mod names_and_help;
mod odd;
mod outputs;
mod program;
mod served;
mod served_page;
mod server;
mod stopping;
mod terminal;
mod webhook;
