//! What wakes a worker when something is due.

use std::{cell::Cell, rc::Rc, time::Duration};

use tokio::{
    task::yield_now,
    time::{Instant, sleep_until},
};

/// A clock to be woken by, as exact as it was chosen to be.
pub(super) enum Alarm {
    /// The timer of the runtime, which counts whole milliseconds and rounds up. It follows a clock
    /// that tests have paused.
    Coarse,
    /// A timer of the kernel, late by what it takes to wake a thread.
    #[cfg(target_os = "linux")]
    Fine(kernel::Timer),
    /// No timer: the runtime goes round until the time has come, and so uses a whole core. What is
    /// spent on rounds in which there was nothing to do is added up here.
    Precise(Rc<Cell<Duration>>),
}

impl Alarm {
    /// The finest that leaves the core to others while it waits; to be made inside the runtime.
    pub(super) fn fine() -> Self {
        #[cfg(target_os = "linux")]
        match kernel::Timer::new() {
            Ok(timer) => return Self::Fine(timer),
            Err(error) => tracing::warn!(
                "starts will be about a millisecond late, for there is no timer to be had: {error}"
            ),
        }
        Self::Coarse
    }

    /// Waits until `due`, or a little less: who waits looks at the clock anyway. Others get their turn
    /// also when `due` has passed, or what is always behind would keep the thread to itself.
    pub(super) async fn wait_until(&mut self, due: Instant) {
        match self {
            Self::Coarse => sleep_until(due).await,
            #[cfg(target_os = "linux")]
            Self::Fine(timer) => {
                if timer.wait_until(due).await.is_err() {
                    sleep_until(due).await;
                }
            }
            Self::Precise(idle) => {
                let mut now = Instant::now();
                loop {
                    yield_now().await;
                    let round = now.elapsed();
                    now += round;
                    if round <= EMPTY_ROUND {
                        idle.set(idle.get() + round);
                    }
                    if now >= due {
                        break;
                    }
                }
            }
        }
    }
}

/// How long a round of the runtime takes at most when there is nothing to do in it: a look for
/// readiness, which is a call of the system, and at the clock. An answer takes more to deal with.
const EMPTY_ROUND: Duration = if cfg!(debug_assertions) {
    Duration::from_micros(20)
} else {
    Duration::from_micros(5)
};

/// How long a worker sleeps at least after a timer of the kernel has woken it.
///
/// At high rates this starts together what is due together, since going to sleep and waking up
/// takes longer than a start does; on a virtual machine tens of microseconds.
#[cfg(target_os = "linux")]
const REST: Duration = Duration::from_micros(100);

/// How long it is until `due`.
fn left(due: Instant) -> Duration {
    due.saturating_duration_since(Instant::now())
}

/// The timer of Linux, as a descriptor that becomes readable (`timerfd_create(2)`).
#[cfg(target_os = "linux")]
mod kernel {
    use std::{
        future::poll_fn,
        io,
        os::fd::{AsFd, AsRawFd, RawFd},
    };

    use nix::sys::{
        time::TimeSpec,
        timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
    };
    use tokio::{
        io::{Interest, unix::AsyncFd},
        time::Instant,
    };

    use super::{REST, left, yield_now};

    pub(in crate::runner) struct Timer {
        timer: AsyncFd<Descriptor>,
        /// When it goes off, unless it has been seen to.
        armed: Option<Instant>,
        /// Before when it does not go off again.
        rest: Instant,
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = Descriptor(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
            #[expect(
                deprecated,
                reason = "its successor is unsafe, for it trusts the descriptor to be owned and to \
                          stay the same, as this one is and does"
            )]
            let timer = AsyncFd::try_with_interest(timer, Interest::READABLE)?;
            Ok(Self {
                timer,
                armed: None,
                rest: Instant::now(),
            })
        }

        pub(super) async fn wait_until(&mut self, due: Instant) -> io::Result<()> {
            let due = due.max(self.rest);
            if self.armed != Some(due) {
                let left = left(due);
                if left.is_zero() {
                    yield_now().await;
                    return Ok(());
                }
                let once = Expiration::OneShot(TimeSpec::from_duration(left));
                self.timer
                    .get_ref()
                    .0
                    .set(once, TimerSetTimeFlags::empty())?;
                self.armed = Some(due);
            }
            // It is not read: the runtime is told of each time it goes off, and arming it again
            // makes it unreadable.
            let mut ready = poll_fn(|task| self.timer.poll_read_ready(task)).await?;
            ready.clear_ready();
            self.armed = None;
            // It may have gone off for what was due earlier.
            self.rest = due.min(Instant::now()) + REST;
            Ok(())
        }
    }

    struct Descriptor(TimerFd);

    impl AsRawFd for Descriptor {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use tokio::{
        sync::Notify,
        task::{LocalSet, spawn_local},
    };

    use super::*;

    #[tokio::test]
    async fn others_get_their_turn_beside_a_loop_that_is_always_late() {
        let rounds_until_the_other_ran = async |mut alarm: Alarm| {
            let ran = Rc::new(Cell::new(false));
            let other = Rc::clone(&ran);
            spawn_local(async move { other.set(true) });
            let nudge = Notify::new();
            let mut rounds = 0;
            while !ran.get() && rounds < 1000 {
                rounds += 1;
                tokio::select! {
                    biased;
                    () = nudge.notified() => {}
                    () = alarm.wait_until(Instant::now()) => {}
                }
            }
            rounds
        };
        let rounds = async {
            for alarm in [Alarm::fine(), Alarm::Precise(Rc::default()), Alarm::Coarse] {
                assert!(rounds_until_the_other_ran(alarm).await < 10);
            }
        };
        LocalSet::new().run_until(rounds).await;
    }

    #[tokio::test]
    async fn rounds_that_others_use_are_no_idle_ones() {
        let idle = Rc::new(Cell::new(Duration::ZERO));
        let mut alarm = Alarm::Precise(Rc::clone(&idle));
        let wait = async |alarm: &mut Alarm| {
            let before = idle.get();
            let began = Instant::now();
            alarm.wait_until(began + Duration::from_millis(50)).await;
            (idle.get() - before, began.elapsed())
        };
        let (alone, waited) = wait(&mut alarm).await;
        assert!(alone > Duration::ZERO && alone <= waited, "{alone:?}");
        let busy = async {
            loop {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(1) {
                    std::hint::spin_loop();
                }
                yield_now().await;
            }
        };
        let (beside, waited) = tokio::select! {
            biased;
            waited = wait(&mut alarm) => waited,
            () = busy => unreachable!("it goes on for ever"),
        };
        assert!(beside < waited / 100, "{beside:?} of {waited:?}");
    }
}
