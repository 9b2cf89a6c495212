//! The HTML report in a real browser: what it shows, and how it can be used.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod blamed;
mod edges;
mod live;
mod names;
mod runs;
mod shown;
mod used;
