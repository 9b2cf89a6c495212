//! How the run stands, for whoever looks at it from outside.

use std::{sync::Arc, time::Duration};

use super::{Settings, outcome, suspect::Machines};
use crate::{
    clock::RunClock,
    controller::{Controller, EntryNow, Outcome},
    families::{self, Now, RunState, Source, Standing},
    report::{Batches, Batching, Report},
    serve,
    stats::{MachineFigures, Statistics},
};

/// What of a run stays the same as long as it lasts.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) settings: Arc<Settings>,
    pub(super) clock: RunClock,
    pub(super) warm_up: Duration,
    pub(super) planned: Option<Duration>,
    /// The run as it is cut up.
    pub(super) batching: Option<Batching>,
}

/// What it had come to at one moment.
struct Moment {
    frame: Frame,
    now: Now,
    outcome: Arc<Outcome>,
    figures: MachineFigures,
    /// The last word, when the run is over.
    last: Option<Report>,
}

impl Frame {
    /// How the run stands; what takes time is done by who looks at it.
    pub(super) fn moment(
        &self,
        controller: &Controller,
        figures: MachineFigures,
        stopping: bool,
    ) -> Box<dyn serve::Moment> {
        let outcome = Arc::new(controller.so_far());
        let state = if stopping {
            RunState::Stopping
        } else if outcome.duration < self.warm_up {
            RunState::WarmUp
        } else {
            RunState::Running
        };
        let entries = controller.entries_now(self.clock.elapsed(), &outcome);
        let now = Now {
            planned: controller.planned_duration(),
            ..self.now(&outcome, &figures, state, entries)
        };
        Box::new(Moment {
            frame: self.clone(),
            now,
            outcome,
            figures,
            last: None,
        })
    }

    /// How the run ended.
    pub(super) fn last(
        &self,
        outcome: Arc<Outcome>,
        figures: MachineFigures,
        report: Report,
    ) -> Box<dyn serve::Moment> {
        let entries = outcome.entries.iter().map(|entry| EntryNow {
            journey: entry.journey.clone(),
            users: 0,
            required_users: entry.counts_users.then_some(0.0),
            required_rate: (!entry.counts_users).then_some(0.0),
        });
        let entries = entries.collect();
        let now = self.now(&outcome, &figures, RunState::Over, entries);
        Box::new(Moment {
            frame: self.clone(),
            now,
            outcome,
            figures,
            last: Some(report),
        })
    }

    fn now(
        &self,
        outcome: &Outcome,
        figures: &MachineFigures,
        state: RunState,
        entries: Vec<EntryNow>,
    ) -> Now {
        let thresholds = outcome.thresholds.iter();
        Now {
            scenario: self.settings.name.clone(),
            state,
            started_at: self.clock.started_at(),
            elapsed: outcome.duration,
            measured: outcome.measured,
            planned: self.planned,
            runners: u32::try_from(outcome.crew.len()).unwrap_or(u32::MAX),
            workers: outcome.workers(),
            entries: entries.into_iter().map(entry).collect(),
            thresholds: thresholds
                .map(|result| Standing {
                    expression: self.settings.config.mask(&result.expression),
                    value: result.value,
                    passing: result.passed,
                })
                .collect(),
            volume_factor: outcome
                .volume_changes
                .last()
                .map_or(1.0, |(_, factor)| *factor),
            cpu_seconds: Machines::new(&outcome.crew, figures).together().cpu_seconds,
        }
    }
}

fn entry(entry: EntryNow) -> families::EntryNow {
    families::EntryNow {
        journey: entry.journey,
        users: entry.users,
        required_users: entry.required_users,
        required_rate: entry.required_rate,
    }
}

impl Source for Moment {
    fn now(&self) -> &Now {
        &self.now
    }

    fn totals(&self) -> &Statistics {
        &self.outcome.totals
    }

    fn masked(&self, text: &str) -> String {
        self.frame.settings.config.mask(text)
    }
}

impl serve::Moment for Moment {
    fn report(&self) -> Report {
        let Frame {
            settings, clock, ..
        } = &self.frame;
        self.last.clone().unwrap_or_else(|| {
            outcome::report_so_far(settings, *clock, &self.outcome, &self.figures)
        })
    }

    fn batches(&self) -> Option<Batches> {
        match &self.last {
            Some(report) => report.batches.clone(),
            None => self.frame.batching.as_ref().map(Batching::so_far),
        }
    }
}
