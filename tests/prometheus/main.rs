//! A run scraped by a real Prometheus: what can be asked of it there is what the report says.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod load;
mod names;
mod totals;
