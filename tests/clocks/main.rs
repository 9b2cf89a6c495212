//! Response time tells of the wait that service time hides, in total, by second and by stage.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod server;
mod stages;
mod stalls;
