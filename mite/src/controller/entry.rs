//! One entry of the scenario, as the controller sees it: its plan and its data.

use std::time::Duration;

use super::{Action, ControllerEntry, Observed};
use crate::{
    datapool::{
        Policy,
        broker::{self, Broker},
        lease,
    },
    error::catch,
    id::{EntryId, RunnerId},
    link::Order,
    volume::{
        Finding, Unit, VolumeError,
        schedule::{Planner, Segment},
    },
};

/// How far ahead a model is asked that follows the results: late enough for those of the second
/// before to be there, early enough for runners to hear of it in time.
const FOLLOWING_LEAD: Duration = Duration::from_millis(500);

/// How long journeys wait for data before their pool is called too small; items on their way from
/// one worker to another take less.
const STARVING: Duration = Duration::from_millis(200);

/// The plan of an entry and who holds which of its data.
pub(super) struct EntryState {
    pub(super) id: EntryId,
    pub(super) journey: String,
    planner: Planner,
    /// Whether the model follows the results.
    follows: bool,
    /// How far ahead runners are told what is to come, if it does not.
    foresight: Duration,
    broker: Broker<RunnerId>,
    /// Whether there is no more data to be had.
    exhausted: bool,
    /// When the last of the data was used, or the pool broke.
    over_at: Option<Duration>,
    /// Whether journeys have had to wait because the pool had nothing to give.
    starved: bool,
    starving_since: Option<Duration>,
    /// Whether the pool had nothing more to give when it was last asked.
    dry: bool,
    /// Whether the pool broke.
    broken: bool,
}

impl EntryState {
    pub(super) fn new(
        id: EntryId,
        entry: ControllerEntry,
        limit: Option<Duration>,
        foresight: Duration,
    ) -> Self {
        Self {
            id,
            journey: entry.journey,
            follows: entry.volume.follows_results(),
            foresight,
            planner: Planner::new(entry.volume).limit(limit),
            broker: Broker::over_pool(entry.policy),
            exhausted: false,
            over_at: None,
            starved: false,
            starving_since: None,
            dry: false,
            broken: false,
        }
    }

    /// Plans what runners have to know at `now` and gives what is new.
    pub(super) fn advance(
        &mut self,
        now: Duration,
        observed: &Observed,
    ) -> Result<Vec<Segment>, VolumeError> {
        if self.over_at.is_some() {
            return Ok(Vec::new());
        }
        let until = now
            + match self.follows {
                true => FOLLOWING_LEAD,
                false => self.foresight,
            };
        let planner = &mut self.planner;
        catch(|| planner.advance(until, observed))
            .unwrap_or_else(|panic| Err(VolumeError::new(panic.to_string())))
    }

    /// Whether its volume can be raised and lowered: a model that follows the results decides alone.
    pub(super) fn is_adjustable(&self) -> bool {
        !self.follows
    }

    /// Plans `factor` times what its model says from `at` on, and gives what is new.
    pub(super) fn rescale(&mut self, at: Duration, factor: f64) -> Vec<Segment> {
        if self.follows || self.over_at.is_some() {
            return Vec::new();
        }
        self.planner.rescale(at, factor)
    }

    /// What is planned from `at` on, as far as that is known.
    pub(super) fn planned_from(&self, at: Duration) -> Vec<Segment> {
        if self.over_at.is_some() {
            return Vec::new();
        }
        self.planner.planned_from(at)
    }

    /// A runner says something about its data.
    pub(super) fn report(
        &mut self,
        now: Duration,
        from: RunnerId,
        report: lease::Report,
        actions: &mut Vec<Action>,
    ) {
        let todo = self.broker.report(from, report);
        self.act(now, todo, actions);
    }

    /// A runner has said its last word.
    pub(super) fn leave(&mut self, now: Duration, runner: RunnerId, actions: &mut Vec<Action>) {
        let todo = self.broker.leave(runner, lease::Report::default());
        self.act(now, todo, actions);
    }

    /// Nothing is heard of a runner any more.
    pub(super) fn lose(&mut self, now: Duration, runner: RunnerId, actions: &mut Vec<Action>) {
        let todo = self.broker.lost(runner);
        self.act(now, todo, actions);
    }

    /// The run is over: everything goes back to the pool.
    pub(super) fn close(&mut self, actions: &mut Vec<Action>) {
        let broker = std::mem::replace(&mut self.broker, Broker::over_pool(Policy::Shared));
        let entry = self.id;
        for action in broker.close() {
            if let broker::Action::Checkin { items, used } = action {
                actions.push(Action::Checkin { entry, items, used });
            }
        }
    }

    /// The pool gave something.
    pub(super) fn supply(
        &mut self,
        now: Duration,
        items: Vec<lease::Item>,
        exhausted: bool,
        actions: &mut Vec<Action>,
    ) {
        self.dry = items.is_empty() || exhausted;
        let todo = self.broker.supply(items, exhausted);
        self.act(now, todo, actions);
    }

    /// Ends the entry now, whatever was planned: its pool broke.
    pub(super) fn break_off(&mut self, now: Duration) -> Segment {
        self.broken = true;
        self.over_at = self.over_at.or(Some(now));
        Segment {
            from: now,
            until: None,
            unit: self.planner.unit_at(now),
            start: 0.0,
            end: 0.0,
            base: self.planner.cumulative(now),
            poisson: false,
        }
    }

    /// Takes note of journeys that have been waiting for data for a while.
    pub(super) fn look_after_data(&mut self, now: Duration) {
        let starving = self.dry && !self.exhausted && self.broker.counts().starved > 0;
        self.starving_since = starving.then(|| self.starving_since.unwrap_or(now));
        self.starved |= self
            .starving_since
            .is_some_and(|since| now.saturating_sub(since) >= STARVING);
    }

    /// When the entry is over, once that is known.
    pub(super) fn over_at(&self) -> Option<Duration> {
        [self.over_at, self.planner.ended_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// How long the plan lasts, if that is known.
    pub(super) fn planned_duration(&self) -> Option<Duration> {
        self.over_at.or_else(|| self.planner.duration())
    }

    /// Whether the plan ended because the data did.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Whether the pool was too small for the volume.
    pub(super) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Whether the plan ended because the pool broke.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Starts due in `[from, to)`.
    pub(super) fn planned_starts(&self, from: Duration, to: Duration) -> u64 {
        self.planner
            .planned_starts(from, to.min(self.over_at.unwrap_or(to)))
    }

    /// Whether its model follows the results.
    pub(super) fn follows_results(&self) -> bool {
        self.follows
    }

    /// What its model has found out.
    pub(super) fn findings(&self) -> Vec<Finding> {
        // A model that panics has found nothing that could be told.
        catch(|| self.planner.findings()).unwrap_or_default()
    }

    /// Whether starts are drawn at random, so that their number is known in expectation only.
    pub(super) fn is_random(&self) -> bool {
        self.planner.is_poisson()
    }

    /// Planned starts a second at `at`; none for an entry of the closed model.
    pub(super) fn planned_rate(&self, at: Duration) -> Option<f64> {
        (self.planner.unit_at(at) == Unit::PerSecond).then(|| self.planner.level_at(at))
    }

    /// Planned users at `at`; none for an entry of the open model.
    pub(super) fn planned_users(&self, at: Duration) -> Option<f64> {
        (self.planner.unit_at(at) == Unit::Users).then(|| self.planner.level_at(at))
    }

    /// The name of the stage at `at`.
    pub(super) fn stage(&self, at: Duration) -> Option<&str> {
        self.planner.stage(at)
    }

    fn act(
        &mut self,
        now: Duration,
        todo: Vec<broker::Action<RunnerId>>,
        actions: &mut Vec<Action>,
    ) {
        let entry = self.id;
        for action in todo {
            match action {
                broker::Action::Order(holder, order) => {
                    self.exhausted |= order == lease::Order::Exhausted;
                    let order = Order::Data { entry, order };
                    actions.push(Action::Send {
                        runner: holder,
                        order,
                    });
                }
                broker::Action::Draw(want) => actions.push(Action::Draw { entry, want }),
                broker::Action::Checkin { items, used } => {
                    actions.push(Action::Checkin { entry, items, used });
                }
                // Only a relay reports to a broker above it.
                broker::Action::Report(_) => {}
            }
        }
        if self.exhausted && self.broker.is_empty() {
            self.over_at = self.over_at.or(Some(now));
        }
    }
}
