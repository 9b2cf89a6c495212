//! Whole runs, in a process of their own, against servers that fail: the load goes on, both sides
//! count the same, and neither memory nor connections pile up.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod addresses;
mod bodies;
mod descriptors;
mod load;
mod resets;
mod restarts;
mod silence;
