//! Passed, failed, invalid or interrupted, and why.

use std::time::Duration;

use crate::{
    controller::{EntryOutcome, Outcome, StopCause},
    id::EntryId,
    report::{
        Verdict,
        human::{span, time},
    },
    stats::{JourneyStatistics, Latency},
    volume::{Conclusion, FindingKind},
};

/// The part of the planned starts that may be missing.
const STARTS_MISSING: f64 = 0.001;
/// The part of the wanted user-seconds that may be missing.
const USERS_MISSING: f64 = 0.01;
/// The start delay at the 99th percentile that makes the load another than the one asked for.
const START_DELAY: Duration = Duration::from_millis(100);

/// Judges a run: its verdict, and every reason against it in plain words.
pub(super) fn verdict(outcome: &Outcome) -> (Verdict, Vec<String>) {
    let mut reasons = Vec::new();
    let interrupted = outcome.ending.cause == StopCause::Interrupted;
    if interrupted {
        let at = span(outcome.ending.stopped_at);
        reasons.push(format!(
            "the run was stopped after {at}, before its plan was over"
        ));
    }
    // A run that was to stop at its first failure is no measurement.
    let invalid = match outcome.ending.cause {
        StopCause::FirstFailure => Vec::new(),
        _ => validity(outcome),
    };
    let failed = failures(outcome);
    let verdict = if interrupted {
        Verdict::Interrupted
    } else if !invalid.is_empty() {
        Verdict::Invalid
    } else if !failed.is_empty() {
        Verdict::Failed
    } else {
        Verdict::Passed
    };
    reasons.extend(invalid);
    reasons.extend(failed);
    (verdict, reasons)
}

/// What makes the run say nothing about the system under test.
fn validity(outcome: &Outcome) -> Vec<String> {
    let mut reasons = Vec::new();
    // A run that was broken off has a reason of its own for what it lacks.
    if !matches!(outcome.ending.cause, StopCause::Broken(_)) {
        reasons.extend(missing_starts(&outcome.entries));
    }
    for (key, journey) in &outcome.totals.journeys {
        let entry = outcome.entries.get(key.entry.index());
        let broken = entry.is_some_and(|entry| entry.broken)
            || matches!(outcome.ending.cause, StopCause::Broken(_));
        let starved = entry.is_some_and(|entry| entry.starved);
        // What is asked for beyond a capacity need not take place; what was found says so itself.
        if entry.is_some_and(EntryOutcome::seeks_capacity) {
            continue;
        }
        // The last items of a pool that is used up leave some users without; that is its end.
        let used_up = entry.is_some_and(EntryOutcome::is_used_up);
        if !broken && !used_up {
            reasons.extend(missing_users(&key.journey, journey, starved));
        }
        reasons.extend(late_starts(&key.journey, &journey.start_delay));
    }
    for entry in &outcome.entries {
        let doubts = entry.findings.iter().flat_map(|finding| &finding.doubts);
        reasons.extend(doubts.map(|doubt| {
            let journey = &entry.journey;
            format!("what was found about {journey} is in doubt: {doubt}")
        }));
    }
    if outcome.measured.is_zero() && outcome.ending.broken.is_empty() {
        reasons.push("nothing was measured: the run was over before its warm-up was".to_owned());
    }
    if outcome.missing > 0 || outcome.ending.silent > 0 {
        reasons.push(
            "statistics of at least one worker are missing: it was stuck in code that blocks the \
             thread when the run ended"
                .to_owned(),
        );
    }
    reasons
}

fn missing_starts(entries: &[EntryOutcome]) -> Option<String> {
    let entries = || entries.iter().filter(|entry| !entry.seeks_capacity());
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
    let why = if starved.is_empty() {
        "there was no room for them, or no time".to_owned()
    } else {
        format!(
            "the datapool of {} is too small for the volume",
            starved.join(", ")
        )
    };
    let never = missing.saturating_sub(dropped);
    Some(format!(
        "{missing} of {planned} planned starts did not take place ({dropped} dropped, {never} never \
         begun): {why}"
    ))
}

fn missing_users(name: &str, journey: &JourneyStatistics, starved: bool) -> Option<String> {
    let wanted = journey.users.wanted.as_secs_f64();
    let unmet = journey.users.unmet.as_secs_f64();
    if unmet <= wanted * USERS_MISSING {
        return None;
    }
    let why = if starved {
        "its datapool is too small, so users waited for data"
    } else {
        "the load generator did not keep up, or --max-in-flight is too low"
    };
    Some(format!(
        "{name} had {:.1} % of the users it was to have: {why}",
        (wanted - unmet) / wanted * 100.0
    ))
}

fn late_starts(name: &str, delay: &Latency) -> Option<String> {
    let p99 = delay.quantile(0.99).filter(|p99| *p99 > START_DELAY)?;
    Some(format!(
        "{name} started late: the start delay at p99 is {}, more than {}",
        time(p99.as_secs_f64()),
        time(START_DELAY.as_secs_f64())
    ))
}

/// What the system under test, or the scenario, did wrong.
fn failures(outcome: &Outcome) -> Vec<String> {
    let mut reasons = outcome.ending.broken.clone();
    if let StopCause::Threshold(expression) = &outcome.ending.cause {
        let at = span(outcome.ending.stopped_at);
        reasons.push(format!(
            "the run was stopped after {at}, when {expression} did not hold"
        ));
    }
    for threshold in outcome
        .thresholds
        .iter()
        .filter(|threshold| !threshold.passed)
    {
        let value = match threshold.value {
            Some(_) => String::new(),
            None => " (there is no sample)".to_owned(),
        };
        reasons.push(format!(
            "the threshold {} does not hold{value}",
            threshold.expression
        ));
    }
    if outcome.ending.cause == StopCause::FirstFailure {
        let at = span(outcome.ending.stopped_at);
        reasons.push(format!(
            "the run was stopped at its first failure, after {at}"
        ));
    }
    reasons.extend(unfound(&outcome.entries));
    let provoked = |id: EntryId| {
        let entry = outcome.entries.get(id.index());
        entry.is_some_and(EntryOutcome::provokes_failures)
    };
    let failed: u64 = outcome
        .totals
        .journeys
        .iter()
        .filter(|(key, _)| !provoked(key.entry))
        .map(|(_, journey)| journey.failed)
        .sum();
    if failed > 0 && !outcome.ending.judges_errors {
        let journeys = if failed == 1 { "journey" } else { "journeys" };
        reasons.push(format!(
            "{failed} {journeys} failed, and no threshold is on errors"
        ));
    }
    reasons
}

/// Searches that the system failed at their lowest volume, or that never got as far as that.
fn unfound(entries: &[EntryOutcome]) -> impl Iterator<Item = String> {
    let findings = entries.iter().flat_map(|entry| {
        let findings = entry.findings.iter();
        findings.map(move |finding| (&entry.journey, finding))
    });
    findings
        .filter(|(_, finding)| finding.kind == FindingKind::Capacity && finding.found.is_none())
        .map(|(journey, finding)| match finding.conclusion {
            Conclusion::Below => format!(
                "the system does not even take the lower bound of the search for the capacity of \
                 {journey}"
            ),
            _ => format!("the search for the capacity of {journey} had no time to find any"),
        })
}
