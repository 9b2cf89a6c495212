//! What a report says of one stage of the plan.

use serde::{Deserialize, Serialize};

use super::parts::JourneySummary;
use crate::stats::LatencySummary;

/// One stage of the plan, named by [`named`](crate::volume::Constant::named).
///
/// A second belongs to the stages that any volume of the scenario is in as it begins, and all that
/// ended in it counts, of whatever journey. What was in flight when the plan was over counts for
/// the stage it ended with. Parts of the same name are one stage, and the warm-up belongs to none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageSummary {
    /// Its name.
    pub name: String,
    /// How old the run was when it began, in seconds.
    pub from: f64,
    /// How old the run was when it was over; for the last time, if it came several times.
    pub until: f64,
    /// How long it lasted, all times together.
    pub seconds: f64,
    /// Journeys in flight, on average.
    pub users: f64,
    /// Starts that fell due in it; 0 in the closed model.
    pub planned_starts: u64,
    /// Journeys that began in it.
    pub starts: u64,
    /// Journeys that failed in it.
    pub errors: u64,
    /// Starts given up in it.
    pub dropped: u64,
    /// A row for each entry of the scenario of which anything happened in it.
    pub journeys: Vec<JourneySummary>,
    /// The requests that ended in it.
    pub http: StageHttp,
}

/// The requests that ended in one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageHttp {
    /// Requests of which at least one byte was written.
    pub requests: u64,
    /// Those that ended in a transport error or in a status that was not allowed.
    pub failed: u64,
    /// Total time of the successful ones.
    pub time: LatencySummary,
    /// Total time of the failed ones.
    pub failed_time: LatencySummary,
}
