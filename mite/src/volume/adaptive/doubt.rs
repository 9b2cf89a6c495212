//! Whether a step may have shown the limit of the load generator.

use std::time::Duration;

use super::{
    super::{Stretch, Unit, times::Times},
    words::{percent, time},
};

/// The start delay at p99, and the loop lag, from which on the generator is part of what is measured.
const LATE: Duration = Duration::from_millis(100);
/// The part of the starts or of the user-seconds that may be missing.
const MISSING: f64 = 0.01;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_generator_did_not_do_is_a_doubt() {
        let mut late = Stretch {
            seconds: 10,
            started: 1000,
            ..Stretch::default()
        };
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
}
