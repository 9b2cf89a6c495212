//! What a threshold measured, in the unit its bound was written in.

use std::time::Duration;

use super::{human, parts::ThresholdSummary};

/// What a threshold measured, in the unit it was written in.
pub(crate) fn measured(threshold: &ThresholdSummary) -> String {
    threshold.value.map_or_else(
        || "no sample".into(),
        |value| in_unit_of(&threshold.expression, value),
    )
}

/// `broke at 41.0s`, of a threshold that did.
pub(crate) fn broke_at(threshold: &ThresholdSummary) -> Option<String> {
    let at = Duration::try_from_secs_f64(threshold.broke_at?).ok()?;
    Some(format!("broke at {}", human::span(at)))
}

/// `value` in the unit of the bound that `expression` names.
pub(crate) fn in_unit_of(expression: &str, value: f64) -> String {
    // A label's value may hold anything, an operator too.
    let comparison = expression.rsplit('}').next().unwrap_or(expression);
    let bound = comparison
        .split_once(['<', '>', '='])
        .map_or("", |(_, bound)| bound.trim_start_matches(['=', ' ']));
    let unit = bound
        .trim_start_matches(|sign: char| sign.is_ascii_digit() || ".,_ -".contains(sign))
        .split_whitespace()
        .next()
        .unwrap_or_default();
    match unit {
        "%" => human::percent(value),
        _ if unit.starts_with(['n', 'u', 'µ', 'm', 's', 'h']) => human::time(value),
        _ => human::number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_answered_in_the_unit_of_its_bound() {
        for (expression, value, text) in [
            ("http.p99 < 250ms", 0.0311, "31.1ms"),
            ("http.p99 < 1m30s over 10s abort after 5s", 2.0, "2.00s"),
            ("errors.rate <= 1%", 0.012, "1.2 %"),
            ("http.rate > 500/s", 998.4, "998"),
            ("errors.count < 10 over 10s", 3.0, "3"),
            ("http{name=\"a < 5ms}\"}.count == 7", 7.0, "7"),
        ] {
            assert_eq!(in_unit_of(expression, value), text, "{expression}");
        }
    }
}
