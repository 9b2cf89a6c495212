//! How long the phases of requests took.

use serde::{Deserialize, Serialize};

use super::{
    latency::{Digits, Latency},
    summary::LatencySummary,
};
use crate::event::{PHASES, Timings};

/// A distribution for each phase, in the order of [`PHASES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseStatistics([Latency; PHASES.len()]);

impl PhaseStatistics {
    /// Counts the phases that a request went through.
    pub(crate) fn record(&mut self, timings: &Timings) {
        for (latency, (_, time)) in self.0.iter_mut().zip(timings.phases()) {
            if let Some(time) = time {
                latency.record(time);
            }
        }
    }

    /// Adds what the other has counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            ours.merge(theirs);
        }
    }

    /// The times of the phase of this name, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<&Latency> {
        let mut phases = PHASES.iter().zip(&self.0);
        phases
            .find(|(phase, _)| **phase == name)
            .map(|(_, times)| times)
    }

    /// The figures a report shows, in the order of [`PHASES`].
    pub(crate) fn summaries(&self) -> [LatencySummary; PHASES.len()] {
        self.0.each_ref().map(Latency::summary)
    }
}

impl Default for PhaseStatistics {
    fn default() -> Self {
        Self([const { Latency::new(Digits::Two) }; PHASES.len()])
    }
}
