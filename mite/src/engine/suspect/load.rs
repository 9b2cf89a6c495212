//! Whether the load that was asked for was produced.

use std::time::Duration;

use super::cause::{Blame, Circumstances};
use crate::{
    controller::{EntryOutcome, Outcome, StopCause},
    report::{Cause, Suspicion, human::time},
    stats::JourneyStatistics,
};

/// The part of the planned starts that may be missing.
const STARTS_MISSING: f64 = 0.001;
/// The part of the wanted user-seconds that may be missing, and as much as each user may be late.
const USERS_MISSING: f64 = 0.01;
/// The start delay at the 99th percentile that makes the load another than the one asked for.
const START_DELAY: Duration = Duration::from_millis(100);

/// What makes the load another than the one that was asked for.
pub(super) fn suspicions(outcome: &Outcome, circumstances: Circumstances) -> Vec<Suspicion> {
    let mut suspicions = Vec::new();
    // A run that was broken off has a reason of its own for what it lacks.
    let broken_off = matches!(
        outcome.ending.cause,
        StopCause::Broken(_) | StopCause::Abandoned
    );
    if !broken_off {
        suspicions.extend(missing_starts(outcome, circumstances));
    }
    for (key, journey) in &outcome.totals.journeys {
        let entry = outcome.entries.get(key.entry.index());
        let broken = entry.is_some_and(|entry| entry.broken) || broken_off;
        let starved = entry.is_some_and(|entry| entry.starved);
        // What is asked for beyond a capacity need not take place; what was found says so itself.
        if entry.is_some_and(EntryOutcome::seeks_capacity) {
            continue;
        }
        // The last items of a pool that is used up leave some users without; that is its end.
        let used_up = entry.is_some_and(EntryOutcome::is_used_up);
        if !broken && !used_up {
            let blame = if starved {
                let why = "its datapool is too small, so users waited for data. Put more items \
                           into it.";
                (Cause::Data, why.to_owned())
            } else {
                circumstances.of_users()
            };
            suspicions.extend(missing_users(&key.journey, journey, blame));
        }
        suspicions.extend(late_starts(&key.journey, journey, circumstances));
    }
    suspicions.extend(doubts(outcome, circumstances));
    suspicions.extend(nothing_measured(outcome));
    suspicions.extend(missing_statistics(outcome));
    suspicions.extend(lost_runners(outcome));
    suspicions.extend(abandoned(outcome));
    suspicions
}

fn missing_starts(outcome: &Outcome, circumstances: Circumstances) -> Option<Suspicion> {
    let entries = || {
        let entries = outcome.entries.iter();
        entries.filter(|entry| !entry.seeks_capacity())
    };
    let planned: u64 = entries().map(|entry| entry.planned).sum();
    let started: u64 = entries()
        .map(|entry| entry.started.min(entry.planned))
        .sum();
    let dropped: u64 = entries().map(|entry| entry.dropped).sum();
    let missing = planned.saturating_sub(started);
    if missing as f64 <= planned as f64 * STARTS_MISSING {
        return None;
    }
    let starved: Vec<_> = entries()
        .filter(|entry| entry.starved && entry.dropped > 0)
        .map(|entry| entry.journey.as_str())
        .collect();
    let (cause, why) = if starved.is_empty() {
        let journeys = outcome.totals.journeys.iter().filter(|(key, _)| {
            let entry = outcome.entries.get(key.entry.index());
            entry.is_some_and(|entry| !entry.seeks_capacity())
        });
        circumstances.of_starts(journeys.map(|(_, journey)| journey))
    } else {
        let why = format!(
            "the datapool of {} is too small for the volume. Put more items into it.",
            starved.join(", ")
        );
        (Cause::Data, why)
    };
    let never = missing.saturating_sub(dropped);
    Some(decisive(
        "starts",
        missing as f64 / planned as f64,
        STARTS_MISSING,
        cause,
        format!(
            "{missing} of {planned} planned starts did not take place ({dropped} dropped, {never} \
             never begun): {why}"
        ),
    ))
}

fn missing_users(name: &str, journey: &JourneyStatistics, blame: Blame) -> Option<Suspicion> {
    let wanted = journey.users.wanted.as_secs_f64();
    let unmet = journey.users.unmet.as_secs_f64();
    let moments = START_DELAY.as_secs_f64() * journey.users.peak as f64;
    if unmet <= (wanted * USERS_MISSING).max(moments) {
        return None;
    }
    let (cause, why) = blame;
    Some(decisive(
        "users",
        unmet / wanted,
        USERS_MISSING,
        cause,
        format!(
            "{name} had {:.1} % of the users it was to have: {why}",
            (wanted - unmet) / wanted * 100.0
        ),
    ))
}

fn late_starts(
    name: &str,
    journey: &JourneyStatistics,
    circumstances: Circumstances,
) -> Option<Suspicion> {
    let p99 = journey.start_delay.quantile(0.99)?;
    if p99 <= START_DELAY {
        return None;
    }
    let (cause, why) = circumstances.of_starts([journey].into_iter());
    Some(decisive(
        "start_delay",
        p99.as_secs_f64(),
        START_DELAY.as_secs_f64(),
        cause,
        format!(
            "{name} started late: the start delay at p99 is {}, more than {}. The server got the \
             load later and in other portions than was asked for; response times contain the \
             delay, service times do not. The starts waited: {why}",
            time(p99.as_secs_f64()),
            time(START_DELAY.as_secs_f64())
        ),
    ))
}

/// What volume models that follow the results doubt of what they have found.
fn doubts(outcome: &Outcome, circumstances: Circumstances) -> impl Iterator<Item = Suspicion> {
    outcome
        .entries
        .iter()
        .enumerate()
        .flat_map(move |(index, entry)| {
            let doubts = entry.findings.iter().flat_map(|finding| &finding.doubts);
            doubts.map(move |doubt| {
                let own = outcome.totals.journeys.iter();
                let own = own.filter(|(key, _)| key.entry.index() == index);
                let (cause, _) = circumstances.of_starts(own.map(|(_, journey)| journey));
                let journey = &entry.journey;
                let message = format!("what was found about {journey} is in doubt: {doubt}");
                decisive("finding", 1.0, 0.0, cause, message)
            })
        })
}

fn nothing_measured(outcome: &Outcome) -> Option<Suspicion> {
    (outcome.measured.is_zero() && outcome.ending.broken.is_empty()).then(|| {
        let message = "Nothing was measured: the run was over before its warm-up was. Let it last \
                       longer, or shorten the warm-up.";
        decisive("measured", 0.0, 0.0, Cause::Scenario, message.to_owned())
    })
}

fn lost_runners(outcome: &Outcome) -> impl Iterator<Item = Suspicion> {
    let lost = outcome.crew.iter().filter(|member| member.lost);
    lost.filter_map(|member| Some((member, member.left?))).map(|(member, left)| {
        let message = format!(
            "The runner{} was lost {} into the run: what it did after its last report is not in \
             the numbers, and for some seconds nobody did its share. Look at its machine and the \
             network.",
            on(&member.recruit.host),
            time(left.as_secs_f64())
        );
        decisive("runners", 1.0, 0.0, Cause::Generator, message)
    })
}

fn abandoned(outcome: &Outcome) -> Option<Suspicion> {
    (outcome.ending.cause == StopCause::Abandoned).then(|| {
        let message = format!(
            "No runner is left: the last one was told to end, died or had no controller for too \
             long, {} into the run, before its plan was over. Have others come before runners go, \
             or tell the controller to end.",
            time(outcome.ending.stopped_at.as_secs_f64())
        );
        decisive("runners", 0.0, 1.0, Cause::Generator, message)
    })
}

fn on(host: &str) -> String {
    match host {
        "" => String::new(),
        host => format!(" on {host}"),
    }
}

fn missing_statistics(outcome: &Outcome) -> Option<Suspicion> {
    let missing = outcome.missing.max(outcome.ending.silent as u64);
    (missing > 0).then(|| {
        let message = "Statistics of at least one worker are missing: it was stuck in code that \
                       blocks the thread when the run ended. Take such code out of the journeys.";
        let missing = missing as f64;
        decisive(
            "statistics",
            missing,
            0.0,
            Cause::Scenario,
            message.to_owned(),
        )
    })
}

/// A suspicion that makes the run invalid.
fn decisive(name: &str, value: f64, limit: f64, cause: Cause, message: String) -> Suspicion {
    Suspicion {
        name: name.to_owned(),
        value,
        limit,
        invalid: true,
        cause,
        message,
    }
}
