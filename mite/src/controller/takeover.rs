//! Another controller goes on with the run of one that is gone.

use std::time::Duration;

use super::{Action, Controller, Phase};
#[cfg(feature = "nats")]
use crate::{id::RunnerId, link::Cover, stats::Statistics};

/// How long a controller that has taken over waits for runners to say again what was not kept.
const REUNION: Duration = Duration::from_secs(4);

/// Another controller went on with the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Takeover {
    pub(crate) at: Duration,
    /// How long there was none.
    pub(crate) gap: Duration,
}

impl Controller {
    /// This controller goes on where another has left the run.
    pub(crate) fn take_over(&mut self, now: Duration) -> Vec<Action> {
        let gap = now.saturating_sub(self.told_at);
        self.takeovers.push(Takeover { at: now, gap });
        self.results.wait_until(now + REUNION);
        if let Phase::Cut { until } = &mut self.phase {
            *until = now + REUNION;
        }
        vec![Action::Note(format!(
            "this controller goes on with the run, which had none for {:.1} s",
            gap.as_secs_f64()
        ))]
    }

    /// Runners, each of which may be gone by now, counted this in the second before `until`.
    #[cfg(feature = "nats")]
    pub(crate) fn reported(
        &mut self,
        now: Duration,
        covers: Vec<(RunnerId, Cover)>,
        until: u64,
        statistics: Statistics,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        for (runner, cover) in covers {
            self.results.cover(runner, cover);
        }
        self.results.count(until.saturating_sub(1), statistics);
        self.show(now, &mut actions);
        actions
    }
}
