//! What is kept of the seconds of one stage: less than of the whole run, since stages may be many.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    latency::Latency,
    statistics::{JourneyKey, JourneyStatistics, Statistics},
};

/// What the seconds of a stage showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageStatistics {
    /// One row an entry of the scenario.
    pub(crate) journeys: BTreeMap<JourneyKey, JourneyStatistics>,
    pub(crate) requests: u64,
    pub(crate) requests_failed: u64,
    /// Total time of the successful requests.
    pub(crate) request_time: Latency,
    /// Total time of the failed ones.
    pub(crate) failed_request_time: Latency,
}

impl StageStatistics {
    /// Adds the next second.
    pub(crate) fn follow(&mut self, second: &Statistics) {
        for (key, journey) in &second.journeys {
            match self.journeys.entry(key.clone()) {
                Entry::Occupied(mut row) => row.get_mut().follow(journey),
                Entry::Vacant(row) => {
                    row.insert(journey.clone());
                }
            }
        }
        self.requests += second.http.requests;
        self.requests_failed += second.http.failed;
        self.request_time.merge(&second.http.time);
        self.failed_request_time.merge(&second.http.failed_time);
    }
}
