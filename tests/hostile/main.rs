//! The client against servers that misbehave: each misbehaviour is a kind of error, or none.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod handshakes;
mod itself;
mod itself_http2;
mod kinds;
mod mixed;
