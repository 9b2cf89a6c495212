//! Runs against a real nginx: what the report says is what the server's access log says, exactly.

// Clippy takes only what is marked as a test for one; everything here is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod check;
mod counts;
mod failures;
mod outage;
mod rates;
mod signals;
mod stops;
mod tls;

use tests::nginx as server;
