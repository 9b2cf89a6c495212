//! From the parts as written to the straight lines they stand for, or to what is wrong with them.

use std::time::Duration;

use super::{
    MOST_PER_SECOND, Unit, VolumeError,
    part::{Part, Shape, quantity},
};

/// A chain whose parts make sense together.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) unit: Unit,
    pub(super) lines: Vec<Line>,
}

/// The level from one moment to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Line {
    /// The level at `at`; that of the nearer end outside the line.
    pub(super) fn level_at(&self, at: Duration) -> f64 {
        if self.from == self.to {
            return self.from;
        }
        let length = self.end.saturating_sub(self.start).as_secs_f64();
        let passed = at.saturating_sub(self.start).as_secs_f64();
        let share = (passed / length).min(1.0);
        self.from + (self.to - self.from) * share
    }
}

/// The lines of a chain of `parts`.
///
/// # Errors
/// When a part makes no sense where it stands; the message names it.
pub(super) fn resolve(parts: &[Part]) -> Result<Lines, VolumeError> {
    let unit = common_unit(parts)?;
    let mut lines = Vec::with_capacity(parts.len());
    let mut start = Duration::ZERO;
    for (index, part) in parts.iter().enumerate() {
        let place = Place { parts, index, part };
        if let Some(adaptive) = part.adaptive() {
            let checked = adaptive.check(part.duration);
            checked.map_err(|error| place.wrong(error))?;
        }
        if part.duration.is_zero() {
            return Err(place.wrong("it takes no time; give it a duration above zero"));
        }
        if part.poisson && unit == Unit::Users {
            return Err(place.wrong(
                "only starts can come at random, not users; count them with per_second, \
                 or leave out .poisson()",
            ));
        }
        let (from, to) = place.ends()?;
        place.check_amount(from, unit)?;
        place.check_amount(to, unit)?;
        let end = start.saturating_add(part.duration);
        lines.push(Line {
            start,
            end,
            from,
            to,
        });
        start = end;
    }
    Ok(Lines { unit, lines })
}

/// What the chain counts: users when no part says so and it does not matter.
fn common_unit(parts: &[Part]) -> Result<Unit, VolumeError> {
    let mut first: Option<(usize, Unit)> = None;
    for (index, part) in parts.iter().enumerate() {
        match (first, part.unit()) {
            (None, Some(unit)) => first = Some((index, unit)),
            (Some((known, unit)), Some(other)) if unit != other => {
                let place = Place { parts, index, part };
                return Err(place.wrong(format_args!(
                    "it counts {}, but part {} counts {}; count one thing in a chain, \
                     and give the journey a second entry for the other",
                    counted(other),
                    known + 1,
                    counted(unit),
                )));
            }
            _ => {}
        }
    }
    let ramp = parts
        .iter()
        .enumerate()
        .find(|(_, part)| matches!(part.shape, Shape::Ramp { .. }));
    match (first, ramp) {
        (Some((_, unit)), _) => Ok(unit),
        (None, Some((index, part))) => Err(Place { parts, index, part }.wrong(
            "nothing says whether it counts users or starts per second; write \
             Ramp::users(from, to, duration) or Ramp::per_second(from, to, duration)",
        )),
        (None, None) => Ok(Unit::Users),
    }
}

fn counted(unit: Unit) -> &'static str {
    match unit {
        Unit::Users => "users",
        Unit::PerSecond => "starts per second",
    }
}

/// A part where it stands.
struct Place<'a> {
    parts: &'a [Part],
    index: usize,
    part: &'a Part,
}

impl Place<'_> {
    /// Where the part starts and ends, a ramp by its neighbours.
    fn ends(&self) -> Result<(f64, f64), VolumeError> {
        match &self.part.shape {
            Shape::Nothing => Ok((0.0, 0.0)),
            Shape::OneShot => Ok((1.0, 1.0)),
            Shape::Constant { amount, .. } => Ok((*amount, *amount)),
            // Where it goes from there, the results will say.
            Shape::Adaptive(adaptive) => {
                let first = adaptive.first_level().unwrap_or_default();
                Ok((first, first))
            }
            Shape::Ramp {
                unit: Some(_),
                from: Some(from),
                to: Some(to),
            } => Ok((*from, *to)),
            Shape::Ramp { from, to, .. } => {
                let before = self
                    .index
                    .checked_sub(1)
                    .and_then(|index| self.parts.get(index));
                let after = self.parts.get(self.index + 1);
                if before.is_some_and(|before| before.adaptive().is_some()) {
                    return Err(self.wrong(
                        "the part before it follows the results, so nobody knows where it will end; \
                         give both ends with Ramp::users or Ramp::per_second",
                    ));
                }
                let from = self.end(*from, before.map(Part::last_level), &START)?;
                let to = self.end(*to, after.map(Part::first_level), &END)?;
                Ok((from, to))
            }
        }
    }

    /// One end of a ramp: its own where it has no neighbour, else the neighbour's level.
    fn end(
        &self,
        own: Option<f64>,
        neighbour: Option<Option<f64>>,
        words: &Words,
    ) -> Result<f64, VolumeError> {
        let Words {
            method,
            beside,
            verb,
            other,
            ..
        } = words;
        match (own, neighbour) {
            (Some(own), None) => Ok(own),
            (None, Some(Some(level))) => Ok(level),
            (None, None) => Err(self.wrong(format_args!(
                "{}; say .{method}(0), or whatever it {verb} at",
                words.missing
            ))),
            (Some(own), Some(_)) => Err(self.wrong(format_args!(
                "it says .{method}({own}), but takes that from the part {beside} it; leave out \
                 .{method}, or give both ends with Ramp::users or Ramp::per_second where a jump \
                 is meant",
            ))),
            (None, Some(None)) => Err(self.wrong(format_args!(
                "the ramp {beside} it does not say where it {other}; give both ends of one of \
                 the two with Ramp::users or Ramp::per_second, or put a Constant between them",
            ))),
        }
    }

    fn check_amount(&self, amount: f64, unit: Unit) -> Result<(), VolumeError> {
        if !amount.is_finite() {
            return Err(self.wrong(format_args!("{amount} is no amount; give a finite number")));
        }
        if amount < 0.0 {
            return Err(self.wrong(format_args!(
                "{} is less than nothing; give 0 or more",
                quantity(amount, unit)
            )));
        }
        if unit == Unit::PerSecond && amount > MOST_PER_SECOND {
            return Err(self.wrong(format_args!(
                "{} is more than can be; give {MOST_PER_SECOND} or less",
                quantity(amount, unit)
            )));
        }
        if unit == Unit::Users && amount.fract() != 0.0 {
            return Err(self.wrong(format_args!(
                "{} cannot be, users come whole; round it, or count starts with per_second",
                quantity(amount, unit)
            )));
        }
        Ok(())
    }

    fn wrong(&self, what: impl std::fmt::Display) -> VolumeError {
        let part = self.part;
        let name = part
            .name
            .as_ref()
            .map(|name| format!(" (\"{name}\")"))
            .unwrap_or_default();
        VolumeError(match self.parts.len() {
            1 => format!("{part}{name}: {what}"),
            count => format!("part {} of {count}, {part}{name}: {what}", self.index + 1),
        })
    }
}

/// How a message speaks of one end of a ramp.
struct Words {
    method: &'static str,
    beside: &'static str,
    verb: &'static str,
    other: &'static str,
    missing: &'static str,
}

const START: Words = Words {
    method: "from",
    beside: "before",
    verb: "starts",
    other: "ends",
    missing: "nothing stands before it to start from",
};

const END: Words = Words {
    method: "to",
    beside: "after",
    verb: "ends",
    other: "starts",
    missing: "nothing follows for it to end at",
};
