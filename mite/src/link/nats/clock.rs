//! What the controller's clock shows, seen from another machine (as NTP does it, RFC 5905).

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How often the clock is read again while the run goes on.
const EVERY: Duration = Duration::from_secs(10);
/// A reading that may be more wrong than this says nothing of how the clocks drift.
const VAGUE: Duration = Duration::from_millis(25);

/// What a runner knows of the controller's clock. It goes by what it read first all the same: a
/// clock that is put right in mid-run would bend what is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClockFigures {
    /// By how much the first reading may be wrong.
    pub(crate) error: Duration,
    /// How far the last reading is from the first, once there is another.
    pub(crate) drift: Option<Duration>,
}

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

/// Reads the clock again and again, as long as anybody wants to know what came of it.
///
/// `zero` is when the clock showed nothing by the first reading, and `read` gives the same by
/// another, with the error of that.
pub(super) async fn watch_drift(
    figures: watch::Sender<ClockFigures>,
    zero: Instant,
    read: impl AsyncFn() -> Option<(Instant, Duration)>,
) {
    // Runners that have come together do not all ask together.
    let mut pause = EVERY.mul_f64(0.5 + fastrand::f64() / 2.0);
    loop {
        tokio::select! {
            () = sleep(pause) => {}
            () = figures.closed() => return,
        }
        pause = EVERY;
        if let Some((again, error)) = read().await
            && error <= VAGUE
        {
            let drift = again.max(zero).saturating_duration_since(again.min(zero));
            figures.send_modify(|figures| figures.drift = Some(drift));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// What is known of a clock after so many seconds that runs at `pace` and is read with such an
    /// error.
    async fn known_after(seconds: u64, pace: f64, error: Duration) -> ClockFigures {
        let zero = Instant::now();
        let (sender, receiver) = watch::channel(ClockFigures {
            error: Duration::from_micros(80),
            drift: None,
        });
        let read = async || {
            let now = Instant::now();
            now.checked_sub((now - zero).mul_f64(pace)).zip(Some(error))
        };
        tokio::select! {
            () = watch_drift(sender, zero, read) => panic!("somebody wants to know"),
            () = sleep(Duration::from_secs(seconds)) => {}
        }
        *receiver.borrow()
    }

    #[tokio::test(start_paused = true)]
    async fn how_far_the_clocks_drift_apart_is_known_after_a_while() {
        let fine = Duration::from_micros(200);
        assert_eq!(known_after(4, 0.999, fine).await.drift, None);
        assert_eq!(known_after(11, 1.0, fine).await.drift, Some(Duration::ZERO));
        // A thousandth slower, for an hour but for the last ten seconds at most.
        let figures = known_after(3600, 0.999, fine).await;
        assert_eq!(figures.error, Duration::from_micros(80));
        let drift = figures.drift.unwrap().as_secs_f64();
        assert!((3.59..=3.6).contains(&drift), "{drift}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_took_long_says_nothing_of_drift() {
        let drift = known_after(60, 0.9, 2 * VAGUE).await.drift;
        assert_eq!(drift, None);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_asks_any_more_when_the_run_is_over() {
        let (sender, receiver) = watch::channel(ClockFigures::default());
        let asked = Cell::new(0);
        let read = async || {
            asked.set(asked.get() + 1);
            None
        };
        let over = async move {
            sleep(Duration::from_secs(35)).await;
            drop(receiver);
        };
        tokio::join!(watch_drift(sender, Instant::now(), read), over);
        assert!((3..=4).contains(&asked.get()), "{}", asked.get());
    }

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
