//! What a table says of one series in one second.

use std::collections::BTreeMap;

use crate::{
    config::Config,
    stats::{
        HttpKey, JourneyKey, JourneyStatistics, Latency, LatencySummary, MetricLabels, MetricValue,
        RequestStatistics, TransactionKey, TransactionStatistics,
    },
};

/// One series in one second.
#[derive(Default)]
pub(super) struct Row<'a> {
    pub(super) kind: &'static str,
    pub(super) journey: &'a str,
    pub(super) entry: Option<u32>,
    pub(super) transaction: &'a str,
    pub(super) name: &'a str,
    pub(super) method: &'a str,
    pub(super) status: Option<u16>,
    pub(super) users: Option<u64>,
    pub(super) planned_starts: Option<u64>,
    pub(super) starts: Option<u64>,
    pub(super) dropped: Option<u64>,
    pub(super) count: Option<u64>,
    pub(super) errors: Option<u64>,
    pub(super) ok: LatencySummary,
    pub(super) failed: LatencySummary,
    /// Those of a metric, as JSON.
    pub(super) labels: String,
    pub(super) value: Option<f64>,
}

impl<'a> Row<'a> {
    pub(super) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    pub(super) fn of_journey(key: &'a JourneyKey, journey: &JourneyStatistics) -> Self {
        let mut row = Self {
            journey: &key.journey,
            entry: Some(key.entry.0),
            ..Self::new("journey")
        };
        row.add(journey);
        row.times(&journey.response_time, &journey.failed_time);
        row
    }

    pub(super) fn of_transaction(
        key: &'a TransactionKey,
        transaction: &TransactionStatistics,
    ) -> Self {
        let mut row = Self {
            journey: &key.journey,
            transaction: &key.transaction,
            count: Some(transaction.count),
            errors: Some(transaction.errors),
            ..Self::new("transaction")
        };
        row.times(&transaction.time, &transaction.failed_time);
        row
    }

    pub(super) fn of_request(key: &'a HttpKey, request: &RequestStatistics) -> Self {
        let mut row = Self {
            journey: &key.journey,
            transaction: &key.transaction,
            name: &key.name,
            method: &key.method,
            status: key.status,
            count: Some(request.count),
            errors: Some(request.failed),
            ..Self::new("request")
        };
        row.times(&request.time, &request.failed_time);
        row
    }

    /// One series of a metric of the user's own.
    pub(super) fn of_metric(
        name: &'a str,
        labels: &MetricLabels,
        value: &MetricValue,
        config: &Config,
    ) -> Self {
        let labels: BTreeMap<_, _> = labels
            .0
            .iter()
            .map(|(name, value)| (name, config.mask(value)))
            .collect();
        let row = Self {
            name,
            // Texts by texts: nothing in it can fail.
            labels: serde_json::to_string(&labels).unwrap_or_default(),
            ..Self::default()
        };
        match value {
            MetricValue::Counter { sum, events } => Self {
                kind: "counter",
                count: Some(*events),
                value: Some(sum.value()),
                ..row
            },
            MetricValue::Gauge { value, .. } => Self {
                kind: "gauge",
                value: Some(*value),
                ..row
            },
            MetricValue::Histogram(amounts) => {
                let summary = amounts.summary();
                Self {
                    kind: "histogram",
                    count: Some(summary.count),
                    ok: summary,
                    ..row
                }
            }
        }
    }

    /// Counts runs of a journey.
    pub(super) fn add(&mut self, journey: &JourneyStatistics) {
        *self.count.get_or_insert(0) += journey.finished();
        *self.errors.get_or_insert(0) += journey.failed;
        *self.users.get_or_insert(0) += journey.users.in_flight;
        *self.starts.get_or_insert(0) += journey.started;
        *self.dropped.get_or_insert(0) += journey.dropped;
    }

    pub(super) fn times(&mut self, ok: &Latency, failed: &Latency) {
        self.ok = ok.summary();
        self.failed = failed.summary();
    }

    pub(super) fn is_worth_a_line(&self) -> bool {
        [self.count, self.users, self.starts, self.dropped]
            .into_iter()
            .flatten()
            .sum::<u64>()
            > 0
    }
}
