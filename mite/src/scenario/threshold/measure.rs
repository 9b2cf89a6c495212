//! What a threshold looks at in the statistics.

use std::time::Duration;

use super::{
    Threshold,
    vocabulary::{Stat, Subject, is_suffix},
};
use crate::stats::{
    HttpKey, JourneyKey, JourneyStatistics, Latency, MetricValue, Statistics, TransactionKey,
    metric::MetricKind,
};

/// What a threshold selects of an interval, in a form that can be added over intervals.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// How many there were.
    count: u64,
    /// What a counter added up; the count of anything else.
    sum: f64,
    /// Journeys that ended by themselves.
    finished: u64,
    times: Latency,
    /// The last value, and when that was.
    gauge: Option<(Duration, f64)>,
}

impl Measured {
    pub(super) fn merge(&mut self, other: &Measured) {
        self.count += other.count;
        self.sum += other.sum;
        self.finished += other.finished;
        self.times.merge(&other.times);
        self.set_gauge(other.gauge);
    }

    /// The figure a threshold compares, if there is anything to take it of.
    pub(super) fn value(&self, threshold: &Threshold, elapsed: Duration) -> Option<f64> {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let part = |of: f64| (of > 0.0).then(|| self.sum / of);
        match threshold.stat {
            Stat::Count => Some(self.count as f64),
            Stat::Rate if threshold.subject == Subject::Errors => part(self.finished as f64),
            Stat::Rate => part(elapsed.as_secs_f64()),
            Stat::Min => seconds(self.times.min()),
            Stat::Max => seconds(self.times.max()),
            Stat::Mean => self.times.mean_seconds(),
            Stat::Stddev => self.times.stddev_seconds(),
            Stat::Quantile(quantile) => seconds(self.times.quantile(quantile)),
            Stat::Value => match threshold.subject {
                Subject::Custom {
                    kind: Some(MetricKind::Counter),
                    ..
                } => Some(self.sum),
                _ => self.gauge.map(|(_, value)| value),
            },
        }
    }

    /// Whether there was anything at all to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && self.finished == 0 && self.times.is_empty() && self.gauge.is_none()
    }

    /// A gauge stays what it was until it is set again.
    pub(super) fn keep_gauge(&mut self, before: &Measured) {
        self.gauge = self.gauge.or(before.gauge);
    }

    fn add(&mut self, count: u64) {
        self.count += count;
        self.sum += count as f64;
    }

    fn set_gauge(&mut self, newer: Option<(Duration, f64)>) {
        if newer.map(|(at, _)| at) >= self.gauge.map(|(at, _)| at) {
            self.gauge = newer;
        }
    }
}

impl Threshold {
    pub(super) fn measure(&self, statistics: &Statistics) -> Measured {
        let mut measured = Measured::default();
        match &self.subject {
            Subject::Http => self.measure_http(statistics, &mut measured),
            Subject::Transaction => {
                for (key, row) in statistics.transactions.iter() {
                    if self.selects_transaction(key) {
                        let times = (&row.time, &row.failed_time);
                        self.add_outcomes(&mut measured, row.count, row.errors, times);
                    }
                }
            }
            Subject::Journey => {
                for row in self.journeys(statistics) {
                    let times = (&row.response_time, &row.failed_time);
                    self.add_outcomes(&mut measured, row.finished(), row.failed, times);
                }
            }
            Subject::ServiceTime => {
                for row in self.journeys(statistics) {
                    measured.add(row.service_time.count());
                    measured.times.merge(&row.service_time);
                }
            }
            Subject::StartDelay => {
                for row in self.journeys(statistics) {
                    measured.add(row.start_delay.count());
                    measured.times.merge(&row.start_delay);
                }
            }
            Subject::Dropped => {
                for row in self.journeys(statistics) {
                    measured.add(row.dropped);
                }
            }
            Subject::Errors => self.measure_errors(statistics, &mut measured),
            Subject::Custom { name, .. } => self.measure_metric(statistics, name, &mut measured),
        }
        measured
    }

    fn measure_http(&self, statistics: &Statistics, measured: &mut Measured) {
        let http = &statistics.http;
        if let Some(kind) = self.label("error") {
            measured.add(http.errors.get(kind).copied().unwrap_or(0));
            return;
        }
        if let Some(phase) = self.label("phase") {
            let rows = http.requests_by.iter();
            let selected = rows.filter(|(key, _)| self.selects_request(key));
            for times in selected.filter_map(|(_, row)| row.phases.get(phase)) {
                measured.add(times.count());
                measured.times.merge(times);
            }
            return;
        }
        if self.labels.iter().all(|(name, _)| name == "outcome") {
            let times = (&http.time, &http.failed_time);
            self.add_outcomes(measured, http.requests, http.failed, times);
            return;
        }
        for (key, row) in http.requests_by.iter() {
            if self.selects_request(key) {
                let times = (&row.time, &row.failed_time);
                self.add_outcomes(measured, row.count, row.failed, times);
            }
        }
    }

    /// Without another label than the journey's, the rate is about journeys that failed; a failure
    /// that a journey survived is none of those.
    fn measure_errors(&self, statistics: &Statistics, measured: &mut Measured) {
        let of_journeys = self.labels.iter().all(|(name, _)| name == "journey");
        for row in self.journeys(statistics) {
            measured.finished += row.finished();
            if of_journeys && self.stat == Stat::Rate {
                measured.add(row.failed);
            }
        }
        if of_journeys && self.stat == Stat::Rate {
            return;
        }
        for (key, count) in statistics.errors.iter() {
            let selected = self.labels.iter().all(|(name, value)| match name.as_str() {
                "kind" => key.kind.as_ref() == value,
                "location" => key.location.as_ref() == value,
                "transaction" => key.transaction.as_ref() == value,
                _ => is_suffix(&key.journey, value),
            });
            if selected {
                measured.add(*count);
            }
        }
    }

    fn measure_metric(&self, statistics: &Statistics, name: &str, measured: &mut Measured) {
        let Some(metric) = statistics.metrics.get(name) else {
            return;
        };
        for (labels, value) in metric.series.iter() {
            let selected = |(name, value): &(String, String)| labels.get(name) == Some(value);
            if !self.labels.iter().all(selected) {
                continue;
            }
            match value {
                MetricValue::Counter { sum, events } => {
                    measured.count += events;
                    measured.sum += sum.value();
                }
                MetricValue::Gauge { value, at } => measured.set_gauge(Some((*at, *value))),
                MetricValue::Histogram(times) => {
                    measured.add(times.count());
                    measured.times.merge(times);
                }
            }
        }
    }

    /// All count, unless one outcome is selected; times are of one outcome, never of both.
    fn add_outcomes(
        &self,
        measured: &mut Measured,
        count: u64,
        failed: u64,
        (ok_times, failed_times): (&Latency, &Latency),
    ) {
        let outcome = self.label("outcome");
        measured.add(match outcome {
            Some("failed") => failed,
            Some(_) => count.saturating_sub(failed),
            None => count,
        });
        measured.times.merge(match outcome {
            Some("failed") => failed_times,
            _ => ok_times,
        });
    }

    fn journeys<'a>(
        &'a self,
        statistics: &'a Statistics,
    ) -> impl Iterator<Item = &'a JourneyStatistics> {
        let selected = |key: &JourneyKey| {
            self.label("journey")
                .is_none_or(|value| is_suffix(&key.journey, value))
        };
        let rows = statistics.journeys.iter();
        rows.filter(move |(key, _)| selected(key))
            .map(|(_, row)| row)
    }

    fn selects_transaction(&self, key: &TransactionKey) -> bool {
        self.labels.iter().all(|(name, value)| match name.as_str() {
            "journey" => is_suffix(&key.journey, value),
            "transaction" | "name" => key.transaction.as_ref() == value,
            _ => true,
        })
    }

    fn selects_request(&self, key: &HttpKey) -> bool {
        self.labels.iter().all(|(name, value)| match name.as_str() {
            "journey" => is_suffix(&key.journey, value),
            "transaction" => key.transaction.as_ref() == value,
            "name" => key.name.as_ref() == value,
            "method" => key.method.as_ref() == value,
            "status" => match key.status {
                Some(status) => value.parse() == Ok(status),
                None => value == "none",
            },
            _ => true,
        })
    }

    fn label(&self, name: &str) -> Option<&str> {
        let label = self.labels.iter().find(|(label, _)| label == name);
        label.map(|(_, value)| value.as_str())
    }
}
