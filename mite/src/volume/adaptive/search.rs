//! The search for a capacity: up in doubling steps until one is bad, then closer and closer.

use std::time::Duration;

use super::{
    super::{
        Conclusion, Finding, FindingKind, MOST_PER_SECOND, Observed, Unit, VolumeError, Window,
    },
    Answer, Bounds,
    attempt::{Attempt, End},
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
    phase: Phase,
    tried: Vec<Tried>,
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
            phase: Phase::Before,
            tried: Vec::new(),
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
        match &mut self.phase {
            Phase::Before => self.begin(first(self.from), now),
            Phase::Step(attempt) => {
                attempt.read(observed, &self.criteria, self.unit);
                if let Some(end) = attempt.end(&self.criteria, self.unit, self.step_time) {
                    self.conclude(end, now);
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
    fn conclude(&mut self, end: End, now: Duration) {
        let Phase::Step(attempt) = &self.phase else {
            return;
        };
        let (level, guessed) = (attempt.level, attempt.guessed);
        if end == End::Retry {
            let next = Next {
                level,
                guessed,
                again: true,
            };
            self.phase = Phase::Drain { since: now, next };
            return;
        }
        let tried = Tried::of(attempt, &self.criteria, self.unit);
        let is_good = tried.step.good;
        self.tried.push(tried);
        self.watch_throughput();
        self.phase = match self.next(guessed) {
            Err(conclusion) => Phase::Over(conclusion),
            Ok(next) if is_good => {
                self.begin(next, now);
                return;
            }
            Ok(next) => Phase::Drain { since: now, next },
        };
    }

    /// The volume to try next, or how the search ends.
    fn next(&self, guessed: bool) -> Result<Next, Conclusion> {
        let (low, high) = self.bracket();
        let (low, high) = match (low, high) {
            (None, _) => return Err(Conclusion::Below),
            (Some(low), None) if low >= self.to => return Err(Conclusion::AtLeast),
            (Some(low), None) => return Ok(first(self.round(low * GROWTH).min(self.to))),
            (Some(low), Some(high)) => (low, high),
        };
        let middle = self.round((low * high).sqrt());
        if high <= low * (1.0 + self.precision) || middle <= low || middle >= high {
            return Err(Conclusion::Found);
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

    /// What came through in the last step, if far more was asked for: an open server that is always
    /// busy shows its capacity.
    fn guess(&self) -> Option<f64> {
        let last = self.tried.last()?;
        let overrun = last.step.throughput < last.step.volume * OVERRUN;
        (self.unit == Unit::PerSecond && overrun)
            .then(|| self.round(last.step.throughput * CAUTION))
    }

    /// The highest good volume below the lowest bad one, and that one.
    fn bracket(&self) -> (Option<f64>, Option<f64>) {
        let volumes = |good: bool| {
            let steps = self.tried.iter().map(|tried| &tried.step);
            steps
                .filter(move |step| step.good == good)
                .map(|step| step.volume)
        };
        let high = volumes(false).reduce(f64::min);
        let below = volumes(true).filter(|volume| high.is_none_or(|high| *volume < high));
        (below.reduce(f64::max), high)
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
        let (low, high) = self.bracket();
        let mut finding = Finding::new(FindingKind::Capacity, self.unit, self.criteria.to_string());
        finding.conclusion = match self.phase {
            Phase::Over(conclusion) => conclusion,
            _ => Conclusion::Unfinished,
        };
        (finding.found, finding.low, finding.high) = (low, low, high);
        let decisive = self.tried.iter().filter(|tried| {
            let volume = Some(tried.step.volume);
            volume == low || volume == high
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
