//! What the controller's clock shows, seen from another machine (as NTP does it, RFC 5905).

use std::time::Duration;

use tokio::time::Instant;

/// What a question about the time came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// When it was asked, on this machine.
    pub(super) asked: Instant,
    /// When the answer came.
    pub(super) answered: Instant,
    /// What the clock of the controller showed in between.
    pub(super) showed: Duration,
}

/// When the clock of the controller showed nothing yet, on this machine; and by how much that may be
/// wrong.
///
/// The answer that came soonest tells most: the controller's clock was read somewhere between
/// question and answer, so the middle is off by half of that time at most.
pub(super) fn zero(readings: &[Reading]) -> Option<(Instant, Duration)> {
    let took = |reading: &Reading| reading.answered.saturating_duration_since(reading.asked);
    let best = readings.iter().min_by_key(|reading| took(reading))?;
    let half = took(best) / 2;
    let zero = (best.asked + half).checked_sub(best.showed)?;
    Some((zero, half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_answer_decides_whatever_the_others_say() {
        let origin = Instant::now() + Duration::from_secs(100);
        let millis = Duration::from_millis;
        // The controller's clock began 7 s before the origin.
        let reading = |at: u64, there: u64, back: u64| Reading {
            asked: origin + millis(at),
            showed: Duration::from_secs(7) + millis(at + there),
            answered: origin + millis(at + there + back),
        };
        let (zero, error) =
            zero(&[reading(0, 90, 2), reading(200, 1, 2), reading(300, 5, 80)]).unwrap();
        let truth = origin - Duration::from_secs(7);
        let off = zero.max(truth) - zero.min(truth);
        assert!(off <= error, "{off:?} of at most {error:?}");
        assert_eq!(error, Duration::from_micros(1500));
        assert!(super::zero(&[]).is_none());
    }
}
