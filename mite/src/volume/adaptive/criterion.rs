//! What a step has to show: percentiles, an error rate, throughput.

use std::time::Duration;

use super::{
    super::{Stretch, Unit, VolumeError, times::Times},
    share::{IN_A_QUEUE, Share},
    words::{percent, percentile, time},
};

/// The error rate that no capacity has, whatever else is asked of it.
pub(super) const TOO_MANY_ERRORS: f64 = 0.01;
/// The part of the starts asked for that may be missing from those that end well.
const BEHIND: f64 = 0.03;
/// How much what comes through varies at least, as a part of the variance of independent samples.
const STEADY: f64 = 0.25;

/// Whose times are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Subject {
    /// Successful requests of the journey.
    #[default]
    Http,
    /// The journeys themselves, from their intended start.
    Journeys,
}

/// One thing that has to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Criterion {
    /// A percentile of the times stays below a limit.
    Latency { quantile: f64, limit: Duration },
    /// Failed by finished journeys stays below a share.
    Errors { limit: f64 },
    /// What is asked for comes through; of the open model only.
    KeepsUp,
}

/// What has to hold of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Criteria {
    pub(super) subject: Subject,
    pub(super) all: Vec<Criterion>,
}

/// What a stretch says about the criteria.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judgement {
    /// What is wrong, if anything is.
    pub(super) why: Option<String>,
    /// How many standard deviations the worst criterion is from its limit, if samples were
    /// independent; positive when it is beyond.
    pub(super) z: f64,
}

impl Judgement {
    pub(super) fn is_good(&self) -> bool {
        self.why.is_none()
    }
}

impl Criteria {
    /// The times that are looked at.
    pub(super) fn times<'a>(&self, stretch: &'a Stretch) -> &'a Times {
        match self.subject {
            Subject::Http => &stretch.http,
            Subject::Journeys => &stretch.response,
        }
    }

    /// The longest latency that is allowed.
    pub(super) fn longest(&self) -> Duration {
        let limits = self.all.iter().map(|criterion| match criterion {
            Criterion::Latency { limit, .. } => *limit,
            _ => Duration::ZERO,
        });
        limits.max().unwrap_or_default()
    }

    /// Judges what was measured while the volume was `level`.
    pub(super) fn judge(&self, stretch: &Stretch, level: f64, unit: Unit) -> Judgement {
        let mut worst = Judgement {
            why: None,
            z: f64::NEG_INFINITY,
        };
        if is_silent(stretch, level) {
            // They may just take longer than that.
            return Judgement {
                why: Some("no journey ended".to_owned()),
                z: 0.0,
            };
        }
        for criterion in &self.all {
            let judged = self.judge_one(*criterion, stretch, level, unit);
            if judged.why.is_some() && (worst.why.is_none() || judged.z > worst.z) {
                worst.why = judged.why;
            }
            worst.z = worst.z.max(judged.z);
        }
        worst
    }

    /// Of each criterion, how much of what was measured is beyond its limit.
    pub(super) fn shares(&self, stretch: &Stretch, level: f64, unit: Unit) -> Vec<Share> {
        let criteria = self.all.iter();
        criteria
            .map(|criterion| self.share(*criterion, stretch, level, unit))
            .collect()
    }

    fn share(&self, criterion: Criterion, stretch: &Stretch, level: f64, unit: Unit) -> Share {
        match criterion {
            Criterion::Latency { quantile, limit } => {
                let times = self.times(stretch);
                Share {
                    beyond: times.above(limit) as f64,
                    of: times.count() as f64,
                    allowed: 1.0 - quantile,
                    none_is_clear: false,
                    least_dispersion: IN_A_QUEUE,
                }
            }
            Criterion::Errors { limit } => Share {
                beyond: stretch.failed as f64,
                of: stretch.finished() as f64,
                allowed: limit,
                none_is_clear: self.all.len() > 1,
                least_dispersion: IN_A_QUEUE,
            },
            Criterion::KeepsUp => {
                let asked = match unit {
                    Unit::PerSecond => level * stretch.seconds as f64,
                    Unit::Users => 0.0,
                };
                Share {
                    beyond: asked - stretch.completed as f64,
                    of: asked,
                    allowed: BEHIND,
                    none_is_clear: false,
                    // A server that is always busy ends as many each second.
                    least_dispersion: STEADY,
                }
            }
        }
    }

    fn judge_one(
        &self,
        criterion: Criterion,
        stretch: &Stretch,
        level: f64,
        unit: Unit,
    ) -> Judgement {
        let share = self.share(criterion, stretch, level, unit);
        let told = match criterion {
            Criterion::Latency { quantile, limit } => {
                let Some(measured) = self.times(stretch).quantile(quantile) else {
                    return self.without_times(stretch);
                };
                let name = percentile(quantile);
                format!("{name} {}, not below {}", time(measured), time(limit))
            }
            Criterion::Errors { limit } => {
                let rate = percent(stretch.error_rate());
                let limit = percent(limit);
                format!("{rate} of the journeys failed, not less than {limit}")
            }
            Criterion::KeepsUp => {
                let throughput = stretch.completed_per_second();
                format!("{throughput:.0} of {level} a second came through")
            }
        };
        let none = share.of == 0.0 || (share.none_is_clear && share.beyond == 0.0);
        Judgement {
            why: (!share.is_good()).then_some(told),
            z: if none {
                f64::NEG_INFINITY
            } else {
                share.deviations(1.0)
            },
        }
    }

    fn without_times(&self, stretch: &Stretch) -> Judgement {
        let why = match self.subject {
            Subject::Http if stretch.requests == 0 => {
                "there was no HTTP request; say .of_journeys() to look at journeys"
            }
            Subject::Http => "no request succeeded",
            Subject::Journeys => "no journey ended well",
        };
        // Nobody waits for what has not been started.
        let nothing = stretch.started == 0 && stretch.in_flight == 0;
        Judgement {
            why: (!nothing).then(|| why.to_owned()),
            z: if nothing { 0.0 } else { f64::INFINITY },
        }
    }

    /// What is wrong with the criteria themselves.
    pub(super) fn check(&self) -> Result<(), VolumeError> {
        for criterion in &self.all {
            let wrong = match criterion {
                Criterion::Latency { limit, .. } if limit.is_zero() => {
                    "no answer takes no time; give a latency above zero".to_owned()
                }
                Criterion::Errors { limit } if !(*limit > 0.0 && *limit < 1.0) => format!(
                    "an error rate of {limit} is none to look for; give a share above 0 and below \
                     1, as 0.01 for 1 %"
                ),
                _ => continue,
            };
            return Err(VolumeError(wrong));
        }
        Ok(())
    }
}

/// Whether journeys are under way and none has ended.
fn is_silent(stretch: &Stretch, level: f64) -> bool {
    let nothing_ended = stretch.finished() == 0 && level > 0.0;
    nothing_ended && (stretch.started > 0 || stretch.in_flight > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(slow: u64, failed: u64) -> Stretch {
        let mut stretch = Stretch {
            seconds: 10,
            started: 1000,
            completed: 1000 - failed,
            failed,
            requests: 1000,
            ..Stretch::default()
        };
        stretch.http.add(Duration::from_millis(10), 1000 - slow);
        stretch.http.add(Duration::from_millis(300), slow);
        stretch
    }

    fn criteria(all: &[Criterion]) -> Criteria {
        Criteria {
            subject: Subject::Http,
            all: all.to_vec(),
        }
    }

    const P99: Criterion = Criterion::Latency {
        quantile: 0.99,
        limit: Duration::from_millis(250),
    };

    #[test]
    fn a_percentile_is_judged_by_the_share_of_samples_beyond_its_limit() {
        let judge = |slow| criteria(&[P99]).judge(&stretch(slow, 0), 100.0, Unit::PerSecond);
        assert!(judge(10).is_good());
        assert!(!judge(11).is_good());
        assert!(judge(0).z < -3.0);
        assert!(judge(11).z.abs() < 1.0, "that may be chance");
        assert!(judge(50).z > 8.0);
        assert_eq!(judge(50).why.as_deref(), Some("p99 300ms, not below 250ms"));
    }

    #[test]
    fn errors_and_what_does_not_come_through_are_told_in_words() {
        let errors = criteria(&[Criterion::Errors { limit: 0.01 }, P99]);
        let judged = errors.judge(&stretch(0, 25), 100.0, Unit::PerSecond);
        assert_eq!(
            judged.why.as_deref(),
            Some("2.5 % of the journeys failed, not less than 1 %")
        );
        let keeps_up = criteria(&[Criterion::KeepsUp]);
        let judged = keeps_up.judge(&stretch(0, 0), 120.0, Unit::PerSecond);
        assert_eq!(
            judged.why.as_deref(),
            Some("100 of 120 a second came through")
        );
        assert!(
            keeps_up
                .judge(&stretch(0, 0), 102.0, Unit::PerSecond)
                .is_good()
        );
        assert_eq!(errors.to_string(), "errors.rate < 1%, http.p99 < 250ms");
    }

    #[test]
    fn a_server_that_answers_nothing_is_not_good() {
        let silent = Stretch {
            seconds: 3,
            started: 300,
            in_flight: 300,
            ..Stretch::default()
        };
        let judged = criteria(&[P99]).judge(&silent, 100.0, Unit::PerSecond);
        assert_eq!(judged.why.as_deref(), Some("no journey ended"));
        let mut failing = stretch(0, 0);
        failing.http = Times::default();
        let judged = criteria(&[P99]).judge(&failing, 100.0, Unit::PerSecond);
        assert_eq!(judged.why.as_deref(), Some("no request succeeded"));
    }
}
