//! Watches the thresholds of a run second by second and gives the result at the end.

use std::{collections::VecDeque, time::Duration};

use super::{Evaluation, Threshold, ThresholdResult, measure::Measured};
use crate::stats::Statistics;

/// How far a window may be from its length: ticks of a second are a little early or late.
const TOLERANCE: Duration = Duration::from_millis(100);

/// The stages of the plan that a second lies in.
#[derive(Clone, Debug, Default)]
pub(crate) struct StagesNow {
    pub(crate) names: Vec<String>,
    /// Whether they still last, and not just what was begun in them.
    pub(crate) lasting: bool,
}

/// The thresholds of a run, with what windows have shown so far.
///
/// It counts from the end of the warm-up: neither the seconds it is fed nor the totals have anything
/// of before.
#[derive(Debug)]
pub(crate) struct Judge {
    watches: Vec<Watch>,
    elapsed: Duration,
}

impl Judge {
    /// Thresholds in the order in which results are wanted.
    pub(crate) fn new(thresholds: Vec<Threshold>) -> Self {
        Self {
            watches: thresholds.into_iter().map(Watch::new).collect(),
            elapsed: Duration::ZERO,
        }
    }

    /// Takes in what the time since the last call showed, and the totals with it.
    ///
    /// Says which threshold, if any, now ends the run: the place of the first such one.
    pub(crate) fn second(
        &mut self,
        interval: &Statistics,
        totals: &Statistics,
        elapsed: Duration,
        stages: &StagesNow,
    ) -> Option<usize> {
        let length = elapsed.saturating_sub(self.elapsed);
        self.elapsed = elapsed;
        let mut aborting = None;
        for (index, watch) in self.watches.iter_mut().enumerate() {
            let broken = watch.follow_stage(interval, length, stages)
                && match watch.threshold.window() {
                    Some(window) => watch.slide(window, interval, length, elapsed),
                    None => watch.breaks_already(totals, elapsed),
                };
            let due = watch
                .threshold
                .abort()
                .is_some_and(|abort| elapsed >= abort.after);
            if broken && due {
                aborting.get_or_insert(index);
            }
        }
        aborting
    }

    /// How each threshold came out, in their order.
    pub(crate) fn finish(&self, totals: &Statistics, elapsed: Duration) -> Vec<ThresholdResult> {
        let results = self.watches.iter().map(|watch| {
            let Evaluation { value, passed } = watch.result(totals, elapsed);
            ThresholdResult {
                expression: watch.threshold.to_string(),
                value,
                passed,
                now: watch.window_now.unwrap_or(value),
                broke_at: watch
                    .broke_at
                    .or((watch.can_break() && value.is_some()).then_some(elapsed))
                    .filter(|_| !passed),
            }
        });
        results.collect()
    }
}

#[derive(Debug)]
struct Watch {
    threshold: Threshold,
    /// All that its stage has shown, and how long that has lasted.
    of_stage: (Measured, Duration),
    intervals: VecDeque<(Duration, Measured)>,
    covered: Duration,
    /// Whether there has been anything to measure yet.
    begun: bool,
    /// The verdict over all full windows, with the worst value.
    windows: Option<Evaluation>,
    /// What the last window showed, once there is any.
    window_now: Option<Option<f64>>,
    /// Whether it has ever held.
    held: bool,
    /// Since when it does not hold; of one with windows, when the first broke it.
    broke_at: Option<Duration>,
    /// How it came out over the run when that was so old.
    judged: Option<(Duration, Evaluation)>,
}

impl Watch {
    fn new(threshold: Threshold) -> Self {
        Self {
            threshold,
            of_stage: Default::default(),
            intervals: VecDeque::new(),
            covered: Duration::ZERO,
            begun: false,
            windows: None,
            window_now: None,
            held: false,
            broke_at: None,
            judged: None,
        }
    }

    /// Takes in what its stage showed, and says whether the stage lasts; without one, the run is it.
    ///
    /// A window does not go on over the time between two stages of the same name.
    fn follow_stage(&mut self, interval: &Statistics, length: Duration, now: &StagesNow) -> bool {
        let Some(stage) = self.threshold.stage() else {
            return true;
        };
        let inside = now.names.iter().any(|name| name == stage);
        if inside {
            let (measured, elapsed) = &mut self.of_stage;
            measured.merge(&self.threshold.measure(interval));
            if now.lasting {
                *elapsed += length;
            }
        } else {
            self.intervals.clear();
            self.covered = Duration::ZERO;
        }
        inside && now.lasting
    }

    /// How it comes out over its stage, or over the whole run.
    fn evaluate(&self, totals: &Statistics, elapsed: Duration) -> Evaluation {
        if let Some((at, evaluation)) = self.judged
            && at == elapsed
        {
            return evaluation;
        }
        if self.threshold.stage().is_none() {
            return self.threshold.evaluate(totals, elapsed);
        }
        let (measured, elapsed) = &self.of_stage;
        self.threshold
            .judge(measured.value(&self.threshold, *elapsed))
    }

    /// Whether the totals break it; a run in which nothing has happened yet breaks nothing.
    fn breaks_already(&mut self, totals: &Statistics, elapsed: Duration) -> bool {
        self.judged = None;
        let evaluation = self.evaluate(totals, elapsed);
        self.judged = Some((elapsed, evaluation));
        let broken = evaluation.value.is_some() && !evaluation.passed;
        self.held |= evaluation.passed;
        if evaluation.passed {
            self.broke_at = None;
        } else if broken && self.can_break() {
            self.broke_at.get_or_insert(elapsed);
        }
        broken
    }

    /// Whether it may be said to break: at the start there are never as many as there are to be.
    fn can_break(&self) -> bool {
        self.held || self.threshold.operator.is_upper_bound()
    }

    /// Moves the window on and says whether it is full and breaks the threshold.
    ///
    /// Windows before the first sample are not judged; a later one without a sample is a stall.
    fn slide(
        &mut self,
        window: Duration,
        interval: &Statistics,
        length: Duration,
        elapsed: Duration,
    ) -> bool {
        let mut measured = self.threshold.measure(interval);
        if let Some((_, before)) = self.intervals.back() {
            measured.keep_gauge(before);
        }
        self.begun |= !measured.is_empty();
        self.covered += length;
        self.intervals.push_back((length, measured));
        while let Some(&(oldest, _)) = self.intervals.front()
            && self.covered - oldest + TOLERANCE >= window
        {
            self.covered -= oldest;
            self.intervals.pop_front();
        }
        let value = self.window_value();
        self.window_now = Some(value);
        if self.covered + TOLERANCE < window {
            return false;
        }
        let evaluation = self.threshold.judge(value);
        if evaluation.value.is_none() && !self.begun {
            return false;
        }
        self.take_note(evaluation);
        if !evaluation.passed {
            self.broke_at.get_or_insert(elapsed);
        }
        !evaluation.passed
    }

    fn window_value(&self) -> Option<f64> {
        let mut sum = Measured::default();
        for (_, measured) in &self.intervals {
            sum.merge(measured);
        }
        sum.value(&self.threshold, self.covered)
    }

    fn take_note(&mut self, now: Evaluation) {
        let Some(worst) = &mut self.windows else {
            self.windows = Some(now);
            return;
        };
        worst.passed &= now.passed;
        let limit = self.threshold.limit.value;
        worst.value = match (worst.value, now.value) {
            (Some(before), Some(value))
                if !self.threshold.operator.is_worse(value, before, limit) =>
            {
                Some(before)
            }
            (before, value) => value.or(before),
        };
    }

    /// A run or a stage shorter than the window is judged as one window.
    fn result(&self, totals: &Statistics, elapsed: Duration) -> Evaluation {
        self.windows
            .unwrap_or_else(|| self.evaluate(totals, elapsed))
    }
}
