//! Calls the user's functions that make scenarios and datapools.

use super::exit::Failure;
use crate::{config::Config, error::catching, scenario::registry::Build};

/// Calls a marked function; its error, or its panic, becomes a message with its place.
pub(super) fn build<T>(
    kind: &str,
    name: &str,
    function: Build<T>,
    config: &mut Config,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let why = match runtime.block_on(catching(async { function(config).await })) {
        Ok(Ok(made)) => return Ok(made),
        Ok(Err(error)) => format!("{error} ({})", error.location()),
        Err(panic) => panic.to_string(),
    };
    Err(Failure::new(format!(
        "the {kind} {name} cannot be built: {why}"
    )))
}
