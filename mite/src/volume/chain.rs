//! Parts joined with `+`, and parts and chains as volume models.

use std::{ops::Add, slice, time::Duration};

use super::{
    Bounds, Constant, Finding, HoldErrorRate, HoldLatency, Nothing, Observed, OneShot, Ramp,
    Saturate, Unit, Volume, VolumeError, VolumeModel, Window,
    part::{Part, Shape},
    resolve::resolve,
};

/// How long a window of a part is that follows the results.
const STEP: Duration = Duration::from_secs(1);

/// Parts that follow one another; after the last there is no more of the journey.
///
/// Made with `+` from [`Nothing`], [`Constant`], [`Ramp`], [`one_shot`](super::one_shot),
/// [`Saturate`], [`HoldLatency`], [`HoldErrorRate`] and other chains. All parts count one thing, users
/// or starts per second. What follows a [`Saturate`] begins when that is over, and
/// [`duration`](VolumeModel::duration) is that of a search that takes all the time it may.
///
/// Time is half-open: a part of sixty seconds at the start of a chain is `[0, 60)`, the next begins
/// at 60. A chain that does not pass its [`check`](VolumeModel::check) has no volume.
///
/// ```
/// use std::time::Duration;
/// use mite::volume::{Constant, Ramp, VolumeModel};
///
/// const MINUTE: Duration = Duration::from_secs(60);
///
/// let evening = Constant::users(10, MINUTE)
///     + Ramp::over(5 * MINUTE)
///     + Constant::users(1000, 50 * MINUTE).named("peak")
///     + Ramp::over(5 * MINUTE).to(0);
/// evening.check()?;
/// assert_eq!(evening.duration(), Some(61 * MINUTE));
/// assert_eq!(evening.stage(6 * MINUTE), Some("peak"));
/// # Ok::<(), mite::volume::VolumeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chain(Vec<Part>);

impl Chain {
    fn parts(&self) -> &[Part] {
        &self.0
    }

    fn parts_mut(&mut self) -> &mut [Part] {
        &mut self.0
    }
}

macro_rules! model {
    ($model:ident) => {
        impl<Next: Into<Chain>> Add<Next> for $model {
            type Output = Chain;

            fn add(self, next: Next) -> Chain {
                let mut chain = Chain::from(self);
                chain.0.extend(next.into().0);
                chain
            }
        }

        impl VolumeModel for $model {
            fn volume(&mut self, window: Window, observed: &Observed) -> Volume {
                volume(self.parts_mut(), window, observed)
            }

            fn boundary(&self, after: Duration) -> Option<Duration> {
                boundary(self.parts(), after)
            }

            fn stage(&self, at: Duration) -> Option<&str> {
                part_at(self.parts(), at)?.name.as_deref()
            }

            fn poisson(&self, at: Duration) -> bool {
                part_at(self.parts(), at).is_some_and(|part| part.poisson)
            }

            fn duration(&self) -> Option<Duration> {
                ends(self.parts()).last()
            }

            fn check(&self) -> Result<(), VolumeError> {
                resolve(self.parts()).map(drop)
            }

            fn follows_results(&self) -> bool {
                self.parts().iter().any(|part| part.adaptive().is_some())
            }

            fn bounds(&self, at: Duration) -> Option<Bounds> {
                part_at(self.parts(), at)?.adaptive()?.bounds()
            }

            fn findings(&self) -> Vec<Finding> {
                let adaptive = self.parts().iter().filter_map(Part::adaptive);
                adaptive.filter_map(|part| part.finding()).collect()
            }
        }
    };
}

macro_rules! parts {
    ($($part:ident),*) => {$(
        impl $part {
            /// Makes the part a stage: a label in series and reports. Without it the part has none.
            #[must_use]
            pub fn named(mut self, name: impl Into<String>) -> Self {
                self.0.name = Some(name.into());
                self
            }

            fn parts(&self) -> &[Part] {
                slice::from_ref(&self.0)
            }

            fn parts_mut(&mut self) -> &mut [Part] {
                slice::from_mut(&mut self.0)
            }
        }

        impl From<$part> for Chain {
            fn from(part: $part) -> Self {
                Chain(vec![part.0])
            }
        }

        model!($part);
    )*};
}

parts!(
    Nothing,
    Constant,
    Ramp,
    OneShot,
    Saturate,
    HoldLatency,
    HoldErrorRate
);

model!(Chain);

fn volume(parts: &mut [Part], window: Window, observed: &Observed) -> Volume {
    let Ok(chain) = resolve(parts) else {
        return Volume::Stop;
    };
    let part = parts
        .iter_mut()
        .zip(&chain.lines)
        .find(|(_, line)| window.start < line.end);
    let Some((part, line)) = part else {
        return Volume::Stop;
    };
    let level = match &mut part.shape {
        Shape::Ramp { .. } => {
            return Volume::Ramp {
                unit: chain.unit,
                from: line.level_at(window.start),
                to: line.level_at(window.end),
            };
        }
        Shape::Adaptive(adaptive) => {
            let answer = adaptive.answer(window, observed);
            if answer.is_last {
                // What follows moves up.
                part.duration = window.end.saturating_sub(line.start);
            }
            answer.level
        }
        _ => line.from,
    };
    match chain.unit {
        Unit::Users => Volume::Users(level as u64),
        Unit::PerSecond => Volume::PerSecond(level),
    }
}

/// The next end of a part after `after`; of a window where the results may change it earlier.
fn boundary(parts: &[Part], after: Duration) -> Option<Duration> {
    let end = ends(parts).find(|&end| end > after)?;
    let follows = part_at(parts, after).is_some_and(|part| part.adaptive().is_some());
    Some(if follows { end.min(after + STEP) } else { end })
}

/// When each part ends.
fn ends(parts: &[Part]) -> impl Iterator<Item = Duration> {
    parts.iter().scan(Duration::ZERO, |end, part| {
        *end = end.saturating_add(part.duration);
        Some(*end)
    })
}

fn part_at(parts: &[Part], at: Duration) -> Option<&Part> {
    parts
        .iter()
        .zip(ends(parts))
        .find_map(|(part, end)| (at < end).then_some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn window(start: u64, end: u64) -> Window {
        Window {
            start: Duration::from_secs(start),
            end: Duration::from_secs(end),
        }
    }

    fn at(model: &mut impl VolumeModel, start: u64, end: u64) -> Volume {
        model.volume(window(start, end), &Observed::default())
    }

    fn wrong(model: &impl VolumeModel) -> String {
        model.check().unwrap_err().to_string()
    }

    fn evening() -> Chain {
        Constant::users(10, MINUTE)
            + Ramp::over(5 * MINUTE)
            + Constant::users(1000, 50 * MINUTE)
            + Ramp::over(5 * MINUTE).to(0)
    }

    #[test]
    fn ramps_lead_from_one_neighbour_to_the_other() {
        let mut chain = evening();
        chain.check().unwrap();
        assert_eq!(at(&mut chain, 0, 60), Volume::Users(10));
        let ramp = |from, to| Volume::Ramp {
            unit: Unit::Users,
            from,
            to,
        };
        assert_eq!(at(&mut chain, 60, 360), ramp(10.0, 1000.0));
        assert_eq!(at(&mut chain, 210, 360), ramp(505.0, 1000.0));
        assert_eq!(at(&mut chain, 360, 361), Volume::Users(1000));
        assert_eq!(at(&mut chain, 56 * 60, 61 * 60), ramp(1000.0, 0.0));
    }

    #[test]
    fn time_is_half_open_and_ends_with_stop() {
        let mut sixty = Constant::per_second(5, MINUTE);
        assert_eq!(at(&mut sixty, 59, 60), Volume::PerSecond(5.0));
        assert_eq!(at(&mut sixty, 60, 61), Volume::Stop);
        assert_eq!(sixty.boundary(Duration::ZERO), Some(MINUTE));
        assert_eq!(sixty.boundary(MINUTE), None);
        assert_eq!(evening().boundary(MINUTE), Some(6 * MINUTE));
    }

    #[test]
    fn nothing_is_zero_of_what_the_chain_counts() {
        let mut chain =
            Nothing::over(MINUTE) + Ramp::over(MINUTE) + Constant::per_second(8, MINUTE);
        assert_eq!(at(&mut chain, 0, 60), Volume::PerSecond(0.0));
        assert_eq!(
            at(&mut chain, 60, 120),
            Volume::Ramp {
                unit: Unit::PerSecond,
                from: 0.0,
                to: 8.0
            }
        );
    }

    #[test]
    fn a_ramp_with_both_ends_may_stand_anywhere_and_gives_its_neighbour_an_end() {
        let mut chain = Constant::users(1, MINUTE)
            + Ramp::users(5, 10, MINUTE)
            + Ramp::over(MINUTE)
            + Ramp::users(20, 0, MINUTE);
        chain.check().unwrap();
        assert_eq!(
            at(&mut chain, 120, 180),
            Volume::Ramp {
                unit: Unit::Users,
                from: 10.0,
                to: 20.0
            }
        );
    }

    #[test]
    fn amounts_come_in_any_number_type() {
        for model in [
            Constant::users(7_u8, MINUTE),
            Constant::users(7_u64, MINUTE),
            Constant::users(7_usize, MINUTE),
            Constant::users(7, MINUTE),
            Constant::users(7.0_f32, MINUTE),
            Constant::users(7.0, MINUTE),
        ] {
            let mut model = model;
            model.check().unwrap();
            assert_eq!(at(&mut model, 0, 1), Volume::Users(7));
        }
    }

    #[test]
    fn chains_join_with_parts_and_chains_from_either_side() {
        let half = || Constant::users(1, MINUTE) + Nothing::over(MINUTE);
        let chain = Nothing::over(MINUTE) + (half() + half()) + half();
        assert_eq!(chain.duration(), Some(7 * MINUTE));
    }

    #[test]
    fn stages_are_the_names_of_parts() {
        let chain = Nothing::over(MINUTE) + Constant::users(1, MINUTE).named("peak");
        assert_eq!(chain.stage(Duration::ZERO), None);
        assert_eq!(chain.stage(MINUTE), Some("peak"));
        assert_eq!(chain.stage(2 * MINUTE), None);
    }

    #[test]
    fn closures_are_models() {
        fn takes(model: impl VolumeModel) -> Box<dyn VolumeModel> {
            Box::new(model)
        }
        let mut calls = 0;
        let mut model = takes(move |window: Window| {
            calls += 1;
            Volume::Users(window.length().as_secs() + calls)
        });
        let observed = Observed::default();
        assert_eq!(model.volume(window(0, 5), &observed), Volume::Users(6));
        assert_eq!(model.volume(window(5, 6), &observed), Volume::Users(3));
        assert_eq!(model.duration(), None);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place_and_what_would_be_right() {
        insta::assert_snapshot!(messages().join("\n"));
    }

    fn messages() -> Vec<String> {
        let users = |amount: f64| Constant::users(amount, MINUTE);
        let rate = Constant::per_second(5, MINUTE);
        let ramp = || Ramp::over(5 * MINUTE);
        vec![
            wrong(&Constant::users(1, Duration::ZERO)),
            wrong(&(users(1.0) + Nothing::over(Duration::ZERO))),
            wrong(&(ramp() + users(1.0))),
            wrong(&(users(1.0) + ramp())),
            wrong(&(ramp().from(0).to(2) + users(1.0))),
            wrong(&(users(1.0) + ramp().from(0) + users(2.0))),
            wrong(&(users(1.0) + ramp() + ramp().to(5))),
            wrong(&(users(1.0) + rate.clone().named("peak"))),
            wrong(&ramp().from(0).to(5)),
            wrong(&users(2.5)),
            wrong(&users(-1.0)),
            wrong(&(users(1.0) + users(f64::NAN))),
            wrong(&Constant::per_second(f64::INFINITY, MINUTE)),
            wrong(&Ramp::users(0, 0.5, MINUTE)),
            wrong(&(ramp().from(-3) + rate)),
            wrong(&users(3.0).poisson()),
            wrong(&(super::super::one_shot() + users(3.0))),
            wrong(&(Saturate::per_second(10, 100).until_error_rate(0.1) + ramp().to(0))),
        ]
    }

    #[test]
    fn a_chain_that_fails_its_check_has_no_volume() {
        let mut chain = Ramp::over(MINUTE) + Constant::users(1, MINUTE);
        assert_eq!(at(&mut chain, 0, 60), Volume::Stop);
    }
}
