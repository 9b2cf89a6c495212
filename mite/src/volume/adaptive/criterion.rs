//! What a step has to show: percentiles, an error rate, throughput.

use std::{fmt, time::Duration};

use super::super::{Stretch, Unit, VolumeError, times::Times};

/// The error rate that no capacity has, whatever else is asked of it.
pub(super) const TOO_MANY_ERRORS: f64 = 0.01;
/// The part of the starts asked for that may be missing from those that end well.
const BEHIND: f64 = 0.03;
/// Samples beyond a limit, expected at the limit, from which on a share of them says something.
const ENOUGH_BEYOND: f64 = 20.0;
/// The start delay at p99, and the loop lag, from which on the generator is part of what is measured.
const LATE: Duration = Duration::from_millis(100);
/// The part of the starts or of the user-seconds that may be missing.
const MISSING: f64 = 0.01;

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

/// What a stretch says about a criterion.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judgement {
    /// What is wrong, if anything is.
    pub(super) why: Option<String>,
    /// How many standard deviations the worst criterion is from its limit, if samples were
    /// independent; positive when it is beyond.
    pub(super) z: f64,
    /// Whether there are samples enough to say so.
    pub(super) enough: bool,
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
            enough: true,
        };
        if stretch.finished() == 0 && level > 0.0 && (stretch.started > 0 || stretch.in_flight > 0)
        {
            // They may just take longer than that.
            return Judgement {
                why: Some("no journey ended".to_owned()),
                z: 0.0,
                enough: false,
            };
        }
        for criterion in &self.all {
            let judged = self.judge_one(*criterion, stretch, level, unit);
            worst.enough &= judged.enough;
            if judged.why.is_some() && (worst.why.is_none() || judged.z > worst.z) {
                worst.why = judged.why;
            }
            worst.z = worst.z.max(judged.z);
        }
        worst
    }

    fn judge_one(
        &self,
        criterion: Criterion,
        stretch: &Stretch,
        level: f64,
        unit: Unit,
    ) -> Judgement {
        match criterion {
            Criterion::Latency { quantile, limit } => {
                let times = self.times(stretch);
                let Some(measured) = times.quantile(quantile) else {
                    return self.without_times(stretch);
                };
                let share = Share {
                    beyond: times.above(limit) as f64,
                    of: times.count() as f64,
                    allowed: 1.0 - quantile,
                };
                share.judge(|| {
                    let name = percentile(quantile);
                    format!("{name} {}, not below {}", time(measured), time(limit))
                })
            }
            // Nothing that failed is clear enough beside another criterion.
            Criterion::Errors { .. } if stretch.failed == 0 && self.all.len() > 1 => Judgement {
                why: None,
                z: f64::NEG_INFINITY,
                enough: true,
            },
            Criterion::Errors { limit } => {
                let share = Share {
                    beyond: stretch.failed as f64,
                    of: stretch.finished() as f64,
                    allowed: limit,
                };
                share.judge(|| {
                    let rate = percent(stretch.error_rate());
                    format!(
                        "{rate} of the journeys failed, not less than {}",
                        percent(limit)
                    )
                })
            }
            Criterion::KeepsUp if unit == Unit::PerSecond => {
                let asked = level * stretch.seconds as f64;
                let missing = asked - stretch.completed as f64;
                let beyond = missing - asked * BEHIND;
                let throughput = stretch.completed_per_second();
                Judgement {
                    why: (beyond > 0.0)
                        .then(|| format!("{throughput:.0} of {level} a second came through")),
                    // A server that is always busy ends as many as a Poisson process would.
                    z: beyond / asked.max(1.0).sqrt(),
                    enough: true,
                }
            }
            Criterion::KeepsUp => Judgement {
                why: None,
                z: f64::NEG_INFINITY,
                enough: true,
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
            enough: !nothing,
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

/// A share of samples that lie beyond a limit, and how much of it is allowed.
struct Share {
    beyond: f64,
    of: f64,
    allowed: f64,
}

impl Share {
    /// The test of a proportion: by how many standard deviations of a binomial the share differs
    /// from the one that is allowed.
    fn judge(&self, why: impl FnOnce() -> String) -> Judgement {
        let expected = self.of * self.allowed;
        let deviation = (expected * (1.0 - self.allowed)).sqrt();
        Judgement {
            why: (self.beyond > expected).then(why),
            z: if deviation > 0.0 {
                (self.beyond - expected) / deviation
            } else {
                0.0
            },
            enough: expected >= ENOUGH_BEYOND,
        }
    }
}

/// Why a step may have shown the limit of the load generator.
pub(super) fn doubt(stretch: &Stretch, level: f64, unit: Unit) -> Option<String> {
    let asked = level * stretch.seconds as f64;
    let wanted = stretch.wanted.as_secs_f64();
    let missing = asked - stretch.started as f64;
    // Starts may come as a Poisson process.
    let chance = asked.sqrt() * 4.0;
    let about = match unit {
        Unit::PerSecond => format!("at {level}/s"),
        Unit::Users => format!("with {level} users"),
    };
    let p99 = |times: &Times| times.quantile(0.99).filter(|p99| *p99 > LATE);
    let what = if stretch.dropped > 0 {
        format!("{} starts were dropped", stretch.dropped)
    } else if let Some(late) = p99(&stretch.start_delay) {
        format!("starts were late, p99 {}", time(late))
    } else if unit == Unit::PerSecond && missing > asked * MISSING + chance {
        format!("{} of the starts were missing", percent(missing / asked))
    } else if unit == Unit::Users && stretch.unmet.as_secs_f64() > wanted * MISSING {
        let share = stretch.unmet.as_secs_f64() / wanted;
        format!("{} of the users were missing", percent(share))
    } else {
        let late = p99(&stretch.loop_lag)?;
        format!("the workers were late, loop lag p99 {}", time(late))
    };
    Some(format!(
        "{about} {what}: the limit may be the load generator's"
    ))
}

impl fmt::Display for Criteria {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = match self.subject {
            Subject::Http => "http",
            Subject::Journeys => "journey",
        };
        // What is to be held is no limit.
        let sign = if formatter.alternate() { '=' } else { '<' };
        for (index, criterion) in self.all.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            match criterion {
                Criterion::Latency { quantile, limit } => {
                    let name = percentile(*quantile);
                    write!(formatter, "{subject}.{name} {sign} {}", time(*limit))?;
                }
                Criterion::Errors { limit } => {
                    let limit = percent(*limit).replace(' ', "");
                    write!(formatter, "errors.rate {sign} {limit}")?;
                }
                Criterion::KeepsUp => formatter.write_str("throughput keeps up")?,
            }
        }
        Ok(())
    }
}

/// `p99`, `p99.9`.
pub(super) fn percentile(quantile: f64) -> String {
    format!("p{}", three_digits(quantile * 100.0))
}

/// A time to three digits: `261ms`, `1s 230ms`.
pub(super) fn time(time: Duration) -> String {
    let micros = three_digits(time.as_micros() as f64) as u64;
    humantime::format_duration(Duration::from_micros(micros)).to_string()
}

/// A share to three digits: `0.42 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", three_digits(share * 100.0))
}

fn three_digits(number: f64) -> f64 {
    if number <= 0.0 || !number.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(2.0 - number.log10().floor());
    // The product of both may miss a short decimal by a hair, which the quotient does not.
    if scale >= 1.0 {
        (number * scale).round() / scale
    } else {
        (number * scale).round() * (1.0 / scale).round()
    }
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
        assert!(judge(50).z > 10.0);
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

    #[test]
    fn what_the_generator_did_not_do_is_a_doubt() {
        let mut late = stretch(0, 0);
        assert_eq!(doubt(&late, 100.0, Unit::PerSecond), None);
        assert!(
            doubt(&late, 200.0, Unit::PerSecond)
                .unwrap()
                .contains("50 % of the starts")
        );
        late.start_delay.add(Duration::from_millis(400), 10);
        assert_eq!(
            doubt(&late, 100.0, Unit::PerSecond).as_deref(),
            Some("at 100/s starts were late, p99 400ms: the limit may be the load generator's")
        );
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(percentile(0.999), "p99.9");
        assert_eq!(percent(0.012_345), "1.23 %");
        assert_eq!(time(Duration::from_micros(1_234_567)), "1s 230ms");
    }
}
