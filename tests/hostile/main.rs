//! The client against servers that misbehave: each misbehaviour is a kind of error, or none.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod asking;
mod bodies;
mod faults;
mod handshakes;
mod http2;
mod itself;
mod itself_http2;
mod kinds;
mod mixed;
mod redirects;
mod waits;
