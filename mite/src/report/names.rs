//! Journeys by the shortest name that still tells them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{data::Report, text};

/// What stands between a journey and its transaction.
const WITHIN: &str = " › ";

/// The short names of a report's journeys.
pub(crate) struct Names<'a> {
    short: BTreeMap<&'a str, &'a str>,
}

impl<'a> Names<'a> {
    /// Looks at every journey the report names.
    pub(crate) fn of(report: &'a Report) -> Self {
        let full: BTreeSet<&str> = report
            .journeys
            .iter()
            .map(|row| row.journey.as_str())
            .chain(report.transactions.iter().map(|row| row.journey.as_str()))
            .chain(report.errors.iter().map(|row| row.journey.as_str()))
            .collect();
        let short = full
            .iter()
            .map(|name| (*name, shortest(name, &full)))
            .collect();
        Self { short }
    }

    /// The journey alone.
    pub(crate) fn journey(&self, journey: &str) -> String {
        text::clean(self.short.get(journey).copied().unwrap_or(journey))
    }

    /// An entry of the scenario; its number is only given when its journey has several.
    pub(crate) fn entry(&self, journey: &str, entry: Option<u32>) -> String {
        let name = self.journey(journey);
        match entry {
            Some(entry) => format!("{name} #{entry}"),
            None => name,
        }
    }

    /// The place of a transaction; that of the journey outside any.
    pub(crate) fn place(&self, journey: &str, transaction: &str) -> String {
        let journey = self.journey(journey);
        if transaction.is_empty() {
            return journey;
        }
        format!(
            "{journey}{WITHIN}{}",
            text::clean(transaction).replace(" :: ", WITHIN)
        )
    }
}

fn shortest<'a>(name: &'a str, all: &BTreeSet<&str>) -> &'a str {
    name.rmatch_indices("::")
        .filter_map(|(at, separator)| name.get(at + separator.len()..))
        .find(|end| {
            let ends_so = |other: &&&str| {
                other
                    .strip_suffix(end)
                    .is_some_and(|before| before.is_empty() || before.ends_with("::"))
            };
            all.iter().filter(ends_so).count() == 1
        })
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_long_as_it_takes_to_tell_it_apart() {
        let all = BTreeSet::from(["shop::user::buy", "shop::guest::buy", "shop::browse", "buy"]);
        assert_eq!(shortest("shop::user::buy", &all), "user::buy");
        assert_eq!(shortest("shop::browse", &all), "browse");
        assert_eq!(shortest("buy", &all), "buy");
        let all = BTreeSet::from(["shop::buy", "buy"]);
        assert_eq!(shortest("shop::buy", &all), "shop::buy");
    }
}
