//! Passed, failed, invalid or interrupted, and why.

use crate::{
    controller::{EntryOutcome, Outcome, StopCause},
    id::EntryId,
    report::{Suspicion, Verdict, human::span},
    scenario::threshold::ThresholdResult,
    volume::{Conclusion, FindingKind},
};

/// Judges a run: its verdict, and every reason against it in plain words.
pub(super) fn verdict(outcome: &Outcome, suspicions: &[Suspicion]) -> (Verdict, Vec<String>) {
    let mut reasons = Vec::new();
    let interrupted = outcome.ending.cause == StopCause::Interrupted;
    if interrupted {
        let at = span(outcome.ending.stopped_at);
        reasons.push(format!(
            "the run was stopped after {at}, before its plan was over"
        ));
    }
    let invalid: Vec<_> = suspicions
        .iter()
        .filter(|suspicion| suspicion.invalid)
        .map(|suspicion| suspicion.message.clone())
        .collect();
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

/// What speaks against a run that goes on, if it ended now; what is still to come does not.
pub(super) fn against(outcome: &Outcome, suspicions: &[Suspicion]) -> Vec<String> {
    let invalid = suspicions.iter().filter(|suspicion| suspicion.invalid);
    let mut reasons: Vec<_> = invalid.map(|suspicion| suspicion.message.clone()).collect();
    reasons.extend(outcome.ending.broken.iter().cloned());
    reasons.extend(
        unmet_thresholds(outcome)
            .filter(|threshold| threshold.value.is_some())
            .map(unmet_threshold),
    );
    reasons.extend(unjudged_failures(outcome));
    reasons
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
    reasons.extend(unmet_thresholds(outcome).map(unmet_threshold));
    if outcome.ending.cause == StopCause::FirstFailure {
        let at = span(outcome.ending.stopped_at);
        reasons.push(format!(
            "the run was stopped at its first failure, after {at}"
        ));
    }
    reasons.extend(unfound(&outcome.entries));
    reasons.extend(unjudged_failures(outcome));
    reasons
}

fn unmet_thresholds(outcome: &Outcome) -> impl Iterator<Item = &ThresholdResult> {
    let thresholds = outcome.thresholds.iter();
    thresholds.filter(|threshold| !threshold.passed)
}

fn unmet_threshold(threshold: &ThresholdResult) -> String {
    let expression = &threshold.expression;
    let value = match (threshold.value, threshold.broke_at) {
        (_, Some(at)) => format!(" (it broke at {})", span(at)),
        (None, None) => " (there is no sample)".to_owned(),
        (Some(_), None) => String::new(),
    };
    format!("the threshold {expression} does not hold{value}")
}

/// Failures of journeys, where no threshold says how many are too many.
fn unjudged_failures(outcome: &Outcome) -> Option<String> {
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
    let journeys = if failed == 1 { "journey" } else { "journeys" };
    (failed > 0 && !outcome.ending.judges_errors)
        .then(|| format!("{failed} {journeys} failed, and no threshold is on errors"))
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
