//! What can be said and done while the run goes on: how it stands, and more or less volume.

use std::time::Duration;

use super::{Action, Controller, Ending, EntryState, LEAD, Outcome, Phase, StopCause};
use crate::id::EntryId;

/// How much of the plan is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct VolumeNow {
    /// Whether it can be changed: the run follows its plan, and an entry has one.
    pub(crate) adjustable: bool,
    /// 1 is the plan as it was written.
    pub(crate) factor: f64,
}

/// How an entry of the scenario stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EntryNow {
    /// The full name of the journey.
    pub(crate) journey: String,
    /// Journeys in flight.
    pub(crate) users: u64,
    /// How many there should be; absent in the open model.
    pub(crate) required_users: Option<f64>,
    /// Starts a second that there should be; absent in the closed model.
    pub(crate) required_rate: Option<f64>,
}

impl Controller {
    /// What the run has come to so far.
    pub(crate) fn so_far(&self) -> Outcome {
        let ending = Ending {
            cause: StopCause::Planned,
            stopped_at: self.results.known_until(),
            broken: self.broken.clone(),
            judges_errors: self.judges_errors,
            silent: 0,
        };
        Outcome {
            volume_changes: self.volume_changes.clone(),
            takeovers: self.takeovers.clone(),
            crew: self.crew.outcome(None),
            ..self.results.so_far(&self.entries, ending)
        }
    }

    /// How each entry stands at `now`, with the journeys that `outcome` says are in flight.
    pub(crate) fn entries_now(&self, now: Duration, outcome: &Outcome) -> Vec<EntryNow> {
        let entries = self.entries.iter().zip(&outcome.entries);
        // What is stopped is to come to its end.
        let asked = f64::from(u8::from(self.phase == Phase::Running));
        entries
            .map(|(entry, outcome)| EntryNow {
                journey: entry.journey.clone(),
                users: outcome.in_flight,
                required_users: entry.planned_users(now).map(|users| users * asked),
                required_rate: entry.planned_rate(now).map(|rate| rate * asked),
            })
            .collect()
    }

    /// How much of the plan is asked for.
    pub(crate) fn volume(&self) -> VolumeNow {
        let mut entries = self.entries.iter();
        VolumeNow {
            adjustable: self.phase == Phase::Running && entries.any(EntryState::is_adjustable),
            factor: self
                .volume_changes
                .last()
                .map_or(1.0, |(_, factor)| *factor),
        }
    }

    /// Asks for `factor` times the plan of each entry that has one, from soon after `now` on.
    ///
    /// Where nothing can be changed nothing is.
    pub(crate) fn change_volume(&mut self, now: Duration, factor: f64) -> Vec<Action> {
        if !self.volume().adjustable {
            return Vec::new();
        }
        let at = now + LEAD;
        let mut targets = Vec::new();
        for entry in &mut self.entries {
            let new = entry.rescale(at, factor);
            targets.extend(new.into_iter().map(|segment| (entry.id, segment)));
        }
        self.volume_changes.push((at, factor));
        let mut actions = vec![Action::Note(format!(
            "the volume is {factor} times the plan from now on"
        ))];
        let targets: Vec<(EntryId, _)> = targets;
        for (entry, segment) in targets {
            self.target(entry, &segment, &mut actions);
        }
        actions
    }
}
