//! What the report says of journeys, over the whole run and in each stage.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    controller::{EntryOutcome, Outcome, StageOutcome},
    report::{JourneySummary, ResponseTimes, Spread, StageHttp, StageSummary, WaitSummary},
    stats::{JourneyKey, JourneyStatistics, Latency, UserTime},
};

/// A row for each entry of the scenario.
pub(super) fn totals(outcome: &Outcome) -> Vec<JourneySummary> {
    let planned = |entry: &EntryOutcome| (entry.planned, entry.started);
    let journeys = &outcome.totals.journeys;
    let mut rows = rows(outcome, journeys, |key, row| {
        let entry = outcome.entries.get(key.entry.index());
        unmet(entry, entry.map(planned), row.users)
    });
    for (row, journey) in rows.iter_mut().zip(journeys.values()) {
        row.distribution = Spread::of(&journey.response_time);
    }
    rows
}

/// Response times of all entries, and of each journey that has several.
pub(super) fn together(journeys: &BTreeMap<JourneyKey, JourneyStatistics>) -> Vec<ResponseTimes> {
    if journeys.len() < 2 {
        return Vec::new();
    }
    let mut all = Latency::default();
    let mut by_name = BTreeMap::<&str, (usize, Latency)>::new();
    for (key, journey) in journeys {
        all.merge(&journey.response_time);
        let (entries, times) = by_name.entry(&key.journey).or_default();
        *entries += 1;
        times.merge(&journey.response_time);
    }
    let several = by_name.iter().filter(|(_, (entries, _))| *entries > 1);
    let several = several.map(|(name, (_, times))| (Some((*name).to_owned()), times));
    std::iter::once((None, &all))
        .chain(several)
        .map(|(journey, times)| ResponseTimes {
            journey,
            response_time: times.summary(),
        })
        .collect()
}

/// What each stage showed, as far as it was measured.
pub(super) fn stages(outcome: &Outcome) -> Vec<StageSummary> {
    let stages = outcome.stages.iter();
    stages.map(|stage| summary(outcome, stage)).collect()
}

fn summary(outcome: &Outcome, stage: &StageOutcome) -> StageSummary {
    let statistics = &stage.statistics;
    let mut journeys = rows(outcome, &statistics.journeys, |key, row| {
        let index = key.entry.index();
        let entry = outcome.entries.get(index);
        let planned = stage.planned.get(index).copied();
        // The plan of an entry whose starts are drawn says nothing of a part of it.
        let planned = planned.filter(|_| entry.is_some_and(|entry| !entry.random));
        unmet(
            entry,
            planned.map(|planned| (planned, row.started)),
            row.users,
        )
    });
    journeys
        .retain(|row| row.started + row.completed + row.failed + row.dropped + row.interrupted > 0);
    let sum = |count: fn(&JourneySummary) -> u64| journeys.iter().map(count).sum();
    let lasted = stage.lasted.as_secs_f64();
    StageSummary {
        name: stage.name.clone(),
        from: stage.from.as_secs_f64(),
        until: stage.until.as_secs_f64(),
        seconds: lasted,
        users: if lasted > 0.0 {
            stage.users as f64 / lasted
        } else {
            0.0
        },
        planned_starts: stage.planned.iter().sum(),
        starts: sum(|row| row.started),
        errors: sum(|row| row.failed),
        dropped: sum(|row| row.dropped),
        journeys,
        http: StageHttp {
            requests: statistics.requests,
            failed: statistics.requests_failed,
            time: statistics.request_time.summary(),
            failed_time: statistics.failed_request_time.summary(),
        },
    }
}

fn rows(
    outcome: &Outcome,
    journeys: &BTreeMap<JourneyKey, JourneyStatistics>,
    unmet: impl Fn(&JourneyKey, &JourneyStatistics) -> f64,
) -> Vec<JourneySummary> {
    let entries_of = |name: &str| {
        let entries = outcome.entries.iter();
        entries.filter(|entry| entry.journey == name).count()
    };
    journeys
        .iter()
        .map(|(key, journey)| JourneySummary {
            journey: key.journey.to_string(),
            entry: (entries_of(&key.journey) > 1).then_some(key.entry.0),
            started: journey.started,
            completed: journey.completed,
            failed: journey.failed,
            dropped: journey.dropped,
            interrupted: journey.interrupted,
            service_time: journey.service_time.summary(),
            response_time: journey.response_time.summary(),
            start_delay: journey.start_delay.summary(),
            distribution: Vec::new(),
            waits: WaitSummary {
                worker: journey.waits.worker.as_secs_f64(),
                room: journey.waits.room.as_secs_f64(),
                data: journey.waits.data.as_secs_f64(),
            },
            unmet: unmet(key, journey),
        })
        .collect()
}

/// The part of the volume that did not come about: of the planned starts, or of the user-seconds.
///
/// That the data of an entry was used up is its planned end, and not missing volume.
fn unmet(entry: Option<&EntryOutcome>, starts: Option<(u64, u64)>, users: UserTime) -> f64 {
    if entry.is_some_and(EntryOutcome::is_used_up) {
        return 0.0;
    }
    let starts = starts.map_or(0.0, |(planned, started)| {
        planned.saturating_sub(started) as f64 / planned.max(1) as f64
    });
    starts.max(part(users.unmet, users.wanted))
}

fn part(of: Duration, all: Duration) -> f64 {
    if all.is_zero() {
        return 0.0;
    }
    of.as_secs_f64() / all.as_secs_f64()
}
