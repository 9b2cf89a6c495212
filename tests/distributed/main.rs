//! One test over several processes and a real nats-server: what the report says is what the access
//! log of nginx says, whatever happens to who.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

// A module by itself, so that all of these can be told from others by name: they wait rather than
// work, and so more of them run at once.
mod over_nats;
