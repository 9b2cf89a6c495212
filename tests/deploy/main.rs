//! What is in `deploy/` fits together and fits the programs: files that are named are there, command
//! lines and variables are those that a program takes, and the checkers of the formats are content.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod compose;
mod documentation;
mod files;
mod image;
mod kubernetes;
mod nats;
mod programs;
