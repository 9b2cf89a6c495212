//! Load tests as ordinary Rust.

extern crate self as mite;

mod clock;
mod config;
mod context;
pub mod datapool;
mod error;
pub mod event;
pub mod http;
mod id;
mod net;
mod stats;
pub mod volume;

#[doc(hidden)]
pub use inventory;

pub use config::{Config, ConfigError};
pub use context::{Context, Extension};
pub use error::{Class, Classifier, Error, Result};
pub use id::ItemId;
