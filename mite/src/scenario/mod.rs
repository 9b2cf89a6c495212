//! What to run, and what it must show to pass.

pub(crate) mod threshold;
