//! From a volume model to the segments that workers keep up.

use std::time::Duration;

use super::{Segment, Timeline, middles_below};
use crate::volume::{
    Bounds, Finding, MOST_PER_SECOND, Observed, Unit, Volume, VolumeError, VolumeModel, Window,
};

/// The longest window a model is asked for that knows no boundary.
const STEP: Duration = Duration::from_secs(1);

/// How far an outline looks into a model that says it lasts longer, or forever.
const FARTHEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// Asks a volume model for one window after the other and keeps what it said.
pub(crate) struct Planner {
    model: Box<dyn VolumeModel>,
    limit: Option<Duration>,
    /// Up to when the model has been asked.
    asked: Duration,
    /// What the model said.
    said: Timeline,
    /// How much of it is planned from now on.
    factor: f64,
    /// What is planned.
    timeline: Timeline,
    /// Where a stage begins; an unnamed one where it has none again.
    stages: Vec<(Duration, String)>,
    ended_at: Option<Duration>,
}

/// What a plan looks like as a whole, found without running it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outline {
    /// What the levels count.
    pub(crate) unit: Unit,
    /// The corners of the level; two at one time where it jumps.
    pub(crate) points: Vec<(Duration, f64)>,
    /// Where each stage begins; an empty name where none is meant any more.
    pub(crate) stages: Vec<(Duration, String)>,
    /// When it ends; absent when that was not in sight.
    pub(crate) duration: Option<Duration>,
    /// The planned starts; absent without a duration, and for users.
    pub(crate) starts: Option<u64>,
    /// The highest level.
    pub(crate) peak: f64,
    /// Where the results decide, in order: from when until when, and within which bounds.
    pub(crate) bounds: Vec<(Duration, Duration, Bounds)>,
}

impl Planner {
    pub(crate) fn new(model: Box<dyn VolumeModel>) -> Self {
        Self {
            model,
            limit: None,
            asked: Duration::ZERO,
            said: Timeline::default(),
            factor: 1.0,
            timeline: Timeline::default(),
            stages: Vec::new(),
            ended_at: None,
        }
    }

    /// Cuts the plan at `limit`, if there is one, whatever the model wants after it.
    pub(crate) fn limit(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.limit = limit.into();
        self
    }

    /// Plans up to `until` at least, and gives the segments that are new.
    ///
    /// The end of the plan is a segment of level 0.
    ///
    /// # Errors
    /// When the model answers with an amount that cannot be; the message names the window.
    pub(crate) fn advance(
        &mut self,
        until: Duration,
        observed: &Observed,
    ) -> Result<Vec<Segment>, VolumeError> {
        let mut new = Vec::new();
        while self.asked < until && self.ended_at.is_none() {
            new.extend(self.step(observed)?);
        }
        Ok(new)
    }

    /// Plans `factor` times what the model says from `at` on, and gives the segments that are new.
    ///
    /// What was planned before `at` stays, and with it the number of starts until then.
    pub(crate) fn rescale(&mut self, at: Duration, factor: f64) -> Vec<Segment> {
        self.factor = factor;
        let said: Vec<_> = self.said.from(at).collect();
        let mut new = Vec::with_capacity(said.len());
        for said in said {
            let segment = self.planned(&said);
            self.timeline.push(segment.clone());
            new.push(segment);
        }
        new
    }

    /// What is planned from `at` on, as far as that is known.
    pub(crate) fn planned_from(&self, at: Duration) -> Vec<Segment> {
        self.timeline.from(at).collect()
    }

    /// When the plan ends, once that has come in sight.
    pub(crate) fn ended_at(&self) -> Option<Duration> {
        self.ended_at
    }

    /// What is counted at `at`.
    pub(crate) fn unit_at(&self, at: Duration) -> Unit {
        self.timeline.unit_at(at)
    }

    /// The planned level at `at`: users, or starts a second.
    pub(crate) fn level_at(&self, at: Duration) -> f64 {
        self.timeline.level_at(at)
    }

    /// How many starts are due in `[from, to)`, as far as the plan is known.
    pub(crate) fn planned_starts(&self, from: Duration, to: Duration) -> u64 {
        self.starts_before(to)
            .saturating_sub(self.starts_before(from))
    }

    /// The integral of the planned rate up to `at`, in starts.
    pub(crate) fn cumulative(&self, at: Duration) -> f64 {
        self.timeline.cumulative(at.min(self.asked))
    }

    /// Whether any starts planned so far are drawn at random.
    pub(crate) fn is_poisson(&self) -> bool {
        self.timeline
            .segments()
            .iter()
            .any(|segment| segment.poisson)
    }

    /// How many starts are due before `at`; also the number of the first that is due later.
    pub(crate) fn starts_before(&self, at: Duration) -> u64 {
        middles_below(self.timeline.cumulative(at.min(self.asked)))
    }

    /// The name of the stage at `at`; none outside stages and after the end.
    pub(crate) fn stage(&self, at: Duration) -> Option<&str> {
        let end = self.ended_at.or(self.limit);
        if end.is_some_and(|end| at >= end) {
            return None;
        }
        self.model.stage(at)
    }

    /// What the model has found out.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.model.findings()
    }

    /// How long the plan lasts at most, if that is known beforehand.
    pub(crate) fn duration(&self) -> Option<Duration> {
        [self.ended_at, self.model.duration(), self.limit]
            .into_iter()
            .flatten()
            .min()
    }

    /// What the plan looks like, without running it: all of it when it says how long it lasts, else
    /// the part up to `horizon`.
    ///
    /// # Errors
    /// As [`advance`](Planner::advance).
    pub(crate) fn outline(mut self, horizon: Duration) -> Result<Outline, VolumeError> {
        let until = self.duration().unwrap_or(horizon).min(FARTHEST);
        let observed = Observed::default();
        let mut bounds: Vec<(Duration, Duration, Bounds)> = Vec::new();
        while self.asked < until && self.ended_at.is_none() {
            let from = self.asked;
            let within = self.model.bounds(from);
            self.step(&observed)?;
            match (bounds.last_mut(), within) {
                (_, None) => {}
                (Some((_, end, known)), Some(within)) if *end == from && *known == within => {
                    *end = self.asked;
                }
                (_, Some(within)) => bounds.push((from, self.asked, within)),
            }
        }
        if self.duration().is_some_and(|duration| duration <= until) {
            self.advance(until.saturating_add(STEP), &observed)?;
        }
        let end = self.ended_at.unwrap_or(until);
        let (points, unit) = self.points(end);
        let levels = points.iter().map(|&(_, level)| level);
        let highest = bounds.iter().map(|(.., within)| within.high);
        let is_known = unit == Unit::PerSecond && self.ended_at.is_some() && bounds.is_empty();
        Ok(Outline {
            unit,
            peak: levels.chain(highest).fold(0.0, f64::max),
            starts: is_known.then(|| self.starts_before(end)),
            bounds,
            points,
            stages: self.stages,
            duration: self.ended_at,
        })
    }

    /// The corners of the level up to `end`, and what the highest of them counts.
    fn points(&self, end: Duration) -> (Vec<(Duration, f64)>, Unit) {
        let segments = self.timeline.segments();
        let ends = segments
            .iter()
            .skip(1)
            .map(|next| next.from.min(end))
            .chain([end]);
        let mut points = Vec::new();
        for (segment, end) in segments.iter().zip(ends) {
            if segment.from < end {
                points.push((segment.from, segment.start));
                points.push((end, segment.level_at(end)));
            }
        }
        let unit = segments
            .iter()
            .max_by(|one, other| {
                one.start
                    .max(one.end)
                    .total_cmp(&other.start.max(other.end))
            })
            .map_or(Unit::Users, |segment| segment.unit);
        (points, unit)
    }

    /// Asks for one window; gives the segment it begins, unless it goes on as before.
    fn step(&mut self, observed: &Observed) -> Result<Option<Segment>, VolumeError> {
        let window = self.next_window();
        if window.start == window.end {
            return Ok(Some(self.end()));
        }
        let volume = self.model.volume(window, observed);
        let (unit, start, end) = match volume {
            Volume::Stop => return Ok(Some(self.end())),
            Volume::Users(users) => (Unit::Users, users as f64, users as f64),
            Volume::PerSecond(rate) => (Unit::PerSecond, rate, rate),
            Volume::Ramp { unit, from, to } => (unit, from, to),
        };
        for amount in [start, end] {
            check(amount, unit, window, volume)?;
        }
        self.note_stage(window.start);
        self.asked = window.end;
        let said = Segment {
            from: window.start,
            until: (start != end).then_some(window.end),
            unit,
            start,
            end,
            base: 0.0,
            poisson: unit == Unit::PerSecond && self.model.poisson(window.start),
        };
        Ok(self.plan(said))
    }

    /// Takes in what the model said; gives what is to be done, unless that goes on as before.
    fn plan(&mut self, said: Segment) -> Option<Segment> {
        let segment = self.planned(&said);
        if !goes_on(&self.said, &said) {
            self.said.push(said);
        }
        if goes_on(&self.timeline, &segment) {
            return None;
        }
        self.timeline.push(segment.clone());
        Some(segment)
    }

    /// What is planned where the model said this.
    fn planned(&self, said: &Segment) -> Segment {
        let most = most(said.unit);
        let start = (said.start * self.factor).min(most);
        let end = (said.end * self.factor).min(most);
        Segment {
            until: said.until.filter(|_| start != end),
            base: self.timeline.cumulative(said.from),
            start,
            end,
            ..said.clone()
        }
    }

    /// The next window to ask for; an empty one at the limit.
    fn next_window(&self) -> Window {
        let start = self.asked;
        let boundary = self.model.boundary(start).filter(|&next| next > start);
        let end = boundary.unwrap_or_else(|| start.saturating_add(STEP));
        Window {
            start,
            end: self.limit.map_or(end, |limit| end.min(limit)).max(start),
        }
    }

    /// Ends the plan where it has been asked up to.
    fn end(&mut self) -> Segment {
        let at = self.asked;
        let end = Segment {
            from: at,
            until: None,
            unit: self.timeline.unit_at(at),
            start: 0.0,
            end: 0.0,
            base: self.timeline.cumulative(at),
            poisson: false,
        };
        self.ended_at = Some(at);
        self.said.push(end.clone());
        self.timeline.push(end.clone());
        end
    }

    fn note_stage(&mut self, at: Duration) {
        let stage = self.model.stage(at).unwrap_or_default();
        let before = self.stages.last().map_or("", |(_, name)| name.as_str());
        if stage != before {
            self.stages.push((at, stage.to_owned()));
        }
    }
}

/// Whether the constant that stands is the same as this one.
fn goes_on(timeline: &Timeline, next: &Segment) -> bool {
    timeline.segments().last().is_some_and(|standing| {
        let both_constant = standing.until.is_none() && next.until.is_none();
        both_constant
            && standing.unit == next.unit
            && standing.start == next.start
            && standing.poisson == next.poisson
    })
}

/// The highest amount that is taken for meant.
fn most(unit: Unit) -> f64 {
    match unit {
        Unit::Users => f64::MAX,
        Unit::PerSecond => MOST_PER_SECOND,
    }
}

fn check(amount: f64, unit: Unit, window: Window, volume: Volume) -> Result<(), VolumeError> {
    let most = most(unit);
    let wrong = if !amount.is_finite() || amount < 0.0 {
        "an amount is finite and not negative".to_owned()
    } else if amount > most {
        format!("a rate is {most} a second at most")
    } else {
        return Ok(());
    };
    Err(VolumeError(format!(
        "the volume model answered {volume:?} for the window from {} to {} of the run; {wrong}",
        humantime::format_duration(window.start),
        humantime::format_duration(window.end),
    )))
}
