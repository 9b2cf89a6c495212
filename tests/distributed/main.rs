//! One test over several processes and a real nats-server: what the report says is what the access
//! log of nginx says, whatever happens to who.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod collect;
mod counts;
mod crew;
mod export;
mod faults;
mod hosts;
mod kills;
mod leaving;
mod network;
mod record;
mod refused;
mod secured;
mod shop;
mod succession;
