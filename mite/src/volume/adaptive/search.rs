//! The search for a capacity: up in doubling steps until one is bad, then closer and closer.

use std::time::Duration;

use super::{
    super::{
        Conclusion, Finding, FindingKind, MOST_PER_SECOND, Observed, Unit, VolumeError, Window,
    },
    Answer, Bounds,
    attempt::{Attempt, End, PATIENCE, StepPlan},
    border::{Border, dispersions},
    criterion::{Criteria, Criterion, TOO_MANY_ERRORS},
    tried::Tried,
};

/// By how much the volume is raised from one good step to the next.
const GROWTH: f64 = 2.0;
/// The part of the highest throughput of users from which on it counts as reached.
const PLATEAU: f64 = 0.97;
/// The part of what is added to the users that throughput has to rise by, or it has stopped.
const LEAST_RISE: f64 = 0.1;
/// How far what came through may be below what was asked for before it tells the capacity.
const OVERRUN: f64 = 0.9;
/// The part of what came through in an overload that is tried next.
const CAUTION: f64 = 0.98;
/// How often volumes at the limit are measured again while it is not sure on which side they are.
const CONFIRMATIONS: u32 = 10;
/// Standard deviations from the limit at which a good repetition makes a bad step a hiccup.
const REFUTED: f64 = 2.0;
/// How far from the limit it is to be sure, in precisions.
const SURE_WITHIN: f64 = 1.0;
/// How often a volume is drawn out as far as it may be before it is taken to lie at the limit itself.
const TRIALS: u32 = 4;
/// How long a search may take when nothing is said.
const AT_MOST: Duration = Duration::from_secs(600);

/// How a search is to go, and how far it is.
#[derive(Clone, Debug)]
pub(in crate::volume) struct Search {
    pub(super) unit: Unit,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) criteria: Criteria,
    /// Whether anything was said that ends it.
    pub(super) has_criterion: bool,
    pub(super) step_time: Duration,
    pub(super) settle: Option<Duration>,
    pub(super) precision: f64,
    pub(super) at_most: Duration,
    /// When it has to be over.
    deadline: Duration,
    phase: Phase,
    tried: Vec<Tried>,
    /// A bad step that may have been a hiccup, while it is repeated.
    set_aside: Option<Tried>,
    /// How often a volume was measured again to be surer of it.
    confirmed: u32,
    /// Whether the throughput of users has stopped rising.
    stopped_rising: bool,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Nothing has been asked for yet.
    Before,
    /// A volume is kept and measured.
    Step(Box<Attempt>),
    /// Nothing is asked for, until what an overload left behind is gone.
    Drain { since: Duration, next: Next },
    /// It is over.
    Over(Conclusion),
}

/// The volume of the next step.
#[derive(Clone, Copy, Debug)]
struct Next {
    level: f64,
    /// Whether it is measured for the second time.
    again: bool,
    /// Whether it was guessed from what came through in an overload.
    guessed: bool,
}

impl Search {
    pub(super) fn new(unit: Unit, from: f64, to: f64) -> Self {
        Self {
            unit,
            from,
            to,
            criteria: Criteria {
                all: vec![Criterion::Errors {
                    limit: TOO_MANY_ERRORS,
                }],
                ..Criteria::default()
            },
            has_criterion: false,
            step_time: Duration::from_secs(10),
            settle: None,
            precision: 0.05,
            at_most: AT_MOST,
            deadline: Duration::MAX,
            phase: Phase::Before,
            tried: Vec::new(),
            set_aside: None,
            confirmed: 0,
            stopped_rising: false,
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            unit: self.unit,
            low: self.from,
            high: self.to,
            aim: format!("raised while {}", self.criteria),
        }
    }

    /// The volume of a window, by what is known when it is asked for.
    pub(super) fn answer(&mut self, window: Window, observed: &Observed) -> Answer {
        let now = window.start;
        let plan = StepPlan {
            time: self.step_time,
            is_rising: self.tried.iter().all(|tried| tried.step.good),
        };
        match &mut self.phase {
            Phase::Before => {
                self.deadline = now.saturating_add(self.at_most);
                self.begin(first(self.from), now);
            }
            Phase::Step(attempt) => {
                attempt.read(observed, &self.criteria, self.unit);
                let steps = self.tried.iter().map(|tried| tried.evidence.as_slice());
                let steps: Vec<_> = steps.chain([attempt.evidence.as_slice()]).collect();
                let dispersions = dispersions(&steps);
                if let Some(end) = attempt.end(&self.criteria, self.unit, plan, &dispersions) {
                    let is_surely_good = attempt.is_good_by(REFUTED, &dispersions);
                    self.conclude(end, is_surely_good, now);
                }
            }
            Phase::Drain { since, next } => {
                let (since, next) = (*since, *next);
                let last = observed.seconds_from(since).last();
                let patience = (self.settle() + self.step_time) * 2;
                if last.is_some_and(|second| second.in_flight == 0) || now >= since + patience {
                    self.begin(next, now);
                }
            }
            Phase::Over(_) => {}
        }
        match &self.phase {
            Phase::Step(attempt) => Answer::go_on(attempt.level),
            Phase::Before | Phase::Drain { .. } => Answer::go_on(0.0),
            Phase::Over(_) => Answer {
                level: 0.0,
                is_last: true,
            },
        }
    }

    fn begin(&mut self, next: Next, now: Duration) {
        let mut attempt = Attempt::new(next.level, now, self.settle());
        attempt.again = next.again;
        attempt.guessed = next.guessed;
        self.phase = Phase::Step(Box::new(attempt));
    }

    /// A step is over: what now?
    fn conclude(&mut self, end: End, is_surely_good: bool, now: Duration) {
        let Phase::Step(attempt) = &self.phase else {
            return;
        };
        let (level, guessed) = (attempt.level, attempt.guessed);
        let tried = Tried::of(attempt, &self.criteria, self.unit);
        if end == End::Retry {
            self.set_aside = Some(tried);
            let next = Next {
                level,
                guessed,
                again: true,
            };
            self.phase = Phase::Drain { since: now, next };
            return;
        }
        let is_good = tried.step.good;
        // What a good repetition refutes was a hiccup; of what it does not, both count.
        let before = self.set_aside.take();
        self.tried.extend(before.filter(|_| !is_surely_good));
        self.tried.push(tried);
        self.watch_throughput();
        self.phase = match self.next(guessed, now) {
            Err(conclusion) => Phase::Over(conclusion),
            Ok(next) if is_good => {
                self.confirmed += u32::from(next.again);
                self.begin(next, now);
                return;
            }
            Ok(next) => {
                self.confirmed += u32::from(next.again);
                Phase::Drain { since: now, next }
            }
        };
    }

    /// The volume to try next, or how the search ends.
    fn next(&self, guessed: bool, now: Duration) -> Result<Next, Conclusion> {
        let border = Border::of(&self.tried);
        let (low, high) = border.bracket();
        let (low, high) = match (low, high) {
            (None, high) => {
                let surely_bad = border.sure().1 == high;
                let again = high.filter(|_| !surely_bad && self.may_confirm(now));
                return again.map(confirmation).ok_or(Conclusion::Below);
            }
            (Some(low), None) if low >= self.to => return Err(Conclusion::AtLeast),
            (Some(low), None) => return Ok(first(self.round(low * GROWTH).min(self.to))),
            (Some(low), Some(high)) => (low, high),
        };
        let middle = self.round((low * high).sqrt());
        if high <= low * (1.0 + self.precision) || middle <= low || middle >= high {
            return self.confirm(&border, (low, high), now);
        }
        let margin = 1.0 + self.precision / 2.0;
        let inside = |level: f64| low * margin < level && level < high / margin;
        if let Some(level) = self.guess().filter(|level| inside(*level)) {
            return Ok(Next {
                guessed: true,
                ..first(level)
            });
        }
        let just_above = self.round(low * (1.0 + self.precision * 0.9));
        if guessed && inside(just_above) {
            return Ok(first(just_above));
        }
        Ok(first(middle))
    }

    /// Measures again what lies at the limit, until it is sure enough or there is no time left.
    fn confirm(
        &self,
        border: &Border,
        (low, high): (f64, f64),
        now: Duration,
    ) -> Result<Next, Conclusion> {
        let near = 1.0 + self.precision * SURE_WITHIN;
        let (surely_good, surely_bad) = border.sure();
        let low_is_sure = surely_good.is_some_and(|good| good * near >= low);
        let high_is_sure = surely_bad.is_some_and(|bad| bad <= high * near);
        if (low_is_sure && high_is_sure) || !self.may_confirm(now) {
            return Err(Conclusion::Found);
        }
        let low_is_better_known = border.seconds(low) > border.seconds(high);
        if !low_is_sure && (high_is_sure || !low_is_better_known) {
            return Ok(confirmation(low));
        }
        Ok(self
            .just_beyond(border, high)
            .map_or(confirmation(high), first))
    }

    /// The volume to be sure by instead of one that lies at the limit itself, where measuring it
    /// for long has not helped and never will.
    fn just_beyond(&self, border: &Border, high: f64) -> Option<f64> {
        let enough = self.step_time * PATIENCE * TRIALS;
        let level = self.round(high * (1.0 + self.precision * SURE_WITHIN * 0.9));
        let is_tried = border.seconds(level) > 0;
        (border.seconds(high) >= enough.as_secs() && level > high && !is_tried).then_some(level)
    }

    fn may_confirm(&self, now: Duration) -> bool {
        let step = self.settle() * 2 + self.step_time * PATIENCE;
        self.confirmed < CONFIRMATIONS && now.saturating_add(step) < self.deadline
    }

    /// What came through in the last step, if far more was asked for: an open server that is always
    /// busy shows its capacity.
    fn guess(&self) -> Option<f64> {
        let last = self.tried.last()?;
        let overrun = last.step.throughput < last.step.volume * OVERRUN;
        (self.unit == Unit::PerSecond && overrun)
            .then(|| self.round(last.step.throughput * CAUTION))
    }

    /// Whether users who are this productive together are as many as the server has use for.
    fn is_saturated(&self, throughput: f64) -> bool {
        let highest = self.tried.iter().map(|tried| tried.step.throughput);
        self.stopped_rising && throughput >= highest.fold(0.0, f64::max) * PLATEAU
    }

    /// Takes note when more users bring no more throughput.
    fn watch_throughput(&mut self) {
        if self.unit == Unit::PerSecond || !self.criteria.all.contains(&Criterion::KeepsUp) {
            return;
        }
        let mut by_volume: Vec<_> = self.tried.iter().map(|tried| &tried.step).collect();
        by_volume.sort_by(|one, other| other.volume.total_cmp(&one.volume));
        if let [highest, below, ..] = by_volume.as_slice() {
            let least = 1.0 + LEAST_RISE * (highest.volume / below.volume - 1.0);
            self.stopped_rising |= highest.throughput < below.throughput * least;
        }
        let stopped: Vec<_> = self
            .tried
            .iter()
            .map(|tried| self.is_saturated(tried.step.throughput))
            .collect();
        for (tried, stopped) in self.tried.iter_mut().zip(stopped) {
            tried.is_saturated(stopped);
        }
    }

    fn settle(&self) -> Duration {
        const LEAST: Duration = Duration::from_secs(3);
        self.settle
            .unwrap_or_else(|| (self.criteria.longest() * 2).max(LEAST))
    }

    /// No finer than the precision asks for, so that volumes are round numbers.
    fn round(&self, level: f64) -> f64 {
        let step = 10_f64.powf((level * self.precision / 4.0).log10().floor());
        let rounded = if step >= 1.0 {
            (level / step).round() * step
        } else {
            let fine = (1.0 / step).round();
            (level * fine).round() / fine
        };
        match self.unit {
            Unit::Users => rounded.round(),
            Unit::PerSecond => rounded,
        }
    }

    /// What has been found so far; nothing before the first step is over.
    pub(super) fn finding(&self) -> Option<Finding> {
        if matches!(self.phase, Phase::Before) {
            return None;
        }
        let border = Border::of(&self.tried);
        let (found, _) = border.bracket();
        let (low, high) = border.interval();
        let mut finding = Finding::new(FindingKind::Capacity, self.unit, self.criteria.to_string());
        finding.conclusion = match self.phase {
            Phase::Over(conclusion) => conclusion,
            _ => Conclusion::Unfinished,
        };
        (finding.found, finding.low, finding.high) = (found, low, high);
        let decisive = self.tried.iter().filter(|tried| {
            let volume = Some(tried.step.volume);
            [low, found, high].contains(&volume)
        });
        finding.doubts = decisive.filter_map(|tried| tried.doubt.clone()).collect();
        finding.steps = self.tried.iter().map(|tried| tried.step.clone()).collect();
        Some(finding)
    }

    pub(super) fn check(&self) -> Result<(), VolumeError> {
        check_bounds(self.unit, self.from, self.to)?;
        let wrong = if !self.has_criterion {
            "nothing says when to stop; say .until_p99(limit), .until_error_rate(share) or \
             .until_throughput_stops()"
                .to_owned()
        } else if !(self.precision > 0.0 && self.precision < 1.0) {
            format!(
                "a precision of {} cannot be reached or says nothing; give a share above 0 and \
                 below 1, as 0.05 for 5 %",
                self.precision
            )
        } else if self.step_time < Duration::from_secs(1) {
            "a step is measured for at least a second; give a longer .step_time".to_owned()
        } else {
            return self.criteria.check();
        };
        Err(VolumeError(wrong))
    }
}

fn confirmation(level: f64) -> Next {
    Next {
        again: true,
        ..first(level)
    }
}

fn first(level: f64) -> Next {
    Next {
        level,
        again: false,
        guessed: false,
    }
}

/// Whether there is something between the bounds.
pub(super) fn check_bounds(unit: Unit, low: f64, high: f64) -> Result<(), VolumeError> {
    let whole = |amount: f64| unit == Unit::PerSecond || amount.fract() == 0.0;
    let wrong = if !low.is_finite() || !high.is_finite() {
        "its bounds have to be finite numbers".to_owned()
    } else if low <= 0.0 {
        format!("{low} is no volume to begin with; give a lower bound above zero")
    } else if low >= high {
        format!("its bounds are {low} and {high}; give the lower one first, and a higher one")
    } else if unit == Unit::PerSecond && high > MOST_PER_SECOND {
        format!("{high} per second is more than can be; give {MOST_PER_SECOND} or less")
    } else if !whole(low) || !whole(high) {
        "users come whole; round its bounds, or count starts with per_second".to_owned()
    } else {
        return Ok(());
    };
    Err(VolumeError(wrong))
}
