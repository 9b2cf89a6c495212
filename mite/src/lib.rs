//! Load tests as ordinary Rust.

extern crate self as mite;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod clock;
mod config;
mod context;
pub mod datapool;
mod error;
pub mod event;
mod id;
mod journey;
pub mod report;
mod scenario;
mod stats;
pub mod volume;

#[doc(hidden)]
pub use inventory;

pub use config::{Config, ConfigError};
pub use context::{Context, Extension};
pub use error::{Class, Classifier, Error, Result};
pub use id::ItemId;
pub use journey::{Is, Journey, journey};
pub use report::{Report, Verdict};
pub use scenario::{Scenario, datapool, scenario};
#[doc(inline)]
pub use stats::metric;
