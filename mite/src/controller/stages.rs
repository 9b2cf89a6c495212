//! What each stage of the plan showed, second by second.

use std::time::Duration;

use super::entry::EntryState;
use crate::{
    scenario::threshold::StagesNow,
    stats::{StageStatistics, Statistics},
};

/// A second of the run.
const SECOND: Duration = Duration::from_secs(1);

/// The stages so far, in the order in which they first came.
#[derive(Default)]
pub(super) struct Stages {
    rows: Vec<StageOutcome>,
    now: StagesNow,
}

/// What became of one stage, without what of it lay in the warm-up.
#[derive(Clone, Debug)]
pub(crate) struct StageOutcome {
    pub(crate) name: String,
    /// When it began.
    pub(crate) from: Duration,
    /// When it was over; for the last time, if it came several times.
    pub(crate) until: Duration,
    /// How long it lasted, all times together.
    pub(crate) lasted: Duration,
    /// Starts due in it, by entry.
    pub(crate) planned: Vec<u64>,
    /// Journeys in flight, added up over the ends of its seconds.
    pub(crate) users: u64,
    pub(crate) statistics: StageStatistics,
}

impl Stages {
    /// Finds out in which stages the second from `at` on lies.
    ///
    /// After the plan, what was begun in its last stage comes to its end: that still belongs there,
    /// or the slowest of all would be in no stage.
    pub(super) fn enter(
        &mut self,
        at: Duration,
        entries: &[EntryState],
        stopped: Option<Duration>,
    ) {
        self.now.lasting = stopped.is_none_or(|stopped| at < stopped);
        if self.now.lasting {
            self.now.names = names(entries, at);
        }
    }

    /// The stages that the second which was entered last lies in.
    pub(super) fn now(&self) -> &StagesNow {
        &self.now
    }

    /// Adds the second from `at` on to its stages.
    pub(super) fn follow(&mut self, at: Duration, entries: &[EntryState], second: &Statistics) {
        let end = at + SECOND;
        for name in &self.now.names {
            let index = self.rows.iter().position(|row| row.name == *name);
            let index = index.unwrap_or_else(|| {
                self.rows.push(StageOutcome::new(name, at, entries.len()));
                self.rows.len() - 1
            });
            let Some(row) = self.rows.get_mut(index) else {
                continue;
            };
            row.statistics.follow(second);
            if !self.now.lasting {
                continue;
            }
            row.until = end;
            row.lasted += SECOND;
            for (planned, entry) in row.planned.iter_mut().zip(entries) {
                *planned += entry.planned_starts(at, end);
            }
            let users = second.journeys.values();
            row.users += users.map(|journey| journey.users.in_flight).sum::<u64>();
        }
    }

    /// The stages that have begun.
    pub(super) fn so_far(&self) -> &[StageOutcome] {
        &self.rows
    }

    /// The stages that there were.
    pub(super) fn finish(self) -> Vec<StageOutcome> {
        self.rows
    }
}

impl StageOutcome {
    fn new(name: &str, from: Duration, entries: usize) -> Self {
        Self {
            name: name.to_owned(),
            from,
            until: from,
            lasted: Duration::ZERO,
            planned: vec![0; entries],
            users: 0,
            statistics: StageStatistics::default(),
        }
    }
}

/// The stages the entries are in, each named once.
pub(super) fn names(entries: &[EntryState], at: Duration) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in entries.iter().filter_map(|entry| entry.stage(at)) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
