//! What a scenario would do, without doing it.

use std::time::Duration;

use super::RunError;
use crate::{
    error::catch,
    report::plan::PlanEntry,
    scenario::{Scenario, ScenarioError},
    volume::{VolumeError, schedule::Planner},
};

/// How far a plan without an end is looked into.
const HORIZON: Duration = Duration::from_secs(600);

/// The volume of each entry over time.
///
/// # Errors
/// When a volume model breaks on the way.
pub(crate) fn plan(
    scenario: Scenario,
    duration: Option<Duration>,
) -> Result<Vec<PlanEntry>, RunError> {
    let mut entries = Vec::new();
    for (index, entry) in scenario.entries.into_iter().enumerate() {
        let journey = entry.journey.name().to_owned();
        let planner = Planner::new(entry.volume).limit(duration);
        let outline = catch(|| planner.outline(HORIZON))
            .unwrap_or_else(|panic| Err(VolumeError::new(panic.to_string())))
            .map_err(|source| ScenarioError::Volume {
                journey: journey.clone(),
                entry: index + 1,
                source,
            })?;
        entries.push(PlanEntry { journey, outline });
    }
    Ok(entries)
}
