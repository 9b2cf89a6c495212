//! Load tests as ordinary Rust.

// The macros say `::mite`, also in the tests of this crate.
#[cfg(test)]
extern crate self as mite;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod cli;
mod clock;
mod config;
mod context;
mod controller;
pub mod datapool;
mod engine;
mod error;
pub mod event;
pub mod http;
mod id;
mod journey;
mod link;
mod net;
pub mod report;
mod runner;
mod scenario;
mod stats;
pub mod testing;
pub mod volume;

#[doc(hidden)]
pub use inventory;

pub use cli::{main, main_with};
pub use config::{Config, ConfigError};
pub use context::{Context, Extension};
pub use engine::{Run, RunError, StopHandle, run};
pub use error::{Class, Classifier, Error, Result};
pub use id::ItemId;
pub use journey::{Is, Journey, journey};
pub use report::{Report, Verdict};
pub use scenario::{
    Scenario, ScenarioError, datapool, scenario,
    threshold::{Threshold, ThresholdError},
};
#[doc(inline)]
pub use stats::metric;
