//! What became of journeys and their transactions, and what failed in them.

use super::{
    family::{Family, Kind},
    maker::{Maker, by_outcome},
};
use crate::stats::JourneyKey;

impl Maker<'_> {
    pub(super) fn journeys(&mut self) {
        let rows = &self.source.totals().journeys;
        let labels = |key: &JourneyKey| {
            let labels = self.test.with("journey", self.source.masked(&key.journey));
            labels.with("entry", key.entry.0.to_string())
        };
        let counter = |name, help| Family::new(name, Kind::Counter, help);
        let times = |name, help| Family::new(name, Kind::Times, help);
        let mut started = counter("mite_journey_started_total", "Journeys that began.");
        let mut ended = counter("mite_journey_ended_total", "Journeys that ended, by how.");
        let mut dropped = counter(
            "mite_journey_dropped_total",
            "Planned journeys that were given up before they began.",
        );
        let mut response = times(
            "mite_journey_response_time_seconds",
            "From the intended start of a journey to its end.",
        );
        let mut service = times(
            "mite_journey_service_time_seconds",
            "From the actual start of a completed journey to its end.",
        );
        let mut delay = times(
            "mite_journey_start_delay_seconds",
            "From the intended start of a journey to the actual one, in the open model.",
        );
        for (key, row) in rows {
            let labels = labels(key);
            started.number(labels.clone(), row.started as f64);
            dropped.number(labels.clone(), row.dropped as f64);
            for (outcome, count) in [
                ("completed", row.completed),
                ("failed", row.failed),
                ("interrupted", row.interrupted),
            ] {
                ended.number(labels.with("outcome", outcome), count as f64);
            }
            by_outcome(&mut response, &labels, &row.response_time, &row.failed_time);
            service.samples(labels.clone(), &row.service_time);
            delay.samples(labels, &row.start_delay);
        }
        self.families
            .extend([started, ended, dropped, response, service, delay]);
    }

    pub(super) fn transactions(&mut self) {
        let mut count = Family::new(
            "mite_transaction_total",
            Kind::Counter,
            "Transactions that came to an end.",
        );
        let mut times = Family::new(
            "mite_transaction_time_seconds",
            Kind::Times,
            "How long transactions took.",
        );
        for (key, row) in self.source.totals().transactions.iter() {
            let labels = self.place(&key.journey, &key.transaction);
            for (had_error, number, time) in [
                ("false", row.count - row.errors, &row.time),
                ("true", row.errors, &row.failed_time),
            ] {
                let labels = labels.with("had_error", had_error);
                count.number(labels.clone(), number as f64);
                if !time.is_empty() {
                    times.samples(labels, time);
                }
            }
        }
        self.families.extend([count, times]);
    }

    pub(super) fn errors(&mut self) {
        let mut family = Family::new(
            "mite_journey_error_total",
            Kind::Counter,
            "Failures of journeys, by their kind and their place in the source.",
        );
        for (key, count) in self.source.totals().errors.iter() {
            let labels = self.place(&key.journey, &key.transaction);
            let labels = labels.with("location", self.source.masked(&key.location));
            family.number(
                labels.with("ex_type", self.source.masked(&key.kind)),
                *count as f64,
            );
        }
        self.families.push(family);
    }
}
