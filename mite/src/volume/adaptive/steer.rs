//! The control of a volume that holds a latency or an error rate.
//!
//! What is steered is noisy, and how strongly it answers to the volume differs by orders of
//! magnitude: the 99th percentile of a queue that is nearly full doubles where that of an idle server
//! does not move. A controller with fixed gains is too slow for one and unstable for the other. So the
//! volume is moved in steps, each measured after it has had time to show, as in the monitor intervals
//! of PCC (Dong et al., *PCC: Re-architecting Congestion Control for Consistent High Performance*,
//! NSDI 2015). The length of a step in the logarithm of the volume adapts to the answers: it is halved
//! when the target is passed, the rule of Kesten (*Accelerated Stochastic Approximation*, Annals of
//! Mathematical Statistics, 1958), and grows again while it is not, as in Rprop (Riedmiller and Braun,
//! 1993), so that a server that changes is followed. A queue that an overload has left behind is let
//! run off before the next step, as in the drain phase of BBR (Cardwell et al., 2016): it says nothing
//! about the volume that comes next.

use std::{collections::VecDeque, time::Duration};

use super::{
    super::{Conclusion, Finding, FindingKind, Observed, Step, Stretch, Unit, VolumeError, Window},
    Answer, Bounds,
    criterion::{Criteria, Criterion},
    held::Held,
    search::check_bounds,
    tried::step,
};

/// The first length of a step, in the logarithm of the volume.
const FIRST_GAIN: f64 = 0.35;
/// The longest: a step that doubles. Once the target has been reached, [`FIRST_GAIN`] is.
const MOST_GAIN: f64 = 0.7;
/// The shortest, so that a change of the server is still followed.
const LEAST_GAIN: f64 = 0.002;
/// Steps in one direction after which they grow.
const SAME_WAY: u32 = 3;
/// The part of the target, as a logarithm, that is near enough.
const NEAR: f64 = 0.05;
/// Standard deviations from the target at which chance is ruled out.
const CLEAR: f64 = 2.0;
/// How long a step is measured at least, and at most while it may be chance, in seconds.
const SECONDS: std::ops::RangeInclusive<u64> = 2..=10;
/// How long it waits for a journey to end, in seconds, before it takes that for an overload.
const SILENCE: u64 = 30;
/// How many times its target a latency may be before a queue has to run off, and how long for.
const QUEUE: f64 = 1.5;
const RUN_OFF: Duration = Duration::from_secs(15);
/// Steps that are told.
const MOST_STEPS: usize = 1000;

/// What is to be held, and between which bounds.
#[derive(Clone, Debug)]
pub(in crate::volume) struct Steer {
    /// One criterion, its limit being the target.
    pub(super) target: Criteria,
    pub(super) bounds: Option<(Unit, f64, f64)>,
    pub(super) start: Option<f64>,
    pub(super) settle: Option<Duration>,
    run: Option<Box<Run>>,
}

/// How far it is.
#[derive(Clone, Debug)]
struct Run {
    level: f64,
    gain: f64,
    went_up: Option<bool>,
    same_way: u32,
    /// Since when the level is kept, and when what is not yet read begins.
    since: Duration,
    unread: Duration,
    stretch: Stretch,
    /// Since when a queue runs off.
    run_off: Option<Duration>,
    held: Option<Held>,
    steps: VecDeque<Step>,
}

impl Steer {
    pub(super) fn new(target: Criteria) -> Self {
        Self {
            target,
            bounds: None,
            start: None,
            settle: None,
            run: None,
        }
    }

    pub(super) fn first_level(&self) -> Option<f64> {
        self.start.or(self.bounds.map(|(_, low, _)| low))
    }

    pub(super) fn bounds(&self) -> Option<Bounds> {
        self.bounds.map(|(unit, low, high)| Bounds {
            unit,
            low,
            high,
            aim: format!("holds {:#}", self.target),
        })
    }

    /// The volume of a window, by what is known when it is asked for.
    pub(super) fn answer(&mut self, window: Window, observed: &Observed) -> Answer {
        let (Some((unit, low, high)), Some(start)) = (self.bounds, self.first_level()) else {
            return Answer::go_on(0.0);
        };
        let settle = self.settle();
        let mut run = self
            .run
            .take()
            .unwrap_or_else(|| Box::new(Run::new(start, window.start, settle)));
        run.read(observed);
        run.look_whether_near(&self.target, window.start);
        if run.run_off.is_some() {
            run.look_at_queue(&self.target, observed, window.start, settle);
        } else if let Some(change) = run.decide(&self.target, unit) {
            run.note_step(&self.target, change);
            run.turn(change, window.start);
            let to = run.next_level(&self.target, unit, change);
            run.level = rounded(to.clamp(low, high), unit);
            run.since = window.start;
            run.restart(window.start + settle);
            let queue = run.has_queue(&self.target, unit, observed);
            run.run_off = queue.then_some(window.start);
        }
        let level = match run.run_off {
            Some(_) => rounded(run.level / 2.0, unit),
            None => run.level,
        };
        if let Some(held) = &mut run.held {
            held.add(level, window.length());
        }
        self.run = Some(run);
        Answer::go_on(level)
    }

    fn settle(&self) -> Duration {
        let whole = self.target.longest().as_secs_f64().ceil().max(1.0);
        self.settle
            .unwrap_or_else(|| Duration::try_from_secs_f64(whole).unwrap_or_default())
    }

    /// What has been held so far; nothing before it began.
    pub(super) fn finding(&self) -> Option<Finding> {
        let (unit, low, high) = self.bounds?;
        let run = self.run.as_ref()?;
        let kind = match self.criterion()? {
            Criterion::Errors { .. } => FindingKind::HeldErrorRate,
            _ => FindingKind::HeldLatency,
        };
        let mut finding = Finding::new(kind, unit, format!("{:#}", self.target));
        finding.steps = run.steps.iter().cloned().collect();
        match &run.held {
            Some(held) if held.seconds > 0.0 => {
                finding.found = Some(held.volume_seconds / held.seconds);
                finding.low = Some(held.lowest);
                finding.high = Some(held.highest);
                finding.measured = self.measured(&held.stretch);
            }
            _ => {
                finding.conclusion = if run.level >= high {
                    Conclusion::AtLeast
                } else if run.level <= low {
                    Conclusion::Below
                } else {
                    Conclusion::Unfinished
                };
            }
        }
        Some(finding)
    }

    fn criterion(&self) -> Option<Criterion> {
        self.target.all.first().copied()
    }

    fn measured(&self, stretch: &Stretch) -> Option<f64> {
        match self.criterion()? {
            Criterion::Latency { quantile, .. } => {
                let time = self.target.times(stretch).quantile(quantile)?;
                Some(time.as_secs_f64())
            }
            _ => (stretch.finished() > 0).then(|| stretch.error_rate()),
        }
    }

    pub(super) fn check(&self, duration: Duration) -> Result<(), VolumeError> {
        let Some((unit, low, high)) = self.bounds else {
            return Err(VolumeError::new(
                "it has no bounds; say .per_second(low, high) or .users(low, high)",
            ));
        };
        check_bounds(unit, low, high)?;
        if duration.is_zero() {
            return Err(VolumeError::new(
                "it takes no time; say for how long with .over(duration)",
            ));
        }
        match self.start {
            Some(start) if !(low..=high).contains(&start) => Err(VolumeError(format!(
                "it starts at {start}, outside its bounds; give something from {low} to {high}"
            ))),
            _ => self.target.check(),
        }
    }
}

/// A step that is to be taken: the distance to the target as a logarithm, cut to one either way.
#[derive(Clone, Copy, Debug)]
struct Change(f64);

impl Run {
    fn new(level: f64, now: Duration, settle: Duration) -> Self {
        Self {
            level,
            gain: FIRST_GAIN,
            went_up: None,
            same_way: 0,
            since: now,
            unread: now + settle,
            stretch: Stretch::default(),
            run_off: None,
            held: None,
            steps: VecDeque::new(),
        }
    }

    fn read(&mut self, observed: &Observed) {
        if self.run_off.is_none() {
            for second in observed.seconds_from(self.unread) {
                self.unread = second.end();
                self.stretch.add(second);
            }
        }
        if let Some(held) = &mut self.held {
            for second in observed.seconds_from(held.unread) {
                held.unread = second.end();
                held.stretch.add(second);
            }
        }
    }

    /// Takes note when the target has been reached, though it may take longer to be sure of it.
    fn look_whether_near(&mut self, target: &Criteria, now: Duration) {
        let near = distance(target, &self.stretch).is_some_and(|distance| distance.abs() <= NEAR);
        if near && self.stretch.seconds >= *SECONDS.start() {
            self.reach(now);
        }
    }

    fn restart(&mut self, unread: Duration) {
        self.unread = unread;
        self.stretch = Stretch::default();
    }

    /// Whether it is time to take a step, and which.
    fn decide(&self, target: &Criteria, unit: Unit) -> Option<Change> {
        let seconds = self.stretch.seconds;
        if seconds == 0 {
            return None;
        }
        let judged = target.judge(&self.stretch, self.level, unit);
        let distance = distance(target, &self.stretch)?;
        let clear = judged.z.abs() >= CLEAR;
        let overrun = clear && distance <= -1.0;
        let silent = self.stretch.finished() == 0;
        if !silent && !overrun && seconds < *SECONDS.start() {
            return None;
        }
        if (!clear || distance.abs() <= NEAR) && seconds < *SECONDS.end() {
            return None;
        }
        // What may be chance counts for less.
        let sureness = if silent {
            1.0
        } else {
            (judged.z.abs() / CLEAR).min(1.0)
        };
        Some(Change(distance * sureness))
    }

    /// Adapts the length of steps to the way they go.
    fn turn(&mut self, Change(distance): Change, now: Duration) {
        if distance.abs() <= NEAR {
            self.reach(now);
            return;
        }
        let up = distance > 0.0;
        let before = self.went_up.replace(up);
        if before.is_some_and(|before| before != up) {
            self.reach(now);
            self.gain = (self.gain / 2.0).max(LEAST_GAIN);
            self.same_way = 1;
            return;
        }
        self.same_way += 1;
        if self.same_way >= SAME_WAY {
            let most = match self.held {
                Some(_) => FIRST_GAIN,
                None => MOST_GAIN,
            };
            self.gain = (self.gain * 1.5).min(most.max(self.gain));
        }
    }

    fn reach(&mut self, now: Duration) {
        self.held.get_or_insert_with(|| Held::new(now, self.level));
    }

    fn next_level(&self, target: &Criteria, unit: Unit, Change(distance): Change) -> f64 {
        if distance.abs() <= NEAR {
            return self.level;
        }
        let next = self.level * (self.gain * distance).exp();
        if distance > 0.0 || unit == Unit::Users {
            return next;
        }
        // A server that is asked for more than it can do shows what it can.
        let through = self.stretch.completed_per_second();
        let capacity = match target.all.first() {
            Some(Criterion::Errors { limit }) => through / (1.0 - limit),
            _ if through < self.level * 0.97 => through * 0.98,
            _ => return next,
        };
        next.min(capacity.max(self.level / 2.0))
    }

    /// Whether there is a queue at an open server that has to run off.
    fn has_queue(&self, target: &Criteria, unit: Unit, observed: &Observed) -> bool {
        let Some(Criterion::Latency { quantile, limit }) = target.all.first().copied() else {
            return false;
        };
        let last = observed.last(Duration::from_secs(1));
        let late = target.times(&last).quantile(quantile);
        unit == Unit::PerSecond
            && self.went_up == Some(false)
            && late.is_some_and(|late| late > limit.mul_f64(QUEUE))
    }

    /// Goes on once the queue is gone.
    fn look_at_queue(
        &mut self,
        target: &Criteria,
        observed: &Observed,
        now: Duration,
        settle: Duration,
    ) {
        let Some(since) = self.run_off else { return };
        let mut last = Stretch::default();
        if let Some(second) = observed.seconds_from(since).last() {
            last.add(second);
        }
        let gone = last.seconds > 0
            && match distance(target, &last) {
                Some(distance) => distance >= 0.0,
                None => last.in_flight == 0,
            };
        if gone || now >= since + RUN_OFF {
            self.run_off = None;
            self.since = now;
            self.restart(now + settle);
        }
    }

    fn note_step(&mut self, target: &Criteria, Change(distance): Change) {
        if self.steps.len() >= MOST_STEPS {
            self.steps.pop_front();
        }
        let mut step = step(self.since, self.level, &self.stretch, target);
        step.good = distance.abs() <= NEAR;
        step.why = (!step.good).then(|| {
            let side = if distance > 0.0 { "below" } else { "above" };
            format!("{side} the target")
        });
        self.steps.push_back(step);
    }
}

/// How far what was measured is from the target: above zero when there is room for more.
fn distance(target: &Criteria, stretch: &Stretch) -> Option<f64> {
    let ratio = match target.all.first()? {
        Criterion::Latency { quantile, limit } => match target.times(stretch).quantile(*quantile) {
            Some(time) => limit.as_secs_f64() / time.as_secs_f64().max(1e-6),
            // Journeys are under way and none has come back.
            None if stretch.seconds >= SILENCE && stretch.in_flight > 0 => 0.0,
            None => return None,
        },
        Criterion::Errors { limit } if stretch.finished() > 0 => {
            limit / stretch.error_rate().max(f64::MIN_POSITIVE)
        }
        _ => return None,
    };
    Some(ratio.ln().clamp(-1.0, 1.0))
}

/// Users come whole.
fn rounded(level: f64, unit: Unit) -> f64 {
    match unit {
        Unit::Users => level.round().max(1.0),
        Unit::PerSecond => level,
    }
}
