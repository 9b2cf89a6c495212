//! The client with real peers: nginx, httpbin, an HTTP proxy and a SOCKS proxy.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod left;
mod over_tls;
mod told_back;
mod working;
