//! How busy the threads of the workers were, each by itself.

use std::{collections::BTreeMap, time::Duration};

use crate::{id::RunnerId, stats::CpuTime};

/// The part of its core that makes a worker a busy one.
const BUSY: f64 = 0.9;

/// A snapshot that is about less of a second than this says nothing of that second.
const LEAST: Duration = Duration::from_millis(500);

/// What each worker used, and in which seconds one of them was busy.
#[derive(Debug, Default)]
pub(super) struct BusyLog {
    workers: BTreeMap<(RunnerId, u32), CpuTime>,
    /// A byte for each second of the run, which may last for days.
    seconds: Vec<Seen>,
}

/// What is known of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Seen {
    Nothing,
    Calm,
    Busy,
}

/// How busy the workers were, in the part of the run that is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BusyWorkers {
    /// The part of its core that the busiest worker used; absent where the system does not tell.
    pub(crate) busiest: Option<f64>,
    /// Seconds that are known of.
    pub(crate) seconds: u64,
    /// Of these, the ones in which a worker used more than nine tenths of its core.
    pub(crate) busy_seconds: u64,
}

impl BusyLog {
    /// A worker has used so much in the seconds from `first` up to `until`.
    pub(super) fn add(&mut self, worker: (RunnerId, u32), first: u64, until: u64, cpu: CpuTime) {
        let Some(share) = cpu.share() else { return };
        self.workers.entry(worker).or_default().add(cpu);
        if cpu.over < LEAST {
            return;
        }
        let seen = if share > BUSY { Seen::Busy } else { Seen::Calm };
        let (first, until) = (first as usize, until as usize);
        if self.seconds.len() < until {
            self.seconds.resize(until, Seen::Nothing);
        }
        for second in self.seconds.iter_mut().take(until).skip(first) {
            *second = seen.max(*second);
        }
    }

    /// What there is to tell.
    pub(super) fn finish(&self) -> BusyWorkers {
        let count = |least| self.seconds.iter().filter(|seen| **seen >= least).count() as u64;
        BusyWorkers {
            busiest: (self.workers.values())
                .filter_map(|cpu| cpu.share())
                .reduce(f64::max),
            seconds: count(Seen::Calm),
            busy_seconds: count(Seen::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(used: f64, over: f64) -> CpuTime {
        CpuTime {
            used: Duration::from_secs_f64(used),
            over: Duration::from_secs_f64(over),
        }
    }

    #[test]
    fn one_worker_at_its_limit_is_seen_beside_one_that_idles() {
        let mut log = BusyLog::default();
        for second in 0..4 {
            log.add((RunnerId(0), 0), second, second + 1, cpu(0.1, 1.0));
            let share = if second < 3 { 0.96 } else { 0.72 };
            log.add((RunnerId(0), 1), second, second + 1, cpu(share, 1.0));
        }
        // The rest of a run is too short to say anything about its second.
        log.add((RunnerId(0), 1), 4, 5, cpu(0.0, 0.0));
        log.add((RunnerId(0), 0), 4, 5, cpu(0.01, 0.01));
        let busy = log.finish();
        assert_eq!((busy.busy_seconds, busy.seconds), (3, 4));
        assert!((busy.busiest.unwrap() - 0.9).abs() < 1e-9, "{busy:?}");
    }

    #[test]
    fn a_second_that_nobody_told_of_is_neither_busy_nor_known() {
        let mut log = BusyLog::default();
        log.add((RunnerId(0), 0), 2, 3, cpu(0.95, 1.0));
        log.add((RunnerId(0), 1), 4, 5, cpu(0.5, 1.0));
        log.add((RunnerId(0), 1), 2, 3, cpu(0.1, 1.0));
        let busy = log.finish();
        assert_eq!((busy.busy_seconds, busy.seconds), (1, 2));
    }

    #[test]
    fn a_worker_that_was_held_up_was_busy_in_all_the_seconds_it_reports_late() {
        let mut log = BusyLog::default();
        log.add((RunnerId(0), 0), 0, 3, cpu(2.95, 3.0));
        let busy = log.finish();
        assert_eq!((busy.busy_seconds, busy.seconds), (3, 3));
    }

    #[test]
    fn nothing_is_said_where_the_system_does_not_tell() {
        let mut log = BusyLog::default();
        log.add((RunnerId(0), 0), 0, 1, CpuTime::default());
        assert_eq!(log.finish(), BusyWorkers::default());
    }
}
