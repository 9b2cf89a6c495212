//! Labels whose values are words of ours, and which of them go together.

use super::vocabulary::{Subject, did_you_mean};
use crate::event::{PHASES, TRANSPORT_ERRORS};

/// Why a label of one of our own subjects cannot have this value.
pub(super) fn no_such_value(label: &str, value: &str) -> Option<String> {
    match label {
        "outcome" if value != "ok" && value != "failed" => Some(format!(
            "an outcome is \"ok\" or \"failed\", not \"{value}\""
        )),
        "phase" => unknown(value, "phase of a request", "phases", &PHASES),
        "error" => unknown(value, "kind of transport error", "kinds", &TRANSPORT_ERRORS),
        _ => None,
    }
}

fn unknown(value: &str, what: &str, all: &str, known: &[&str]) -> Option<String> {
    if known.contains(&value) {
        return None;
    }
    let hint = did_you_mean(value, known.iter().copied());
    Some(format!(
        "there is no {what} \"{value}\"{hint}; the {all} are {}",
        known.join(", ")
    ))
}

/// Why labels of a subject cannot stand side by side.
pub(super) fn misfit(subject: &Subject, labels: &[(String, String)]) -> Option<String> {
    if *subject != Subject::Http {
        return None;
    }
    let value_of = |name: &str| {
        let label = labels.iter().find(|(label, _)| label == name);
        label.map(|(_, value)| value)
    };
    if let Some(kind) = value_of("error") {
        let (other, _) = labels.iter().find(|(label, _)| label != "error")?;
        return Some(format!(
            "transport errors are counted over all requests, so \"error\" does not go with \
             \"{other}\"; for a part of them look at failures, such as \
             errors{{kind=\"{kind}\",journey=\"…\"}}.count"
        ));
    }
    let both = value_of("phase").is_some() && value_of("outcome").is_some();
    both.then(|| {
        "phases are those of all requests, failed or not, so \"phase\" does not go with \"outcome\""
            .to_owned()
    })
}

/// Whether the labels select what has a number but no time.
pub(super) fn has_no_times(subject: &Subject, labels: &[(String, String)]) -> bool {
    *subject == Subject::Http && labels.iter().any(|(label, _)| label == "error")
}

/// What to say of a time where there is none.
pub(super) const NO_TIMES: &str = "requests that ended in one kind of transport error have count \
     and rate, but no times; {outcome=\"failed\"} selects the times of all failed ones";
