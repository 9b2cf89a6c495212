//! Placeholder, dropped at integration.

pub(crate) mod registry;

pub use registry::{datapool, scenario};

/// Placeholder, dropped at integration.
#[derive(Debug, Default)]
pub struct Scenario(());

impl Scenario {
    /// Placeholder, dropped at integration.
    pub fn new() -> Self {
        Self(())
    }
}
