//! Where families come together, and what all of them are made with.

use super::{
    family::{Family, Kind, Labels},
    source::Source,
    user,
};
use crate::stats::Latency;

/// The families so far.
pub(super) struct Maker<'a> {
    pub(super) source: &'a dyn Source,
    /// What all series say.
    pub(super) test: Labels,
    pub(super) families: Vec<Family>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            test: Labels::default().with("test", source.masked(&source.now().scenario)),
            families: Vec::new(),
        }
    }

    /// All of them, with the user's own.
    pub(super) fn user(mut self) -> Vec<Family> {
        let metrics = &self.source.totals().metrics;
        self.families
            .extend(user::families(metrics, &self.test, self.source));
        self.families
    }

    pub(super) fn add(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        fill: impl FnOnce(&mut Family, &Labels),
    ) {
        let mut family = Family::new(name, kind, help);
        fill(&mut family, &self.test);
        self.families.push(family);
    }

    /// A number that every run has one of.
    pub(super) fn one(&mut self, name: &str, kind: Kind, help: &str, number: f64) {
        self.add(name, kind, help, |family, test| {
            family.number(test.clone(), number);
        });
    }

    /// A transaction of a journey.
    pub(super) fn place(&self, journey: &str, transaction: &str) -> Labels {
        let labels = self.test.with("journey", self.source.masked(journey));
        labels.with("transaction", self.source.masked(transaction))
    }
}

/// Times of successes and of failures, which are kept apart.
pub(super) fn by_outcome(family: &mut Family, labels: &Labels, good: &Latency, bad: &Latency) {
    for (outcome, times) in [("success", good), ("failure", bad)] {
        if !times.is_empty() {
            family.samples(labels.with("outcome", outcome), times);
        }
    }
}
