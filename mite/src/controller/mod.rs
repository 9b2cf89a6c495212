//! How much of each journey there is to be now: a state machine without I/O.
//!
//! It is told the time, what runners say and what pools give; it answers with what is to be done.
//! So hours of a plan can be gone through in a test in milliseconds.

mod busy;
mod coming;
mod crew;
mod entry;
mod observe;
mod outcome;
mod points;
mod results;
mod so_far;
mod stages;
mod takeover;

use std::time::Duration;

pub(crate) use busy::BusyWorkers;
use crew::Crew;
pub(crate) use crew::MemberOutcome;
use entry::EntryState;
pub(crate) use outcome::{Ending, EntryOutcome, Outcome};
pub(crate) use points::{Point, PointTimes};
use results::Results;
pub(crate) use results::Second;
pub(crate) use so_far::EntryNow;
pub(crate) use stages::StageOutcome;
pub(crate) use takeover::Takeover;

use crate::{
    datapool::{Policy, lease},
    id::{EntryId, ItemId, RunnerId},
    link::{Message, Order, Recruit},
    scenario::threshold::{Judge, Threshold},
    stats::Statistics,
    volume::{Observed, VolumeModel, schedule::Segment},
};

#[cfg(test)]
mod tests;

/// How long after the order to cut the controller waits for the last word of a runner.
const FAREWELL: Duration = Duration::from_secs(4);

/// How long after they were decided on other shares and another volume hold: late enough for
/// runners to hear of it in time.
const LEAD: Duration = Duration::from_millis(500);

/// What a controller is made of.
pub(crate) struct ControllerSettings {
    /// The entries of the scenario.
    pub(crate) entries: Vec<ControllerEntry>,
    /// What has to hold.
    pub(crate) thresholds: Vec<Threshold>,
    /// When the plan is cut short, if it is.
    pub(crate) duration: Option<Duration>,
    /// How long journeys may go on when the run is over.
    pub(crate) graceful_stop: Duration,
    /// Kept out of totals and thresholds.
    pub(crate) warm_up: Duration,
    /// How far ahead runners are told of a plan that does not follow the results.
    pub(crate) foresight: Duration,
}

impl ControllerSettings {
    /// How far ahead is enough where nothing can come between controller and runner.
    pub(crate) const FORESIGHT: Duration = Duration::from_secs(2);
}

/// An entry of the scenario, as the controller needs it.
pub(crate) struct ControllerEntry {
    /// The full name of the journey.
    pub(crate) journey: String,
    /// How much of it.
    pub(crate) volume: Box<dyn VolumeModel>,
    /// What becomes of its data.
    pub(crate) policy: Policy,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Tell a runner something.
    Send { runner: RunnerId, order: Order },
    /// Ask the entry's pool for so many items.
    Draw { entry: EntryId, want: usize },
    /// Give items back to the entry's pool.
    Checkin {
        entry: EntryId,
        items: Vec<ItemId>,
        used: bool,
    },
    /// A second of the run is known; show it.
    Show(Box<Second>),
    /// Something a person should know now.
    Note(String),
}

/// Why the run stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// The plan has come to its end.
    Planned,
    /// Somebody stopped it.
    Interrupted,
    /// A journey failed, and the run was to go on no longer than that.
    FirstFailure,
    /// A threshold with `abort` was broken.
    Threshold(String),
    /// A volume model broke, or a failure was to end it.
    Broken(String),
    /// Every runner that was left was told to end.
    Abandoned,
}

/// Where the run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Draining { cut: Duration },
    Cut { until: Duration },
    Finished,
}

/// The controller of one run.
pub(crate) struct Controller {
    entries: Vec<EntryState>,
    crew: Crew,
    results: Results,
    graceful_stop: Duration,
    phase: Phase,
    stop: Option<(Duration, StopCause)>,
    drained_at: Option<Duration>,
    broken: Vec<String>,
    judges_errors: bool,
    /// When the volume was changed, and to how much of the plan.
    volume_changes: Vec<(Duration, f64)>,
    /// When it was told the time last.
    told_at: Duration,
    takeovers: Vec<Takeover>,
}

impl Controller {
    /// A run in which `runners` take part.
    pub(crate) fn new(
        settings: ControllerSettings,
        runners: impl IntoIterator<Item = (RunnerId, Recruit)>,
    ) -> Self {
        let judges_errors = settings.thresholds.iter().any(Threshold::is_on_errors);
        let judge = Judge::new(settings.thresholds);
        let entries = (0..).map(EntryId).zip(settings.entries);
        let entries: Vec<_> = entries
            .map(|(id, entry)| EntryState::new(id, entry, settings.duration, settings.foresight))
            .collect();
        let mut results = Results::new(judge, settings.warm_up, &entries);
        let mut crew = Crew::default();
        for (runner, recruit) in runners {
            results.join(runner, recruit.workers, Duration::ZERO);
            crew.join(runner, recruit, Duration::ZERO);
        }
        Self {
            entries,
            crew,
            results,
            graceful_stop: settings.graceful_stop,
            phase: Phase::Running,
            stop: None,
            drained_at: None,
            broken: Vec::new(),
            judges_errors,
            volume_changes: Vec::new(),
            told_at: Duration::ZERO,
            takeovers: Vec::new(),
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        self.told_at = now;
        if self.phase == Phase::Running {
            for entry in &mut self.entries {
                entry.look_after_data(now);
            }
            self.plan(now, &mut actions);
            if let Some(end) = self.end_of_plan().filter(|end| *end <= now) {
                self.dismiss(&mut actions);
                self.drain(end, now, StopCause::Planned, &mut actions);
            }
        }
        self.show(now, &mut actions);
        match self.phase {
            Phase::Draining { cut } if now >= cut => self.cut_now(now, &mut actions),
            Phase::Cut { until } if now >= until => self.phase = Phase::Finished,
            _ => {}
        }
        actions
    }

    /// A runner said something.
    pub(crate) fn hear(&mut self, now: Duration, from: RunnerId, message: Message) -> Vec<Action> {
        let mut actions = Vec::new();
        if !self.crew.has(from) {
            if let Message::Hello(recruit) = message {
                return self.join(now, from, recruit);
            }
            return actions;
        }
        match message {
            Message::Snapshot(snapshot) => {
                self.results.add(from, *snapshot);
                self.show(now, &mut actions);
            }
            Message::Data { entry, report } => {
                if let Some(entry) = self.entries.get_mut(entry.index()) {
                    entry.report(now, from, report, &mut actions);
                }
            }
            Message::Drained => {
                self.crew.drained(from);
                if self.phase != Phase::Running && self.crew.is_drained() {
                    self.cut_now(now, &mut actions);
                }
            }
            Message::Bye | Message::Died => {
                if self.crew.leave(from, now, false) {
                    for entry in &mut self.entries {
                        entry.leave(now, from, &mut actions);
                    }
                    self.go_on_without(now, &mut actions);
                }
            }
            Message::Leaving => self.release(now, from, &mut actions),
            Message::Lost => actions.extend(self.lose(now, from)),
            Message::Machine(figures) => self.crew.note(from, figures),
            Message::Sending => {
                if let Phase::Cut { until } = &mut self.phase {
                    *until = now + FAREWELL;
                }
            }
            // That it was heard is the answer; what was sent elsewhere concerns the report alone.
            Message::StoodStill | Message::Hello(_) | Message::Sent(_) => {}
        }
        actions
    }

    /// A pool answered a [`Action::Draw`].
    pub(crate) fn supply(
        &mut self,
        now: Duration,
        entry: EntryId,
        items: Vec<lease::Item>,
        exhausted: bool,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(entry) = self.entries.get_mut(entry.index()) {
            entry.supply(now, items, exhausted, &mut actions);
        }
        actions
    }

    /// A pool broke: its entry is over, and the run cannot pass.
    pub(crate) fn pool_broke(&mut self, now: Duration, entry: EntryId, why: &str) -> Vec<Action> {
        let Some(state) = self.entries.get(entry.index()) else {
            return Vec::new();
        };
        let reason = format!("the datapool of {} broke: {why}", state.journey);
        let mut actions = vec![Action::Note(reason.clone())];
        self.broken.push(reason);
        actions.extend(self.supply(now, entry, Vec::new(), true));
        if let Some(state) = self.entries.get_mut(entry.index()) {
            let segment = state.break_off(now);
            self.target(entry, &segment, &mut actions);
        }
        actions
    }

    /// Stops the run gracefully.
    pub(crate) fn stop(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.phase == Phase::Running {
            self.drain(now, now, StopCause::Interrupted, &mut actions);
        }
        actions
    }

    /// Stops the run at once.
    pub(crate) fn cut(&mut self, now: Duration, cause: StopCause) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.phase == Phase::Running {
            self.drain(now, now, cause, &mut actions);
        }
        self.cut_now(now, &mut actions);
        actions
    }

    /// Whether everything is over and everything that can be known is known.
    pub(crate) fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// How many entries the scenario has.
    pub(crate) fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// How long the plan lasts, if that is known.
    pub(crate) fn planned_duration(&self) -> Option<Duration> {
        self.entries
            .iter()
            .map(EntryState::planned_duration)
            .try_fold(Duration::ZERO, |longest, duration| {
                duration.map(|duration| longest.max(duration))
            })
    }

    /// When the stage that `at` lies in is over, to the second, if the plan is known so far.
    pub(crate) fn stage_end(&self, at: Duration) -> Option<Duration> {
        let end = self.planned_duration()?;
        let names = |at| stages::names(&self.entries, at);
        let stage = names(at);
        let mut later = at;
        while !stage.is_empty() && later < end && names(later) == stage {
            later += Duration::from_secs(1);
        }
        Some(later.min(end))
    }

    /// What was counted since the warm-up, up to the last second that is known, and how long that is.
    pub(crate) fn measured(&self) -> (&Statistics, Duration) {
        self.results.measured()
    }

    /// Gives all data back to its pools, once the run is over.
    pub(crate) fn close(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        for entry in &mut self.entries {
            entry.close(&mut actions);
        }
        actions
    }

    /// What the run came to.
    pub(crate) fn finish(self, now: Duration) -> Outcome {
        let (stopped_at, cause) = self.stop.unwrap_or((now, StopCause::Interrupted));
        let ending = Ending {
            cause,
            stopped_at,
            broken: self.broken,
            judges_errors: self.judges_errors,
            silent: self.crew.present().count(),
        };
        let drained_at = self.drained_at.unwrap_or(now);
        Outcome {
            volume_changes: self.volume_changes,
            takeovers: self.takeovers,
            crew: self.crew.outcome(self.drained_at),
            ..self.results.finish(&self.entries, ending, drained_at)
        }
    }

    /// Asks the models for what comes next and passes it on.
    fn plan(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let mut broken = Vec::new();
        let mut targets = Vec::new();
        for entry in &mut self.entries {
            match entry.advance(now, self.results.observed(entry.id)) {
                Ok(segments) => {
                    targets.extend(segments.into_iter().map(|segment| (entry.id, segment)));
                }
                Err(error) => broken.push(format!("the volume of {}: {error}", entry.journey)),
            }
        }
        for (entry, segment) in targets {
            self.target(entry, &segment, actions);
        }
        if let Some(why) = broken.pop() {
            actions.push(Action::Note(why.clone()));
            self.broken.push(why.clone());
            self.drain(now, now, StopCause::Broken(why), actions);
        }
    }

    fn target(&self, entry: EntryId, segment: &Segment, actions: &mut Vec<Action>) {
        for (runner, share) in self.crew.shares() {
            let order = Order::Target {
                entry,
                segment: segment.clone(),
                share,
            };
            actions.push(Action::Send { runner, order });
        }
    }

    /// When the last entry is over, once that is known of all of them.
    fn end_of_plan(&self) -> Option<Duration> {
        self.entries
            .iter()
            .map(EntryState::over_at)
            .try_fold(Duration::ZERO, |latest, over| {
                over.map(|over| latest.max(over))
            })
    }

    /// Tells everybody of pools that are used up: who does not know waits for data, and at the end
    /// would count as dropped what was never to be.
    fn dismiss(&self, actions: &mut Vec<Action>) {
        for entry in self.entries.iter().filter(|entry| entry.is_exhausted()) {
            let order = Order::Data {
                entry: entry.id,
                order: lease::Order::Exhausted,
            };
            self.tell_all(&order, actions);
        }
    }

    /// Begins the end: nothing that is due at `at` or later is started.
    fn drain(&mut self, at: Duration, now: Duration, cause: StopCause, actions: &mut Vec<Action>) {
        self.stop = Some((at, cause));
        self.phase = Phase::Draining {
            cut: now + self.graceful_stop,
        };
        self.tell_all(&Order::Drain { at }, actions);
    }

    fn cut_now(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Running | Phase::Draining { .. }) {
            self.drained_at = Some(now);
            self.phase = Phase::Cut {
                until: now + FAREWELL,
            };
            self.tell_all(&Order::Cut, actions);
        }
    }

    /// Shows the seconds that have become known, and stops where a threshold says so.
    fn show(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let stopped = self.stop.as_ref().map(|(at, _)| *at);
        for (second, aborting) in self.results.complete(now, &self.entries, stopped) {
            actions.push(Action::Show(Box::new(second)));
            if let Some(expression) = aborting.filter(|_| self.phase == Phase::Running) {
                actions.push(Action::Note(format!(
                    "{expression} does not hold: stopping"
                )));
                self.drain(now, now, StopCause::Threshold(expression), actions);
            }
        }
    }

    fn tell_all(&self, order: &Order, actions: &mut Vec<Action>) {
        for runner in self.crew.present() {
            actions.push(Action::Send {
                runner,
                order: order.clone(),
            });
        }
    }
}
