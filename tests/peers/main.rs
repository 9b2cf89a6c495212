//! The client with real peers: nginx, httpbin, an HTTP proxy and a SOCKS proxy.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod answers;
mod authentication;
mod bodies;
mod callbacks;
mod checks;
mod connections;
mod cookies;
mod curl;
mod http2;
mod left;
mod network;
mod phases;
mod program;
mod proxies;
mod redirects;
mod requests;
mod run;
mod tls;
mod working;
