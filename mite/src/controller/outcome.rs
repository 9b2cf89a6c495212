//! What a run came to, for the verdict and the report.

use std::time::Duration;

use super::{
    Second, StopCause, Takeover, busy::BusyWorkers, crew::MemberOutcome, entry::EntryState,
    points::Points, results::Begun, stages::StageOutcome,
};
use crate::{
    scenario::threshold::ThresholdResult,
    stats::Statistics,
    volume::{Finding, FindingKind},
};

/// Everything a run came to.
pub(crate) struct Outcome {
    pub(crate) totals: Statistics,
    pub(crate) entries: Vec<EntryOutcome>,
    pub(crate) points: Points,
    /// Seconds that became known only at the end, and were never shown.
    pub(crate) unshown: Vec<Second>,
    pub(crate) stages: Vec<StageOutcome>,
    pub(crate) thresholds: Vec<ThresholdResult>,
    pub(crate) ending: Ending,
    /// From the start to the last journey's end.
    pub(crate) duration: Duration,
    /// The part of it that totals and thresholds are about.
    pub(crate) measured: Duration,
    /// Workers whose last statistics never came.
    pub(crate) missing: u64,
    pub(crate) busy: BusyWorkers,
    /// When the volume was changed while the run went on, and to how much of the plan.
    pub(crate) volume_changes: Vec<(Duration, f64)>,
    /// When another controller went on with the run.
    pub(crate) takeovers: Vec<Takeover>,
    /// Who took part.
    pub(crate) crew: Vec<MemberOutcome>,
}

impl Outcome {
    /// The worker threads of all who took part.
    pub(crate) fn workers(&self) -> u32 {
        self.crew.iter().map(|member| member.recruit.workers).sum()
    }

    /// Journeys that might be in flight at once, in all runners that were there at the end.
    pub(crate) fn room(&self) -> u64 {
        let there = self.crew.iter().filter(|member| !member.lost);
        there.map(|member| member.recruit.max_in_flight).sum()
    }

    /// The same of the runner that was to have the fewest.
    pub(crate) fn max_in_flight(&self) -> u64 {
        let each = self.crew.iter().map(|member| member.recruit.max_in_flight);
        each.min().unwrap_or(0)
    }
}

/// How the run ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) cause: StopCause,
    /// Nothing that was due at this time or later was started.
    pub(crate) stopped_at: Duration,
    /// What broke.
    pub(crate) broken: Vec<String>,
    /// Whether a threshold says how many failures are too many.
    pub(crate) judges_errors: bool,
    /// Runners that never said goodbye.
    pub(crate) silent: usize,
}

/// What became of the plan of one entry, warm-up included.
#[derive(Clone, Debug)]
pub(crate) struct EntryOutcome {
    pub(crate) journey: String,
    /// Starts that the plan held until the run was stopped.
    pub(crate) planned: u64,
    /// Whether its plan counted users at the end, and not starts.
    pub(crate) counts_users: bool,
    /// Journeys in flight at the end of the last second.
    pub(crate) in_flight: u64,
    pub(crate) started: u64,
    pub(crate) dropped: u64,
    /// Whether journeys waited because the pool had nothing to give.
    pub(crate) starved: bool,
    /// Whether starts were drawn at random, so that their number was known in expectation only.
    pub(crate) random: bool,
    /// Whether the data was used up, which is a planned end.
    pub(crate) exhausted: bool,
    /// Whether its pool broke.
    pub(crate) broken: bool,
    /// What its volume model found out.
    pub(crate) findings: Vec<Finding>,
}

impl EntryOutcome {
    /// Of an entry in a run that was stopped at this time.
    pub(super) fn new(entry: &EntryState, begun: Begun, stopped_at: Duration) -> Self {
        Self {
            journey: entry.journey.clone(),
            planned: if entry.is_exhausted() || entry.is_random() {
                begun.started + begun.dropped
            } else {
                entry.planned_starts(Duration::ZERO, stopped_at)
            },
            counts_users: entry.planned_users(stopped_at).is_some(),
            in_flight: begun.in_flight,
            started: begun.started,
            dropped: begun.dropped,
            starved: entry.is_starved(),
            random: entry.is_random(),
            exhausted: entry.is_exhausted(),
            broken: entry.is_broken(),
            findings: entry.findings(),
        }
    }

    /// Whether it looked for a capacity, and so asked on purpose for more than there may be.
    pub(crate) fn seeks_capacity(&self) -> bool {
        let mut kinds = self.findings.iter().map(|finding| finding.kind);
        kinds.any(|kind| kind == FindingKind::Capacity)
    }

    /// Whether failures were part of what it was after.
    pub(crate) fn provokes_failures(&self) -> bool {
        let mut kinds = self.findings.iter().map(|finding| finding.kind);
        kinds.any(|kind| kind != FindingKind::HeldLatency)
    }

    /// Whether the data was used up and nothing else was amiss with it.
    pub(crate) fn is_used_up(&self) -> bool {
        self.exhausted && !self.starved
    }
}
