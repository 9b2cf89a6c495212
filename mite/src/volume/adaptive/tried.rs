//! A step of which it is known whether it was good.

use std::time::Duration;

use super::{
    super::{Step, Stretch, Unit},
    attempt::Attempt,
    criterion::{Criteria, Subject},
    doubt::doubt,
    share::{Share, pooled},
};

/// What is told of a step on which throughput no longer rose.
const SATURATED: &str = "more users bring no more throughput";

/// A step that is over.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) step: Step,
    /// Why it may have shown the limit of the load generator.
    pub(super) doubt: Option<String>,
    /// What lay beyond the limits: of each criterion, by second.
    pub(super) evidence: Vec<Vec<Share>>,
    /// Whether it was good but for the throughput of the other steps.
    is_good_alone: bool,
}

impl Tried {
    pub(super) fn of(attempt: &Attempt, criteria: &Criteria, unit: Unit) -> Self {
        let judged = attempt.judge(criteria, unit);
        let good = judged.is_good();
        Self {
            step: Step {
                good,
                why: judged.why,
                ..step(attempt.since, attempt.level, &attempt.stretch, criteria)
            },
            doubt: doubt(&attempt.stretch, attempt.level, unit),
            evidence: attempt.evidence.clone(),
            is_good_alone: good,
        }
    }

    pub(super) fn seconds(&self) -> u64 {
        self.step.measured.as_secs()
    }

    /// Whether it was bad for a reason that is no matter of shares.
    pub(super) fn is_outright_bad(&self) -> bool {
        !self.step.good
            && self
                .evidence
                .iter()
                .all(|seconds| pooled(seconds).is_good())
    }

    /// The other steps have shown whether there are more users than the server has use for.
    pub(super) fn is_saturated(&mut self, saturated: bool) {
        if self.is_good_alone {
            self.step.good = !saturated;
            self.step.why = saturated.then(|| SATURATED.to_owned());
        }
    }
}

/// What a volume has shown.
pub(super) fn step(at: Duration, level: f64, stretch: &Stretch, criteria: &Criteria) -> Step {
    // A journey without requests still has times of its own.
    let times = match criteria.subject {
        Subject::Http if stretch.http.count() > 0 => &stretch.http,
        _ => &stretch.response,
    };
    Step {
        at,
        measured: Duration::from_secs(stretch.seconds),
        volume: level,
        throughput: stretch.completed_per_second(),
        error_rate: stretch.error_rate(),
        p50: times.quantile(0.5),
        p95: times.quantile(0.95),
        p99: times.quantile(0.99),
        good: true,
        why: None,
    }
}
