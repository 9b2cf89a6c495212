//! Traces and metrics as a collector gets them, and servers the `traceparent` of requests.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod collectors;
mod command_line;
mod failures;
mod metrics;
mod rotel;
mod sampling;
mod shop;
mod tree;
