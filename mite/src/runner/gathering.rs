//! Makes one snapshot a second of those of all workers, so that the controller hears one a runner.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use tokio::time::Instant;

use crate::link::Snapshot;

/// How long a second waits for the workers that have not reported on it: they all do so at its end,
/// and nobody is to wait for one that is stuck.
const PATIENCE: Duration = Duration::from_millis(100);

/// What workers have reported and others have not yet.
#[derive(Debug)]
pub(super) struct Gathering {
    /// Up to which second each worker has reported.
    reported: Vec<u64>,
    /// By the second after the last one that each is about.
    open: BTreeMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    snapshot: Snapshot,
    /// When it is passed on, whoever is missing.
    late: Instant,
}

impl Gathering {
    /// Of so many workers.
    pub(super) fn new(workers: usize) -> Self {
        Self {
            reported: vec![0; workers],
            open: BTreeMap::new(),
        }
    }

    /// Snapshots of workers have come; gives what is complete with them.
    pub(super) fn add(&mut self, now: Instant, snapshot: Snapshot) -> Vec<Snapshot> {
        let until = snapshot.until();
        for cover in &snapshot.covers {
            if let Some(reported) = self.reported.get_mut(cover.worker as usize) {
                *reported = (*reported).max(cover.until);
            }
        }
        match self.open.entry(until) {
            Entry::Vacant(vacant) => {
                let late = now + PATIENCE;
                vacant.insert(Open { snapshot, late });
            }
            Entry::Occupied(mut occupied) => occupied.get_mut().snapshot.gather(snapshot),
        }
        self.complete()
    }

    /// A worker will report no more; gives what is complete without it.
    pub(super) fn leave(&mut self, worker: usize) -> Vec<Snapshot> {
        if let Some(reported) = self.reported.get_mut(worker) {
            *reported = u64::MAX;
        }
        self.complete()
    }

    /// When something has waited long enough, if anything waits.
    pub(super) fn late_at(&self) -> Option<Instant> {
        self.open.values().map(|open| open.late).min()
    }

    /// Gives what has waited long enough.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Snapshot> {
        let late = self.open.iter().rev().find(|(_, open)| open.late <= now);
        match late {
            Some((&until, _)) => self.take_up_to(until),
            None => Vec::new(),
        }
    }

    /// Gives all there is.
    pub(super) fn finish(&mut self) -> Vec<Snapshot> {
        self.take_up_to(u64::MAX)
    }

    fn complete(&mut self) -> Vec<Snapshot> {
        let all = self.reported.iter().copied().min();
        self.take_up_to(all.unwrap_or(u64::MAX))
    }

    /// In order of time, so that what a worker said first also goes first.
    fn take_up_to(&mut self, until: u64) -> Vec<Snapshot> {
        let mut taken = Vec::new();
        while let Some(open) = self.open.first_entry().filter(|open| *open.key() <= until) {
            taken.push(open.remove().snapshot);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        link::Cover,
        stats::{CpuTime, Statistics},
    };

    const SECOND: Duration = Duration::from_secs(1);

    /// What a worker reports that has opened no connection as often as its number plus one.
    fn of(worker: u32, first: u64, until: u64) -> Snapshot {
        let mut statistics = Statistics::default();
        statistics.generator.connections_failed = u64::from(worker) + 1;
        let cpu = CpuTime {
            used: Duration::from_millis(u64::from(worker)),
            over: SECOND,
        };
        Snapshot {
            covers: vec![Cover {
                worker,
                first,
                until,
                last: false,
                cpu,
            }],
            statistics,
        }
    }

    /// The end, the workers and the sum of what is told.
    fn told(snapshots: &[Snapshot]) -> Vec<(u64, Vec<u32>, u64)> {
        let each = snapshots.iter().map(|snapshot| {
            let workers = snapshot.covers.iter().map(|cover| cover.worker);
            let sum = snapshot.statistics.generator.connections_failed;
            (snapshot.until(), workers.collect(), sum)
        });
        each.collect()
    }

    #[test]
    fn a_second_is_told_once_as_soon_as_all_workers_have_reported_it() {
        let now = Instant::now();
        let mut gathering = Gathering::new(3);
        assert!(gathering.add(now, of(2, 0, 1)).is_empty());
        assert!(gathering.add(now, of(0, 0, 1)).is_empty());
        let complete = gathering.add(now, of(1, 0, 1));
        assert_eq!(told(&complete), [(1, vec![2, 0, 1], 6)]);
        let used = complete[0].covers.iter().map(|cover| cover.cpu.used);
        let used: Vec<_> = used.collect();
        assert_eq!(used, [2, 0, 1].map(Duration::from_millis));
        assert_eq!(gathering.late_at(), None);
    }

    #[test]
    fn one_worker_never_waits() {
        let mut gathering = Gathering::new(1);
        for second in 0..3 {
            let complete = gathering.add(Instant::now(), of(0, second, second + 1));
            assert_eq!(told(&complete), [(second + 1, vec![0], 1)]);
        }
    }

    #[test]
    fn a_stuck_worker_holds_others_back_for_a_tenth_of_a_second() {
        let start = Instant::now();
        let mut gathering = Gathering::new(3);
        gathering.add(start, of(0, 0, 1));
        gathering.add(start + PATIENCE / 2, of(1, 0, 1));
        assert_eq!(gathering.late_at(), Some(start + PATIENCE));
        assert!(gathering.late(start + PATIENCE / 2).is_empty());
        let late = gathering.late(start + PATIENCE);
        assert_eq!(told(&late), [(1, vec![0, 1], 3)]);
        gathering.add(start + SECOND, of(0, 1, 2));
        gathering.add(start + SECOND, of(1, 1, 2));
        // Two seconds at once, of which the others told each by itself.
        let complete = gathering.add(start + SECOND, of(2, 0, 2));
        assert_eq!(told(&complete), [(2, vec![0, 1, 2], 6)]);
    }

    #[test]
    fn what_a_worker_said_first_goes_first() {
        let start = Instant::now();
        let mut gathering = Gathering::new(3);
        gathering.add(start, of(0, 1, 2));
        gathering.add(start + PATIENCE / 2, of(1, 0, 1));
        let late = gathering.late(start + PATIENCE);
        assert_eq!(told(&late), [(1, vec![1], 2), (2, vec![0], 1)]);
    }

    #[test]
    fn who_reports_two_seconds_at_once_is_not_waited_for_in_the_first() {
        let now = Instant::now();
        let mut gathering = Gathering::new(2);
        gathering.add(now, of(0, 0, 1));
        let complete = gathering.add(now, of(1, 0, 2));
        assert_eq!(told(&complete), [(1, vec![0], 1)]);
        let complete = gathering.add(now, of(0, 1, 2));
        assert_eq!(told(&complete), [(2, vec![1, 0], 3)]);
    }

    #[test]
    fn who_has_gone_is_not_waited_for_and_at_the_end_nobody_is() {
        let now = Instant::now();
        let mut gathering = Gathering::new(3);
        gathering.add(now, of(0, 0, 1));
        gathering.add(now, of(1, 0, 1));
        assert_eq!(told(&gathering.leave(2)), [(1, vec![0, 1], 3)]);
        gathering.add(now, of(0, 1, 2));
        gathering.add(now, of(0, 2, 3));
        let rest = gathering.finish();
        assert_eq!(told(&rest), [(2, vec![0], 1), (3, vec![0], 1)]);
    }
}
