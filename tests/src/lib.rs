//! What integration tests share: real servers to test against, and servers that misbehave.
//!
//! Each server listens on loopback, on a port nobody uses, keeps its files in a directory of its
//! own, and is gone when the value is dropped or the test process ends, however it ends.
//!
//! ```no_run
//! use tests::{hostile::Hostile, nginx::Nginx};
//!
//! let nginx = Nginx::start();
//! // ... a run against nginx.url() ...
//! assert_eq!(nginx.finish().len(), 0);
//!
//! let hostile = Hostile::start();
//! // ... a request for hostile.url() + "/close/in-header" ...
//! assert_eq!(hostile.hits("/close/in-header"), 0);
//! ```

// Clippy takes only what is marked as a test for one; everything here is for tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod agreement;
pub mod asking;
pub mod browser;
pub mod cable;
pub mod certificates;
pub mod collector;
pub mod holds;
pub mod hostile;
pub mod hosts;
pub mod httpbin;
pub mod listening;
pub mod nats;
pub mod nginx;
mod process;
pub mod prometheus;
pub mod proxy;
pub mod rotel;
pub mod running;
pub mod terminal;
pub mod wire;
