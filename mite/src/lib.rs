//! Load tests as ordinary Rust.

extern crate self as mite;

mod clock;
mod config;
pub mod datapool;
mod error;
pub mod event;
mod id;
mod scenario;
mod stats;
pub mod volume;

#[doc(hidden)]
pub use inventory;

pub use config::{Config, ConfigError};
pub use error::{Class, Classifier, Error, Result};
pub use id::ItemId;
pub use scenario::threshold::{Threshold, ThresholdError, ThresholdResult};
#[doc(inline)]
pub use stats::metric;
