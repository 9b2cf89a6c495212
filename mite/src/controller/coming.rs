//! Runners come, leave and get lost: each time the others get other shares of the volume.

use std::time::Duration;

use super::{Action, Controller, LEAD, Phase, StopCause};
use crate::{
    id::RunnerId,
    link::{Order, Recruit},
};

impl Controller {
    /// Those who take part.
    #[cfg(feature = "nats")]
    pub(crate) fn runners(&self) -> Vec<RunnerId> {
        self.crew.present().collect()
    }

    /// A runner takes part from now on: each gets a new share of the volume soon after.
    pub(super) fn join(
        &mut self,
        now: Duration,
        runner: RunnerId,
        recruit: Recruit,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.phase != Phase::Running {
            // It has come too late to do anything, maybe for the next run and fresh from this one:
            // nobody waits for it.
            let order = Order::Cut;
            actions.push(Action::Send { runner, order });
            return actions;
        }
        self.results.join(runner, recruit.workers, now);
        self.crew.join(runner, recruit, now);
        self.share_anew(now, &mut actions);
        actions
    }

    /// A runner was told to end: the others have its share from soon after `now` on.
    pub(super) fn release(&mut self, now: Duration, runner: RunnerId, actions: &mut Vec<Action>) {
        // In its end the run asks nothing more of anybody.
        if self.phase != Phase::Running || !self.crew.release(runner) {
            return;
        }
        let host = self.crew.host(runner);
        actions.push(Action::Note(format!("the runner on {host} leaves the run")));
        if self.crew.is_abandoned() {
            self.drain(now, now, StopCause::Abandoned, actions);
        } else {
            self.share_anew(now, actions);
            let order = Order::Release { at: now + LEAD };
            actions.push(Action::Send { runner, order });
        }
    }

    /// Nothing is heard of a runner any more: what it did since it last reported is not known, and
    /// the others take over its share.
    pub(super) fn lose(&mut self, now: Duration, runner: RunnerId) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.crew.leave(runner, now, true) {
            self.results.lose(runner);
            for entry in &mut self.entries {
                entry.lose(now, runner, &mut actions);
            }
            self.go_on_without(now, &mut actions);
        }
        actions
    }

    /// One runner fewer takes part.
    pub(super) fn go_on_without(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.crew.is_gone() {
            if self.phase == Phase::Running {
                self.broken.push("no runner is left".to_owned());
                self.stop = Some((now, StopCause::Abandoned));
            }
            self.phase = Phase::Finished;
        } else if self.phase == Phase::Running && self.crew.is_abandoned() {
            self.drain(now, now, StopCause::Abandoned, actions);
        } else if self.phase == Phase::Running {
            self.share_anew(now, actions);
        } else if self.crew.is_drained() {
            self.cut_now(now, actions);
        }
    }

    /// Gives each runner its share of what is planned from soon after `now` on.
    pub(super) fn share_anew(&self, now: Duration, actions: &mut Vec<Action>) {
        for entry in &self.entries {
            for segment in entry.planned_from(now + LEAD) {
                self.target(entry.id, &segment, actions);
            }
        }
    }
}
