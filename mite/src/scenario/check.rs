//! What makes a scenario one that can be run.

use std::time::Duration;

use thiserror::Error;

use super::{
    Entry, Scenario,
    threshold::{Threshold, ThresholdError},
};
use crate::{error::catch, stats::metric::Metric, volume::VolumeError};

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// It has no journeys.
    #[error("the scenario has no journeys; add one with Scenario::journey")]
    Empty,
    /// The volume of an entry makes no sense.
    #[error("the volume of {journey} (entry {entry}): {source}")]
    Volume {
        /// The journey of the entry.
        journey: String,
        /// The entry, counted from 1.
        entry: usize,
        /// What is wrong with it.
        source: VolumeError,
    },
    /// A threshold cannot be read.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
}

impl Scenario {
    /// Whether the scenario can be run; gives its thresholds as they will be judged.
    pub(crate) fn check(&self, metrics: &[Metric]) -> Result<Vec<Threshold>, ScenarioError> {
        if self.entries.is_empty() {
            return Err(ScenarioError::Empty);
        }
        for (index, entry) in self.entries.iter().enumerate() {
            catch(|| entry.volume.check())
                .unwrap_or_else(|panic| Err(VolumeError::new(panic.to_string())))
                .map_err(|source| ScenarioError::Volume {
                    journey: entry.journey.name().to_owned(),
                    entry: index + 1,
                    source,
                })?;
        }
        let journeys: Vec<_> = self
            .entries
            .iter()
            .map(|entry| entry.journey.name())
            .collect();
        let thresholds: Result<Vec<_>, ThresholdError> = self
            .thresholds
            .iter()
            .map(|expression| {
                let mut threshold: Threshold = expression.parse()?;
                threshold.validate(metrics, &journeys)?;
                if threshold.stage().is_some()
                    && let Some(stages) = stages(&self.entries)
                {
                    threshold.check_stage(&stages)?;
                }
                Ok(threshold)
            })
            .collect();
        Ok(thresholds?)
    }
}

/// The longest step through a plan that knows no boundary; stages are looked up once a second.
const STEP: Duration = Duration::from_secs(1);
/// No plan is followed further; what stages come later cannot be known.
const MOST_STEPS: usize = 1_000_000;

/// The names of all stages, where every plan knows beforehand how long it lasts.
fn stages(entries: &[Entry]) -> Option<Vec<String>> {
    let mut names = Vec::<String>::new();
    for entry in entries {
        let volume = &entry.volume;
        let end = volume.duration()?;
        let mut at = Duration::ZERO;
        let mut steps = 0;
        while at < end {
            let stage = volume.stage(at);
            if let Some(stage) = stage.filter(|stage| !names.iter().any(|name| name == stage)) {
                names.push(stage.to_owned());
            }
            let boundary = volume.boundary(at).filter(|next| *next > at);
            at = boundary.unwrap_or_else(|| at.saturating_add(STEP));
            steps += 1;
            if steps > MOST_STEPS {
                return None;
            }
        }
    }
    Some(names)
}
