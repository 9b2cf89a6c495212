//! What workers report, added up: by second while the run goes on, and in total.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use super::{
    busy::BusyLog,
    entry::EntryState,
    observe::Observations,
    outcome::{Ending, EntryOutcome, Outcome},
    points::{Point, PointTimes, Points},
    stages::{self, Stages},
};
use crate::{
    id::{EntryId, RunnerId},
    link::{Cover, Snapshot},
    scenario::threshold::{Judge, ThresholdResult},
    stats::{JourneyStatistics, Latency, Statistics},
    volume::Observed,
};

/// How long a second waits for the workers that have not reported on it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Up to which second a worker has reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Covered {
    /// It has said nothing yet; before this second it was not there.
    From(u64),
    /// Up to this second.
    Until(u64),
    /// It will report no more.
    Finished,
}

impl Covered {
    /// Whether nothing more is to come of the second.
    fn has(self, second: u64) -> bool {
        match self {
            Self::From(until) | Self::Until(until) => second < until,
            Self::Finished => true,
        }
    }
}

/// The results of a run so far.
pub(super) struct Results {
    /// Up to which second each worker has reported.
    covered: BTreeMap<(RunnerId, u32), Covered>,
    /// Seconds of which some workers have not reported.
    pending: BTreeMap<u64, Statistics>,
    /// The first second that has not been shown.
    next: u64,
    /// Seconds kept out of totals.
    warm_up: u64,
    totals: Statistics,
    /// By entry, over the whole run.
    begun: Vec<Begun>,
    points: Points,
    stages: Stages,
    observations: Observations,
    judge: Judge,
    missing: u64,
    busy: BusyLog,
    /// No second is given up before.
    waits_until: Duration,
}

/// What became of the starts of an entry, warm-up included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Begun {
    pub(super) started: u64,
    pub(super) dropped: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    /// At the end of the last second.
    pub(super) in_flight: u64,
}

/// A second of the run, with what a person wants to see beside it.
#[derive(Clone, Debug)]
pub(crate) struct Second {
    pub(crate) point: Point,
    /// Whether it is kept out of totals.
    pub(crate) warming_up: bool,
    /// All that was counted in it.
    pub(crate) statistics: Arc<Statistics>,
    /// Start delays of journeys that started; absent in the closed model.
    pub(crate) start_delay: Option<PointTimes>,
    /// How long starts waited for room, added up over all of them.
    pub(crate) waiting_for_room: Duration,
    /// Starts planned in it; absent unless every entry counts starts.
    pub(crate) planned_starts: Option<u64>,
    /// Failed journeys since the start.
    pub(crate) errors: u64,
    /// Dropped starts since the start.
    pub(crate) dropped: u64,
    /// Journeys whose pool is too small for the volume.
    pub(crate) starved: Vec<String>,
    /// How the thresholds stand.
    pub(crate) thresholds: Vec<ThresholdResult>,
}

impl Results {
    pub(super) fn new(judge: Judge, warm_up: Duration, entries: &[EntryState]) -> Self {
        Self {
            covered: BTreeMap::new(),
            pending: BTreeMap::new(),
            next: 0,
            warm_up: warm_up.as_secs() + u64::from(warm_up.subsec_nanos() > 0),
            totals: Statistics::default(),
            begun: vec![Begun::default(); entries.len()],
            points: Points::default(),
            stages: Stages::default(),
            observations: Observations::new(
                entries
                    .iter()
                    .map(|entry| (entry.id, entry.journey.as_str(), entry.follows_results())),
            ),
            judge,
            missing: 0,
            busy: BusyLog::default(),
            waits_until: Duration::ZERO,
        }
    }

    /// Whoever has to report may be late until then.
    pub(super) fn wait_until(&mut self, until: Duration) {
        self.waits_until = until;
    }

    /// A runner will report on what happens from `now` on.
    pub(super) fn join(&mut self, runner: RunnerId, workers: u32, now: Duration) {
        for worker in 0..workers {
            let covered = Covered::From(now.as_secs());
            self.covered.insert((runner, worker), covered);
        }
    }

    /// A runner will report no more.
    pub(super) fn lose(&mut self, runner: RunnerId) {
        let workers = self.covered.range_mut((runner, 0)..=(runner, u32::MAX));
        for (_, covered) in workers {
            *covered = Covered::Finished;
        }
    }

    /// What the model of an entry gets to see.
    pub(super) fn observed(&self, entry: EntryId) -> &Observed {
        self.observations.of(entry)
    }

    /// The statistics of some workers of a runner have come.
    pub(super) fn add(&mut self, runner: RunnerId, snapshot: Snapshot) {
        let until = snapshot.until();
        for cover in snapshot.covers {
            self.cover(runner, cover);
        }
        self.count(until.saturating_sub(1), snapshot.statistics);
    }

    /// A worker has reported on some seconds; what it counted in them comes by
    /// [`count`](Results::count).
    pub(super) fn cover(&mut self, runner: RunnerId, cover: Cover) {
        let worker = (runner, cover.worker);
        let covered = self.covered.entry(worker).or_insert(Covered::From(0));
        if let Covered::Until(until) = *covered {
            match cover.first.cmp(&until) {
                Ordering::Equal => {}
                // One in between has not come, or not yet.
                Ordering::Greater => self.missing += 1,
                Ordering::Less => self.missing = self.missing.saturating_sub(1),
            }
        }
        let first = cover.first.max(self.warm_up);
        if first < cover.until {
            self.busy.add(worker, first, cover.until, cover.cpu);
        }
        *covered = match *covered {
            _ if cover.last => Covered::Finished,
            Covered::Until(until) => Covered::Until(until.max(cover.until)),
            Covered::From(_) => Covered::Until(cover.until),
            Covered::Finished => Covered::Finished,
        };
    }

    /// This was counted up to the end of a second, by whichever workers.
    ///
    /// A worker that was held up reports on several seconds at once. What it did belongs to the
    /// last of them, or to the first that is still open if that one has been shown.
    pub(super) fn count(&mut self, second: u64, statistics: Statistics) {
        match self.pending.entry(second.max(self.next)) {
            Entry::Vacant(vacant) => {
                vacant.insert(statistics);
            }
            Entry::Occupied(mut occupied) => occupied.get_mut().gather(statistics),
        }
    }

    /// The seconds that are now known, each with the threshold that wants the run to stop, if one
    /// does.
    pub(super) fn complete(
        &mut self,
        now: Duration,
        entries: &[EntryState],
        stopped: Option<Duration>,
    ) -> Vec<(Second, Option<String>)> {
        let mut seconds = Vec::new();
        loop {
            let over = Duration::from_secs(self.next + 1);
            let late = now >= (over + PATIENCE).max(self.waits_until);
            let is_known = self.covered.values().all(|covered| covered.has(self.next));
            if over > now || !(is_known || late) {
                return seconds;
            }
            seconds.push(self.close_second(entries, stopped));
        }
    }

    fn close_second(
        &mut self,
        entries: &[EntryState],
        stopped: Option<Duration>,
    ) -> (Second, Option<String>) {
        let number = self.next;
        let mut statistics = self.pending.remove(&number).unwrap_or_default();
        self.next += 1;
        let at = Duration::from_secs(number);
        let end = Duration::from_secs(self.next);
        let mut point = self.point(at, end, &statistics, entries);
        let planned_users: Vec<f64> = entries
            .iter()
            .filter_map(|entry| entry.planned_users(at))
            .collect();
        point.target_users = (planned_users.len() == entries.len()).then(|| {
            // Whoever is in flight after the end may finish, but none is asked for.
            let over = stopped.is_some_and(|stopped| at >= stopped);
            if over {
                0
            } else {
                // As the runners count them: user k is there where the level is above k + 1/2.
                let whole = |level: &f64| (level - 0.5).ceil().max(0.0) as u64;
                planned_users.iter().map(whole).sum()
            }
        });
        self.observations.second(at, &statistics, &self.begun);
        let measured = Duration::from_secs(self.next.saturating_sub(self.warm_up));
        let mut aborting = None;
        self.stages.enter(at, entries, stopped);
        if number >= self.warm_up {
            self.totals.follow(statistics.clone());
            statistics.conform(&self.totals);
            self.stages.follow(at, entries, &statistics);
            let stages = self.stages.now();
            aborting = self
                .judge
                .second(&statistics, &self.totals, measured, stages);
        }
        let thresholds = self.thresholds(measured);
        let aborting = aborting
            .and_then(|index| thresholds.get(index))
            .map(|threshold| threshold.expression.clone());
        let second = Second {
            planned_starts: planned_users.is_empty().then_some(point.planned_starts),
            errors: self.observations.run().failed,
            dropped: self.observations.run().dropped,
            starved: starved(entries).collect(),
            thresholds,
            start_delay: journey_times(&statistics, |journey| &journey.start_delay),
            waiting_for_room: (statistics.journeys.values())
                .map(|journey| journey.waits.room)
                .sum(),
            point,
            warming_up: number < self.warm_up,
            statistics: Arc::new(statistics),
        };
        self.points.push(&second.point);
        (second, aborting)
    }

    /// How the thresholds stand after so much of the run has been measured.
    fn thresholds(&self, measured: Duration) -> Vec<ThresholdResult> {
        let mut results = self.judge.finish(&self.totals, measured);
        let broken = results
            .iter_mut()
            .filter_map(|result| result.broke_at.as_mut());
        broken.for_each(|at| *at += Duration::from_secs(self.warm_up));
        results
    }

    fn point(
        &mut self,
        at: Duration,
        end: Duration,
        statistics: &Statistics,
        entries: &[EntryState],
    ) -> Point {
        let mut point = Point {
            at,
            stage: stage(entries, at),
            requests: statistics.http.requests,
            failed_requests: statistics.http.failed,
            planned_starts: entries
                .iter()
                .map(|entry| entry.planned_starts(at, end))
                .sum(),
            http: times(&statistics.http.time),
            response_time: journey_times(statistics, |journey| &journey.response_time),
            service_time: journey_times(statistics, |journey| &journey.service_time),
            ..Point::default()
        };
        for begun in &mut self.begun {
            begun.in_flight = 0;
        }
        for (key, journey) in &statistics.journeys {
            point.users += journey.users.in_flight;
            point.starts += journey.started;
            point.errors += journey.failed;
            point.dropped += journey.dropped;
            if let Some(begun) = self.begun.get_mut(key.entry.index()) {
                begun.add(journey);
            }
        }
        point
    }

    /// The end of the last second that is known.
    pub(super) fn known_until(&self) -> Duration {
        Duration::from_secs(self.next)
    }

    /// What was counted since the warm-up, and in how long.
    pub(super) fn measured(&self) -> (&Statistics, Duration) {
        let measured = Duration::from_secs(self.next.saturating_sub(self.warm_up));
        (&self.totals, measured)
    }

    /// What there is so far, as if the run had ended with the last second that is known.
    pub(super) fn so_far(&self, entries: &[EntryState], ending: Ending) -> Outcome {
        let duration = self.known_until();
        let measured = duration.saturating_sub(Duration::from_secs(self.warm_up));
        Outcome {
            thresholds: self.thresholds(measured),
            totals: self.totals.clone(),
            entries: self.outcomes(entries, duration),
            points: self.points.clone(),
            unshown: Vec::new(),
            stages: self.stages.so_far().to_vec(),
            ending,
            duration,
            measured,
            missing: self.missing,
            busy: self.busy.finish(),
            volume_changes: Vec::new(),
            takeovers: Vec::new(),
            crew: Vec::new(),
        }
    }

    /// Everything, once nothing more will come.
    pub(super) fn finish(
        mut self,
        entries: &[EntryState],
        ending: Ending,
        duration: Duration,
    ) -> Outcome {
        let mut unshown = Vec::new();
        while self
            .pending
            .keys()
            .next_back()
            .is_some_and(|last| *last >= self.next)
        {
            let (second, _) = self.close_second(entries, Some(ending.stopped_at));
            unshown.push(second);
        }
        let behind = self
            .covered
            .values()
            .filter(|covered| **covered != Covered::Finished)
            .count();
        let measured = duration.saturating_sub(Duration::from_secs(self.warm_up));
        Outcome {
            thresholds: self.thresholds(measured),
            entries: self.outcomes(entries, ending.stopped_at),
            totals: self.totals,
            points: self.points,
            unshown,
            stages: self.stages.finish(),
            ending,
            duration,
            measured,
            missing: self.missing + behind as u64,
            busy: self.busy.finish(),
            volume_changes: Vec::new(),
            takeovers: Vec::new(),
            crew: Vec::new(),
        }
    }

    fn outcomes(&self, entries: &[EntryState], stopped_at: Duration) -> Vec<EntryOutcome> {
        let each = entries.iter().zip(&self.begun);
        each.map(|(entry, begun)| EntryOutcome::new(entry, *begun, stopped_at))
            .collect()
    }
}

impl Begun {
    fn add(&mut self, journey: &JourneyStatistics) {
        self.started += journey.started;
        self.dropped += journey.dropped;
        self.completed += journey.completed;
        self.failed += journey.failed;
        self.in_flight += journey.users.in_flight;
    }
}

fn times(latency: &Latency) -> Option<PointTimes> {
    Some(PointTimes {
        p50: latency.quantile(0.5)?,
        p95: latency.quantile(0.95)?,
        p99: latency.quantile(0.99)?,
        max: latency.max()?,
    })
}

/// Times of the journeys of all entries.
fn journey_times(
    statistics: &Statistics,
    times_of: impl Fn(&JourneyStatistics) -> &Latency,
) -> Option<PointTimes> {
    let mut rows = statistics.journeys.values().map(times_of);
    let mut all = rows.find(|times| !times.is_empty())?.clone();
    rows.for_each(|more| all.merge(more));
    times(&all)
}

/// The stages the entries are in.
fn stage(entries: &[EntryState], at: Duration) -> Option<String> {
    let names = stages::names(entries, at);
    (!names.is_empty()).then(|| names.join(", "))
}

fn starved(entries: &[EntryState]) -> impl Iterator<Item = String> {
    entries
        .iter()
        .filter(|entry| entry.is_starved())
        .map(|entry| entry.journey.clone())
}
