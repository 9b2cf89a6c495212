//! How much of its core a worker's thread uses.

use std::{cell::Cell, rc::Rc, time::Duration};

use nix::time::{ClockId, clock_gettime};

use crate::stats::CpuTime;

/// The processor time of the thread it is made on, told in laps.
#[derive(Debug)]
pub(super) struct ThreadClock {
    used: Cell<Option<Duration>>,
    at: Cell<Duration>,
    idle: Rc<Cell<Duration>>,
}

impl ThreadClock {
    /// Counts from `now` on, a time of the run.
    pub(super) fn start(now: Duration) -> Self {
        Self {
            used: Cell::new(used()),
            at: Cell::new(now),
            idle: Rc::default(),
        }
    }

    /// Where is to be added what was used to wait, which is no work.
    pub(super) fn idle(&self) -> Rc<Cell<Duration>> {
        Rc::clone(&self.idle)
    }

    /// What work has used since the last lap; nothing where the system does not tell.
    pub(super) fn lap(&self, now: Duration) -> CpuTime {
        let since = self.at.replace(now);
        let idle = self.idle.take();
        match (self.used.replace(used()), self.used.get()) {
            (Some(before), Some(after)) => CpuTime {
                used: after.saturating_sub(before).saturating_sub(idle),
                over: now.saturating_sub(since),
            },
            _ => CpuTime::default(),
        }
    }
}

/// The processor time of this thread so far (`clock_gettime(2)`).
fn used() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .ok()
        .map(Duration::from)
}

#[cfg(test)]
mod tests {
    use std::{
        thread::sleep,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn a_thread_that_works_has_used_its_core_and_one_that_sleeps_has_not() {
        let began = Instant::now();
        let clock = ThreadClock::start(Duration::ZERO);
        while used().unwrap() < clock.used.get().unwrap() + Duration::from_millis(30) {
            std::hint::spin_loop();
        }
        let worked = clock.lap(began.elapsed());
        assert!(worked.used >= Duration::from_millis(30), "{worked:?}");
        // The two clocks are read one after the other.
        let slack = Duration::from_millis(5);
        assert!(worked.used <= worked.over + slack, "{worked:?}");

        sleep(Duration::from_millis(50));
        let slept = clock.lap(began.elapsed());
        assert!(slept.share().unwrap() < 0.5, "{slept:?}");
    }

    #[test]
    fn what_was_used_to_wait_is_no_work_and_is_told_once() {
        let began = Instant::now();
        let clock = ThreadClock::start(Duration::ZERO);
        let work = || {
            let before = used().unwrap();
            while used().unwrap() < before + Duration::from_millis(20) {
                std::hint::spin_loop();
            }
        };
        work();
        clock.idle().set(Duration::from_secs(1));
        assert_eq!(clock.lap(began.elapsed()).used, Duration::ZERO);
        work();
        assert!(clock.lap(began.elapsed()).used >= Duration::from_millis(20));
    }
}
